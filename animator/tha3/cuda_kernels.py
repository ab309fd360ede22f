"""The Triton kernels of the CUDA engine.

Pictures and features are NHWC: pixel after pixel, all channels of a pixel side by side. Features are kept as they
leave a convolution, before instance normalisation; whoever reads them normalises and activates on the way in, with
the sums that the writer added up. So a conv block (depthwise, pointwise, norm, activation) is one or two kernels
and its result crosses the memory once.

`stats` holds sums as float64 (batch, 2, channels): of values, then of squares. Float64, so that channels that are
nearly flat keep their variance, and so that the order in which tiles arrive does not show.
"""

from __future__ import annotations

import triton
import triton.language as tl
from triton.language.extra.cuda import gdc_launch_dependents, gdc_wait

EPSILON: tl.constexpr = tl.constexpr(1e-5)
LEAK: tl.constexpr = tl.constexpr(0.1)

NONE: tl.constexpr = tl.constexpr(0)
RELU: tl.constexpr = tl.constexpr(1)
LEAKY: tl.constexpr = tl.constexpr(2)


@triton.jit
def _after_the_one_before(PDL: tl.constexpr):
    """Wait for the kernel before this one, and let the one after it be put in place meanwhile.

    Programmatic dependent launch: what a launch costs is then hidden behind the kernel before it.
    """
    if PDL:
        gdc_wait()
        gdc_launch_dependents()


@triton.jit
def _scale_shift(stats, gamma, beta, n, c, inside, channels, inverse_count):
    """Instance norm as one multiply-add: (scale, shift) of channels `c` of picture `n`."""
    total = tl.load(stats + n * 2 * channels + c, mask=inside, other=0.0)
    squares = tl.load(stats + (n * 2 + 1) * channels + c, mask=inside, other=0.0)
    mean = total * inverse_count
    variance = tl.maximum((squares * inverse_count - mean * mean).to(tl.float32), 0.0)
    scale = tl.load(gamma + c, mask=inside, other=0.0) / tl.sqrt(variance + EPSILON)
    return scale, tl.load(beta + c, mask=inside, other=0.0) - mean.to(tl.float32) * scale


@triton.jit
def _activated(x, ACT: tl.constexpr):
    if ACT == RELU:
        x = tl.maximum(x, 0.0)
    if ACT == LEAKY:
        x = tl.where(x > 0.0, x, LEAK * x)
    return x


@triton.jit
def depthwise(
    source, stats, gamma, beta, base, keep, weights, out, height, width, out_height, out_width, inverse_count,
    CHANNELS: tl.constexpr, OUT: tl.constexpr, KERNEL: tl.constexpr, STRIDE: tl.constexpr, PAD: tl.constexpr,
    NORM: tl.constexpr, ACT: tl.constexpr, BASE: tl.constexpr, KEEP: tl.constexpr, OFFSET: tl.constexpr,
    BM: tl.constexpr, BK: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """The depthwise part of a block, into columns OFFSET.. of `out`, which has OUT. Grid: (tiles, CHANNELS / BK, N).

    BASE adds a residual's other arm to what is read; KEEP writes what is read, for the next residual's.
    """
    _after_the_one_before(PDL)
    n = tl.program_id(2)
    c = tl.program_id(1) * BK + tl.arange(0, BK)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    oy = p // out_width
    ox = p % out_width
    live = p < out_height * out_width
    inside = c < CHANNELS
    if NORM:
        scale, shift = _scale_shift(stats, gamma, beta, n, c, inside, CHANNELS, inverse_count)
    acc = tl.zeros((BM, BK), tl.float32)
    for ky in tl.static_range(KERNEL):
        for kx in tl.static_range(KERNEL):
            y = oy * STRIDE - PAD + ky
            x = ox * STRIDE - PAD + kx
            there = live & (y >= 0) & (y < height) & (x >= 0) & (x < width)
            at = ((n * height + y) * width + x)[:, None] * CHANNELS + c[None, :]
            mask = there[:, None] & inside[None, :]
            value = tl.load(source + at, mask=mask, other=0.0).to(tl.float32)
            if NORM:
                value = _activated(value * scale[None, :] + shift[None, :], ACT)
                value = tl.where(mask, value, 0.0)
            if BASE:
                value += tl.load(base + at, mask=mask, other=0.0).to(tl.float32)
            if KEEP and ky == PAD and kx == PAD:
                tl.store(keep + at, value.to(keep.dtype.element_ty), mask=mask)
            weight = tl.load(weights + (ky * KERNEL + kx) * CHANNELS + c, mask=inside, other=0.0)
            acc += value * weight[None, :]
    at = ((n * out_height + oy) * out_width + ox)[:, None] * OUT + OFFSET + c[None, :]
    tl.store(out + at, acc.to(out.dtype.element_ty), mask=live[:, None] & inside[None, :])


@triton.jit
def enlarge(
    source, stats, gamma, beta, base, weights, out, height, width, inverse_count, CHANNELS: tl.constexpr,
    OUT: tl.constexpr, NORM: tl.constexpr, ACT: tl.constexpr, BASE: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr,
    PDL: tl.constexpr,
):  # fmt: skip
    """A depthwise that doubles the size: of 3 x 3 pixels, each of four outputs sees 2 x 2. Grid as `depthwise`."""
    _after_the_one_before(PDL)
    n = tl.program_id(2)
    c = tl.program_id(1) * BK + tl.arange(0, BK)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    oy = p // width
    ox = p % width
    live = p < height * width
    inside = c < CHANNELS
    if NORM:
        scale, shift = _scale_shift(stats, gamma, beta, n, c, inside, CHANNELS, inverse_count)
    a = tl.zeros((BM, BK), tl.float32)
    b = tl.zeros((BM, BK), tl.float32)
    d = tl.zeros((BM, BK), tl.float32)
    e = tl.zeros((BM, BK), tl.float32)
    for ky in tl.static_range(3):
        for kx in tl.static_range(3):
            y = oy + ky - 1
            x = ox + kx - 1
            there = live & (y >= 0) & (y < height) & (x >= 0) & (x < width)
            at = ((n * height + y) * width + x)[:, None] * CHANNELS + c[None, :]
            mask = there[:, None] & inside[None, :]
            value = tl.load(source + at, mask=mask, other=0.0).to(tl.float32)
            if NORM:
                value = _activated(value * scale[None, :] + shift[None, :], ACT)
                value = tl.where(mask, value, 0.0)
            if BASE:
                value += tl.load(base + at, mask=mask, other=0.0).to(tl.float32)
            # Parity (py, px) sees rows py and py + 1 of these three, and columns px and px + 1.
            if (ky < 2) & (kx < 2):
                a += value * tl.load(weights + (ky * 2 + kx) * CHANNELS + c, mask=inside, other=0.0)[None, :]
            if (ky < 2) & (kx > 0):
                b += value * tl.load(weights + (4 + ky * 2 + kx - 1) * CHANNELS + c, mask=inside, other=0.0)[None, :]
            if (ky > 0) & (kx < 2):
                d += value * tl.load(weights + (8 + (ky - 1) * 2 + kx) * CHANNELS + c, mask=inside, other=0.0)[None, :]
            if (ky > 0) & (kx > 0):
                e += (
                    value
                    * tl.load(weights + (12 + (ky - 1) * 2 + kx - 1) * CHANNELS + c, mask=inside, other=0.0)[None, :]
                )
    row = ((n * height * 2 + oy * 2) * width * 2 + ox * 2)[:, None] * OUT + c[None, :]
    mask = live[:, None] & inside[None, :]
    kind = out.dtype.element_ty
    tl.store(out + row, a.to(kind), mask=mask)
    tl.store(out + row + OUT, b.to(kind), mask=mask)
    tl.store(out + row + width * 2 * OUT, d.to(kind), mask=mask)
    tl.store(out + row + width * 2 * OUT + OUT, e.to(kind), mask=mask)


@triton.jit
def pointwise(
    source, mixing, out, stats, pixels, IN: tl.constexpr, OUT: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr,
    BK: tl.constexpr, TILES: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """The pointwise part, float16 (N, pixels, IN) x (IN, OUT), with sums for the norm.

    Grid: (pixels / BM / TILES, OUT / BN, N). Each program does TILES tiles and adds its sums once: thousands of tiles
    that all add to the same few numbers would wait for each other.
    """
    _after_the_one_before(PDL)
    n = tl.program_id(2)
    columns = tl.program_id(1) * BN + tl.arange(0, BN)
    total = tl.zeros((BN,), tl.float32)
    squares = tl.zeros((BN,), tl.float32)
    centre = tl.zeros((BN,), tl.float32)
    for tile in range(TILES):
        p = (tl.program_id(0) * TILES + tile) * BM + tl.arange(0, BM)
        rows = (n * pixels + p)[:, None]
        acc = tl.zeros((BM, BN), tl.float32)
        for k in range(0, IN, BK):
            c = k + tl.arange(0, BK)
            value = tl.load(source + rows * IN + c[None, :])
            matrix = tl.load(mixing + c[:, None] * OUT + columns[None, :])
            acc = tl.dot(value, matrix, acc)
        tl.store(out + rows * OUT + columns[None, :], acc.to(out.dtype.element_ty))
        # Around a mean, so that float32 is enough within a program even where the mean is far from 0.
        if tile == 0:
            centre = tl.sum(acc, axis=0) / BM
        off = acc - centre[None, :]
        total += tl.sum(off, axis=0)
        squares += tl.sum(off * off, axis=0)
    count = BM * TILES
    middle = centre.to(tl.float64)
    whole = total.to(tl.float64)
    here = stats + n * 2 * OUT + columns
    tl.atomic_add(here, whole + middle * count, sem="relaxed")
    tl.atomic_add(here + OUT, squares.to(tl.float64) + middle * (2.0 * whole + middle * count), sem="relaxed")


@triton.jit
def activate(
    features, stats, gamma, beta, pixels, inverse_count, CHANNELS: tl.constexpr, ACT: tl.constexpr, BM: tl.constexpr,
    PDL: tl.constexpr,
):  # fmt: skip
    """Normalise and activate features where they lie. Grid: (tiles, N).

    Where many pixels are each read by many taps, doing this once costs less than doing it at every tap.
    """
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    c = tl.arange(0, CHANNELS)
    scale, shift = _scale_shift(stats, gamma, beta, n, c, c < CHANNELS, CHANNELS, inverse_count)
    at = features + (n * pixels + p)[:, None] * CHANNELS + c[None, :]
    live = (p < pixels)[:, None]
    value = tl.load(at, mask=live, other=0.0).to(tl.float32)
    value = _activated(value * scale[None, :] + shift[None, :], ACT)
    tl.store(at, value.to(features.dtype.element_ty), mask=live)


@triton.jit
def pose_columns(
    pose, weights, out, height, width, pixels, FIRST: tl.constexpr, COUNT: tl.constexpr, STRIDE: tl.constexpr,
    OFFSET: tl.constexpr, BM: tl.constexpr, BK: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """What a 3 x 3 depthwise makes of flat pose planes, into columns OFFSET.. of `out`; the rest of them becomes 0."""
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    c = tl.arange(0, BK)
    y = p // width
    x = p % width
    acc = tl.zeros((BM, BK), tl.float32)
    for ky in tl.static_range(3):
        for kx in tl.static_range(3):
            there = (y + ky >= 1) & (y + ky <= height) & (x + kx >= 1) & (x + kx <= width)
            weight = tl.load(weights + (ky * 3 + kx) * COUNT + c, mask=c < COUNT, other=0.0)
            acc += tl.where(there[:, None], weight[None, :], 0.0)
    value = tl.load(pose + n * 45 + FIRST + c, mask=c < COUNT, other=0.0)
    at = (n * pixels + p)[:, None] * STRIDE + OFFSET + c[None, :]
    mask = (p < pixels)[:, None] & (c < STRIDE - OFFSET)[None, :]
    tl.store(out + at, (acc * value[None, :]).to(out.dtype.element_ty), mask=mask)


@triton.jit
def heads(
    source, stats, gamma, beta, weights, bias, out, height, width, inverse_count,
    CHANNELS: tl.constexpr, NORM: tl.constexpr, ACT: tl.constexpr, BM: tl.constexpr, PDL: tl.constexpr,
):  # fmt: skip
    """All of a network's 3 x 3 heads at once: float32 (N, pixels, 16), before sigmoid and tanh. Grid: (tiles, N)."""
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    live = p < height * width
    oy = p // width
    ox = p % width
    c = tl.arange(0, CHANNELS)
    j = tl.arange(0, 16)
    if NORM:
        scale, shift = _scale_shift(stats, gamma, beta, n, c, c < CHANNELS, CHANNELS, inverse_count)
    acc = tl.zeros((BM, 16), tl.float32)
    for ky in tl.static_range(3):
        for kx in tl.static_range(3):
            y = oy + ky - 1
            x = ox + kx - 1
            there = live & (y >= 0) & (y < height) & (x >= 0) & (x < width)
            at = ((n * height + y) * width + x)[:, None] * CHANNELS + c[None, :]
            value = tl.load(source + at, mask=there[:, None], other=0.0)
            if NORM:
                value = _activated(value.to(tl.float32) * scale[None, :] + shift[None, :], ACT)
                value = tl.where(there[:, None], value, 0.0)
            matrix = tl.load(weights + ((ky * 3 + kx) * CHANNELS + c)[:, None] * 16 + j[None, :])
            acc = tl.dot(value.to(tl.float16), matrix, acc)
    acc += tl.load(bias + j)[None, :]
    tl.store(out + (n * height * width + p)[:, None] * 16 + j[None, :], acc, mask=live[:, None])


@triton.jit
def _sigmoid(x):
    return 1.0 / (1.0 + tl.exp(-x))


@triton.jit
def _tanh(x):
    return 2.0 / (1.0 + tl.exp(-2.0 * x)) - 1.0


@triton.jit
def _warped(picture, n, sx, sy, height, width, q, live):
    """Bilinear sample of a (N, height, width, 4) picture at (sx, sy) in px; its border repeats. (BM, 4)."""
    sx = tl.minimum(tl.maximum(sx, 0.0), (width - 1).to(tl.float32))
    sy = tl.minimum(tl.maximum(sy, 0.0), (height - 1).to(tl.float32))
    x0 = tl.floor(sx)
    y0 = tl.floor(sy)
    fx = (sx - x0)[:, None]
    fy = (sy - y0)[:, None]
    left = x0.to(tl.int32)
    top = y0.to(tl.int32)
    right = tl.minimum(left + 1, width - 1)
    bottom = tl.minimum(top + 1, height - 1)
    row0 = (n * height + top) * width
    row1 = (n * height + bottom) * width
    mask = live[:, None]
    a = tl.load(picture + (row0 + left)[:, None] * 4 + q[None, :], mask=mask, other=0.0)
    b = tl.load(picture + (row0 + right)[:, None] * 4 + q[None, :], mask=mask, other=0.0)
    c = tl.load(picture + (row1 + left)[:, None] * 4 + q[None, :], mask=mask, other=0.0)
    d = tl.load(picture + (row1 + right)[:, None] * 4 + q[None, :], mask=mask, other=0.0)
    return (a * (1.0 - fx) + b * fx) * (1.0 - fy) + (c * (1.0 - fx) + d * fx) * fy


@triton.jit
def finish_brows(head, background, eyebrow, crop, BM: tl.constexpr, PDL: tl.constexpr):
    """Head columns: grid x y, alpha, colour 4. Into rows and columns 32..160 of the face crop. 128 x 128."""
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    live = p < 16384
    q = tl.arange(0, 4)
    y = p // 128
    x = p % 128
    row = head + (n * 16384 + p) * 16
    sx = x.to(tl.float32) + tl.load(row, mask=live, other=0.0) * 64.0
    sy = y.to(tl.float32) + tl.load(row + 1, mask=live, other=0.0) * 64.0
    alpha = _sigmoid(tl.load(row + 2, mask=live, other=0.0))[:, None]
    colour = _tanh(tl.load(row[:, None] + 3 + q[None, :], mask=live[:, None], other=0.0))
    moved = _warped(eyebrow, n, sx, sy, 128 + n * 0, 128 + n * 0, q, live)
    moved += alpha * (colour - moved)
    over = (tl.sum(tl.where(q[None, :] == 3, moved, 0.0), axis=1)[:, None] + 1.0) * 0.5
    under = tl.load(background + (n * 16384 + p)[:, None] * 4 + q[None, :], mask=live[:, None], other=0.0)
    result = tl.where(q[None, :] == 3, under, under + over * (moved - under))
    at = ((n * 192 + y + 32) * 192 + x + 32)[:, None] * 4 + q[None, :]
    tl.store(crop + at, result, mask=live[:, None])


@triton.jit
def finish_face(head, crop, full, BM: tl.constexpr, PDL: tl.constexpr):
    """Head columns: grid x y, alpha, colour 4, eye alpha, eye colour 4. Into the full picture. 192 x 192."""
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    live = p < 36864
    q = tl.arange(0, 4)
    y = p // 192
    x = p % 192
    row = head + (n * 36864 + p) * 16
    sx = x.to(tl.float32) + tl.load(row, mask=live, other=0.0) * 96.0
    sy = y.to(tl.float32) + tl.load(row + 1, mask=live, other=0.0) * 96.0
    face = _warped(crop, n, sx, sy, 192 + n * 0, 192 + n * 0, q, live)
    alpha = _sigmoid(tl.load(row + 2, mask=live, other=0.0))[:, None]
    face += alpha * (_tanh(tl.load(row[:, None] + 3 + q[None, :], mask=live[:, None], other=0.0)) - face)
    alpha = _sigmoid(tl.load(row + 7, mask=live, other=0.0))[:, None]
    face += alpha * (_tanh(tl.load(row[:, None] + 8 + q[None, :], mask=live[:, None], other=0.0)) - face)
    at = ((n * 512 + y + 32) * 512 + x + 160)[:, None] * 4 + q[None, :]
    tl.store(full + at, face, mask=live[:, None])


@triton.jit
def rotator_input(full, pose, half, out, BM: tl.constexpr, PDL: tl.constexpr):
    """The picture at half size, and with the pose behind it: (N,256,256,4) and (N,256,256,16)."""
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    q = tl.arange(0, 4)
    y = p // 256
    x = p % 256
    at = ((n * 512 + y * 2) * 512 + x * 2)[:, None] * 4 + q[None, :]
    mean = tl.load(full + at) + tl.load(full + at + 4) + tl.load(full + at + 2048) + tl.load(full + at + 2052)
    tl.store(half + (n * 65536 + p)[:, None] * 4 + q[None, :], mean * 0.25)
    j = tl.arange(0, 16)
    planes = tl.load(pose + n * 45 + 35 + j, mask=(j >= 4) & (j < 10), other=0.0)
    here = (n * 65536 + p)[:, None] * 16
    shown = tl.zeros((BM, 16), tl.float32) + planes[None, :]
    tl.store(out + here + j[None, :], shown.to(out.dtype.element_ty), mask=(j >= 4)[None, :])
    tl.store(out + here + q[None, :], (mean * 0.25).to(out.dtype.element_ty))


@triton.jit
def finish_rotator(head, half, pose, out, BM: tl.constexpr, PDL: tl.constexpr):
    """Head columns: grid x y. (N,256,256,8): the half-size picture moved 4, grid 2, the first two pose values."""
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    live = p < 65536
    q = tl.arange(0, 4)
    row = head + (n * 65536 + p) * 16
    gx = tl.load(row)
    gy = tl.load(row + 1)
    sx = (p % 256).to(tl.float32) + gx * 128.0
    sy = (p // 256).to(tl.float32) + gy * 128.0
    here = out + (n * 65536 + p)[:, None] * 8 + q[None, :]
    tl.store(here, _warped(half, n, sx, sy, 256 + n * 0, 256 + n * 0, q, live))
    planes = tl.load(pose + n * 45 + 37 + q, mask=q >= 2, other=0.0)
    rest = tl.where(q[None, :] == 0, gx[:, None], tl.where(q[None, :] == 1, gy[:, None], planes[None, :]))
    tl.store(here + 4, rest)


@triton.jit
def _enlarged(picture, n, y, x, j, channels, BM: tl.constexpr):
    """A (N,256,256,channels) picture bilinearly at twice the size (half-pixel centres), at (y, x): (BM, len(j))."""
    sy = tl.maximum(y.to(tl.float32) * 0.5 - 0.25, 0.0)
    sx = tl.maximum(x.to(tl.float32) * 0.5 - 0.25, 0.0)
    y0 = tl.floor(sy)
    x0 = tl.floor(sx)
    fy = (sy - y0)[:, None]
    fx = (sx - x0)[:, None]
    top = y0.to(tl.int32)
    left = x0.to(tl.int32)
    bottom = tl.minimum(top + 1, 255)
    right = tl.minimum(left + 1, 255)
    row0 = n * 65536 + top * 256
    row1 = n * 65536 + bottom * 256
    a = tl.load(picture + (row0 + left)[:, None] * channels + j[None, :])
    b = tl.load(picture + (row0 + right)[:, None] * channels + j[None, :])
    c = tl.load(picture + (row1 + left)[:, None] * channels + j[None, :])
    d = tl.load(picture + (row1 + right)[:, None] * channels + j[None, :])
    return (a * (1.0 - fx) + b * fx) * (1.0 - fy) + (c * (1.0 - fx) + d * fx) * fy


@triton.jit
def editor_input(full, moved, pose, out, BM: tl.constexpr, PDL: tl.constexpr):
    """Picture 4, moved picture 4, grid 2, pose 6: (N,512,512,16). `moved` is what `finish_rotator` leaves."""
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    y = p // 512
    x = p % 512
    q = tl.arange(0, 4)
    j = tl.arange(0, 8)
    here = (n * 262144 + p)[:, None]
    kind = out.dtype.element_ty
    planes = tl.load(pose + n * 45 + 41 + q)
    tl.store(out + here * 16 + q[None, :], tl.load(full + here * 4 + q[None, :]).to(kind))
    tl.store(out + here * 16 + 4 + j[None, :], _enlarged(moved, n, y, x, j, 8, BM).to(kind))
    tl.store(out + here * 16 + 12 + q[None, :], (tl.zeros((BM, 4), tl.float32) + planes[None, :]).to(kind))


@triton.jit
def finish_editor(head, moved, full, out, FLOATS: tl.constexpr, BM: tl.constexpr, PDL: tl.constexpr):
    """Head columns: grid x y, alpha 4, colour 4. The finished picture: uint8 sRGB, or linear floats as they are."""
    _after_the_one_before(PDL)
    n = tl.program_id(1)
    p = tl.program_id(0) * BM + tl.arange(0, BM)
    live = p < 262144
    y = p // 512
    x = p % 512
    q = tl.arange(0, 4)
    g = tl.arange(0, 2)
    row = head + (n * 262144 + p) * 16
    coarse = _enlarged(moved, n, y, x, 4 + g, 8, BM)
    sx = x.to(tl.float32) + (tl.load(row) + tl.sum(tl.where(g[None, :] == 0, coarse, 0.0), axis=1)) * 256.0
    sy = y.to(tl.float32) + (tl.load(row + 1) + tl.sum(tl.where(g[None, :] == 1, coarse, 0.0), axis=1)) * 256.0
    picture = _warped(full, n, sx, sy, 512 + n * 0, 512 + n * 0, q, live)
    alpha = _sigmoid(tl.load(row[:, None] + 2 + q[None, :]))
    picture += alpha * (_tanh(tl.load(row[:, None] + 6 + q[None, :])) - picture)
    at = (n * 262144 + p)[:, None] * 4 + q[None, :]
    if FLOATS:
        tl.store(out + at, picture)
    else:
        share = tl.minimum(tl.maximum((picture + 1.0) * 0.5, 0.0), 1.0)
        # IEC 61966-2-1; alpha stays as it is.
        curve = 1.055 * tl.exp2(tl.log2(tl.maximum(share, 0.0031308)) * (1.0 / 2.4)) - 0.055
        coded = tl.where(q[None, :] == 3, share, tl.where(share <= 0.0031308, share * 12.92, curve))
        tl.store(out + at, (coded * 255.0 + 0.5).to(tl.uint8))
