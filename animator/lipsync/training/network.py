"""The phone model as a PyTorch network: convolutions over time with limited look-ahead, two heads.

Every convolution is "valid": a stretch of T frames needs `left` frames before it and `right` after it. That is what
makes a stream give the same numbers as the whole sound: a start is a stretch of silence, not zeros in every layer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from animator.lipsync import phone_features as features
from animator.lipsync.inventory import PHONES


class Reach(NamedTuple):
    """A depthwise convolution over time: `kernel` taps, `dilation` frames apart, `right` of them in the future."""

    kernel: int
    dilation: int
    right: int

    @property
    def context(self) -> int:
        """Frames more than it gives out."""
        return (self.kernel - 1) * self.dilation

    @property
    def left(self) -> int:
        """Frames of the past that it sees."""
        return (self.kernel - 1 - self.right) * self.dilation


BLOCKS = (
    Reach(7, 1, 2),
    Reach(7, 1, 2),
    Reach(7, 2, 1),
    Reach(7, 2, 1),
    Reach(7, 1, 2),
    Reach(7, 4, 0),
    Reach(7, 8, 0),
    Reach(7, 1, 2),
)
STEM = Reach(5, 1, 1)


@dataclass(frozen=True, slots=True)
class Shape:
    """What decides the network's size. `width` channels, `expansion` times as many inside a block."""

    width: int = 256
    expansion: int = 3
    stem: Reach = STEM
    blocks: tuple[Reach, ...] = field(default=BLOCKS)
    classes: int = len(PHONES)

    @property
    def left(self) -> int:
        """Frames of the past that a frame's answer depends on."""
        return self.stem.left + sum(reach.left for reach in self.blocks)

    @property
    def right(self) -> int:
        """Frames of the future that a frame's answer depends on."""
        return sum(reach.right * reach.dilation for reach in (self.stem, *self.blocks))

    def to_plain(self) -> dict[str, Any]:
        """As numbers, for a file."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Shape:
        """From a file's numbers."""
        return cls(
            width=int(plain["width"]),
            expansion=int(plain["expansion"]),
            stem=Reach(*plain["stem"]),
            blocks=tuple(Reach(*reach) for reach in plain["blocks"]),
            classes=int(plain["classes"]),
        )


class Block(nn.Module):
    """Depthwise convolution over time, norm, two-layer perceptron, added to what came in (ConvNeXt's block)."""

    def __init__(self, shape: Shape, reach: Reach, dropout: float) -> None:
        super().__init__()
        self.reach = reach
        self.taps = nn.Parameter(torch.randn(reach.kernel, shape.width) * reach.kernel**-0.5)
        self.bias = nn.Parameter(torch.zeros(shape.width))
        self.norm = nn.LayerNorm(shape.width)
        self.up = nn.Linear(shape.width, shape.width * shape.expansion)
        self.down = nn.Linear(shape.width * shape.expansion, shape.width)
        self.scale = nn.Parameter(torch.full((shape.width,), 0.1))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, time, width) -> (batch, time - context, width)."""
        reach, frames = self.reach, x.shape[1] - self.reach.context
        # Shifted sums instead of conv1d: the gradient of a depthwise conv1d's weights is slow on a GPU.
        h = self.bias + sum(
            x[:, k * reach.dilation : k * reach.dilation + frames] * self.taps[k] for k in range(reach.kernel)
        )
        h = self.down(F.gelu(self.up(self.norm(h))))
        kept: Tensor = x[:, reach.left : reach.left + frames] + self.dropout(h * self.scale)
        return kept


class PhoneNet(nn.Module):
    """Log-mel frames to log-probabilities of phone classes, and to the logit that a phone starts in a frame."""

    def __init__(self, shape: Shape, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape = shape
        self.stem = nn.Linear(features.BANDS * shape.stem.kernel, shape.width)
        self.stem_norm = nn.LayerNorm(shape.width)
        self.blocks = nn.ModuleList(Block(shape, reach, dropout) for reach in shape.blocks)
        self.norm = nn.LayerNorm(shape.width)
        self.phones = nn.Linear(shape.width, shape.classes)
        self.onset = nn.Linear(shape.width, 1)

    def forward(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, left + T + right, 80) -> log-probabilities (batch, T, classes), onset logits (batch, T)."""
        frames = mel.shape[1] - self.shape.stem.context
        x = self.stem_norm(self.stem(torch.cat([mel[:, k : k + frames] for k in range(self.shape.stem.kernel)], 2)))
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        return F.log_softmax(self.phones(x).float(), 2), self.onset(x).float().squeeze(2)


class Mel(nn.Module):
    """`phone_features.log_mel` for batches on any device, with a choice of vocal-tract lengths."""

    window: Tensor
    filters: Tensor

    def __init__(self, warps: tuple[float, ...] = (1.0,)) -> None:
        super().__init__()
        self.register_buffer("window", torch.from_numpy(features.window().copy()))
        self.register_buffer("filters", torch.from_numpy(np.stack([features.filters(warp) for warp in warps])))

    def forward(self, padded: Tensor, warp: Tensor) -> Tensor:
        """Sound (batch, n) that begins REACH before frame 0, and which warp each takes -> (batch, frames, 80)."""
        frames = padded.unfold(1, features.WINDOW, features.HOP) * self.window
        power = torch.view_as_real(torch.fft.rfft(frames, features.N_FFT)).square().sum(-1)
        mel = torch.bmm(power, self.filters[warp])
        return ((mel + features.FLOOR).log() - features.CENTRE) / features.SPREAD


def to_arrays(network: PhoneNet) -> dict[str, npt.NDArray[np.float32]]:
    """The network's weights by name, float32: what `export` makes the model file of."""
    return {name: value.detach().float().cpu().numpy() for name, value in network.state_dict().items()}


def load_arrays(network: PhoneNet, arrays: dict[str, npt.NDArray[np.float32]]) -> None:
    """Put weights back. Raises RuntimeError where they are of another shape."""
    network.load_state_dict({name: torch.from_numpy(np.array(value, np.float32)) for name, value in arrays.items()})
