"""Draws a list of poses, for films and stills."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from animator.messages import Pixels
from animator.protocol import Progress
from animator.tha3.face import Face
from animator.tha3.pose import clamp

_log = logging.getLogger(__name__)

ENGINES = ("exact", "live")


def check_poses(poses: npt.NDArray[np.float32]) -> None:
    """Accept float32 (n,45) alone.

    Raises:
        ValueError: If `poses` is anything else.
    """
    if poses.ndim != 2 or poses.shape[1] != 45 or poses.dtype != np.float32:
        raise ValueError(
            f"poses must be float32 of shape (n, 45), one row per frame in the order of animator/tha3/pose.py, "
            f"got {poses.dtype} {poses.shape}"
        )


def open_face(
    image: Pixels, weights: Path, cache_root: Path, engine: str, progress: Progress, large: Pixels | None = None
) -> Face:
    """A face of tier `engine`; "live" is baked first where it is not yet, which takes up to two minutes.

    With `large`, the art as uint8 RGBA (1024,1024,4), the live tier draws at that size; the exact one cannot.

    Raises:
        ValueError: If `engine` is unknown or cannot draw so large, or picture or weights do not fit.
        OSError: If the cache cannot be written.
    """
    if engine == "exact" and large is not None:
        raise ValueError("the exact engine draws 512 x 512; use the live engine for 1024 x 1024")
    if engine == "exact":
        from animator.tha3.exact_choice import open_exact

        progress("loading networks", 0.0)
        return open_exact(weights, image, cache_root)
    if engine == "live":
        from animator.tha3.bake import bake
        from animator.tha3.live import LiveFace

        return LiveFace(bake(image, weights, cache_root, progress, lambda: False), large)
    raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}")


def render_poses(
    image: Pixels,
    weights: Path,
    cache_root: Path,
    poses: npt.NDArray[np.float32],
    engine: str,
    progress: Progress,
    large: Pixels | None = None,
) -> Iterator[Pixels]:
    """Draw every pose in order.

    Args:
        image: The character, uint8 RGBA (512,512,4).
        weights: Folder with THA3's weight files.
        cache_root: Where bakes are kept.
        poses: float32 (n,45); values outside their ranges are clamped, and counted in the log.
        engine: "exact" or "live".
        progress: Told what is being done and the share done in [0, 1], first for opening the face, then for drawing.
        large: The art as uint8 RGBA (1024,1024,4): live frames are drawn at that size.

    Yields:
        uint8 RGBA (512,512,4), or (1024,1024,4) with `large`, one picture per pose.

    Raises:
        ValueError: At once, before anything is loaded, if `poses` or `engine` is of the wrong kind.
    """
    check_poses(poses)
    if engine not in ENGINES:
        raise ValueError(f"engine must be one of {', '.join(ENGINES)}, got {engine!r}")
    return _draw_all(image, weights, cache_root, poses, engine, progress, large)


def _draw_all(
    image: Pixels,
    weights: Path,
    cache_root: Path,
    poses: npt.NDArray[np.float32],
    engine: str,
    progress: Progress,
    large: Pixels | None,
) -> Iterator[Pixels]:
    face = open_face(image, weights, cache_root, engine, progress, large)
    clamped = 0
    for i, pose in enumerate(poses):
        clean, changed = clamp(pose)
        clamped += changed
        yield face.draw(clean)
        progress("drawing", (i + 1) / len(poses))
    if clamped:
        _log.warning("%d pose values were no numbers or out of range; they were clamped", clamped)
