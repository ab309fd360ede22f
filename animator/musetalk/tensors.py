"""Where networks take their tensors from. A network asks by the checkpoint's own key and the shape it needs."""

from __future__ import annotations

import hashlib
import math
from typing import Protocol

import torch
from torch import Tensor

Shape = tuple[int, ...]


class Source(Protocol):
    """Gives tensors by key."""

    dtype: torch.dtype
    """What the network computes in."""

    def take(self, key: str, shape: Shape, *, wide: bool = False) -> Tensor:
        """Tensor `key` on the network's device, in its type; `wide`: in float32, to be merged before it is rounded."""
        ...


class Checkpoint:
    """The tensors of one file, each taken once and checked as it is taken.

    Faults are gathered, not raised at the first: `finish` names them all.

    Args:
        tensors: By key. Emptied as they are taken, so that no second copy of a large model stays in memory.
        device: Where to put them.
        dtype: What to make them.
    """

    def __init__(self, tensors: dict[str, Tensor], device: torch.device, dtype: torch.dtype) -> None:
        self._left = tensors
        self._device = device
        self.dtype = dtype
        self.faults: list[str] = []

    def take(self, key: str, shape: Shape, *, wide: bool = False) -> Tensor:
        """See `Source.take`; zeros where the tensor is missing or not what is needed, with a fault noted."""
        found = self._left.pop(key, None)
        if found is None:
            self.faults.append(f"{key} is missing")
        elif not found.is_floating_point():
            self.faults.append(f"{key} is no tensor of floats")
        elif _squeezed(found.shape) != _squeezed(shape):
            self.faults.append(f"{key} has shape {tuple(found.shape)}, expected {shape}")
        elif not bool(torch.isfinite(found).all()):
            self.faults.append(f"{key} holds values that are not finite")
        else:
            return found.reshape(shape).to(self._device, torch.float32 if wide else self.dtype)
        return torch.zeros(shape, device=self._device, dtype=torch.float32 if wide else self.dtype)

    def finish(self) -> list[str]:
        """What was wrong: missing, unknown, misshapen; [] where the file is exactly this network."""
        return self.faults + [f"{key:.80} is unknown" for key in self._left]


class Random:
    """Random tensors of whatever is asked for: the true architecture without its weights, for tests and measurement.

    The same key and shape give the same values. Spread as networks are before training, so that values stay in range.
    """

    def __init__(self, device: torch.device, dtype: torch.dtype, seed: int = 0) -> None:
        self._device = device
        self.dtype = dtype
        self._seed = seed
        self.taken: dict[str, Shape] = {}

    def take(self, key: str, shape: Shape, *, wide: bool = False) -> Tensor:
        """See `Source.take`."""
        self.taken[key] = shape
        digest = hashlib.sha256(f"{self._seed} {key} {shape}".encode()).digest()
        generator = torch.Generator().manual_seed(int.from_bytes(digest[:6], "big"))
        values = torch.randn(shape, generator=generator)
        if len(shape) == 1:
            values = 0.1 * values + (1.0 if key.endswith("weight") else 0.0)
        else:
            values *= math.prod(shape[1:]) ** -0.5
        return values.to(self._device, torch.float32 if wide else self.dtype)


def _squeezed(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)
