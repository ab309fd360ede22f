"""Stable Diffusion's autoencoder and its tiny stand-in: crops to latents (once per avatar), latents to crops.

`Encoder` and `Decoder` are the halves of `AutoencoderKL` ("best"), `TinyDecoder` that of `AutoencoderTiny` ("fast", 17
times less work, slightly smoother skin).
"""

from __future__ import annotations

from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from animator.musetalk.config import LATENT_SCALE, TinyConfig, VaeConfig
from animator.musetalk.stream import Conv, Linear, Norm, Resnet, Stream, UpConv, conv
from animator.musetalk.tensors import Shape, Source

EPS = 1e-6
OUT_CHANNELS = 8
"""Three colours, padded: tensor cores want eight."""


class Decodes(Protocol):
    """A decoder. `bias` (8,) is still to be added to what it returns."""

    bias: Tensor

    def __call__(self, latents: Tensor) -> Tensor:
        """Scaled latents (N,h,w,4) to RGB in about [-1, 1], (N,8h,8w,8): the first three channels count."""
        ...


class _OldNames:
    """A source whose attention has either the old names (query, key, value, proj_attn) or the new ones."""

    OLD = (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn"))

    def __init__(self, source: Source, *, old: bool) -> None:
        self._source = source
        self._old = old
        self.dtype = source.dtype

    def take(self, key: str, shape: Shape, *, wide: bool = False) -> Tensor:
        if self._old:
            for new, old in self.OLD:
                key = key.replace(f".{new}.", f".{old}.")
        return self._source.take(key, shape, wide=wide)


class _MidAttention:
    """One head over all pixels."""

    def __init__(self, source: Source, key: str, channels: int, groups: int, *, old_names: bool) -> None:
        self.norm = Norm(source, f"{key}.group_norm", channels, groups, EPS)
        named = _OldNames(source, old=old_names)
        parts = [Linear(named, f"{key}.to_{each}", channels, channels) for each in "qkv"]
        self.qkv = torch.cat([each.weight for each in parts])
        self.qkv_bias = torch.cat([each.bias for each in parts if each.bias is not None])
        self.out = Linear(named, f"{key}.to_out.0", channels, channels)

    def __call__(self, stream: Stream) -> Stream:
        n, h, w, c = stream.x.shape
        x = stream.normed(self.norm, act=False).view(n, h * w, c)
        q, k, v = F.linear(x, self.qkv, self.qkv_bias).chunk(3, 2)
        # No fused attention takes 512 channels a head.
        x = torch.softmax((q * c**-0.5) @ k.transpose(1, 2), -1) @ v
        return Stream(self.out.without_bias(x).view(n, h, w, c), self.out.bias, stream.value())


class _Mid:
    def __init__(self, source: Source, key: str, channels: int, groups: int, *, old_names: bool) -> None:
        self.first = Resnet(source, f"{key}.resnets.0", channels, channels, groups, EPS)
        self.attention = _MidAttention(source, f"{key}.attentions.0", channels, groups, old_names=old_names)
        self.second = Resnet(source, f"{key}.resnets.1", channels, channels, groups, EPS)

    def __call__(self, stream: Stream) -> Stream:
        return self.second(self.attention(self.first(stream)))


class Decoder:
    """Latents to crops: `AutoencoderKL.decode`.

    Args:
        source: The checkpoint.
        config: The shapes.
        old_names: Whether the file calls its attention by the old names, as sd-vae-ft-mse's does.
    """

    def __init__(self, source: Source, config: VaeConfig, *, old_names: bool = False) -> None:
        widths = config.channels[::-1]
        post = source.take("post_quant_conv.weight", (config.latent, config.latent), wide=True)
        self._post = (post.T / LATENT_SCALE).to(source.dtype)
        self._post_bias = source.take("post_quant_conv.bias", (config.latent,))
        self.conv_in = Conv(source, "decoder.conv_in", widths[0], config.latent)
        self.mid = _Mid(source, "decoder.mid_block", widths[0], config.groups, old_names=old_names)
        self.levels: list[tuple[list[Resnet], UpConv | None]] = []
        inside = widths[0]
        for level, out in enumerate(widths):
            resnets = []
            for i in range(config.layers + 1):
                resnets.append(
                    Resnet(source, f"decoder.up_blocks.{level}.resnets.{i}", inside, out, config.groups, EPS)
                )
                inside = out
            last = level == len(widths) - 1
            up = None if last else UpConv(source, f"decoder.up_blocks.{level}.upsamplers.0.conv", out)
            self.levels.append((resnets, up))
        self.norm_out = Norm(source, "decoder.conv_norm_out", inside, config.groups, EPS)
        self.conv_out = Conv(source, "decoder.conv_out", 3, inside).padded_to(OUT_CHANNELS)
        self.bias = self.conv_out.bias

    def __call__(self, latents: Tensor) -> Tensor:
        """See `Decodes`."""
        x = latents @ self._post + self._post_bias
        stream = self.mid(Stream(self.conv_in(x), self.conv_in.bias))
        for resnets, up in self.levels:
            for resnet in resnets:
                stream = resnet(stream)
            if up is not None:
                stream = Stream(up(stream.value()), up.bias, up=True)
        return self.conv_out(stream.normed(self.norm_out, act=True, keep=False))


class Encoder:
    """Crops to latents: `AutoencoderKL.encode`, the distribution's middle."""

    def __init__(self, source: Source, config: VaeConfig, *, old_names: bool = False) -> None:
        widths = config.channels
        self.conv_in = Conv(source, "encoder.conv_in", widths[0], 3)
        self._levels: list[tuple[list[Resnet], Conv | None]] = []
        inside = widths[0]
        for level, out in enumerate(widths):
            resnets = []
            for i in range(config.layers):
                resnets.append(
                    Resnet(source, f"encoder.down_blocks.{level}.resnets.{i}", inside, out, config.groups, EPS)
                )
                inside = out
            last = level == len(widths) - 1
            down = (
                None if last else Conv(source, f"encoder.down_blocks.{level}.downsamplers.0.conv", out, out, stride=2)
            )
            if down is not None:
                down.padding = 0
            self._levels.append((resnets, down))
        self.mid = _Mid(source, "encoder.mid_block", inside, config.groups, old_names=old_names)
        self.norm_out = Norm(source, "encoder.conv_norm_out", inside, config.groups, EPS)
        self.conv_out = Conv(source, "encoder.conv_out", 2 * config.latent, inside)
        self.quant = Linear(source, "quant_conv", 2 * config.latent, 2 * config.latent)
        self._latent = config.latent

    def __call__(self, crops: Tensor) -> Tensor:
        """Crops (N,S,S,3) RGB in [-1, 1] to scaled latents (N,S/8,S/8,4)."""
        stream = Stream(self.conv_in(crops), self.conv_in.bias)
        for resnets, down in self._levels:
            for resnet in resnets:
                stream = resnet(stream)
            if down is not None:
                # This encoder pads below and to the right only.
                padded = F.pad(stream.value(), (0, 0, 0, 1, 0, 1))
                stream = Stream(down(padded), down.bias)
        stream = self.mid(stream)
        x = self.conv_out(stream.normed(self.norm_out, act=True, keep=False)) + self.conv_out.bias
        return self.quant(x)[..., : self._latent] * LATENT_SCALE


class TinyDecoder:
    """Latents to crops: `AutoencoderTiny.decode` (TAESD). Bias, residual and ReLU ride on the convolutions."""

    def __init__(self, source: Source, config: TinyConfig) -> None:
        c = config.channels
        self.conv_in = Conv(source, "decoder.layers.0", c, config.latent)
        self._levels: list[tuple[list[list[Conv]], Conv | None]] = []
        at = 2
        for level, blocks in enumerate(config.blocks):
            found = []
            for _ in range(blocks):
                found.append([Conv(source, f"decoder.layers.{at}.conv.{i}", c, c) for i in (0, 2, 4)])
                at += 1
            last = level == len(config.blocks) - 1
            up = None if last else Conv(source, f"decoder.layers.{at + 1}", c, c, bias=False)
            at += 0 if last else 2
            self._levels.append((found, up))
        self.conv_out = Conv(source, f"decoder.layers.{at}", 3, c).padded_to(OUT_CHANNELS)
        # The decoder's answer is in [0, 1]; ours is twice that, less one.
        self.conv_out.weight *= 2
        self.bias = self.conv_out.bias * 2 - 1

    def __call__(self, latents: Tensor) -> Tensor:
        """See `Decodes`."""
        x = rectified(torch.tanh(latents / 3) * 3, self.conv_in)
        for blocks, up in self._levels:
            for first, second, third in blocks:
                x = rectified(rectified(rectified(x, first), second), third, x)
            if up is not None:
                x = up(F.interpolate(x.permute(0, 3, 1, 2), scale_factor=2.0, mode="nearest").permute(0, 2, 3, 1))
        return conv(x, self.conv_out.weight, 1, 1)


def rectified(x: Tensor, layer: Conv, res: Tensor | None = None) -> Tensor:
    """ReLU of convolution, bias and residual: one kernel of cuDNN's where there is a card."""
    if x.is_cuda:
        nchw, pad = x.permute(0, 3, 1, 2), (layer.padding, layer.padding)
        if res is None:
            out = torch.cudnn_convolution_relu(nchw, layer.weight, layer.bias, (1, 1), pad, (1, 1), 1)
        else:
            out = torch.cudnn_convolution_add_relu(
                nchw, layer.weight, res.permute(0, 3, 1, 2), 1.0, layer.bias, (1, 1), pad, (1, 1), 1
            )
        return out.permute(0, 2, 3, 1)
    out = layer(x) + layer.bias
    return F.relu(out if res is None else out + res)
