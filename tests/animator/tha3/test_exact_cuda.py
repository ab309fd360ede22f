"""The CUDA engine's kernels, run by Triton's interpreter on the CPU against the networks' own layers.

What only a card can show (speed, graphs, the whole frame against the reference) is `benchmarks/face.py` there.
"""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

if "triton" not in sys.modules:
    os.environ["TRITON_INTERPRET"] = "1"
pytest.importorskip("triton", reason="Triton is not made for this system")
if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("Triton was loaded for a card already", allow_module_level=True)

from animator.tha3 import cuda_kernels as k
from animator.tha3 import exact_cuda, networks
from animator.tha3.cuda_plan import Buffer, Program, place
from animator.tha3.exact_cuda import Tile, _block, _Frame, _heads, _Line, _residuals, _Source, pointwise_tile

pytestmark = pytest.mark.slow
CPU = torch.device("cpu")
BATCH = 2


def random_layer(layer: nn.Module) -> nn.Module:
    for parameter in layer.parameters():
        spread, middle = (0.3, 0.0) if parameter.dim() > 1 else (0.2, 1.0)
        parameter.data = torch.randn_like(parameter) * spread + middle
    return layer.requires_grad_(False)


def features(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1).contiguous().half()


def run(program: Program) -> None:
    arena = torch.full((max(program.arena_bytes, 1),), 77, dtype=torch.uint8)  # nothing may count on zeros
    program.settle(arena, torch.zeros(program.stats_size, dtype=torch.float64))
    program.run(pdl=False)


def picture(*shape: int) -> Buffer:
    x = torch.rand(shape) * 2.0 - 1.0
    return Buffer(tuple(shape), x.dtype, True, x)


@pytest.mark.parametrize(("activate_from_px", "many_programs"), [(16, 1000), (99, 1)])
def test_a_network_of_every_kind_of_block_answers_as_its_layers_do(
    monkeypatch: pytest.MonkeyPatch, activate_from_px: int, many_programs: int
):
    torch.manual_seed(0)
    monkeypatch.setattr(exact_cuda, "ACTIVATE_FROM_PX", activate_from_px)
    monkeypatch.setattr(exact_cuda, "MANY_PROGRAMS", many_programs)
    leaky, make = networks._leaky, networks._Layers(True)
    with_pose = random_layer(make.block(16 + 12, 16, leaky))
    plain = random_layer(make.block(16, 32, leaky))
    down = random_layer(make.block(32, 64, leaky, 4, 2, 1))
    arms = random_layer(nn.ModuleList([make.residual(64, leaky) for _ in range(2)]))
    up = random_layer(make.block(64 + 32, 32, leaky))
    transposed = random_layer(make.up_block(32, 32, leaky))
    heads = [random_layer(networks._alpha(32)), random_layer(networks._colour(32)), random_layer(networks._grid(32))]
    x, pose = torch.randn(BATCH, 16, 16, 16).half().float(), torch.rand(BATCH, 45)

    program = Program(CPU, BATCH)
    line = _Line(program, Buffer((BATCH, 45), torch.float32, True, pose))
    a = line.block(_Source(features(x), 16, 16), _block(with_pose, split=16), exact_cuda.LEAKY)
    skip = line.block(a, _block(plain), exact_cuda.LEAKY)
    b = line.block(skip, _block(down, stride=2), exact_cuda.LEAKY)
    b = line.bottleneck(b, _residuals(list(arms)), exact_cuda.LEAKY)
    b = line.block(b, _block(up, up="nearest", split=64), exact_cuda.LEAKY, skip=skip)
    b = line.block(b, _block(transposed, up="transposed"), exact_cuda.LEAKY)
    head = Buffer((BATCH, 32 * 32, 16), torch.float32, True, torch.zeros(BATCH, 32 * 32, 16))
    line.heads(b, _heads(*heads), head)
    run(program)

    y = with_pose(torch.cat([x, networks._planes(pose[:, :12], x)], dim=1))
    y_skip = plain(y)
    y = down(y_skip.clone())
    for arm in arms:
        y = arm(y)
    y = up(torch.cat([F.interpolate(y, scale_factor=2.0), y_skip], dim=1))
    y = transposed(y)
    expected = torch.cat([heads[0][0](y), heads[1][0](y), heads[2](y)], dim=1)
    answered = head.tensor.view(BATCH, 32, 32, 16).permute(0, 3, 1, 2)
    assert (answered[:, :7] - expected).abs().max() < 3e-3 * expected.abs().max()
    assert not answered[:, 7:].any()


def test_a_nearly_flat_channel_keeps_its_variance():
    """Far from 0 with a spread of a thousandth: squares summed in float32 would lose it."""
    stats = torch.zeros(1, 2, 32, dtype=torch.float64)
    wide = torch.ones(1, 256, 32, dtype=torch.float16)
    wide[:, ::2] += 2.0**-10
    mixing = torch.eye(32, dtype=torch.float16) * 40.0
    out = torch.zeros(1, 256, 32, dtype=torch.float16)
    k.pointwise[(1, 1, 1)](wide, mixing, out, stats, 256, IN=32, OUT=32, BM=64, BN=32, BK=32, TILES=4, PDL=False)
    mean = stats[0, 0] / 256
    variance = stats[0, 1] / 256 - mean**2

    expected = (wide.double() * 40.0).var(dim=1, unbiased=False)[0]
    assert torch.allclose(expected, variance, rtol=1e-3)


def test_the_brows_are_put_into_the_face_crop():
    torch.manual_seed(1)
    head, background, eyebrow = torch.randn(1, 16384, 16), picture(1, 128, 128, 4), picture(1, 128, 128, 4)
    head[:, :, :2] *= 0.05
    crop = picture(1, 192, 192, 4)
    before = crop.tensor.clone()
    k.finish_brows[(64, 1)](head, background.tensor, eyebrow.tensor, crop.tensor, BM=256, PDL=False)

    h = head.view(1, 128, 128, 16).permute(0, 3, 1, 2)
    moved = networks.warp(eyebrow.tensor.permute(0, 3, 1, 2), h[:, :2])
    moved = networks.mix(torch.sigmoid(h[:, 2:3]), torch.tanh(h[:, 3:7]), moved)
    under = background.tensor.permute(0, 3, 1, 2)
    rgb = networks.mix((moved[:, 3:] + 1.0) / 2.0, moved[:, :3], under[:, :3])
    expected = before.permute(0, 3, 1, 2).clone()
    expected[:, :, 32:160, 32:160] = torch.cat([rgb, under[:, 3:]], dim=1)
    assert torch.allclose(expected, crop.tensor.permute(0, 3, 1, 2), atol=3e-4)


def test_the_face_is_put_into_the_picture():
    torch.manual_seed(2)
    head, crop, full = torch.randn(1, 36864, 16), picture(1, 192, 192, 4), picture(1, 512, 512, 4)
    head[:, :, :2] *= 0.05
    before = full.tensor.clone()
    k.finish_face[(144, 1)](head, crop.tensor, full.tensor, BM=256, PDL=False)

    h = head.view(1, 192, 192, 16).permute(0, 3, 1, 2)
    face = networks.warp(crop.tensor.permute(0, 3, 1, 2), h[:, :2])
    face = networks.mix(torch.sigmoid(h[:, 2:3]), torch.tanh(h[:, 3:7]), face)
    face = networks.mix(torch.sigmoid(h[:, 7:8]), torch.tanh(h[:, 8:12]), face)
    expected = before.permute(0, 3, 1, 2).clone()
    expected[:, :, 32:224, 160:352] = face
    assert torch.allclose(expected, full.tensor.permute(0, 3, 1, 2), atol=3e-4)


def test_rotator_and_editor_see_and_finish_what_the_networks_do():
    """The four kernels between the two networks and at their end, against the same steps in PyTorch."""
    torch.manual_seed(3)
    full, pose = picture(1, 512, 512, 4), torch.rand(1, 45)
    half, seen = picture(1, 256, 256, 4), torch.zeros(1, 65536, 16, dtype=torch.float16)
    k.rotator_input[(256, 1)](full.tensor, pose, half.tensor, seen, BM=256, PDL=False)
    original = full.tensor.permute(0, 3, 1, 2)
    small = F.interpolate(original, size=(256, 256), mode="bilinear", align_corners=False)
    assert torch.allclose(small, half.tensor.permute(0, 3, 1, 2), atol=1e-6)
    assert torch.allclose(small, seen.view(1, 256, 256, 16).permute(0, 3, 1, 2)[:, :4].float(), atol=1e-3)
    assert torch.allclose(pose[0, 39:], seen[0, 777, 4:10].float(), atol=1e-3)
    assert not seen[:, :, 10:].any()

    head, moved = torch.randn(1, 65536, 16) * 0.05, torch.zeros(1, 256, 256, 8)
    k.finish_rotator[(256, 1)](head, half.tensor, pose, moved, BM=256, PDL=False)
    change = head.view(1, 256, 256, 16).permute(0, 3, 1, 2)[:, :2]
    warped = networks.warp(small, change)
    assert torch.allclose(warped, moved.permute(0, 3, 1, 2)[:, :4], atol=3e-4)

    seen = torch.zeros(1, 262144, 16, dtype=torch.float16)
    k.editor_input[(1024, 1)](full.tensor, moved, pose, seen, BM=256, PDL=False)
    warped, change = (F.interpolate(x, size=(512, 512), mode="bilinear", align_corners=False) for x in (warped, change))
    planes = networks._planes(pose[:, 39:], original)
    expected = torch.cat([original, warped, change, planes], dim=1)
    assert torch.allclose(expected, seen.view(1, 512, 512, 16).permute(0, 3, 1, 2).float(), atol=1.5e-3)

    head = torch.randn(1, 262144, 16)
    head[:, :, :2] *= 0.02
    floats = torch.zeros(1, 512, 512, 4)
    pixels = torch.zeros(1, 512, 512, 4, dtype=torch.uint8)
    for out in (floats, pixels):
        k.finish_editor[(1024, 1)](head, moved, full.tensor, out, FLOATS=out.dtype == torch.float32, BM=256, PDL=False)
    h = head.view(1, 512, 512, 16).permute(0, 3, 1, 2)
    edit = networks.Edit(change + h[:, :2], torch.sigmoid(h[:, 2:6]), torch.tanh(h[:, 6:10]))
    finished = edit.apply(original)
    assert torch.allclose(finished, floats.permute(0, 3, 1, 2), atol=1e-3)
    from animator.tha3 import color

    steps = (color.to_srgb(finished).int() - pixels.int()).abs()
    assert steps.max() <= 1


def test_buffers_that_live_at_the_same_time_do_not_overlap():
    rng = np.random.default_rng(4)
    lifetimes = []
    for _ in range(60):
        first = int(rng.integers(0, 40))
        lifetimes.append((first, first + int(rng.integers(0, 6)), int(rng.integers(1, 50)) * 256))
    offsets, end = place(lifetimes)

    for i, (first, last, size) in enumerate(lifetimes):
        assert offsets[i] + size <= end
        for j in range(i):
            other_first, other_last, other_size = lifetimes[j]
            if other_first <= last and first <= other_last:
                assert offsets[i] + size <= offsets[j] or offsets[j] + other_size <= offsets[i]
    assert end < sum(size for _, _, size in lifetimes) / 3


@pytest.mark.parametrize("batch", [1, 2, 8, 16])
@pytest.mark.parametrize(
    ("pixels", "columns", "out"),
    [(256, 576, 512), (576, 512, 512), (1024, 512, 512), (4096, 256, 256), (36864, 32, 64), (262144, 96, 32)],
)
def test_tiles_cover_every_pixel_and_channel_once(batch: int, pixels: int, columns: int, out: int):
    tile = pointwise_tile(pixels, columns, out, batch)

    assert (0, 0, 0) == (pixels % (tile.bm * tile.tiles), out % tile.bn, columns % tile.bk)
    assert Tile(tile.bm, tile.bn, tile.bk, tile.tiles) == tile
    assert min(tile.bm, tile.bn, tile.bk) >= 16


def test_the_memory_of_a_frame_is_used_again_only_when_its_last_view_is_gone():
    stock: list[torch.Tensor] = []
    frame = np.asarray(_Frame(stock, 2, CPU))
    frame[1] = 7
    view = frame[1][100:200]
    del frame

    assert [] == stock
    assert (view == 7).all()
    del view
    assert 1 == len(stock)
    again = np.asarray(_Frame(stock, 2, CPU))
    assert [] == stock
    assert (2, 512, 512, 4) == again.shape
