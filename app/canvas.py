"""The picture that viewers get: the character placed on a background of another size. Pure."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from animator.messages import Pixels

Picture: TypeAlias = npt.NDArray[np.uint8]
"""uint8 RGB, sRGB, shape (height, width, 3)."""

BACKDROP_TOP = (58, 66, 110)
BACKDROP_BOTTOM = (24, 27, 48)
"""sRGB. A calm night blue that light and dark hair both stand out from."""


def gradient(width_px: int, height_px: int) -> Picture:
    """Our default background: BACKDROP_TOP above to BACKDROP_BOTTOM below."""
    share = np.linspace(0.0, 1.0, height_px, dtype=np.float32)[:, None]
    column = np.asarray(BACKDROP_TOP, np.float32) * (1 - share) + np.asarray(BACKDROP_BOTTOM, np.float32) * share
    return np.repeat(np.rint(column).astype(np.uint8)[:, None, :], width_px, axis=1)


class Canvas:
    """Places frames at the bottom centre of a background, as large as its height allows. Not thread-safe: owns buffers."""

    def __init__(self, width_px: int, height_px: int, background: Picture | None = None) -> None:
        if background is not None and background.shape != (height_px, width_px, 3):
            raise ValueError(f"a background must be uint8 {(height_px, width_px, 3)}, got {background.shape}")
        self.width_px = width_px
        self.height_px = height_px
        self._background = gradient(width_px, height_px) if background is None else background
        self._out = self._background.copy()

    def place(self, pixels: Pixels) -> Picture:
        """The character over the background. The returned picture is reused by the next call."""
        side = min(self.width_px, self.height_px)
        left, top = (self.width_px - side) // 2, self.height_px - side
        window = (slice(top, top + side), slice(left, left + side))
        # Straight alpha: hidden pixels are transparent black, so scaling colour and alpha apart would draw a dark rim.
        alpha = pixels[..., 3]
        colour = cv2.multiply(pixels[..., :3], cv2.merge([alpha] * 3), scale=1 / 255)
        if pixels.shape[0] != side:
            colour = cv2.resize(colour, (side, side), interpolation=cv2.INTER_LINEAR)
            alpha = cv2.resize(alpha, (side, side), interpolation=cv2.INTER_LINEAR)
        hidden = cv2.bitwise_not(alpha)
        behind = cv2.multiply(self._background[window], cv2.merge([hidden] * 3), scale=1 / 255)
        self._out[window] = cv2.add(behind, colour)
        return self._out
