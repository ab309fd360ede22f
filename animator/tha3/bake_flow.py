"""Turns the networks' answers into what the live face plays: flows and corrections in the neutral picture."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.tha3.face import SIZE_PX
from animator.tha3.live_warp import Array, Floats, Region, grid, sample

_HALF_STEPS, _FULL_STEPS = 16, 8
_DAMPING = 0.7
"""Undamped, the steps swing to and fro where the flow is steep, as between chin and neck."""


def fill(values: Floats, known: npt.NDArray[np.bool_]) -> Floats:
    """`values` (H,W,C) where `known`, smoothly continued elsewhere (pull-push over a pyramid)."""
    weight = known.astype(np.float32)
    stack: list[tuple[Array, Array]] = [(values * weight[..., None], weight)]
    while max(stack[-1][1].shape) > 1:
        sums, weight = stack[-1]
        size = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
        stack.append(
            (
                cv2.resize(sums, size, interpolation=cv2.INTER_AREA),
                cv2.resize(weight, size, interpolation=cv2.INTER_AREA),
            )
        )
    sums, weight = stack.pop()
    filled = sums / np.maximum(weight, 1e-6)[..., None]
    while stack:
        sums, weight = stack.pop()
        size = (weight.shape[1], weight.shape[0])
        coarse = cv2.resize(filled, size, interpolation=cv2.INTER_LINEAR)
        own = sums / np.maximum(weight, 1e-6)[..., None]
        share = np.minimum(weight, 1.0)[..., None]
        filled = own * share + coarse * (1.0 - share)
    return np.asarray(filled, np.float32)


def forward_flow(grid_change: Floats, visible: npt.NDArray[np.bool_], region: Region) -> Floats:
    """How far each point of the neutral picture moves.

    Args:
        grid_change: The editor's answer, (2,512,512): for each pixel of the frame, where it came from; 1.0 is 256 px.
        visible: (512,512), the character in the neutral picture. Elsewhere the networks' answer is arbitrary and
            is replaced by a smooth continuation.
        region: What is ever drawn.

    Returns:
        float32 (region.height, region.width, 2), px.
    """
    backward = np.ascontiguousarray(grid_change.transpose(1, 2, 0)) * np.float32(SIZE_PX / 2)
    half = cv2.resize(backward, (SIZE_PX // 2, SIZE_PX // 2), interpolation=cv2.INTER_AREA) * np.float32(0.5)
    flow = _turned(half, -half, grid(*half.shape[:2]), _HALF_STEPS)
    flow = cv2.resize(flow, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_LINEAR) * np.float32(2.0)
    here = grid(SIZE_PX, SIZE_PX)[region.full]
    flow = _turned(backward, flow[region.full], here, _FULL_STEPS)
    # Two pixels beyond the outline the answer still belongs to the character: its soft edge is drawn from there.
    # With one, hair tips leave specks; with none, the outline is off by 10 dB.
    known = cv2.dilate(visible.astype(np.uint8), np.ones((5, 5), np.uint8))[region.full] > 0
    return fill(flow, known)


def _turned(backward: Floats, flow: Floats, here: Floats, steps: int) -> Floats:
    flow = np.array(flow, np.float32, order="C")
    for _ in range(steps):
        flow += np.float32(_DAMPING) * (-sample(backward, here + flow) - flow)
    return flow


def correction(full: Floats, picture: Floats, grid_change: Floats, flow: Floats, region: Region) -> Floats:
    """What the networks add to the moved face, brought back to the neutral picture.

    Args:
        full: The picture with its new face before rotator and editor, linear (1,4,512,512) in [-1, 1].
        picture: The finished picture, likewise.
        grid_change: As for `forward_flow`.
        flow: What `forward_flow` made of it.
        region: What is ever drawn.

    Returns:
        float32 (region.height, region.width, 4), linear, in [-1, 1].
    """
    backward = np.ascontiguousarray(grid_change.transpose(1, 2, 0)) * np.float32(SIZE_PX / 2)
    moved = sample(np.ascontiguousarray(full[0].transpose(1, 2, 0)), grid(SIZE_PX, SIZE_PX) + backward)
    added = (np.ascontiguousarray(picture[0].transpose(1, 2, 0)) - moved) * np.float32(0.5)
    out: Floats = sample(added, grid(SIZE_PX, SIZE_PX)[region.full] + flow)
    return out
