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


VIEW_LEFT, VIEW_TOP, VIEW_SIDE = 0.125, 0.047, 0.75
"""The part of a frame that viewers see, as shares of its side: THA3 wants a head of a quarter of the frame with room
around it, which is too far away for a stream. This square holds head, shoulders and chest, with room to lean."""


def view_of(pixels: Pixels) -> Pixels:
    """The part of a frame that is shown: a square, contiguous copy."""
    side = pixels.shape[0]
    left, top, size = round(VIEW_LEFT * side), round(VIEW_TOP * side), round(VIEW_SIDE * side)
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


class Canvas:
    """Places frames at the bottom centre of a background, as high as it is. Not thread-safe: owns buffers."""

    def __init__(self, width_px: int, height_px: int, background: Picture | None = None) -> None:
        if background is not None and background.shape != (height_px, width_px, 3):
            raise ValueError(f"a background must be uint8 {(height_px, width_px, 3)}, got {background.shape}")
        self.width_px = width_px
        self.height_px = height_px
        side = min(width_px, height_px)
        left, top = (width_px - side) // 2, height_px - side
        self._side = side
        self._window = (slice(top, top + side), slice(left, left + side))
        self._out = gradient(width_px, height_px) if background is None else background.copy()
        self._behind = np.ascontiguousarray(self._out[self._window])

    def place(self, pixels: Pixels) -> Picture:
        """The shown part of a frame over the background. The returned picture is reused by the next call."""
        view = view_of(pixels)
        # Straight alpha: hidden pixels are transparent black, so scaling colour and alpha apart would draw a dark rim.
        opaque = cv2.cvtColor(cv2.extractChannel(view, 3), cv2.COLOR_GRAY2RGB)
        colour = cv2.multiply(cv2.cvtColor(view, cv2.COLOR_RGBA2RGB), opaque, scale=1 / 255)
        size = (self._side, self._side)
        colour = cv2.resize(colour, size, interpolation=cv2.INTER_LINEAR)
        hidden = cv2.bitwise_not(cv2.resize(opaque, size, interpolation=cv2.INTER_LINEAR))
        self._out[self._window] = cv2.add(cv2.multiply(self._behind, hidden, scale=1 / 255), colour)
        return self._out
