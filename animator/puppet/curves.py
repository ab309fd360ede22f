"""Curves over the columns of a picture, and the warp that moves whole curves: pure NumPy, float32."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Columns: TypeAlias = npt.NDArray[np.float32]
"""One value per column, shape (width,)."""
Field: TypeAlias = npt.NDArray[np.float32]
"""One value per pixel, shape (height, width)."""

_THIN_PX = 0.01


def smoothstep(x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """0 below 0, 1 above 1, without a kink between."""
    x = np.clip(np.asarray(x, dtype=np.float32), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), dtype=np.float32)


def through(points: npt.NDArray[np.float32], columns: Columns, soften: float = 0.0) -> Columns:
    """The height of a polyline through `points` (n, 2) at `columns`, level beyond its ends; `soften` px rounds it."""
    order = np.argsort(points[:, 0], kind="stable")
    heights = np.interp(columns, points[order, 0], points[order, 1]).astype(np.float32)
    if soften > 0.0:
        heights = cv2.GaussianBlur(heights[None], (0, 0), soften, borderType=cv2.BORDER_REPLICATE)[0]
    return np.asarray(heights, dtype=np.float32)


def moved_rows(rows: Columns, seen: Sequence[Columns], shown: Sequence[Columns]) -> Field:
    """Where each pixel's row comes from when curves that lie at `seen` in the source are to be at `shown`.

    Between two curves rows are spread evenly, above the first and below the last nothing moves. Curves are in order
    from above to below and never cross; what lies between curves that touch in the picture shown is left out, so
    nothing tears.

    Args:
        rows: The row of every pixel row, shape (height,).
        seen: Heights of the curves in the source, each (width,).
        shown: Heights of the same curves in the picture.

    Returns:
        float32 (height, width), rows of the source.
    """
    y = rows[:, None]
    moved: Field = np.minimum(y, shown[0]) + (seen[0] - shown[0])
    for k in range(len(seen) - 1):
        tall = np.maximum(shown[k + 1] - shown[k], _THIN_PX)
        moved += ((seen[k + 1] - seen[k]) / tall) * np.clip(y - shown[k], 0.0, tall)
    moved += np.maximum(y - shown[-1], 0.0)
    return moved
