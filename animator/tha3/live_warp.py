"""How the live face moves: every point of the neutral picture knows where it goes; a frame looks back along that.

The networks answer, for every pixel of a finished picture, where in the neutral picture it came from. Blending those
answers between two poses blurs every moving edge, because an edge lies elsewhere in each. So the bake turns them
around: a *flow* here says for every pixel of the neutral picture how far it moves. Flows of neighbouring poses belong
to the same points and blend cleanly. A frame then needs the inverse of the blended flow: a few fixed-point steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[Any]

INVERSE_STEPS = 2
"""Fixed-point steps at half size; one more follows at full size. More gain at most 0.2 dB."""


@dataclass(frozen=True, slots=True)
class Region:
    """The part of the picture that is ever drawn. All bounds are even, in px."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left

    @property
    def full(self) -> tuple[slice, slice]:
        """Index into a full-size picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def half(self) -> tuple[slice, slice]:
        """Index into a half-size picture."""
        return slice(self.top // 2, self.bottom // 2), slice(self.left // 2, self.right // 2)


def grid(height: int, width: int) -> Floats:
    """The pixel's own place, x then y: float32 (height,width,2)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.ascontiguousarray(np.stack([x, y], axis=-1))


def sample(picture: Array, places: Floats, interpolation: int = cv2.INTER_LINEAR) -> Array:
    """`picture` looked up at `places` (H,W,2; px); its border repeats."""
    out: Array = cv2.remap(picture, places, None, interpolation, borderMode=cv2.BORDER_REPLICATE)
    return out


class Inverter:
    """Turns flows of one size around. Keeps its grids, so that a frame allocates little."""

    def __init__(self, height: int, width: int) -> None:
        self._size = (width, height)
        self._half = grid(height // 2, width // 2)
        self._full = grid(height, width)

    def places(self, flow: Floats) -> Floats:
        """Where each pixel of the frame comes from.

        Args:
            flow: float32 (height/2, width/2, 2): how far each point of the neutral picture moves, in full-size px.

        Returns:
            float32 (height, width, 2): absolute places in the neutral picture, x then y, full-size px.
        """
        halved = flow * np.float32(0.5)
        back = self._half - halved
        for _ in range(INVERSE_STEPS):
            back = cv2.subtract(self._half, sample(halved, back))
        # Half-size places to full-size offsets; the offset, not the place, is smooth enough to enlarge.
        offset = cv2.resize(cv2.subtract(back, self._half), self._size, interpolation=cv2.INTER_LINEAR)
        places: Floats = cv2.scaleAdd(offset, 2.0, self._full)
        return places
