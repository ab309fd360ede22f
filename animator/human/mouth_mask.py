"""Crop and mouth mask of an avatar for engines that repaint the lower face (MuseTalk), from the mesh alone.

MuseTalk's own preparation reads 68 points and a face parser; the mesh's points stand in for both: bridge of the nose
168, 197, 5, 4 for 27 to 30 of the 68, the face's outline for the jaw.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.human.landmarks import Points

BRIDGE = (168, 197, 5, 4)
"""The nose's bridge from above; MuseTalk's crop has its middle at the third."""
OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152),
    *(148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
BROWS = (70, 63, 105, 66, 107, 300, 293, 334, 296, 336)
CHIN_ROOM = 0.04
"""Room below the chin in parts of the crop's height (MuseTalk 1.5 adds 10 px whatever the size)."""

CropBox = tuple[int, int, int, int]
"""Left, top, right, bottom in px, half open."""


def crop_box(
    points: Points, width_px: int, height_px: int, shift: float = 0.0, chin_room: float = CHIN_ROOM
) -> CropBox:
    """MuseTalk's crop of a picture of that size: its vertical middle lies on the third point of the nose's bridge.

    Args:
        points: (478, 3) in px.
        width_px: The picture's width.
        height_px: Its height.
        shift: Moves that middle down (towards the mouth: it opens wider) in parts of the distance to the next point of
            the bridge, -1 to 1. MuseTalk 1.0's `bbox_shift`.
        chin_room: Room below the chin, in parts of the height.
    """
    xy = points[:, :2]
    shape = xy[[*(i for i in OUTLINE if xy[i, 1] > xy[list(BROWS), 1].min()), *BROWS]]
    step = float(xy[BRIDGE[3], 1] - xy[BRIDGE[2], 1] if shift > 0 else xy[BRIDGE[2], 1] - xy[BRIDGE[1], 1])
    middle = float(xy[BRIDGE[2], 1]) + shift * step
    low = float(shape[:, 1].max())
    top = middle - (low - middle)
    bottom = low + chin_room * (low - top)
    left, right = float(shape[:, 0].min()), float(shape[:, 0].max())
    return (
        max(0, round(left)),
        max(0, round(top)),
        min(width_px, round(right)),
        min(height_px, round(bottom)),
    )


def mouth_mask(
    points: Points, box: CropBox, upper_edge: float = 0.0, feather: float = 0.05, chin: float = 0.03
) -> npt.NDArray[np.uint8]:
    """Where a repainted lower face is shown: uint8 (bottom - top, right - left), 255 inside, soft at its edges.

    Args:
        points: (478, 3) in px of the picture.
        box: The crop, `crop_box`.
        upper_edge: Where it begins: 0 at the nose's tip, 1 at the upper lip, -1 at the third point of the bridge.
        feather: Width of the soft edge, in parts of the crop's height.
        chin: How far it reaches below the chin, in parts of the crop's height.
    """
    left, top, right, bottom = box
    height, width = bottom - top, right - left
    xy = points[:, :2] - np.array([left, top], np.float32)
    nose, lip, bridge = float(xy[2, 1]), float(xy[0, 1]), float(xy[BRIDGE[2], 1])
    edge = nose + upper_edge * ((lip - nose) if upper_edge > 0 else (nose - bridge))
    outline = xy[list(OUTLINE)].copy()
    middle = outline.mean(axis=0)
    soft = max(feather * height, 0.5)
    outline = middle + (outline - middle) * (1.0 - 1.2 * soft / max(width / 2, 1.0))  # the seam stays on the skin
    below = outline[:, 1] > edge
    outline[below, 1] += chin * height * np.clip((outline[below, 1] - edge) / max(height - edge, 1.0), 0.0, 1.0)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline).astype(np.int32)], 255)
    mask[: max(0, round(edge))] = 0
    blurred: npt.NDArray[np.uint8] = cv2.GaussianBlur(mask, (0, 0), soft / 2, borderType=cv2.BORDER_CONSTANT)
    return blurred
