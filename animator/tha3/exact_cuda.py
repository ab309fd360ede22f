"""The exact tier on an NVIDIA card: the whole frame as CUDA graphs of our own Triton kernels.

Three graphs, for what depends on the brows, on the rest of the face, and on head and body; a frame replays those
whose part of the pose has changed. Weights and work memory are laid out once. The only thing that comes back is the
finished uint8 picture. Separable variants only: the full-size ones run in `ExactFace`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
import triton
from torch import Tensor, nn

from animator.messages import Pixels, Pose
from animator.tha3 import color
from animator.tha3 import cuda_kernels as k
from animator.tha3.cuda_plan import Buffer, Captured, Program
from animator.tha3.face import BROW_COLS, BROW_ROWS, FACE_COLS, FACE_ROWS, check_image
from animator.tha3.networks import Networks
from animator.tha3.pose import BODY, EYEBROW, FACE, clamp
from animator.tha3.weights import load_networks

NONE, RELU, LEAKY = 0, 1, 2
COMPILE_THREADS = min(os.cpu_count() or 1, 8)
ACTIVATE_FROM_PX = 96
"""Features of at least this size are normalised and activated once, by a kernel of their own."""


FEATURES = torch.float16
"""Of features, of weights in products, and of what residuals carry past. Sums are float32 and more. Measured against
float32 throughout: 70 dB and more; tf32 products would be slower and no better."""


@dataclass(frozen=True, slots=True)
class Tile:
    """How one kernel cuts its work up."""

    bm: int
    bn: int
    bk: int
    tiles: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """A conv block's weights as the kernels want them."""

    depthwise: Tensor
    """(taps, channels) float32; (4 parities x 4 taps, channels) for blocks that double the size."""
    mixing: Tensor
    """(channels, then skip, then pose; padded to the product's steps; out) float16."""
    gamma: Tensor
    beta: Tensor
    kernel: int
    stride: int
    pad: int
    up: bool
    skip_depthwise: Tensor | None = None
    pose_depthwise: Tensor | None = None
    """(9, pose values): the depthwise weights of the pose planes behind the features."""


@dataclass(frozen=True, slots=True, eq=False)
class _Source:
    """Features as they lie in memory: before norm and activation where `stats` are given."""

    buffer: Any
    size: int
    channels: int
    stats: Any = None
    gamma: Tensor | None = None
    beta: Tensor | None = None
    act: int = NONE
    base: Any = None


def transposed_taps(weight: Tensor) -> Tensor:
    """A depthwise transposed 4 x 4, stride 2, padding 1 (C,1,4,4), as four 2 x 2: (16, C).

    Output row 2y + p sees input rows y + p - 1 and y + p, through kernel rows 3 and 1 (p = 0) or 2 and 0 (p = 1).
    """
    rows = ((3, 1), (2, 0))
    w = weight[:, 0]
    taps = [w[:, rows[py][i], rows[px][j]] for py in (0, 1) for px in (0, 1) for i in (0, 1) for j in (0, 1)]
    return torch.stack(taps).contiguous()


def enlarged_taps(weight: Tensor) -> Tensor:
    """Doubling by nearest neighbour followed by a depthwise 3 x 3 (C,1,3,3), as four 2 x 2: (16, C)."""
    groups = (((0,), (1, 2)), ((0, 1), (2,)))
    w = weight[:, 0]

    def tap(rows: Sequence[int], columns: Sequence[int]) -> Tensor:
        return sum((w[:, r, c] for r in rows for c in columns), torch.zeros_like(w[:, 0, 0]))

    taps = [tap(groups[py][i], groups[px][j]) for py in (0, 1) for px in (0, 1) for i in (0, 1) for j in (0, 1)]
    return torch.stack(taps).contiguous()


def _flat(weight: Tensor) -> Tensor:
    return weight[:, 0].flatten(1).t().contiguous()


def _block(module: Any, pad: int = 1, stride: int = 1, up: str = "", split: int = 0) -> _Block:
    """Lay out a conv block (depthwise, pointwise, norm); the last inputs behind `split` are skip or pose."""
    wide, mixing, norm = module[0].weight, module[1].weight[:, :, 0, 0].t(), module[2]
    split = split or wide.shape[0]
    first, rest = wide[:split], wide[split:]
    laid = {"transposed": transposed_taps, "nearest": enlarged_taps, "": _flat}[up](first)
    has_pose = not up and len(rest) > 0
    step = 64 if has_pose else 32
    spare = -len(mixing) % step
    return _Block(
        laid,
        F.pad(mixing, (0, 0, 0, spare)).to(FEATURES).contiguous(),
        norm.weight,
        norm.bias,
        int(wide.shape[2]),
        stride,
        pad,
        bool(up),
        _flat(rest) if up and len(rest) > 0 else None,
        _flat(rest) if has_pose else None,
    )


def _widened(block: _Block, channels: int) -> _Block:
    """The block with empty input channels added, up to `channels`."""
    spare = channels - int(block.depthwise.shape[1])
    return replace(block, depthwise=F.pad(block.depthwise, (0, spare)).contiguous())


def _residuals(blocks: Sequence[Any]) -> list[tuple[_Block, _Block]]:
    out = []
    for block in blocks:
        path = block.resnet_path
        one = nn.ModuleList([path[0][0], path[0][1], path[1]])
        two = nn.ModuleList([path[3][0], path[3][1], path[4]])
        out.append((_block(one), _block(two)))
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Heads:
    weights: Tensor
    """(9 * channels, 16) float16."""
    bias: Tensor
    """(16,)."""


def _heads(*modules: Any) -> _Heads:
    convs = [module if isinstance(module, nn.Conv2d) else module[0] for module in modules]
    weight = torch.cat([conv.weight for conv in convs])
    device = weight.device
    bias = torch.cat(
        [conv.bias if conv.bias is not None else torch.zeros(conv.weight.shape[0], device=device) for conv in convs]
    )
    spare = 16 - weight.shape[0]
    flat = F.pad(weight.permute(2, 3, 1, 0).reshape(9 * weight.shape[1], -1), (0, spare))
    return _Heads(flat.to(FEATURES).contiguous(), F.pad(bias, (0, spare)).contiguous())


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """One network's blocks in order."""

    down: list[_Block]
    entry: _Block | None
    residuals: list[tuple[_Block, _Block]]
    up: list[_Block]
    heads: _Heads


def _pose_in_bottleneck(network: Any, heads: _Heads) -> _Weights:
    body = network.body
    down = [_block(body.downsample_blocks[0])]
    down += [_block(block, stride=2) for block in body.downsample_blocks[1:]]
    entry = _block(body.bottleneck_blocks[0], split=512)
    residuals = _residuals(body.bottleneck_blocks[1:])
    up = [_block(block, up="transposed") for block in body.upsample_blocks]
    return _Weights(down, entry, residuals, up, heads)


class CudaNetworks:
    """One set of weights on one card, laid out for the kernels; shared by every `CudaBatch`.

    Raises:
        WeightsError: If the weights do not fit.
        RuntimeError: If they are not of a separable variant.
    """

    def __init__(self, weights: Path, device: torch.device) -> None:
        self.device = device
        self.networks: Networks = load_networks(weights, device)
        n = self.networks
        if not n.separable:
            # Not a fault of the files: another engine draws them.
            raise RuntimeError("the full-size variants of THA3 have no CUDA kernels of their own")
        combiner, morpher, editor = n.eyebrow_morphing_combiner, n.face_morpher, n.editor
        self.combiner = _pose_in_bottleneck(
            combiner,
            _heads(
                combiner.morphed_eyebrow_layer_grid_change,
                combiner.morphed_eyebrow_layer_alpha,
                combiner.morphed_eyebrow_layer_color_change,
            ),
        )
        self.morpher = _pose_in_bottleneck(
            morpher,
            _heads(
                morpher.iris_mouth_grid_change,
                morpher.iris_mouth_alpha,
                morpher.iris_mouth_color_change,
                morpher.eye_alpha,
                morpher.eye_color_change,
            ),
        )
        body = n.two_algo_face_body_rotator.encoder_decoder
        self.rotator = _Weights(
            [
                _widened(_block(body.downsample_blocks[0], pad=3), 16),
                *(_block(block, stride=2) for block in body.downsample_blocks[1:]),
            ],
            None,
            _residuals(list(body.bottleneck_blocks)),
            [_block(list(block.children())[1], up="nearest") for block in body.upsample_blocks],
            _heads(n.two_algo_face_body_rotator.grid_change_creator),
        )
        self.editor = _Weights(
            [
                _block(editor.body.downsample_blocks[0]),
                *(_block(block, stride=2) for block in editor.body.downsample_blocks[1:]),
            ],
            None,
            _residuals(list(editor.body.bottleneck_blocks)),
            [
                _block(block, up="nearest", split=channels)
                for block, channels in zip(editor.body.upsample_blocks, (256, 128, 64), strict=True)
            ],
            _heads(editor.grid_change_creator, editor.alpha_creator, editor.color_change_creator),
        )


@lru_cache(maxsize=2)
def shared_networks(weights: Path, device: torch.device) -> CudaNetworks:
    """The networks of these weights on this card, loaded once for all faces."""
    return CudaNetworks(weights, device)


class _Line:
    """Adds networks' launches to a program."""

    def __init__(self, program: Program, pose: Buffer) -> None:
        self.program = program
        self._pose = pose

    def block(self, source: _Source, block: _Block, act: int, skip: _Source | None = None, keep: Any = None) -> _Source:
        """One conv block; `keep` receives the values it reads (a residual's arm)."""
        program, n = self.program, self.program.batch
        columns, out_channels = (int(size) for size in block.mixing.shape)
        size = source.size * 2 if block.up else source.size // block.stride
        pixels = size * size
        wide = program.buffer(size, size, columns, dtype=FEATURES)
        if block.up:
            self._enlarge(source, block, wide, columns)
        else:
            self._depthwise(source, block.depthwise, block, wide, columns, size, keep=keep)
        if skip is not None:
            assert block.skip_depthwise is not None
            same = replace(block, kernel=3, stride=1, pad=1)
            self._depthwise(skip, block.skip_depthwise, same, wide, columns, size, offset=source.channels)
        if block.pose_depthwise is not None:
            count = int(block.pose_depthwise.shape[1])
            program.launch(
                k.pose_columns,
                (-(-pixels // 32), n),
                self._pose,
                block.pose_depthwise,
                wide,
                size,
                size,
                pixels,
                FIRST=EYEBROW.start if count == 12 else FACE.start,
                COUNT=count,
                STRIDE=columns,
                OFFSET=source.channels,
                BM=32,
                BK=triton.next_power_of_2(columns - source.channels),
            )
        tile = pointwise_tile(pixels, columns, out_channels, n)
        out = program.buffer(size, size, out_channels, dtype=FEATURES)
        stats = program.stats(out_channels)
        program.launch(
            k.pointwise,
            (pixels // tile.bm // tile.tiles, out_channels // tile.bn, n),
            wide,
            block.mixing,
            out,
            stats,
            pixels,
            IN=columns,
            OUT=out_channels,
            BM=tile.bm,
            BN=tile.bn,
            BK=tile.bk,
            TILES=tile.tiles,
            num_stages=4,
        )
        if size < ACTIVATE_FROM_PX:
            return _Source(out, size, out_channels, stats, block.gamma, block.beta, act)
        bm = max(4096 // out_channels, 1)
        program.launch(
            k.activate,
            (-(-pixels // bm), n),
            out,
            stats,
            block.gamma,
            block.beta,
            pixels,
            1.0 / pixels,
            CHANNELS=out_channels,
            ACT=act,
            BM=bm,
        )
        return _Source(out, size, out_channels)

    def _source(self, source: _Source) -> tuple[Any, ...]:
        """Buffer, sums, scale, shift, other arm; what is not there stands for a pointer that is not followed."""
        nothing = source.buffer
        normed = (source.stats, source.gamma, source.beta) if source.stats is not None else (nothing,) * 3
        return (source.buffer, *normed, source.base if source.base is not None else nothing)

    def _depthwise(
        self,
        source: _Source,
        weights: Tensor,
        block: _Block,
        wide: Buffer,
        columns: int,
        size: int,
        keep: Any = None,
        offset: int = 0,
    ) -> None:
        tile = depthwise_tile(source.channels)
        self.program.launch(
            k.depthwise,
            (-(-size * size // tile.bm), -(-source.channels // tile.bk), self.program.batch),
            *self._source(source),
            keep if keep is not None else wide,
            weights,
            wide,
            source.size,
            source.size,
            size,
            size,
            1.0 / (source.size * source.size),
            CHANNELS=source.channels,
            OUT=columns,
            KERNEL=block.kernel,
            STRIDE=block.stride,
            PAD=block.pad,
            NORM=source.stats is not None,
            ACT=source.act,
            BASE=source.base is not None,
            KEEP=keep is not None,
            OFFSET=offset,
            BM=tile.bm,
            BK=tile.bk,
        )

    def _enlarge(self, source: _Source, block: _Block, wide: Buffer, columns: int) -> None:
        tile = depthwise_tile(source.channels)
        self.program.launch(
            k.enlarge,
            (-(-source.size * source.size // tile.bm), -(-source.channels // tile.bk), self.program.batch),
            *self._source(source),
            block.depthwise,
            wide,
            source.size,
            source.size,
            1.0 / (source.size * source.size),
            CHANNELS=source.channels,
            OUT=columns,
            NORM=source.stats is not None,
            ACT=source.act,
            BASE=source.base is not None,
            BM=tile.bm,
            BK=tile.bk,
        )

    def bottleneck(self, source: _Source, residuals: Sequence[tuple[_Block, _Block]], act: int) -> _Source:
        """Residual blocks: the source's values are kept as each block's other arm."""
        for one, two in residuals:
            arm = self.program.buffer(source.size, source.size, source.channels, dtype=FEATURES)
            between = self.block(source, one, act, keep=arm)
            out = self.block(between, two, NONE)
            source = replace(out, act=NONE, base=arm)
        return source

    def heads(self, source: _Source, heads: _Heads, out: Any) -> None:
        """All heads, into `out` (batch, pixels, 16)."""
        pixels = source.size * source.size
        self.program.launch(
            k.heads,
            (pixels // 128, self.program.batch),
            *self._source(source)[:4],
            heads.weights,
            heads.bias,
            out,
            source.size,
            source.size,
            1.0 / pixels,
            CHANNELS=source.channels,
            NORM=source.stats is not None,
            ACT=source.act,
            BM=128,
        )


def depthwise_tile(channels: int) -> Tile:
    """About eight values a thread, whole pixels side by side."""
    bk = min(channels, 128)
    return Tile(max(1024 // bk, 8) if bk >= 64 else 32, 0, bk)


def pointwise_tile(pixels: int, columns: int, out: int, batch: int) -> Tile:
    """Tiles as large as they can be while there are enough of them for a large card (132 multiprocessors)."""
    bm, bn = 128, min(out, 128)
    while pixels % bm:
        bm //= 2
    for _ in range(4):
        programs = pixels // bm * (out // bn) * batch
        if programs >= ENOUGH_PROGRAMS or (bm <= 64 and bn <= 32):
            break
        if bn > 64 or bm <= 64:
            bn //= 2
        else:
            bm //= 2
    tiles = 1
    while (
        pixels // bm // tiles * (out // bn) * batch > MANY_PROGRAMS and pixels // bm % (tiles * 2) == 0 and tiles < 16
    ):
        tiles *= 2
    return Tile(bm, bn, min(64, columns & -columns), tiles)


ENOUGH_PROGRAMS = 120
"""Fewer leave multiprocessors idle (an H100 has 132)."""
MANY_PROGRAMS = 1056
"""More than eight for each of them only add their sums more often."""


class CudaBatch:
    """Several pictures drawn at once, each in its own pose, with one set of weights. One thread.

    Args:
        networks: The weights.
        images: The characters, uint8 RGBA (512,512,4) each.
        graphs: Whether to replay CUDA graphs; without, every kernel is launched by itself (for tests).
    """

    def __init__(self, networks: CudaNetworks, images: Sequence[Pixels], graphs: bool = True) -> None:
        self._networks = networks
        device = networks.device
        self.device = device
        n = self.batch = len(images)
        source = torch.cat([color.to_linear(check_image(image), device) for image in images])

        def kept(*shape: int, dtype: torch.dtype = torch.float32) -> Buffer:
            return Buffer((n, *shape), dtype, True, torch.zeros((n, *shape), dtype=dtype, device=device))

        def picture(x: Tensor) -> Buffer:
            laid = x.permute(0, 2, 3, 1).contiguous()
            return Buffer(tuple(laid.shape), laid.dtype, True, laid)

        self._pose = kept(45)
        with torch.inference_mode():
            plain = networks.networks
            layers = plain.eyebrow_decomposer(source[:, :, BROW_ROWS, BROW_COLS])
            features = plain.eyebrow_morphing_combiner.encode(layers)
            taken_apart = [picture(x) for x in (layers.background, layers.eyebrow, features)]
            self._crop = picture(source[:, :, FACE_ROWS, FACE_COLS])
            self._full = picture(source)
        self._half, self._moved = kept(256, 256, 4), kept(256, 256, 8)
        self._head = kept(512 * 512, 16)
        self._out = kept(512, 512, 4, dtype=torch.uint8)
        self._brows = Program(device, n)
        encoded = self._build_brows(*taken_apart)
        self._face = Program(device, n)
        self._build_face(encoded)
        self._body = Program(device, n)
        self._build_body()
        self._programs = (self._brows, self._face, self._body)
        size = max(program.arena_bytes for program in self._programs)
        self._arena = torch.zeros(size, dtype=torch.uint8, device=device)
        # One block for all sums, in the order of the stages: a frame clears those of the stages it runs, at once.
        self._stats = torch.zeros(sum(p.stats_size for p in self._programs), dtype=torch.float64, device=device)
        self._stats_from: list[int] = []
        start = 0
        for program in self._programs:
            self._stats_from.append(start)
            program.settle(self._arena, self._stats[start : start + program.stats_size])
            start += program.stats_size
        self._known: npt.NDArray[np.float32] | None = None
        self._stock: list[Tensor] = []
        cuda = device.type == "cuda"
        # Programmatic dependent launch came with compute capability 9.0.
        self._pdl = cuda and torch.cuda.get_device_capability(device) >= (9, 0)
        self._run: list[Any] = [partial(self._run_from, stage) for stage in range(3)]
        if cuda:
            for program in self._programs:
                program.compile(self._pdl, COMPILE_THREADS)
        if cuda and graphs:
            stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream(device))
            with torch.cuda.stream(stream):
                for run in self._run:
                    run()
            torch.cuda.current_stream(device).wait_stream(stream)
            torch.cuda.synchronize(device)
            self._run = [Captured(run) for run in self._run]

    def _run_from(self, stage: int) -> None:
        self._stats[self._stats_from[stage] :].zero_()
        for program in self._programs[stage:]:
            program.run(self._pdl)

    @property
    def memory_bytes(self) -> int:
        """Work memory of this batch, without the weights."""
        kept = (self._half, self._moved, self._head, self._out, self._crop, self._full)
        return int(self._arena.numel()) + sum(buffer.size_bytes for buffer in kept)

    def _build_brows(self, background: Buffer, eyebrow: Buffer, features: Buffer) -> _Source:
        """Combiner, then the morpher's encoder; returns its last features, which stay."""
        n = self.batch
        weights = self._networks.combiner
        line = _Line(self._brows, self._pose)
        assert weights.entry is not None
        x = line.block(_Source(features, 16, 512), weights.entry, RELU)
        x = line.bottleneck(x, weights.residuals, RELU)
        for block in weights.up:
            x = line.block(x, block, RELU)
        head = self._brows.buffer(128 * 128, 16, dtype=torch.float32)
        line.heads(x, weights.heads, head)
        self._brows.launch(k.finish_brows, (16384 // 128, n), head, background, eyebrow, self._crop, BM=128)
        weights = self._networks.morpher
        x = _Source(self._crop, 192, 4)
        for block in weights.down:
            x = line.block(x, block, RELU)
        # The face reads these for as long as the brows stay.
        x.buffer.kept = True
        x.buffer.tensor = torch.zeros(x.buffer.shape, dtype=x.buffer.dtype, device=self.device)
        return x

    def _build_face(self, encoded: _Source) -> None:
        n = self.batch
        weights = self._networks.morpher
        line = _Line(self._face, self._pose)
        assert weights.entry is not None
        x = line.block(encoded, weights.entry, RELU)
        x = line.bottleneck(x, weights.residuals, RELU)
        for block in weights.up:
            x = line.block(x, block, RELU)
        head = self._face.buffer(192 * 192, 16, dtype=torch.float32)
        line.heads(x, weights.heads, head)
        self._face.launch(k.finish_face, (36864 // 128, n), head, self._crop, self._full, BM=128)

    def _build_body(self) -> None:
        n = self.batch
        program = self._body
        weights = self._networks.rotator
        line = _Line(program, self._pose)
        shown = program.buffer(256, 256, 16, dtype=FEATURES)
        program.launch(k.rotator_input, (65536 // 128, n), self._full, self._pose, self._half, shown, BM=128)
        x = _Source(shown, 256, 16)
        for block in weights.down:
            x = line.block(x, block, LEAKY)
        x = line.bottleneck(x, weights.residuals, LEAKY)
        for block in weights.up:
            x = line.block(x, block, LEAKY)
        head = program.buffer(256 * 256, 16, dtype=torch.float32)
        line.heads(x, weights.heads, head)
        program.launch(k.finish_rotator, (65536 // 128, n), head, self._half, self._pose, self._moved, BM=128)

        weights = self._networks.editor
        shown = program.buffer(512, 512, 16, dtype=FEATURES)
        program.launch(k.editor_input, (262144 // 128, n), self._full, self._moved, self._pose, shown, BM=128)
        x = _Source(shown, 512, 16)
        skips: list[_Source] = []
        for block in weights.down:
            x = line.block(x, block, LEAKY)
            skips.append(x)
        skips.pop()
        x = line.bottleneck(x, weights.residuals, LEAKY)
        for block in weights.up:
            x = line.block(x, block, LEAKY, skip=skips.pop())
        line.heads(x, weights.heads, self._head)
        program.launch(
            k.finish_editor, (262144 // 128, n), self._head, self._moved, self._full, self._out, FLOATS=False, BM=128
        )

    def draw(self, poses: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
        """Every picture in its pose: uint8 (n,512,512,4). `poses` is float32 (n,45), in range."""
        try:
            self.render(poses)
            frame = _Frame(self._stock, self.batch, self.device)
            frame.tensor.copy_(self._tensor(self._out), non_blocking=True)
            if self.device.type == "cuda":
                torch.cuda.current_stream(self.device).synchronize()
        except RuntimeError:
            _LOST.append(self)
            raise
        return np.asarray(frame)

    def render(self, poses: npt.NDArray[np.float32]) -> None:
        """As `draw`, leaving the pictures on the card and not waiting for them."""
        known = self._known
        brows = known is None or not np.array_equal(known[:, EYEBROW], poses[:, EYEBROW])
        face = brows or known is None or not np.array_equal(known[:, FACE], poses[:, FACE])
        body = face or known is None or not np.array_equal(known[:, BODY], poses[:, BODY])
        if not body:
            return
        self._known = None  # until everything below is under way
        # From pageable memory: the driver takes its own copy of so few bytes before this returns.
        self._tensor(self._pose).copy_(torch.from_numpy(poses), non_blocking=True)
        self._run[0 if brows else 1 if face else 2]()
        self._known = poses.copy()

    def linear(self) -> Tensor:
        """The last pictures as the networks left them: float32 (n,4,512,512), linear RGB + alpha in [-1, 1]."""
        out = torch.empty((self.batch, 512, 512, 4), dtype=torch.float32, device=self.device)
        k.finish_editor[(262144 // 128, self.batch)](
            self._tensor(self._head),
            self._tensor(self._moved),
            self._tensor(self._full),
            out,
            FLOATS=True,
            BM=128,
            PDL=False,
        )
        return out.permute(0, 3, 1, 2)

    @staticmethod
    def _tensor(buffer: Buffer) -> Tensor:
        assert buffer.tensor is not None
        return buffer.tensor


_LOST: list[object] = []
"""What a card that has failed must not be asked to free: PyTorch ends the process when that fails."""


class _Frame:
    """Memory that the card writes directly, lent to a frame's users and taken back when the last one has let go.

    `np.asarray` of it makes an array, and every view of that array keeps this object. Pinned memory is taken from the
    batch's own stock and not from PyTorch's, which asks the card whenever a piece is freed: after a fault of the card
    that would end the process.
    """

    def __init__(self, stock: list[Tensor], batch: int, device: torch.device) -> None:
        self._stock = stock
        shape = (batch, 512, 512, 4)
        self.tensor = stock.pop() if stock else torch.empty(shape, dtype=torch.uint8, pin_memory=device.type == "cuda")
        self.__array_interface__ = self.tensor.numpy().__array_interface__

    def __del__(self) -> None:
        if hasattr(self, "tensor"):  # there was memory for it
            self._stock.append(self.tensor)


class CudaFace:
    """Draws one character with the networks on a CUDA card. See `animator.tha3.face.Face`. One thread.

    Args:
        weights: Folder with the five weight files of a separable variant.
        image: The character, uint8 RGBA (512,512,4).
        device: The card.

    Raises:
        WeightsError: If the weights do not fit.
        ValueError: If the picture does not.
        RuntimeError: If the weights are of a full-size variant, or the card cannot take it.
    """

    tier = "exact"

    def __init__(self, weights: Path, image: Pixels, device: str = "cuda") -> None:
        self._batch = CudaBatch(shared_networks(weights, torch.device(device)), [image])

    def draw(self, pose: Pose) -> Pixels:
        """See `Face.draw`."""
        pose, _ = clamp(pose)
        pixels: Pixels = self._batch.draw(pose[None])[0]
        return pixels

    def draw_float(self, pose: Pose) -> npt.NDArray[np.float32]:
        """The networks' own answer: float32 (4,512,512), linear RGB + alpha in [-1, 1]."""
        pose, _ = clamp(pose)
        self._batch.render(pose[None])
        drawn: npt.NDArray[np.float32] = self._batch.linear()[0].cpu().numpy()
        return drawn
