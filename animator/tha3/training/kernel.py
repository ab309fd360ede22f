"""The kernel of `animator.tha3.likeness` as it is trained: the same sums in PyTorch, positive numbers as logarithms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from animator.tha3.likeness import FORWARD, LOOK_SIZE, TURN_SCALES, TURNS

WIDTH, TRAITS = 128, 64

Doubles = npt.NDArray[np.float64]


class Seen(NamedTuple):
    """What the kernel compares of n poses, (..., n, size)."""

    turns: Tensor
    head: Tensor
    extra: Tensor
    look: Tensor
    traits: Tensor


class Kernel(nn.Module):
    """Its parameters, started where the kernel before it, of 17 numbers set by hand and search, left off.

    Args:
        eye: float64 (components, 48): turns looks, as components, into what is compared of them.
    """

    def __init__(self, eye: Doubles) -> None:
        super().__init__()

        def logs(values: object) -> nn.Parameter:
            return nn.Parameter(torch.tensor(np.log(np.asarray(values, np.float64))))

        self.eye = nn.Parameter(torch.tensor(eye))
        self.head = logs([1.04, 0.81, 1.62])
        self.extra = logs(np.sqrt([0.03, 0.03, 0.15]))
        self.tied = logs([78.0, 0.067, 0.021, 0.0011, 3.5])
        self.near = logs([[1, 1, 1, 0.3, 0.3, 0.2], [0.35, 0.35, 0.35, 0.1, 0.1, 0.1], [1, 1, 1, 0.5, 0.5, 0.5]])
        self.near_look = logs(np.outer([0.05, 1.4, 0.7], np.ones(LOOK_SIZE)))
        self.much = logs([[0.2, 1e-3], [0.0004, 0.0044], [0.002, 0.002]])
        self.noise = logs(0.002)
        self.trait = logs(0.1)
        self.net = nn.Sequential(
            nn.Linear(TURNS + LOOK_SIZE, WIDTH), nn.Tanh(), nn.Linear(WIDTH, WIDTH), nn.Tanh(), nn.Linear(WIDTH, TRAITS)
        ).double()
        with torch.no_grad():
            for values in self.net.parameters():
                values.mul_(0.5 if values.dim() > 1 else 0.0)

    def look(self, turns: Tensor, components: Tensor) -> Seen:
        """`turns` (..., n, 6) scaled by `TURN_SCALES`, looks as components (..., n, components); both float64."""
        look = components @ self.eye
        traits = self.net(torch.cat([turns * FORWARD, look], dim=-1)) * self.trait.exp()
        return Seen(turns, turns[..., :3] * self.head.exp(), turns[..., 3:] * self.extra.exp(), look, traits)

    def forward(self, one: Seen, other: Seen) -> Tensor:
        """How much n poses have in common with m others: (..., n, m)."""
        line, square, extra_turned, seen, seen_turned = self.tied.exp()
        turned = _dot(one.head, other.head)
        out = line * (1 + turned) + square * turned**2 + _dot(one.extra, other.extra) * (1 + extra_turned * turned)
        out = out + seen * _dot(one.look, other.look) * (1 + seen_turned * turned) + _dot(one.traits, other.traits)
        for near, near_look, (still, moving) in zip(
            self.near.exp(), self.near_look.exp(), self.much.exp(), strict=True
        ):
            apart = _apart(one.turns * near, other.turns * near) + _apart(one.look * near_look, other.look * near_look)
            out = out + torch.exp(-apart / 2) * (still + moving * turned)
        common: Tensor = out
        return common

    def arrays(self, basis: Doubles) -> dict[str, npt.NDArray[np.float32]]:
        """What `likeness.Likeness` reads; `basis` (1728, components) turns small looks into components."""

        def of(values: Tensor) -> Doubles:
            return np.asarray(values.detach().cpu().numpy(), np.float64)

        into, on, out = (layer for layer in self.net if isinstance(layer, nn.Linear))
        trait = of(self.trait.exp())
        found = {
            "look": basis @ of(self.eye),
            **{name: of(getattr(self, name).exp()) for name in ("head", "extra", "tied", "near", "near_look", "much")},
            "noise": of(self.noise.exp())[None],
            "into": of(into.weight),
            "into_bias": of(into.bias),
            "on": of(on.weight),
            "on_bias": of(on.bias),
            "out": of(out.weight) * trait,
            "out_bias": of(out.bias) * trait,
        }
        return {name: values.astype(np.float32) for name, values in found.items()}


def scaled(turns: npt.NDArray[np.floating]) -> Doubles:
    """Turns as `Kernel.look` takes them."""
    return np.asarray(turns * TURN_SCALES, np.float64)


def _dot(one: Tensor, other: Tensor) -> Tensor:
    return one @ other.transpose(-1, -2)


def _apart(one: Tensor, other: Tensor) -> Tensor:
    squares = (one**2).sum(-1)[..., :, None] + (other**2).sum(-1)[..., None, :]
    apart: Tensor = (squares - 2 * _dot(one, other)).clamp(min=0)
    return apart
