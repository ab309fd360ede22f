"""The UNet of MuseTalk: Stable Diffusion 1's, at timestep 0, listening to sound in place of words.

Written out by hand, with the checkpoint's keys, for what a fixed timestep allows: the time embedding is a constant and
folded into biases; the keys and values of all cross attentions come from one matrix product; the last product of each
feed-forward is merged with the block's output projection. Between products, one kernel each (`ops`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from animator.musetalk import ops
from animator.musetalk.config import UNetConfig
from animator.musetalk.stream import Conv, Linear, Norm, Resnet, Stream
from animator.musetalk.tensors import Source

RESNET_EPS = 1e-5
BLOCK_EPS = 1e-6


class _Attention:
    """One transformer block with its projections in and out."""

    def __init__(self, source: Source, key: str, channels: int, config: UNetConfig) -> None:
        self.heads = config.heads
        self.channels = channels
        self.norm = Norm(source, f"{key}.norm", channels, config.groups, BLOCK_EPS)
        self.proj_in = Linear(source, f"{key}.proj_in", channels, channels)
        block = f"{key}.transformer_blocks.0"
        self.norms = [
            (source.take(f"{block}.norm{i}.weight", (channels,)), source.take(f"{block}.norm{i}.bias", (channels,)))
            for i in (1, 2, 3)
        ]
        square = (channels, channels)
        self.qkv = torch.cat([source.take(f"{block}.attn1.to_{each}.weight", square) for each in "qkv"])
        self.out1 = Linear(source, f"{block}.attn1.to_out.0", channels, channels)
        self.q2 = source.take(f"{block}.attn2.to_q.weight", square)
        self.kv2 = torch.cat(
            [source.take(f"{block}.attn2.to_{each}.weight", (channels, config.context)) for each in "kv"]
        )
        self.out2 = Linear(source, f"{block}.attn2.to_out.0", channels, channels)
        self.ff1 = Linear(source, f"{block}.ff.net.0.proj", 8 * channels, channels)
        ff2 = Linear(source, f"{block}.ff.net.2", channels, 4 * channels, wide=True)
        proj_out = Linear(source, f"{key}.proj_out", channels, channels, wide=True)
        assert ff2.bias is not None
        assert proj_out.bias is not None
        # proj_out(h + ff2(g)) is one product of (g, h): a matrix product and an addition less.
        outer = proj_out.weight
        self.last = torch.cat([outer @ ff2.weight, outer], 1).to(source.dtype)
        self.last_bias = (outer @ ff2.bias + proj_out.bias).to(source.dtype)

    def __call__(self, stream: Stream, kv: Tensor) -> Stream:
        """(N,H,W,C) to the same; `kv` (N,tokens,2C): this block's keys and values of the sound."""
        c = self.channels
        n, height, width = stream_shape(stream)
        h = self.proj_in(stream.normed(self.norm, act=False).view(n, height * width, c))
        x, _ = ops.layer_norm(h, *self.norms[0])
        q, k, v = F.linear(x, self.qkv).chunk(3, 2)
        assert self.out1.bias is not None
        assert self.out2.bias is not None
        x, h = ops.layer_norm(self.out1.without_bias(self._attend(q, k, v)), *self.norms[1], self.out1.bias, h)
        k, v = kv.chunk(2, 2)
        x = self.out2.without_bias(self._attend(F.linear(x, self.q2), k, v))
        both = torch.empty((n, height * width, 5 * c), device=h.device, dtype=h.dtype)
        x, _ = ops.layer_norm(x, *self.norms[2], self.out2.bias, h, both[..., 4 * c :])
        ops.gated(self.ff1(x), both[..., : 4 * c])
        x = F.linear(both, self.last).view(n, height, width, c)
        return Stream(x, self.last_bias, stream.value())

    def _attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        n, length, c = q.shape
        q, k, v = (each.view(n, -1, self.heads, c // self.heads).transpose(1, 2) for each in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, c)


def stream_shape(stream: Stream) -> tuple[int, int, int]:
    """N, H and W of a stream of whole pictures."""
    return stream.x.shape[0], stream.x.shape[1], stream.x.shape[2]


class UNet:
    """The whole network, for inference. Any device and float type; one thread at a time.

    Args:
        source: Gives the tensors, by the keys of the published checkpoint.
        config: The shapes.
    """

    def __init__(self, source: Source, config: UNetConfig) -> None:
        widths, first = config.channels, config.channels[0]
        emb_width = 4 * first
        linear1 = Linear(source, "time_embedding.linear_1", emb_width, first, wide=True)
        linear2 = Linear(source, "time_embedding.linear_2", emb_width, emb_width, wide=True)
        assert linear1.bias is not None
        assert linear2.bias is not None
        # Timestep 0, cosines first (flip_sin_to_cos): cos 0 = 1, sin 0 = 0.
        wave = torch.cat([torch.ones(first // 2), torch.zeros(first - first // 2)]).to(linear1.weight.device)
        emb = linear2.weight @ F.silu(linear1.weight @ wave + linear1.bias) + linear2.bias
        self._emb = emb
        self._source, self._config = source, config
        self._blocks: list[_Attention] = []
        self.conv_in = Conv(source, "conv_in", first, config.in_channels)

        skips = [first]
        inside = first
        self._down: list[tuple[list[tuple[Resnet, _Attention | None]], Conv | None]] = []
        for level, out in enumerate(widths):
            last = level == len(widths) - 1
            steps = []
            for i in range(config.layers):
                steps.append(self._step(f"down_blocks.{level}", i, inside, out, attention=not last))
                inside = out
                skips.append(out)
            shrink = None if last else Conv(source, f"down_blocks.{level}.downsamplers.0.conv", out, out, stride=2)
            if not last:
                skips.append(out)
            self._down.append((steps, shrink))

        self._mid1, mid_attention = self._step("mid_block", 0, inside, inside, attention=True)
        assert mid_attention is not None
        self._mid_attention = mid_attention
        self._mid2, _ = self._step("mid_block", 1, inside, inside, attention=False)

        self._up: list[tuple[list[tuple[Resnet, _Attention | None]], Conv | None]] = []
        for level, out in enumerate(reversed(widths)):
            last = level == len(widths) - 1
            steps = []
            for i in range(config.layers + 1):
                steps.append(self._step(f"up_blocks.{level}", i, inside + skips.pop(), out, attention=level > 0))
                inside = out
            self._up.append((steps, None if last else Conv(source, f"up_blocks.{level}.upsamplers.0.conv", out, out)))
        self._norm_out = Norm(source, "conv_norm_out", first, config.groups, RESNET_EPS)
        self.conv_out = Conv(source, "conv_out", config.out_channels, first)
        self._kv = torch.cat([block.kv2 for block in self._blocks])
        widths_kv = [block.kv2.shape[0] for block in self._blocks]
        self._kv_places = [(sum(widths_kv[:i]), width) for i, width in enumerate(widths_kv)]
        for block in self._blocks:
            del block.kv2

    def _step(self, block: str, i: int, inside: int, out: int, *, attention: bool) -> tuple[Resnet, _Attention | None]:
        source, config = self._source, self._config
        resnet = Resnet(source, f"{block}.resnets.{i}", inside, out, config.groups, RESNET_EPS, self._emb)
        if not attention:
            return resnet, None
        found = _Attention(source, f"{block}.attentions.{i}", out, config)
        self._blocks.append(found)
        return resnet, found

    def __call__(self, latents: Tensor, tokens: Tensor) -> Tensor:
        """One pass: latents (N,h,w,8) and sound tokens (N,50,384), positions added, to latents (N,h,w,4)."""
        every = F.linear(tokens, self._kv)
        kv = {id(block): every.narrow(2, *place) for block, place in zip(self._blocks, self._kv_places, strict=True)}

        def run(step: tuple[Resnet, _Attention | None], stream: Stream) -> Stream:
            resnet, attention = step
            stream = resnet(stream)
            return stream if attention is None else attention(stream, kv[id(attention)])

        stream = Stream(self.conv_in(latents), self.conv_in.bias)
        skips = [stream]
        for steps, shrink in self._down:
            for step in steps:
                stream = run(step, stream)
                skips.append(stream)
            if shrink is not None:
                stream = Stream(shrink(stream.value()), shrink.bias)
                skips.append(stream)
        stream = self._mid2(self._mid_attention(self._mid1(stream), kv[id(self._mid_attention)]))
        for steps, grow in self._up:
            for step in steps:
                stream = run(step, Stream(torch.cat([stream.value(), skips.pop().value()], 3)))
            if grow is not None:
                stream = Stream(grow(doubled(stream.value())), grow.bias)
        out = self.conv_out(stream.normed(self._norm_out, act=True, keep=False))
        return out + self.conv_out.bias


def doubled(x: Tensor) -> Tensor:
    """Twice the size by nearest neighbour, (N,H,W,C)."""
    n, h, w, c = x.shape
    return x[:, :, None, :, None].expand(n, h, 2, w, 2, c).reshape(n, 2 * h, 2 * w, c)
