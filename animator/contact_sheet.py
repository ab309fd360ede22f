"""Contact sheets: what a face makes of every parameter, viseme and expression, to look at before going live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from animator.character import Box
from animator.lipsync.visemes import VISEMES
from animator.messages import Pixels, Pose
from animator.tha3 import pose

Visemes = Mapping[str, Sequence[float]]
"""Six weights per viseme, in the order of `animator.tha3.pose.MOUTH_NAMES`."""

BACKGROUND = (104, 142, 122)
"""A mid green: outlines that carry a light or dark fringe show on it."""

_HEAD: Box = (156, 24, 356, 224)
_FACE: Box = (204, 104, 308, 204)
_BUST: Box = (146, 30, 366, 250)
_BODY: Box = (56, 16, 456, 512)
_LABEL_PX = 22


@dataclass(frozen=True, slots=True)
class _Cell:
    label: str
    pose: Pose


def parameter_poses() -> dict[str, Pose]:
    """Label -> pose: the face at rest, then each of the 45 parameters at 1, and at -1 where it goes below 0."""
    poses = {"rest": pose.neutral()}
    for i, name in enumerate(pose.NAMES):
        for value in (1.0, -1.0):
            if pose.LOW[i] <= value <= pose.HIGH[i]:
                poses[name if pose.LOW[i] >= 0 else f"{name} {value:+.0f}"] = pose.pose_of(**{name: value})
    return poses


def viseme_poses(visemes: Visemes) -> dict[str, Pose]:
    """Label -> pose of every viseme."""
    poses: dict[str, Pose] = {}
    for name, weights in visemes.items():
        face = pose.neutral()
        face[pose.MOUTH] = weights
        poses[name] = pose.clamp(face)[0]
    return poses


def make_sheets(
    face_draw: Callable[[Pose], Pixels],
    out: Path,
    name: str = "character",
    visemes: Visemes | None = None,
    progress: Callable[[str, float], None] | None = None,
    expressions: Mapping[str, Pose] | None = None,
) -> tuple[Path, ...]:
    """Draw the sheets as `<name>_parameters.png`, `<name>_visemes.png` and `<name>_emotions.png` into folder `out`.

    Args:
        face_draw: Draws a pose: uint8 RGBA (512, 512, 4), such as `ExactFace.draw`. Called about 120 times.
        out: Folder for the pictures, which is made if missing.
        name: First part of their names.
        visemes: Which to show; None takes the whole viseme table.
        progress: Told what is drawn and the share done in [0, 1].
        expressions: What the character can show, by name; None leaves their sheet out.

    Returns:
        The paths: parameters, visemes, and emotions if asked for.

    Raises:
        OSError: If the folder cannot be written.
    """
    table = VISEMES if visemes is None else visemes
    by_parameter = [_Cell(label, p) for label, p in parameter_poses().items()]
    by_viseme = [_Cell(label, p) for label, p in viseme_poses(table).items()]
    by_expression = [_Cell(label, p) for label, p in (expressions or {}).items()]
    total = len(by_parameter) + len(by_viseme) + len(by_expression)
    drawn = 0

    def draw(cell: _Cell) -> Pixels:
        nonlocal drawn
        picture = face_draw(cell.pose)
        drawn += 1
        if progress is not None:
            progress(f"drawing {cell.label}", drawn / total)
        return picture

    out.mkdir(parents=True, exist_ok=True)
    paths = [out / f"{name}_parameters.png", out / f"{name}_visemes.png"]
    tiles = [_tile(draw(c), c.label, _crop_of(c.label), 168) for c in by_parameter]
    _save(_grid(tiles, columns=9, title=f"{name}: THA3 parameters"), paths[0])
    tiles = [_tile(draw(c), _spell(c), _FACE, 196) for c in by_viseme]
    _save(_grid(tiles, columns=7, title=f"{name}: visemes"), paths[1])
    if by_expression:
        paths.append(out / f"{name}_emotions.png")
        tiles = [_tile(draw(c), c.label, _BUST, 168) for c in by_expression]
        _save(_grid(tiles, columns=7, title=f"{name}: expressions and emotions"), paths[2])
    return tuple(paths)


def _crop_of(label: str) -> Box:
    """Brows, eyes and mouth need the face near; turns need the head; leaning and breath the body."""
    if label.startswith(("body", "breathing")):
        return _BODY
    return _HEAD if label.startswith(("head", "neck", "rest")) else _FACE


def _spell(cell: _Cell) -> str:
    """A viseme's name and its weights: `aw: A.35 O.70`."""
    letters = [name.removeprefix("mouth_")[0].upper() for name in pose.MOUTH_NAMES]
    weights = cell.pose[pose.MOUTH]
    parts = [
        f"{letter}{weight:.2f}".replace("0.", ".") for letter, weight in zip(letters, weights, strict=True) if weight
    ]
    return f"{cell.label}: {' '.join(parts) or 'closed'}"


def _tile(picture: Pixels, label: str, crop: Box, side_px: int) -> Image.Image:
    rgba = picture.astype(np.float32)
    alpha = rgba[:, :, 3:] / 255.0
    flat = rgba[:, :, :3] * alpha + np.array(BACKGROUND, dtype=np.float32) * (1.0 - alpha)
    image = Image.fromarray(np.round(flat).astype(np.uint8)).crop(crop)
    scale = side_px / max(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    tile = Image.new("RGB", (side_px, side_px + _LABEL_PX), (24, 28, 34))
    tile.paste(BACKGROUND, (0, _LABEL_PX, side_px, _LABEL_PX + side_px))
    tile.paste(image, ((side_px - image.width) // 2, _LABEL_PX + (side_px - image.height) // 2))
    size = 14.0
    font = ImageFont.load_default(size)
    while font.getlength(label) > side_px - 6 and size > 9:
        size -= 0.5
        font = ImageFont.load_default(size)
    ImageDraw.Draw(tile).text((4, _LABEL_PX // 2), label, font=font, fill=(240, 244, 240), anchor="lm")
    return tile


def _grid(tiles: Sequence[Image.Image], columns: int, title: str) -> Image.Image:
    gap, head = 4, 34
    columns = min(columns, len(tiles))
    width, height = tiles[0].size
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (gap + columns * (width + gap), head + rows * (height + gap)), (24, 28, 34))
    ImageDraw.Draw(sheet).text((gap + 4, head // 2), title, font=ImageFont.load_default(20), fill="white", anchor="lm")
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (gap + (i % columns) * (width + gap), head + (i // columns) * (height + gap)))
    return sheet


def _save(sheet: Image.Image, path: Path) -> None:
    # 256 colours with error diffusion: a third of the size, and nothing that a reader of the sheet would miss.
    sheet.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)
