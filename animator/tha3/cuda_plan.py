"""What the CUDA engine runs, worked out once: launches in order, and where in one block of memory each buffer lies."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

ALIGNMENT_BYTES = 256


@dataclass(slots=True, eq=False)
class Buffer:
    """A tensor that gets its memory later. `kept` ones live as long as the engine, others share memory over time."""

    shape: tuple[int, ...]
    dtype: torch.dtype
    kept: bool = False
    tensor: Tensor | None = None

    @property
    def size_bytes(self) -> int:
        """Bytes, rounded up to the alignment."""
        size = math.prod(self.shape) * self.dtype.itemsize
        return -(-size // ALIGNMENT_BYTES) * ALIGNMENT_BYTES


@dataclass(frozen=True, slots=True)
class Launch:
    """One kernel with everything it is called with. `args` may hold buffers."""

    kernel: Any
    grid: tuple[int, ...]
    args: tuple[Any, ...]
    options: dict[str, Any]

    def call(self, pdl: bool) -> tuple[list[Any], dict[str, Any]]:
        """What the kernel is called with once every buffer has its memory."""
        args = [arg.tensor if isinstance(arg, Buffer) else arg for arg in self.args]
        return args, {**self.options, "PDL": pdl, **({"launch_pdl": True} if pdl else {})}


def place(lifetimes: Sequence[tuple[int, int, int]]) -> tuple[list[int], int]:
    """Where to put buffers so that those alive at the same time do not overlap; largest first, lowest fit.

    Args:
        lifetimes: Per buffer: first and last step in which it is used, size in bytes.

    Returns:
        An offset per buffer, and the bytes needed in all.
    """
    offsets = [0] * len(lifetimes)
    placed: list[int] = []
    end = 0
    for i in sorted(range(len(lifetimes)), key=lambda i: -lifetimes[i][2]):
        first, last, size = lifetimes[i]
        taken = sorted(
            (offsets[j], offsets[j] + lifetimes[j][2])
            for j in placed
            if lifetimes[j][0] <= last and first <= lifetimes[j][1]
        )
        at = 0
        for low, high in taken:
            if at + size <= low:
                break
            at = max(at, high)
        offsets[i] = at
        placed.append(i)
        end = max(end, at + size)
    return offsets, end


@dataclass(slots=True, eq=False)
class Program:
    """Launches of one stage of the frame. Build it, `settle` it, then `run` it as often as you like."""

    device: torch.device
    batch: int
    launches: list[Launch] = field(default_factory=list)
    _buffers: list[Buffer] = field(default_factory=list)
    stats_size: int = 0
    """Numbers that all sums take together."""
    _stats_views: list[tuple[Buffer, int]] = field(default_factory=list)

    def buffer(self, *shape: int, dtype: torch.dtype) -> Buffer:
        """A buffer (batch, *shape) that lives from its first to its last launch."""
        made = Buffer((self.batch, *shape), dtype)
        self._buffers.append(made)
        return made

    def stats(self, channels: int) -> Buffer:
        """Sums for one norm, float64 (batch, 2, channels); to be zeroed before every run."""
        made = Buffer((self.batch, 2, channels), torch.float64, kept=True)
        self._stats_views.append((made, self.stats_size))
        self.stats_size += self.batch * 2 * channels
        return made

    def launch(self, kernel: Any, grid: tuple[int, ...], *args: Any, **options: Any) -> None:
        """Add a launch."""
        self.launches.append(Launch(kernel, grid, args, options))

    @property
    def arena_bytes(self) -> int:
        """Memory for the buffers that are not kept."""
        return self._plan()[2]

    def _plan(self) -> tuple[list[Buffer], list[int], int]:
        steps: dict[int, tuple[int, int]] = {}
        for step, launch in enumerate(self.launches):
            for arg in launch.args:
                if isinstance(arg, Buffer) and not arg.kept:
                    first = steps.get(id(arg), (step, step))[0]
                    steps[id(arg)] = (first, step)
        used = [buffer for buffer in self._buffers if id(buffer) in steps]
        offsets, end = place([(*steps[id(buffer)], buffer.size_bytes) for buffer in used])
        return used, offsets, end

    def settle(self, arena: Tensor, stats: Tensor) -> None:
        """Give every buffer its memory: a part of `arena` (uint8), sums a part of `stats` (float64, `stats_size`)."""
        used, offsets, _ = self._plan()
        for buffer, offset in zip(used, offsets, strict=True):
            size = math.prod(buffer.shape) * buffer.dtype.itemsize
            buffer.tensor = arena[offset : offset + size].view(buffer.dtype).view(buffer.shape)
        for buffer, start in self._stats_views:
            buffer.tensor = stats[start : start + math.prod(buffer.shape)].view(buffer.shape)

    def compile(self, pdl: bool, threads: int) -> None:
        """Compile every kernel that `run` needs and that is not in Triton's cache on disk yet."""
        seen: set[tuple[Any, ...]] = set()
        due: list[Launch] = []
        for launch in self.launches:
            kinds = tuple(str(arg.dtype) if isinstance(arg, Tensor | Buffer) else arg for arg in launch.args)
            key = (id(launch.kernel), kinds, tuple(sorted(launch.options.items())))
            if key not in seen:
                seen.add(key)
                due.append(launch)

        def one(launch: Launch) -> None:
            args, options = launch.call(pdl)
            with torch.cuda.device(self.device):
                launch.kernel.warmup(*args, grid=launch.grid, **options)

        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(one, due))

    def run(self, pdl: bool) -> None:
        """Launch everything on the current stream; `pdl` puts each kernel in place while the one before still runs."""
        for launch in self.launches:
            args, options = launch.call(pdl)
            launch.kernel[launch.grid](*args, **options)


class Captured:
    """A CUDA graph of `run`, replayed by calling it. Warm up (compile) before making one."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._graph = torch.cuda.CUDAGraph()
        # Only this thread's calls count: another one may be drawing the face that is on screen.
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            run()

    def __call__(self) -> None:
        """Replay on the current stream."""
        self._graph.replay()
