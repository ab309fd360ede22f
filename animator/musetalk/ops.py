"""The steps between matrix products, on NHWC tensors: Triton on a card that has it, plain PyTorch elsewhere.

Both compute the same; the plain forms are what tests compare and what a CPU runs.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

interpreted = False
"""Set by tests: run the kernels on the CPU, in Triton's interpreter."""
SMALL_TILE = 32768
"""Elements of a group that one program holds in registers."""


@functools.cache
def _kernels() -> Any:
    """The kernels' module, None without Triton. Loaded at first use: a CPU never needs it."""
    try:
        from animator.musetalk import kernels
    except ImportError:
        return None
    return kernels


def fused(x: Tensor) -> bool:
    """Whether the kernels run on `x`."""
    return (x.is_cuda or interpreted) and _kernels() is not None


def _pow2(n: int) -> int:
    return 1 << (n - 1).bit_length()


def unphased(x: Tensor) -> Tensor:
    """The doubled picture from its four phases: (N, h+1, w+1, 4*C) to (N, 2h, 2w, C)."""
    n, high, wide, c = x.shape
    x = x.view(n, high, wide, 2, 2, c // 4)
    h, w = high - 1, wide - 1
    rows = [torch.stack([x[:, a : a + h, b : b + w, a, b] for b in (0, 1)], 3) for a in (0, 1)]
    return torch.stack(rows, 2).reshape(n, 2 * h, 2 * w, c // 4)


def group_norm(
    x: Tensor, groups: int, gamma: Tensor, beta: Tensor, eps: float, *, act: bool,
    vec: Tensor | None = None, res: Tensor | None = None, keep: bool = False, up: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Group norm (and SiLU) of x + vec + res, both (N,H,W,C); and that sum where `keep`, else something of no meaning.

    Args:
        x: (N,H,W,C), or with `up` the phases (N,H/2+1,W/2+1,4C).
        groups: Number of groups.
        gamma: (C,).
        beta: (C,).
        eps: Added to the variance.
        act: Apply SiLU.
        vec: (C,), added.
        res: (N,H,W,C), added.
        keep: Return the sum as well.
        up: See `x`.
    """
    c = gamma.shape[0]
    if not fused(x) or (c & (c - 1) and up):
        total = unphased(x) if up else x
        total = total if vec is None else total + vec
        total = total if res is None else total + res
        flat = total.permute(0, 3, 1, 2)
        out = F.group_norm(flat.float(), groups, gamma.float(), beta.float(), eps)
        out = (F.silu(out) if act else out).to(x.dtype)
        return out.permute(0, 2, 3, 1).contiguous(), total
    n, h, w = x.shape[:3]
    if up:
        h, w = 2 * (h - 1), 2 * (w - 1)
    pixels, cpg = h * w, c // groups
    out = torch.empty((n, h, w, c), device=x.device, dtype=x.dtype)
    bp, bc = _pow2(pixels), _pow2(cpg)
    small = not up and bp * bc <= SMALL_TILE
    # In two passes the second reads what the first has added.
    keep = (keep and vec is not None) or (res is not None and (keep or not small)) or up
    total = torch.empty_like(out) if keep else x
    if small:
        _kernels().norm_small[(groups, n)](
            x, vec, res, gamma, beta, total, out, pixels, c, cpg, eps,
            VEC=vec is not None, RES=res is not None, KEEP=keep, ACT=act, BP=bp, BC=bc,
            num_warps=16 if bp * bc >= 16384 else 8 if bp * bc >= 4096 else 4,
        )  # fmt: skip
        return out, total
    if c & (c - 1):
        return group_norm_plain(x, groups, gamma, beta, eps, act=act, vec=vec, res=res)
    stats = torch.zeros((n, 2, groups), device=x.device, dtype=torch.float32)
    rows = max(4096 // c, 8)
    tiles = 8 if pixels >= 16384 else 2
    _kernels().sums[(-(-pixels // (rows * tiles)), n)](
        x, vec, res, total, stats, h, w, tiles,
        C=c, GROUPS=groups, VEC=vec is not None, RES=res is not None, KEEP=keep, UP=up, BP=rows,
    )  # fmt: skip
    read = total if keep else x
    _kernels().normed[(-(-pixels // rows), n)](
        read, None if keep else vec, stats, gamma, beta, out, pixels, eps,
        C=c, GROUPS=groups, VEC=vec is not None and not keep, ACT=act, BP=rows,
    )  # fmt: skip
    return out, total


def group_norm_plain(
    x: Tensor, groups: int, gamma: Tensor, beta: Tensor, eps: float, *, act: bool,
    vec: Tensor | None = None, res: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """As `group_norm` where no kernel fits."""
    total = x if vec is None else x + vec
    total = total if res is None else total + res
    out = F.group_norm(total.permute(0, 3, 1, 2), groups, gamma, beta, eps)
    return (F.silu(out) if act else out).permute(0, 2, 3, 1).contiguous(), total


def layer_norm(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    vec: Tensor | None = None,
    res: Tensor | None = None,
    into: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Layer norm of x + vec + res and that sum, both (N,L,C); the sum in `into` where given (rows may be strided)."""
    n, length, c = x.shape
    if not fused(x):
        total = x if res is None or vec is None else x + vec + res
        if into is not None:
            into.copy_(total)
            total = into
        return F.layer_norm(total, (c,), gamma, beta, 1e-5), total
    out = torch.empty_like(x)
    total = x if res is None else torch.empty_like(x) if into is None else into
    _kernels().layer_norm[(n * length,)](
        x, vec, res, gamma, beta, total, out, c,
        res.stride(1) if res is not None else c, total.stride(1), 1e-5,
        ADD=res is not None, KEEP=res is not None, BC=_pow2(c), num_warps=4,
    )  # fmt: skip
    return out, total


def gated(x: Tensor, into: Tensor) -> None:
    """GEGLU: the first half of x (N,L,2K) times the GELU of the second, into (N,L,K), whose rows may be strided."""
    n, length, twice = x.shape
    width = twice // 2
    if not fused(x):
        into.copy_(x[..., :width] * F.gelu(x[..., width:]))
        return
    block = 1024
    _kernels().gated[(n * length, -(-width // block))](x, into, width, into.stride(1), BC=block)


def added(x: Tensor, vec: Tensor, res: Tensor | None) -> Tensor:
    """X + vec + res, (N,H,W,C)."""
    if not fused(x):
        return x + vec if res is None else x + vec + res
    out = torch.empty_like(x)
    count, block = x.numel(), 2048
    _kernels().added[(-(-count // block),)](x, vec, res, out, count, x.shape[-1], RES=res is not None, B=block)
    return out


def paste(
    face: Tensor, bias: Tensor, frames: Tensor, masks: Tensor, boxes: Tensor, index: Tensor, gate: Tensor
) -> Tensor:
    """Each face resized to its frame's box and blended in: uint8 (N, roi_h, roi_w, 3).

    Args:
        face: The decoder's answer (N,S,S,>=3) RGB in [-1, 1], without `bias`.
        bias: (>=3,).
        frames: uint8 (F,roi_h,roi_w,3): the content of each frame's box, in the upper left corner.
        masks: uint8 (F,roi_h,roi_w), 0 outside of the box.
        boxes: int32 (F,4): left, top, right, bottom.
        index: int64 (N,): which frame each face belongs to.
        gate: float32 (N,) in [0, 1]: how much of the face is shown at all.
    """
    n, side = face.shape[:2]
    roi_h, roi_w = frames.shape[1:3]
    if fused(face):
        out = torch.empty((n, roi_h, roi_w, 3), device=face.device, dtype=torch.uint8)
        _kernels().paste[(-(-roi_h * roi_w // 512), n)](
            face, bias, frames, masks, boxes, index, gate, out, side, roi_h, roi_w, STRIDE=face.shape[3], B=512
        )
        return out
    level = (((face[..., :3].float() + bias[:3].float()) * 0.5 + 0.5).clamp(0, 1) * 255 + 0.5).floor()
    box = boxes[index].float()
    size = box[:, 2:] - box[:, :2]
    x = ((torch.arange(roi_w, device=face.device) + 0.5)[None] * side / size[:, :1] - 0.5).clamp(0, side - 1)
    y = ((torch.arange(roi_h, device=face.device) + 0.5)[None] * side / size[:, 1:] - 0.5).clamp(0, side - 1)
    grid = (
        torch.stack([x[:, None, :].expand(n, roi_h, roi_w), y[:, :, None].expand(n, roi_h, roi_w)], -1)
        * (2 / (side - 1))
        - 1
    )
    painted = F.grid_sample(level.permute(0, 3, 1, 2), grid, align_corners=True).permute(0, 2, 3, 1)
    alpha = (masks[index].float() / 255.0 * gate[:, None, None])[..., None]
    before = frames[index].float()
    return (before + (painted - before) * alpha + 0.5).to(torch.uint8)
