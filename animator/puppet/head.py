"""The head of a photo: small turns with depth, and the body's breath and sway, as one smooth shift of every pixel.

A face in front of its neck's axis moves further than the ears when the head turns. The depth comes from the face's
points (z), falls to the head's outline, and the shift fades out over the neck; the background is another layer and
stays.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.puppet.curves import smoothstep
from animator.puppet.face_shape import Head

YAW, PITCH, ROLL = np.radians(13.0), np.radians(10.0), np.radians(11.0)
"""Largest rotations. The composer keeps to half of them; a photo that turns further shows that it is one."""
CELL_PX = 8
"""Shifts are worked out on a grid this wide and are linear between."""


class HeadRig:
    """One photo's head. `maps` is called by one thread; it owns buffers."""

    def __init__(self, points: npt.NDArray[np.float32], person: npt.NDArray[np.uint8]) -> None:
        """`points` (478, 3) in px of a picture with the level face, `person` uint8 (side, side) of the same."""
        side = person.shape[0]
        self._side = side
        cells = side // CELL_PX + 2
        axis = ((np.arange(cells) - 0.5) * CELL_PX - 0.5).astype(np.float32)
        x, y = (each.astype(np.float32) for each in np.meshgrid(axis, axis))
        self._x, self._y = x, y
        xy, z = points[:468, :2], points[:468, 2]
        chin_y, brow_y = float(xy[152, 1]), float(xy[10, 1])
        tall = chin_y - brow_y
        middle_x = float((xy[234, 0] + xy[454, 0]) / 2)
        half = float(xy[454, 0] - xy[234, 0]) / 2
        # Nearness of every cell, in px before the axis of the neck: the face's own, else a ball's.
        back = float((z[234] + z[454]) / 2)
        ball = np.sqrt(np.maximum(1.0 - ((x - middle_x) / (1.45 * half)) ** 2, 0.0)) * np.sqrt(
            np.maximum(1.0 - ((y - (brow_y + 0.42 * tall)) / (1.05 * tall)) ** 2, 0.0)
        )
        face = _spread(xy, back - z, x, y, 0.10 * tall)
        inside = smoothstep(_inside(xy, side, axis, 0.10 * tall))
        near = 0.55 * half * ball + 0.35 * half
        depth = near + inside * (0.35 * half + np.maximum(face, 0.0) - near)
        depth = cv2.GaussianBlur(depth.astype(np.float32), (0, 0), 0.05 * tall / CELL_PX + 0.6)
        # 1 on the head, 0 from the chest down.
        weight = 1.0 - smoothstep((y - (chin_y - 0.12 * tall)) / (0.75 * tall))
        # Shoulders beside the head do not turn with it.
        beside = smoothstep((np.abs(x - middle_x) - 1.7 * half) / (1.2 * half)) * smoothstep(
            (y - (brow_y + 0.5 * tall)) / (0.4 * tall)
        )
        weight = weight * (1.0 - beside) * smoothstep((side - CELL_PX - y) / (0.12 * side))
        pivot_x, pivot_y = middle_x, chin_y + 0.15 * tall
        # The lower edge of a frame has nothing below it, and the sides nothing beside them.
        border = smoothstep((side - y) / (0.30 * side))
        edge = smoothstep((np.minimum(x, side - x) - CELL_PX) / (0.06 * side))  # 0 in the whole cell at the border
        zero = np.zeros_like(x)
        rolled = weight * edge
        up = weight * edge
        sway = border * edge * smoothstep((side * 1.05 - y) / side)
        chest = np.exp(-(((y - (chin_y + 0.9 * tall)) / (0.8 * tall)) ** 2)) * border * edge
        squeeze = weight * edge * (x - middle_x)
        bases = [
            (weight * edge * depth, zero),  # yaw: sine
            (-squeeze, zero),  # yaw: what its cosine takes off
            (zero, up * depth),  # pitch: sine
            (zero, -up * (y - pivot_y)),  # pitch: what its cosine takes off
            (rolled * -(y - pivot_y), rolled * (x - pivot_x)),  # roll
            (sway * tall, zero),  # body to the side
            (zero, -chest * 0.014 * tall - weight * edge * 0.008 * tall),  # a full chest
            (0.25 * chest * half, zero),  # body turned
        ]
        self._bases = np.array(bases, dtype=np.float32).reshape(len(bases), -1)
        self._cells = cells
        grid = np.arange(cells, dtype=np.float32)
        self._grid_x, self._grid_y = np.meshgrid(grid, grid)

    def shift(self, head: Head) -> npt.NDArray[np.float32]:
        """How far each cell of the grid moves, px: float32 (cells, cells, 2), x and y."""
        yaw, pitch, roll = YAW * head.yaw, PITCH * head.pitch, ROLL * head.roll
        weights = np.array(
            [
                -np.sin(yaw),
                1.0 - np.cos(yaw),
                -np.sin(pitch),
                1.0 - np.cos(pitch),
                np.sin(roll),
                0.10 * head.lean,
                head.breath,
                -0.10 * head.turn,
            ],
            dtype=np.float32,
        )
        both = (weights @ self._bases).reshape(2, self._cells, self._cells)
        return np.ascontiguousarray(both.transpose(1, 2, 0))

    def maps(self, head: Head) -> npt.NDArray[np.float32]:
        """Where every pixel comes from: float32 (side, side, 2), for `cv2.remap`."""
        forward = self.shift(head)
        back = -forward
        # The shift that led here is the one of where it came from, not of here.
        for _ in range(2):
            at_x = self._grid_x + back[..., 0] / CELL_PX
            at_y = self._grid_y + back[..., 1] / CELL_PX
            back = -cv2.remap(forward, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        back[..., 0] += self._x
        back[..., 1] += self._y
        span = self._cells * CELL_PX
        large = cv2.resize(back, (span, span), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large[CELL_PX : CELL_PX + self._side, CELL_PX : CELL_PX + self._side])


def _spread(
    at: npt.NDArray[np.float32],
    values: npt.NDArray[np.float32],
    x: npt.NDArray[np.float32],
    y: npt.NDArray[np.float32],
    reach: float,
) -> npt.NDArray[np.float32]:
    """`values` given at points `at` (n, 2), at the cells: the mean of what is near, by a Gaussian of `reach` px."""
    far = (x.reshape(-1, 1) - at[None, :, 0]) ** 2 + (y.reshape(-1, 1) - at[None, :, 1]) ** 2
    weight = np.exp(-(far - far.min(axis=1, keepdims=True)) / (2 * (0.6 * reach) ** 2))
    mean: npt.NDArray[np.float32] = ((weight @ values) / weight.sum(axis=1)).reshape(x.shape).astype(np.float32)
    return mean


def _inside(
    xy: npt.NDArray[np.float32], side: int, axis: npt.NDArray[np.float32], soft: float
) -> npt.NDArray[np.float32]:
    """How far inside the face each cell lies, in parts of `soft`."""
    hull = cv2.convexHull(xy.astype(np.float32))
    far = [[cv2.pointPolygonTest(hull, (float(x), float(y)), True) for x in axis] for y in axis]
    return np.asarray(np.array(far, np.float32) / soft)
