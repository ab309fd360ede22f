"""Turns the networks' answers into what the live face plays: flows and textures in the neutral picture. No PyTorch."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.messages import Pixels
from animator.tha3.face import SIZE_PX
from animator.tha3.live_warp import Array, Floats, Inverter, Region, grid, sample

_INVERSION_STEPS = 16
_DAMPING = 0.7
"""Undamped, the steps swing to and fro where the flow is steep, as between chin and neck."""
_SHARPENING_STEPS = 2
"""Each step puts back what sampling twice has blurred: 2 gain 1-2 dB in motion, more gain nothing."""
_FAINT = 6
"""Alpha below this, of 255, around the character is the networks' noise."""


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


def bleed(picture: Array) -> Floats:
    """A picture (H,W,4) whose hidden pixels take on the colour of their neighbours, as float32.

    Sampling between a visible and a hidden pixel then no longer drags in black.
    """
    out = picture.astype(np.float32)
    solid = picture[:, :, 3] > 127
    if bool(solid.any()):
        out[:, :, :3] = np.where(solid[..., None], out[:, :, :3], fill(out[:, :, :3], solid))
    return out


def forward_flow(grid_change: Floats, visible: npt.NDArray[np.bool_]) -> Floats:
    """How far each point of the neutral picture moves.

    Args:
        grid_change: The editor's answer, (2,512,512): for each pixel of the frame, where it came from; 1.0 is 256 px.
        visible: (512,512), the character in the neutral picture. Elsewhere the networks' answer is arbitrary and
            is replaced by a smooth continuation.

    Returns:
        float32 (256,256,2), full-size px.
    """
    half = SIZE_PX // 2
    backward = cv2.resize(
        np.ascontiguousarray(grid_change.transpose(1, 2, 0)), (half, half), interpolation=cv2.INTER_AREA
    )
    backward = backward * np.float32(half / 2)
    base = grid(half, half)
    flow = -backward
    for _ in range(_INVERSION_STEPS):
        flow += _DAMPING * (-sample(backward, base + flow) - flow)
    seen = cv2.resize(visible.astype(np.float32), (half, half), interpolation=cv2.INTER_AREA) > 0.2
    return fill(flow, seen) * np.float32(2.0)


def texture(picture: Pixels, flow: Floats, region: Region, inverter: Inverter) -> Pixels:
    """What the neutral picture would have to look like for the live face to draw `picture` when moved by `flow`.

    Args:
        picture: The networks' finished picture, uint8 (512,512,4).
        flow: float32, half of `region`'s size.
        region: What is drawn.
        inverter: Of the region's size.

    Returns:
        uint8 (region.height, region.width, 4); colours continue under hidden pixels.
    """
    target = bleed(picture)
    origin = np.array([region.left, region.top], np.float32)
    enlarged = cv2.resize(flow, (region.width, region.height), interpolation=cv2.INTER_LINEAR)
    ahead = grid(region.height, region.width) + enlarged
    places = inverter.places(flow)
    out = sample(target, ahead + origin, cv2.INTER_CUBIC)
    target = target[region.full]
    for _ in range(_SHARPENING_STEPS):
        out += sample(target - sample(out, places), ahead, cv2.INTER_CUBIC)
    out = np.clip(out, 0.0, 255.0)
    out[:, :, 3][out[:, :, 3] < _FAINT] = 0.0
    return np.asarray(np.rint(out), np.uint8)
