"""MuseTalk's own step, written from its published description with diffusers and transformers, as it comes.

Slow and plain on purpose: what the engine's output is compared with, and what its speed stands beside.
"""

from __future__ import annotations

import copy
import math
import warnings
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from animator.musetalk.config import Configs

warnings.filterwarnings("ignore", category=FutureWarning, module="diffusers")
warnings.filterwarnings("ignore", category=DeprecationWarning)


class Reference:
    """The published pipeline on random weights of the given shapes.

    Args:
        configs: The shapes.
        device: Where it runs.
        dtype: What it computes in.
        seed: Of the weights.
    """

    def __init__(
        self, configs: Configs, device: str = "cpu", dtype: torch.dtype = torch.float32, seed: int = 1
    ) -> None:
        from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel

        torch.manual_seed(seed)
        self.configs, self.device, self.dtype = configs, torch.device(device), dtype
        u, v, t = configs.unet, configs.vae, configs.tiny
        levels = len(u.channels)
        self.unet: Any = UNet2DConditionModel(
            sample_size=64, in_channels=u.in_channels, out_channels=u.out_channels, block_out_channels=u.channels,
            layers_per_block=u.layers, cross_attention_dim=u.context, attention_head_dim=u.heads,
            norm_num_groups=u.groups, down_block_types=("CrossAttnDownBlock2D",) * (levels - 1) + ("DownBlock2D",),
            up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (levels - 1), act_fn="silu", norm_eps=1e-5,
            downsample_padding=1, mid_block_scale_factor=1, flip_sin_to_cos=True, freq_shift=0,
        )  # fmt: skip
        self.vae: Any = AutoencoderKL(
            block_out_channels=v.channels, down_block_types=("DownEncoderBlock2D",) * len(v.channels),
            up_block_types=("UpDecoderBlock2D",) * len(v.channels), layers_per_block=v.layers,
            latent_channels=v.latent, norm_num_groups=v.groups,
        )  # fmt: skip
        self.tiny: Any = AutoencoderTiny(
            encoder_block_out_channels=(t.channels,) * 4, decoder_block_out_channels=(t.channels,) * 4,
            num_decoder_blocks=t.blocks,
        )  # fmt: skip
        for model in (self.unet, self.vae, self.tiny):
            _liven(model)
            model.to(self.device, dtype).eval().requires_grad_(requires_grad=False)

    def rounded(self, dtype: torch.dtype) -> Reference:
        """The same weights, rounded to a narrower type, and computing in it."""
        other = copy.copy(self)
        other.dtype = dtype
        for name in ("unet", "vae", "tiny"):
            setattr(other, name, copy.deepcopy(getattr(self, name)).to(dtype))
        return other

    @torch.inference_mode()
    def latents(self, crop: npt.NDArray[np.uint8]) -> Tensor:
        """Crop uint8 BGR (any size) to the eight channels, masked half first, (1,8,h,w)."""
        side = self.configs.face_px
        rgb = cv2.cvtColor(cv2.resize(crop, (side, side), interpolation=cv2.INTER_LANCZOS4), cv2.COLOR_BGR2RGB)
        whole = torch.from_numpy(rgb.astype(np.float32) / 255.0).permute(2, 0, 1)[None]
        masked = whole.clone()
        masked[:, :, side // 2 :] = 0
        parts = []
        for image in (masked, whole):
            normal = ((image - 0.5) / 0.5).to(self.device, self.dtype)
            parts.append(self.vae.encode(normal).latent_dist.mode() * self.vae.config.scaling_factor)
        return torch.cat(parts, 1)

    @torch.inference_mode()
    def crops(self, latents: Tensor, windows: Tensor, *, tiny: bool = False) -> npt.NDArray[np.uint8]:
        """Latents (N,8,h,w) and sound windows (N,50,384) without positions to crops uint8 BGR (N,S,S,3)."""
        tokens = windows.to(self.device, self.dtype) + positions(windows.shape[1], windows.shape[2]).to(
            self.device, self.dtype
        )
        timestep = torch.tensor([0], device=self.device)
        predicted = self.unet(latents.to(self.device, self.dtype), timestep, encoder_hidden_states=tokens).sample
        if tiny:
            image = self.tiny.decode(predicted).sample
        else:
            image = self.vae.decode(predicted / self.vae.config.scaling_factor).sample
        image = (image / 2 + 0.5).clamp(0, 1).float().permute(0, 2, 3, 1).cpu().numpy()
        rgb = (image * 255).round().astype(np.uint8)
        return np.ascontiguousarray(rgb[..., ::-1])


def paste(
    crop: npt.NDArray[np.uint8],
    frame: npt.NDArray[np.uint8],
    box: tuple[int, int, int, int],
    mask: npt.NDArray[np.uint8],
) -> npt.NDArray[np.uint8]:
    """One crop resized to its box and alpha-blended into a copy of `frame` (any channel order); `mask` as the box."""
    left, top, right, bottom = box
    face = cv2.resize(crop, (right - left, bottom - top)).astype(np.float32)
    out = frame.copy()
    alpha = mask[..., None].astype(np.float32) / 255.0
    here = out[top:bottom, left:right].astype(np.float32)
    out[top:bottom, left:right] = np.rint(face * alpha + here * (1 - alpha)).astype(np.uint8)
    return out


def positions(length: int, width: int) -> Tensor:
    """The usual table of sines and cosines, (length, width)."""
    at = torch.arange(length).float()[:, None]
    rate = torch.exp(torch.arange(0, width, 2).float() * (-math.log(10000.0) / width))
    table = torch.zeros(length, width)
    table[:, 0::2] = torch.sin(at * rate)
    table[:, 1::2] = torch.cos(at * rate)
    return table


def sound_windows(states: npt.NDArray[np.float32], frames: int) -> npt.NDArray[np.float32]:
    """Encoder states (steps, 5, 384) at 50 a second to windows (frames, 50, 384) at 25 frames a second."""
    padded = np.concatenate([np.zeros_like(states[:4]), states, np.zeros_like(states[:12])])
    return np.stack([padded[2 * f : 2 * f + 10].reshape(50, -1) for f in range(frames)])


def _liven(model: nn.Module) -> None:
    """Norms and biases are 1 and 0 at first, which would hide mistakes with them."""
    for name, value in model.named_parameters():
        if value.ndim == 1:
            with torch.no_grad():
                value.add_(0.1 * torch.randn_like(value)) if name.endswith("weight") else value.normal_(0, 0.1)
