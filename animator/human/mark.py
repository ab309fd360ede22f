"""The mark in a corner of the picture which says that a machine moves this face."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.messages import Pixels

PLACE = (0.145, 0.775)
"""Left edge and lower edge of the mark, in parts of the frame: in a corner of what canvases show of it at zoom 1."""

Mark = tuple[int, int, npt.NDArray[np.uint8]]
"""Left, top and pixels, uint8 RGBA."""


def mark_of(text: str, side_px: int) -> Mark:
    """The mark that says `text`, for square frames of that size."""
    scale = side_px / 512
    font, size, thick = cv2.FONT_HERSHEY_SIMPLEX, 0.42 * scale, max(1, round(scale))
    (width, height), under = cv2.getTextSize(text, font, size, thick)
    pad = round(5 * scale)
    mark = np.zeros((height + under + 2 * pad, width + 2 * pad, 4), np.uint8)
    mark[..., 3] = 110
    shape = np.zeros(mark.shape[:2], np.uint8)
    cv2.putText(shape, text, (pad, pad + height), font, size, 255, thick, cv2.LINE_AA)
    mark[..., :3] = shape[..., None]
    mark[..., 3] = np.maximum(mark[..., 3], (shape * 0.9).astype(np.uint8))
    return round(PLACE[0] * side_px), round(PLACE[1] * side_px) - mark.shape[0], mark


def stamp(frame: Pixels, mark: Mark) -> None:
    """Lay the mark over `frame`, in place."""
    left, top, pixels = mark
    cut = frame[top : top + pixels.shape[0], left : left + pixels.shape[1]]
    share = pixels[..., 3:].astype(np.float32) / 255.0
    cut[..., :3] = np.rint(cut[..., :3] * (1.0 - share) + pixels[..., :3] * share).astype(np.uint8)
    cut[..., 3] = np.maximum(cut[..., 3], pixels[..., 3])
