"""How far a mouth is open in a picture, in pixels: what films are measured by. Pure.

The face is the highest of the large patches of light skin. A mouth is the largest hole in it that lies above the
chin, wherever the head has turned. Its area is what viewers see of it: teeth and tongue count, and so does the line of
shut lips, which is why those do not measure 0.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
"""uint8 RGB, sRGB, shape (height, width, 3)."""

SKIN_LOW = (205, 165, 140)
"""sRGB: lighter than this is skin, blush and the shadow of hair included; lips, lines and the neck's shadow are not."""
SKIN_MOST_RED = 110
"""Red may exceed blue by so much; an amber iris exceeds it by more."""
BESIDE = 0.22
"""How far from the face's middle a mouth's middle may lie, as a share of the face's width."""
ABOVE_CHIN = (0.06, 0.34)
"""And how far above the chin."""
LARGE = 0.1
"""A face is at least so large beside the largest light patch, which may be a coat."""
NO_FACE = float("nan")


def skin_of(picture: Picture) -> npt.NDArray[np.uint8]:
    """Where the face is, uint8 0 or 1, shape (height, width)."""
    red, green, blue = cv2.split(picture.astype(np.int16))
    light = (red > SKIN_LOW[0]) & (green > SKIN_LOW[1]) & (blue > SKIN_LOW[2])
    skin = (light & (red - blue < SKIN_MOST_RED) & (red >= green - 5)).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(skin, connectivity=4)
    if count < 2:
        return np.zeros_like(skin)
    sizes, tops = stats[1:, cv2.CC_STAT_AREA], stats[1:, cv2.CC_STAT_TOP]
    large = np.flatnonzero(sizes >= LARGE * sizes.max())
    return np.asarray(labels == 1 + large[np.argmin(tops[large])], dtype=np.uint8)


def mouth_area_px(picture: Picture) -> float:
    """The mouth's area in px; 0 where the face has none, NO_FACE where there is no face in `picture`."""
    face = skin_of(picture)
    if not face.any():
        return NO_FACE
    left, top, width, height = cv2.boundingRect(face)
    chin = top + height
    face = face[top:chin, left : left + width]
    middle = float(np.flatnonzero(face.any(axis=0)).mean())
    _, _, stats, centres = cv2.connectedComponentsWithStats(1 - face, connectivity=8)
    area = 0
    for (x, y, w, h, size), (across, down) in zip(stats[1:], centres[1:], strict=True):
        is_hole = x > 0 and y > 0 and x + w < width and y + h < height
        is_mouth = (
            abs(across - middle) < BESIDE * width and ABOVE_CHIN[0] * width < height - down < ABOVE_CHIN[1] * width
        )
        if is_hole and is_mouth:
            area = max(area, int(size))
    return float(area)
