"""What the two tiers of the THA3 face have in common. Loads without PyTorch."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from animator.messages import Pixels, Pose

SIZE_PX = 512
FACE_ROWS, FACE_COLS = slice(32, 224), slice(160, 352)
"""The face crop in the picture, 192 x 192 (THA3 demo)."""
BROW_ROWS, BROW_COLS = slice(64, 192), slice(192, 320)
"""The brow crop in the picture, 128 x 128."""
BROWS_IN_FACE = slice(32, 160)
"""The brow crop within the face crop, rows and columns alike."""


class Face(Protocol):
    """One loaded character that can be drawn in any pose. One thread at a time."""

    tier: str
    """"exact": the five networks themselves; "live": a per-character bake of them."""

    def draw(self, pose: Pose) -> Pixels:
        """The character in `pose` (float32 (45,), clamped into range): uint8 RGBA (512,512,4), sRGB, straight alpha."""
        ...


def check_image(image: Pixels) -> Pixels:
    """The picture as THA3 takes it: a contiguous copy, uint8 RGBA (512,512,4), hidden pixels black.

    Raises:
        ValueError: If shape or dtype differ, or nothing in it is visible.
    """
    if image.dtype != np.uint8 or image.shape != (SIZE_PX, SIZE_PX, 4):
        raise ValueError(f"a THA3 picture is uint8 RGBA of shape (512, 512, 4), got {image.dtype} {image.shape}")
    hidden = image[:, :, 3] == 0
    if bool(hidden.all()):
        raise ValueError("the picture is fully transparent; expected a character on a transparent background")
    # Editors leave colour behind alpha 0; the networks would see it.
    clean = np.array(image, order="C")
    clean[hidden] = 0
    return clean
