"""Open MuseTalk for the photos of an engine that draws everything. Loads PyTorch only when a photo is to be seen."""

from __future__ import annotations

from pathlib import Path

from animator.musetalk.stand_in import StandIn, WithStandIn
from animator.protocol import Animator


def open_musetalk(
    stand_in: StandIn,
    weights: Path,
    cache: Path,
    quality: str,
    *,
    device: str = "cuda",
    large: bool = False,
    waits: bool = False,
) -> Animator:
    """The engine that draws photos with MuseTalk, and whatever MuseTalk cannot with `stand_in`.

    Args:
        stand_in: Draws every character.
        weights: Folder with MuseTalk's files; read when the first photo is chosen.
        cache: Folder of portraits and latents.
        quality: "best" or "fast".
        device: "cuda" or "cpu".
        large: Whether a photo that has that much is drawn at 1024 px.
        waits: Whether every frame is waited for, for films.
    """

    def make() -> Animator:
        from animator.musetalk.engine import build
        from animator.musetalk.from_photo import character_avatar

        return build(
            weights,
            cache / "musetalk",
            quality,
            lambda character, progress: character_avatar(character, cache, progress, large=large),
            device=device,
            waits=waits,
        )

    return WithStandIn(stand_in, make)
