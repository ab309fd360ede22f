"""The networks' linear light to 8-bit sRGB, in NumPy: for processes that never import PyTorch."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animator.messages import Pixels

Floats = npt.NDArray[np.float32]


def steps(x: Floats) -> Floats:
    """Linear [-1, 1] (1,4,H,W) as float32 sRGB RGBA (H,W,4) in 8-bit steps, [0, 255], not rounded. IEC 61966-2-1."""
    shown: Floats = np.clip((x[0].transpose(1, 2, 0) + np.float32(1.0)) * np.float32(0.5), 0.0, 1.0)
    rgb = shown[:, :, :3]
    bright = np.float32(1.055) * np.power(rgb, np.float32(1.0 / 2.4)) - np.float32(0.055)
    out = np.ascontiguousarray(shown * np.float32(255.0))
    out[:, :, :3] = np.where(rgb <= np.float32(0.0031308), rgb * np.float32(12.92), bright) * np.float32(255.0)
    return out


def pixels(x: Floats) -> Pixels:
    """Linear [-1, 1] (1,4,H,W) as uint8 sRGB RGBA (H,W,4)."""
    return np.rint(steps(x)).astype(np.uint8)
