"""Features between two layers: what was computed, and what is still to be added to it by whoever reads it first."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from animator.musetalk import ops
from animator.musetalk.tensors import Source


@dataclass(slots=True)
class Stream:
    """The sum x + vec + res, (N,H,W,C), not yet added; `up`: x holds the four phases of a doubled picture."""

    x: Tensor
    vec: Tensor | None = None
    res: Tensor | None = None
    up: bool = False

    def value(self) -> Tensor:
        """The sum."""
        if self.vec is not None:
            x = ops.unphased(self.x) if self.up else self.x
            self.x, self.vec, self.res, self.up = ops.added(x, self.vec, self.res), None, None, False
        return self.x

    def normed(self, norm: Norm, *, act: bool, keep: bool = True) -> Tensor:
        """Group norm of the sum; with `keep` the sum stays here, added, for a later reader."""
        out, total = ops.group_norm(
            self.x,
            norm.groups,
            norm.gamma,
            norm.beta,
            norm.eps,
            act=act,
            vec=self.vec,
            res=self.res,
            keep=keep,
            up=self.up,
        )
        if keep:
            self.x, self.vec, self.res, self.up = total, None, None, False
        return out


class Norm:
    """A group norm's numbers."""

    def __init__(self, source: Source, key: str, channels: int, groups: int, eps: float) -> None:
        self.groups = groups
        self.eps = eps
        self.gamma = source.take(f"{key}.weight", (channels,))
        self.beta = source.take(f"{key}.bias", (channels,))


class Conv:
    """A convolution without its bias, which the next reader adds. Weights lie channels last, as the features do."""

    def __init__(
        self, source: Source, key: str, out: int, inside: int, size: int = 3, stride: int = 1, *, bias: bool = True
    ) -> None:
        weight = source.take(f"{key}.weight", (out, inside, size, size))
        self.weight = weight.contiguous(memory_format=torch.channels_last)
        self.bias = (
            source.take(f"{key}.bias", (out,)) if bias else torch.zeros(out, device=weight.device, dtype=weight.dtype)
        )
        self.stride = stride
        self.padding = size // 2

    def __call__(self, x: Tensor) -> Tensor:
        """(N,H,W,C) to (N,H/stride,W/stride,out)."""
        return conv(x, self.weight, self.stride, self.padding)

    def padded_to(self, out: int) -> Conv:
        """The same with output channels of zeros added: tensor cores want eight at least."""
        extra = out - self.weight.shape[0]
        self.weight = F.pad(self.weight, (0, 0, 0, 0, 0, 0, 0, extra)).contiguous(memory_format=torch.channels_last)
        self.bias = F.pad(self.bias, (0, extra))
        return self


class UpConv:
    """Doubling by nearest neighbour and a 3 x 3 convolution, as one 2 x 2 convolution with four times the outputs.

    Each output pixel sees 2 x 2 inputs only, with the weights of equal inputs summed: 16 products for four pixels
    in place of 36. The answer holds the phases side by side; the next group norm puts them in place.
    """

    def __init__(self, source: Source, key: str, channels: int, *, bias: bool = True) -> None:
        w = source.take(f"{key}.weight", (channels, channels, 3, 3), wide=True)
        self.bias = source.take(f"{key}.bias", (channels,)) if bias else w.new_zeros(channels, dtype=source.dtype)
        rows = (
            torch.stack([w[:, :, 0], w[:, :, 1] + w[:, :, 2]], 2),
            torch.stack([w[:, :, 0] + w[:, :, 1], w[:, :, 2]], 2),
        )
        phases = []
        for row in rows:  # (out, in, 2, 3)
            phases += [
                torch.stack([row[..., 0], row[..., 1] + row[..., 2]], 3),
                torch.stack([row[..., 0] + row[..., 1], row[..., 2]], 3),
            ]
        self.weight = torch.cat(phases, 0).to(source.dtype).contiguous(memory_format=torch.channels_last)

    def __call__(self, x: Tensor) -> Tensor:
        """(N,H,W,C) to the phases (N,H+1,W+1,4C)."""
        return conv(x, self.weight, 1, 1)


class Linear:
    """A matrix product; `bias` may be left for the next reader. `wide`: in float32, to be merged with another."""

    def __init__(
        self, source: Source, key: str, out: int, inside: int, *, bias: bool = True, wide: bool = False
    ) -> None:
        self.weight = source.take(f"{key}.weight", (out, inside), wide=wide)
        self.bias = source.take(f"{key}.bias", (out,), wide=wide) if bias else None

    def __call__(self, x: Tensor) -> Tensor:
        """(..., inside) to (..., out), bias added."""
        return F.linear(x, self.weight, self.bias)

    def without_bias(self, x: Tensor) -> Tensor:
        """(..., inside) to (..., out)."""
        return F.linear(x, self.weight)


def conv(x: Tensor, weight: Tensor, stride: int, padding: int) -> Tensor:
    """A convolution of NHWC features."""
    return F.conv2d(x.permute(0, 3, 1, 2), weight, None, stride, padding).permute(0, 2, 3, 1)


class Resnet:
    """Norm, activation, 3 x 3, twice, and a residual. `emb`, the constant time embedding, goes into the first bias."""

    def __init__(
        self, source: Source, key: str, inside: int, out: int, groups: int, eps: float, emb: Tensor | None = None
    ) -> None:
        self.norm1 = Norm(source, f"{key}.norm1", inside, groups, eps)
        self.conv1 = Conv(source, f"{key}.conv1", out, inside)
        if emb is not None:
            proj = Linear(source, f"{key}.time_emb_proj", out, emb.shape[-1], wide=True)
            assert proj.bias is not None
            folded = F.silu(emb) @ proj.weight.T + proj.bias
            self.conv1.bias = (self.conv1.bias.float() + folded).to(self.conv1.bias.dtype)
        self.norm2 = Norm(source, f"{key}.norm2", out, groups, eps)
        self.conv2 = Conv(source, f"{key}.conv2", out, out)
        self.shortcut = Linear(source, f"{key}.conv_shortcut", out, inside) if inside != out else None
        self.vec = self.conv2.bias
        if self.shortcut is not None and self.shortcut.bias is not None:
            self.vec = (self.vec.float() + self.shortcut.bias.float()).to(self.vec.dtype)

    def __call__(self, stream: Stream) -> Stream:
        """(N,H,W,inside) to (N,H,W,out)."""
        h = self.conv1(stream.normed(self.norm1, act=True))
        h = self.conv2(Stream(h, self.conv1.bias).normed(self.norm2, act=True, keep=False))
        total = stream.value()
        return Stream(h, self.vec, total if self.shortcut is None else self.shortcut.without_bias(total))
