"""The Triton kernels of the CUDA path: what lies between convolutions and matrix products, one pass over memory each.

Features are NHWC. A convolution leaves its bias to whoever reads it next: `vec` is that bias (with the constant time
embedding in it), `res` a residual's other arm.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _silu(x):
    return x * tl.sigmoid(x)


@triton.jit
def norm_small(
    x, vec, res, gamma, beta, total, out, pixels, C, CPG, eps,
    VEC: tl.constexpr, RES: tl.constexpr, KEEP: tl.constexpr, ACT: tl.constexpr, BP: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """Group norm of a group that fits in registers. Grid: (groups, N)."""
    n = tl.program_id(1).to(tl.int64)
    j = tl.arange(0, BC)
    c = tl.program_id(0) * CPG + j
    p = tl.arange(0, BP)
    mask = (p < pixels)[:, None] & (j < CPG)[None, :]
    at = (n * pixels + p)[:, None] * C + c[None, :]
    value = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
    if VEC:
        value += tl.load(vec + c, mask=j < CPG, other=0.0).to(tl.float32)[None, :]
    if RES:
        value += tl.load(res + at, mask=mask, other=0.0).to(tl.float32)
    if KEEP:
        tl.store(total + at, value.to(total.dtype.element_ty), mask=mask)
    value = tl.where(mask, value, 0.0)
    count = pixels * CPG
    mean = tl.sum(tl.sum(value, 1), 0) / count
    centred = tl.where(mask, value - mean, 0.0)
    scale = tl.rsqrt(tl.sum(tl.sum(centred * centred, 1), 0) / count + eps)
    g = tl.load(gamma + c, mask=j < CPG, other=0.0).to(tl.float32) * scale
    b = tl.load(beta + c, mask=j < CPG, other=0.0).to(tl.float32)
    value = centred * g[None, :] + b[None, :]
    if ACT:
        value = _silu(value)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def sums(
    x, vec, res, total, stats, height, width, tiles,
    C: tl.constexpr, GROUPS: tl.constexpr, VEC: tl.constexpr, RES: tl.constexpr, KEEP: tl.constexpr,
    UP: tl.constexpr, BP: tl.constexpr,
):  # fmt: skip
    """First half of a large group norm: adds up, keeps the total. Grid: (programs, N); `stats` float32 (N, 2, GROUPS).

    UP: `x` holds the four phases of a doubled picture, (N, height/2 + 1, width/2 + 1, 4, C).
    """
    n = tl.program_id(1).to(tl.int64)
    c = tl.arange(0, C)
    pixels = height * width
    CPG: tl.constexpr = C // GROUPS
    add = tl.zeros((BP, C), tl.float32)
    square = tl.zeros((BP, C), tl.float32)
    for t in range(tiles):
        p = (tl.program_id(0) * tiles + t) * BP + tl.arange(0, BP)
        mask = (p < pixels)[:, None]
        at = (n * pixels + p)[:, None] * C + c[None, :]
        if UP:
            row, col = p // width, p % width
            a, b = row % 2, col % 2
            place = ((n * (height // 2 + 1) + row // 2 + a) * (width // 2 + 1) + col // 2 + b) * 4 + a * 2 + b
            value = tl.load(x + place[:, None] * C + c[None, :], mask=mask, other=0.0).to(tl.float32)
        else:
            value = tl.load(x + at, mask=mask, other=0.0).to(tl.float32)
        if VEC:
            value += tl.load(vec + c).to(tl.float32)[None, :]
        if RES:
            value += tl.load(res + at, mask=mask, other=0.0).to(tl.float32)
        if KEEP:
            tl.store(total + at, value.to(total.dtype.element_ty), mask=mask)
        value = tl.where(mask, value, 0.0)
        add += value
        square += value * value
    add = tl.sum(add, 0)
    square = tl.sum(square, 0)
    g = tl.arange(0, GROUPS)
    tl.atomic_add(stats + n * 2 * GROUPS + g, tl.sum(tl.reshape(add, (GROUPS, CPG)), 1))
    tl.atomic_add(stats + (n * 2 + 1) * GROUPS + g, tl.sum(tl.reshape(square, (GROUPS, CPG)), 1))


@triton.jit
def normed(
    x, vec, stats, gamma, beta, out, pixels, eps,
    C: tl.constexpr, GROUPS: tl.constexpr, VEC: tl.constexpr, ACT: tl.constexpr, BP: tl.constexpr,
):  # fmt: skip
    """Second half of a large group norm. Grid: (tiles, N)."""
    n = tl.program_id(1).to(tl.int64)
    c = tl.arange(0, C)
    CPG: tl.constexpr = C // GROUPS
    count = pixels * CPG
    mean = tl.load(stats + n * 2 * GROUPS + c // CPG) / count
    square = tl.load(stats + (n * 2 + 1) * GROUPS + c // CPG) / count
    scale = tl.load(gamma + c).to(tl.float32) * tl.rsqrt(tl.maximum(square - mean * mean, 0.0) + eps)
    shift = tl.load(beta + c).to(tl.float32) - mean * scale
    if VEC:
        shift += tl.load(vec + c).to(tl.float32) * scale
    p = tl.program_id(0) * BP + tl.arange(0, BP)
    mask = (p < pixels)[:, None]
    at = (n * pixels + p)[:, None] * C + c[None, :]
    value = tl.load(x + at, mask=mask, other=0.0).to(tl.float32) * scale[None, :] + shift[None, :]
    if ACT:
        value = _silu(value)
    tl.store(out + at, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def layer_norm(
    x, vec, res, gamma, beta, total, out, C, res_stride, total_stride, eps,
    ADD: tl.constexpr, KEEP: tl.constexpr, BC: tl.constexpr,
):  # fmt: skip
    """Total = x + vec + res, out = layer norm of it. Grid: (rows,)."""
    row = tl.program_id(0).to(tl.int64)
    c = tl.arange(0, BC)
    mask = c < C
    value = tl.load(x + row * C + c, mask=mask, other=0.0).to(tl.float32)
    if ADD:
        value += tl.load(vec + c, mask=mask, other=0.0).to(tl.float32)
        value += tl.load(res + row * res_stride + c, mask=mask, other=0.0).to(tl.float32)
    if KEEP:
        tl.store(total + row * total_stride + c, value.to(total.dtype.element_ty), mask=mask)
    mean = tl.sum(value, 0) / C
    centred = tl.where(mask, value - mean, 0.0)
    scale = tl.rsqrt(tl.sum(centred * centred, 0) / C + eps)
    gain = tl.load(gamma + c, mask=mask, other=0.0).to(tl.float32)
    value = centred * scale * gain + tl.load(beta + c, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + row * C + c, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def gated(x, out, width, out_stride, BC: tl.constexpr):
    """Out = first half of `x` times the GELU of its second. Grid: (rows, tiles of columns)."""
    row = tl.program_id(0).to(tl.int64)
    c = tl.program_id(1) * BC + tl.arange(0, BC)
    mask = c < width
    value = tl.load(x + row * 2 * width + c, mask=mask, other=0.0).to(tl.float32)
    gate = tl.load(x + row * 2 * width + width + c, mask=mask, other=0.0).to(tl.float32)
    value *= gate * 0.5 * (1.0 + tl.erf(gate * 0.7071067811865476))
    tl.store(out + row * out_stride + c, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def added(x, vec, res, out, count, C, RES: tl.constexpr, B: tl.constexpr):
    """Out = x + vec + res. Grid: (tiles,)."""
    i = tl.program_id(0).to(tl.int64) * B + tl.arange(0, B)
    mask = i < count
    value = tl.load(x + i, mask=mask, other=0.0).to(tl.float32) + tl.load(vec + i % C, mask=mask, other=0.0).to(
        tl.float32
    )
    if RES:
        value += tl.load(res + i, mask=mask, other=0.0).to(tl.float32)
    tl.store(out + i, value.to(out.dtype.element_ty), mask=mask)


@triton.jit
def paste(
    face, bias, frames, masks, boxes, index, gate, out, side, roi_h, roi_w,
    STRIDE: tl.constexpr, B: tl.constexpr,
):  # fmt: skip
    """Resize each face to its box (bilinear), blend it in by mask and gate. Grid: (tiles, N).

    face (N, side, side, STRIDE) in [-1, 1]; frames uint8 (F, roi_h, roi_w, 3) and masks (F, roi_h, roi_w): what lies in
    each frame's box, in the upper left; boxes int32 (F, 4).
    """
    n = tl.program_id(1).to(tl.int64)
    i = tl.program_id(0) * B + tl.arange(0, B)
    live = i < roi_h * roi_w
    f = tl.load(index + n).to(tl.int64)
    wide = tl.load(boxes + f * 4 + 2) - tl.load(boxes + f * 4)
    high = tl.load(boxes + f * 4 + 3) - tl.load(boxes + f * 4 + 1)
    x, y = (i % roi_w).to(tl.float32), (i // roi_w).to(tl.float32)
    fx = tl.minimum(tl.maximum((x + 0.5) * side / wide - 0.5, 0.0), side - 1.0)
    fy = tl.minimum(tl.maximum((y + 0.5) * side / high - 0.5, 0.0), side - 1.0)
    x0, y0 = fx.to(tl.int32), fy.to(tl.int32)
    x1, y1 = tl.minimum(x0 + 1, side - 1), tl.minimum(y0 + 1, side - 1)
    wx, wy = fx - x0.to(tl.float32), fy - y0.to(tl.float32)
    alpha = tl.load(masks + f * roi_h * roi_w + i, mask=live, other=0).to(tl.float32) / 255.0 * tl.load(gate + n)
    here = face + n * side * side * STRIDE
    for c in tl.static_range(3):
        b = tl.load(bias + c).to(tl.float32)
        a00 = _level(tl.load(here + (y0 * side + x0) * STRIDE + c, mask=live, other=0.0), b)
        a01 = _level(tl.load(here + (y0 * side + x1) * STRIDE + c, mask=live, other=0.0), b)
        a10 = _level(tl.load(here + (y1 * side + x0) * STRIDE + c, mask=live, other=0.0), b)
        a11 = _level(tl.load(here + (y1 * side + x1) * STRIDE + c, mask=live, other=0.0), b)
        painted = (a00 * (1 - wx) + a01 * wx) * (1 - wy) + (a10 * (1 - wx) + a11 * wx) * wy
        there = (f * roi_h * roi_w + i) * 3 + c
        before = tl.load(frames + there, mask=live, other=0).to(tl.float32)
        value = before + (painted - before) * alpha + 0.5
        tl.store(out + (n * roi_h * roi_w + i) * 3 + c, value.to(tl.uint8), mask=live)


@triton.jit
def _level(x, b):
    """A network's value as a level of a picture, 0 to 255, rounded as the reference rounds its crops."""
    value = tl.minimum(tl.maximum((x.to(tl.float32) + b) * 0.5 + 0.5, 0.0), 1.0) * 255.0
    return tl.floor(value + 0.5)
