"""Finishing touches on a drawn frame: soft outline, rim light, bloom. Pure; uint8 in, uint8 out.

Everything soft is worked out at half or quarter size, and only within the character's box.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.manner import Finish
from animator.messages import Pixels

Plane = npt.NDArray[np.uint8]

# Sizes in px at 512; a larger picture gets larger ones.
OUTLINE_PX, OUTLINE_BLUR_PX = 4.0, 2.0
RIM_PX, RIM_BLUR_PX = 7.0, 1.5
TO_LIGHT = (-0.6, -0.8)
"""Where the rim's light comes from: x to the right, y down."""
AROUND_PX = 56.0
"""What is brighter than the mean over a box of this size glows."""
BRIGHTER = 16
"""... if by more than so many levels."""
BLOOM_BLUR_PX = 7.0
BLOOM_GAIN = 3.0
MARGIN_PX = 12
"""How far the outline may reach."""


def finished(pixels: Pixels, finish: Finish) -> Pixels:
    """`pixels` with outline, rim light and bloom as `finish` asks; `pixels` itself where it asks for nothing.

    Args:
        pixels: uint8 RGBA, straight alpha, (height, width, 4); not changed.
        finish: Strengths and colours.

    Returns:
        The same shape. Rim and bloom leave alpha alone; the outline adds to it around the character.
    """
    if finish.is_off:
        return pixels
    scale = pixels.shape[0] / 512.0
    box = _box(pixels, round(MARGIN_PX * scale))
    if box is None:
        return pixels
    out = pixels.copy()
    view = out[box]
    size = (view.shape[1] // 2, view.shape[0] // 2)
    small = cv2.resize(view, size, interpolation=cv2.INTER_LINEAR)  # at half size this is the mean of four
    alpha = cv2.extractChannel(small, 3)
    light = _light(small, alpha, finish, scale)
    if light is not None:
        # Only where something is drawn: empty pixels stay empty.
        full = cv2.resize(light, (view.shape[1], view.shape[0]), interpolation=cv2.INTER_LINEAR)
        cv2.add(view, full, dst=view, mask=cv2.extractChannel(view, 3))
    if finish.outline > 0.0:
        _outline(view, alpha, finish, scale)
    return out


def _box(pixels: Pixels, margin: int) -> tuple[slice, slice] | None:
    """The character's rows and columns with a margin, even in size; None for an empty picture."""
    step = 4
    thin = pixels[::step, ::step, 3]
    rows, columns = np.flatnonzero(thin.any(axis=1)), np.flatnonzero(thin.any(axis=0))
    if not rows.size:
        return None
    slices = []
    for found, length in ((rows, pixels.shape[0]), (columns, pixels.shape[1])):
        low = max(int(found[0]) * step - step - margin, 0)
        high = min((int(found[-1]) + 1) * step + step + margin, length)
        low -= low % 2
        slices.append(slice(low, high - (high - low) % 2))
    return slices[0], slices[1]


def _light(small: Pixels, alpha: Plane, finish: Finish, scale: float) -> Pixels | None:
    """What rim and bloom add, RGBA at half size with alpha 0; None for nothing."""
    light: Pixels | None = None
    if finish.bloom > 0.0:
        quarter = cv2.resize(small, (small.shape[1] // 2, small.shape[0] // 2), interpolation=cv2.INTER_LINEAR)
        # Highlights glow, not whole faces: what is brighter than its surroundings.
        around = cv2.blur(quarter, (_odd(AROUND_PX * scale / 4),) * 2)
        bright = cv2.subtract(cv2.subtract(quarter, around), (BRIGHTER, BRIGHTER, BRIGHTER, 0))
        glow = cv2.GaussianBlur(bright, (0, 0), BLOOM_BLUR_PX * scale / 4)
        # As a screen would: what is white already gets nothing.
        glow = cv2.multiply(glow, cv2.bitwise_not(quarter), scale=BLOOM_GAIN * finish.bloom / 255)
        light = cv2.resize(glow, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_LINEAR)
        light[:, :, 3] = 0
    if finish.rim > 0.0:
        reach = RIM_PX * scale / 2
        rim = np.zeros_like(alpha)
        for share in (1.0, 0.5):  # two widths: brightest at the very edge
            dx, dy = round(-TO_LIGHT[0] * reach * share), round(-TO_LIGHT[1] * reach * share)
            shifted = cv2.warpAffine(
                alpha,
                np.array([[1, 0, dx], [0, 1, dy]], dtype=np.float32),
                (alpha.shape[1], alpha.shape[0]),
                flags=cv2.INTER_NEAREST,
            )
            rim = cv2.addWeighted(rim, 1.0, cv2.subtract(alpha, shifted), 0.5, 0.0)
        rim = cv2.GaussianBlur(rim, (0, 0), RIM_BLUR_PX * scale / 2)
        colored = cv2.merge(
            [*(cv2.convertScaleAbs(rim, alpha=finish.rim * c) for c in _shares(finish.rim_color)), np.zeros_like(rim)]
        )
        light = colored if light is None else cv2.add(light, colored)
    return light


def _outline(view: Pixels, alpha: Plane, finish: Finish, scale: float) -> None:
    """Put a soft border under the character, in place."""
    radius = max(round(OUTLINE_PX * scale / 2), 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    wide = cv2.GaussianBlur(cv2.dilate(alpha, kernel), (0, 0), OUTLINE_BLUR_PX * scale / 2)
    border = cv2.resize(wide, (view.shape[1], view.shape[0]), interpolation=cv2.INTER_LINEAR)
    border = cv2.convertScaleAbs(border, alpha=finish.outline)
    over = cv2.extractChannel(view, 3)
    under = cv2.multiply(border, cv2.bitwise_not(over), scale=1 / 255)
    total = cv2.add(over, under)
    # Edges of the drawing, where both are seen, are few; around them the border is alone.
    edges = cv2.findNonZero(cv2.bitwise_and(cv2.inRange(over, 1, 254), under))
    color = np.array([round(255 * share) for share in _shares(finish.outline_color)] + [0], dtype=np.uint8)
    if edges is not None:
        columns, rows = edges.reshape(-1, 2).T  # its shape differs between versions of OpenCV
        share = (over[rows, columns] / total[rows, columns].astype(np.float32))[:, None]
        mixed = view[rows, columns, :3] * share + color[:3] * (1.0 - share) + 0.5
        view[rows, columns, :3] = mixed.astype(np.uint8)
    alone = cv2.bitwise_and(cv2.compare(over, 0, cv2.CMP_EQ), cv2.compare(under, 0, cv2.CMP_GT))
    flat = np.full(over.shape, color.view(np.uint32)[0]).view(np.uint8).reshape(view.shape)
    cv2.copyTo(flat, alone, view)
    view[:, :, 3] = total


def _odd(size: float) -> int:
    return max(round(size) // 2 * 2 + 1, 3)


def _shares(color: int) -> tuple[float, float, float]:
    return (color >> 16 & 255) / 255.0, (color >> 8 & 255) / 255.0, (color & 255) / 255.0
