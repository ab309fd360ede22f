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

HALF_STEPS, FULL_STEPS = 2, 2
"""Fixed-point steps at half size everywhere, then at full size where the head is. More gain nothing; one fewer at half
size costs 0.06 dB, one fewer at full size 0.1."""
_SEAM_PX = 16
DETAIL_BOTTOM = 264
"""Above this row, where the head is, flows are kept at full size. At half size a face's edges lose 5 dB."""
_COARSE_PX = 8
"""Where nothing is to be seen, one place in so many is kept."""
_RIM_PX = 3
"""So far beyond its outline a character counts as seen: one more than the networks' answer is taken for."""


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

    def at_scale(self, scale: int) -> tuple[slice, slice]:
        """Index into a picture `scale` times as large."""
        return slice(scale * self.top, scale * self.bottom), slice(scale * self.left, scale * self.right)

    @property
    def split(self) -> int:
        """How many rows of the region have flows at full size."""
        return max(min(DETAIL_BOTTOM, self.bottom) - self.top, 2)


class Layout:
    """A flow of a region as one short vector: finely where the character is, coarsely where nothing is to be seen.

    The rows down to `Region.split` are kept at full size on the character, those below at half size. Around it, where
    a flow is but a smooth continuation, every eighth place is kept.

    Args:
        region: What is ever drawn.
        visible: bool (region.height, region.width), where the character is in the neutral picture.
    """

    def __init__(self, region: Region, visible: npt.NDArray[np.bool_]) -> None:
        self.region = region
        side = 2 * _RIM_PX + 1
        seen = cv2.dilate(visible.astype(np.uint8), np.ones((side, side), np.uint8))
        self._half = (region.width // 2, region.height // 2)
        self._coarse = (-(-region.width // _COARSE_PX), -(-region.height // _COARSE_PX))
        self._fine_at = np.flatnonzero(seen[: region.split])
        below = seen[region.split :].reshape(-1, 2, region.width // 2, 2).max(axis=(1, 3))
        self._below_at = np.flatnonzero(below)
        self._ends = np.cumsum([2 * self._coarse[0] * self._coarse[1], 2 * len(self._below_at)])
        self.size = int(self._ends[-1]) + 2 * len(self._fine_at)
        """Length of the vector."""

    def pack(self, flow: Floats) -> Floats:
        """The vector of a flow (height,width,2), px."""
        split = self.region.split
        coarse = cv2.resize(flow, self._coarse, interpolation=cv2.INTER_AREA)
        parts = [coarse.ravel()]
        if len(self._below_at):
            lower = cv2.resize(flow[split:], (self._half[0], len(flow[split:]) // 2), interpolation=cv2.INTER_AREA)
            parts.append(lower.reshape(-1, 2)[self._below_at].ravel())
        parts.append(flow[:split].reshape(-1, 2)[self._fine_at].ravel())
        return np.concatenate(parts)

    def unpack(self, vector: Floats) -> tuple[Floats, Floats]:
        """The flow's rows down to `split` at full size, and all others at half size, px as it were at full size."""
        region, split = self.region, self.region.split
        first, second = self._ends
        coarse = vector[:first].reshape(self._coarse[1], self._coarse[0], 2)
        half = cv2.resize(coarse, self._half, interpolation=cv2.INTER_LINEAR)
        lower = half[split // 2 :]
        # Fancy indexing of pairs as one number each is three times as fast.
        lower.reshape(-1).view(np.int64)[self._below_at] = vector[first:second].view(np.int64)
        upper = cv2.resize(half[: split // 2], (region.width, split), interpolation=cv2.INTER_LINEAR)
        upper.reshape(-1).view(np.int64)[self._fine_at] = vector[second:].view(np.int64)
        return np.asarray(upper, np.float32), np.asarray(lower, np.float32)


def grid(height: int, width: int) -> Floats:
    """The pixel's own place, x then y: float32 (height,width,2)."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.ascontiguousarray(np.stack([x, y], axis=-1))


def sample(picture: Array, places: Floats, interpolation: int = cv2.INTER_LINEAR) -> Array:
    """`picture` looked up at `places` (H,W,2; px); its border repeats."""
    out: Array = cv2.remap(picture, places, None, interpolation, borderMode=cv2.BORDER_REPLICATE)
    return out


class Inverter:
    """Turns the flows of a region around. Keeps its grids, so that a frame allocates little."""

    def __init__(self, layout: Layout) -> None:
        region = layout.region
        self._region = region
        self._layout = layout
        self._half = grid(region.height // 2, region.width // 2)
        self._full = grid(region.height, region.width)

    def offsets(self, vector: Floats) -> Floats:
        """How far from each pixel of the frame the place lies that it comes from.

        Args:
            vector: How far each point of the neutral picture moves, in the form of `Layout.pack`.

        Returns:
            float32 (height, width, 2): x then y, px.
        """
        region, split = self._region, self._region.split
        upper, lower = self._layout.unpack(vector)
        halved = np.concatenate(
            [cv2.resize(upper, (region.width // 2, split // 2), interpolation=cv2.INTER_AREA), lower]
        )
        halved *= np.float32(0.5)
        back = self._half - halved
        for _ in range(HALF_STEPS):
            back = cv2.subtract(self._half, sample(halved, back))
        # The offset, not the place, is smooth enough to enlarge.
        offset = cv2.resize(
            cv2.subtract(back, self._half), (region.width, region.height), interpolation=cv2.INTER_LINEAR
        )
        offset *= np.float32(2.0)
        if len(lower):
            # Near the seam, places lie beyond it.
            beyond = lower[:_SEAM_PX]
            size = (region.width, 2 * len(beyond))
            upper = np.concatenate([upper, cv2.resize(beyond, size, interpolation=cv2.INTER_LINEAR)])
        for _ in range(FULL_STEPS):
            found = sample(upper, cv2.add(self._full[:split], offset[:split]))
            np.negative(found, out=offset[:split])
        return np.asarray(offset, np.float32)

    def places(self, vector: Floats) -> Floats:
        """Where in the region each of its pixels comes from: float32 (height, width, 2), x then y, px."""
        places: Floats = cv2.add(self._full, self.offsets(vector))
        return places
