"""Between 8-bit sRGB pictures and the networks' linear [-1, 1]."""

from __future__ import annotations

import torch
from torch import Tensor

from animator.messages import Pixels


def to_linear(image: Pixels, device: torch.device | str = "cpu") -> Tensor:
    """uint8 sRGB RGBA (H,W,4) as float32 (1,4,H,W), linear RGB, all channels in [-1, 1]. sRGB: IEC 61966-2-1."""
    x = torch.from_numpy(image).to(device).permute(2, 0, 1)[None].to(torch.float32) / 255.0
    rgb = x[:, :3]
    rgb = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return torch.cat([rgb, x[:, 3:]], dim=1) * 2.0 - 1.0


def to_srgb_floats(x: Tensor) -> Tensor:
    """Linear [-1, 1] (N,4,H,W) as float32 sRGB RGBA (N,H,W,4) in 8-bit steps, [0, 255], not rounded."""
    x = ((x + 1.0) / 2.0).clamp(0.0, 1.0)
    rgb = x[:, :3]
    rgb = torch.where(rgb <= 0.0031308, rgb * 12.92, 1.055 * rgb ** (1.0 / 2.4) - 0.055)
    return (torch.cat([rgb, x[:, 3:]], dim=1) * 255.0).permute(0, 2, 3, 1)


def to_srgb(x: Tensor) -> Tensor:
    """Linear [-1, 1] (N,4,H,W) as uint8 sRGB RGBA (N,H,W,4) on the same device."""
    return to_srgb_floats(x).round().to(torch.uint8).contiguous()
