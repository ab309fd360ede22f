"""The scene of the settings: what the character stands before, and where. Reads the background's picture."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image, ImageOps

from app.canvas import Background, Glow, Picture, Placement, Scene, colour_of
from app.errors import AppError
from app.settings import StageSettings

FORMATS = ("PNG", "JPEG", "WEBP")
LARGEST_BYTES = 64 << 20
LARGEST_PX = 50_000_000
KEPT_PX = (2560, 1440)
"""A larger picture is made smaller than this once, not with every step of a window's resize."""


def load_picture(path: Path) -> Picture:
    """The picture in a file, upright, without transparency (black stands in for it), not larger than KEPT_PX.

    Raises:
        AppError: For a file that is missing, no PNG, JPEG or WebP, damaged, or too large.
    """
    remedy = "Choose a PNG, JPEG or WebP file of at most 50 megapixels."
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise AppError(f"The picture {path} is larger than {LARGEST_BYTES >> 20} MB.", remedy)
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > LARGEST_PX:
                raise AppError(f"The picture {path} has {image.width} x {image.height} pixels.", remedy)
            image.draft("RGB", KEPT_PX)  # a large JPEG is decoded smaller at once
            upright = ImageOps.exif_transpose(image)
            upright.thumbnail(KEPT_PX, Image.Resampling.LANCZOS)
            whole = Image.new("RGB", upright.size)
            whole.paste(
                upright, mask=upright.convert("RGBA").getchannel("A") if upright.has_transparency_data else None
            )
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise AppError(f"The picture {path} cannot be read: {type(error).__name__}.", remedy) from error
    return np.asarray(whole, dtype=np.uint8).copy()


def scene_of(stage: StageSettings, glow: Glow | None = None, before: Scene | None = None) -> Scene:
    """The scene that the settings ask for.

    Args:
        stage: The settings.
        glow: The theme's background, where somebody knows the theme.
        before: The scene until now; its picture is used again where it is the same file.

    Raises:
        AppError: Where the background is a picture that cannot be read.
    """
    picture: Picture | None = None
    if stage.background == "picture":
        if not stage.picture:
            raise AppError("No picture is chosen for the background.", "Choose a PNG, JPEG or WebP file.")
        reuse = before is not None and before.picture_file == stage.picture
        picture = before.picture if before is not None and reuse else load_picture(Path(stage.picture).expanduser())
    return Scene(
        Placement(stage.zoom, stage.x, stage.y),
        cast("Background", stage.background),
        colour_of(stage.colour),
        picture,
        glow,
        stage.picture if picture is not None else "",
    )


def after(placement: Placement, old: StageSettings, new: StageSettings) -> Placement:
    """`placement` with what differs between two settings."""
    changed = {name: getattr(new, name) for name in ("zoom", "x", "y") if getattr(new, name) != getattr(old, name)}
    return dataclasses.replace(placement, **changed)


class SceneKeeper:
    """The scene that viewers see just now. Thread-safe: the gate changes it, sinks read it with every frame."""

    def __init__(self, stage: StageSettings) -> None:
        """A picture that cannot be read is left out; `trouble` says why."""
        self.trouble: AppError | None = None
        self._lock = threading.Lock()
        self._stage = stage
        try:
            self._scene = scene_of(stage)
        except AppError as error:
            self.trouble = error
            self._scene = scene_of(dataclasses.replace(stage, background="theme"))

    def current(self) -> Scene:
        """The scene; the same object until it changes."""
        return self._scene

    def keep(self, stage: StageSettings) -> None:
        """Other settings count. Raises AppError, and changes nothing, where their picture cannot be read.

        Where the character is changes only as far as the settings do: they are kept one after the other, and what has
        been placed by `place` must not jump back meanwhile.
        """
        with self._lock:
            scene = scene_of(stage, self._scene.glow, self._scene)
            placement = after(self._scene.placement, self._stage, stage)
            self._scene = dataclasses.replace(scene, placement=placement, card=self._scene.card)
            self._stage = stage

    def place(self, placement: Placement) -> None:
        """Show the character elsewhere, until `keep`."""
        with self._lock:
            self._scene = dataclasses.replace(self._scene, placement=placement)

    def show_card(self, on: bool) -> None:
        """Viewers see the test card instead, or no longer."""
        with self._lock:
            self._scene = dataclasses.replace(self._scene, card=on)

    def colours(self, top: str, bottom: str, light: str) -> None:
        """The theme has these colours, each "#rrggbb". Raises ValueError for anything else."""
        glow = Glow(colour_of(top), colour_of(bottom), colour_of(light))
        with self._lock:
            self._scene = dataclasses.replace(self._scene, glow=glow)
