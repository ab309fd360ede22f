"""What the networks make of many drawings: `python -m animator.tha3.training.answers --weights DIR --out DIR`.

Writes one file per drawing: `energies` (poses, 120) and `looks` (poses, 1728), float16, and the `turns`. Where two
rows of energies are apart by the vector d, two pictures of the moved, neutral drawing are apart by |d|² of mean squared
error, in 8-bit steps over the face crop, to first order: flow times the picture's gradient. 1.7 s per drawing of 400
poses on an H200; a CPU needs minutes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from animator.messages import Pixels
from animator.tha3.color import to_linear, to_srgb_floats
from animator.tha3.face import FACE_COLS, FACE_ROWS, SIZE_PX
from animator.tha3.likeness import LOOK_PX
from animator.tha3.live_fit import turns_of
from animator.tha3.networks import Networks
from animator.tha3.pose import BODY, EYEBROW, FACE
from animator.tha3.training.drawings import drawing
from animator.tha3.training.scenes import Poses, scene, spread
from animator.tha3.weights import load_networks

RUNS, ASKED = 260, 140
"""Poses that a character learns from, and poses that it is then asked about."""
KEPT = 120
_ROWS, _COLUMNS = slice(20, 240), slice(140, 372)
_BATCH = 16
_HALF_STEPS, _FULL_STEPS, _DAMPING = 12, 6, 0.7
"""As `bake_flow`, but for fewer steps: within 0.001 px of it."""


class Answers(NamedTuple):
    """Of one drawing."""

    energies: Tensor
    looks: Tensor


def poses_for(seed: int) -> Poses:
    """The poses of a drawing, float32 (400,45): every second one learns from runs of its own."""
    rng = np.random.default_rng(seed)
    runs = spread(RUNS, 20 if seed % 2 else 1000 + seed, power=1.25, mixed=False)
    talk = np.concatenate([scene(9000 + 3 * seed + k) for k in range(2)])
    talk = talk[rng.choice(len(talk), ASKED, replace=False)]
    faces = spread(ASKED, 5000 + seed, mixed=False)
    talk[80:, :39] = faces[80:, :39]  # the head moves as in talk, under any face
    return np.concatenate([runs, talk])


@torch.inference_mode()
def answers(networks: Networks, image: Pixels, poses: Poses) -> Answers:
    """Run all networks over `poses` of `image`, uint8 RGBA (512,512,4)."""
    device = next(networks.parameters()).device
    source = to_linear(image, device)
    crop = source[:, :, 64:192, 192:320]
    layers = networks.eyebrow_decomposer(crop)
    brow_features = networks.eyebrow_morphing_combiner.encode(layers)

    def full(batch: Tensor) -> Tensor:
        brows = networks.eyebrow_morphing_combiner.decode(brow_features, layers, batch[:, EYEBROW])
        face = source[:, :, FACE_ROWS, FACE_COLS].repeat(len(batch), 1, 1, 1)
        face[:, :, 32:160, 32:160] = brows
        face = networks.face_morpher.decode(networks.face_morpher.encode(face), face, batch[:, FACE])
        out = source.repeat(len(batch), 1, 1, 1)
        out[:, :, FACE_ROWS, FACE_COLS] = face
        return out

    neutral = full(torch.zeros(1, poses.shape[1], device=device))
    across, slanted, down = _gradients(neutral)
    plain = _steps(neutral[:, :, FACE_ROWS, FACE_COLS])[:, :3]
    energies, looks = [], []
    every = torch.from_numpy(poses).to(device)
    for begin in range(0, len(every), _BATCH):
        batch = every[begin : begin + _BATCH]
        pictures = full(batch)
        grid = networks.edit(pictures, batch[:, BODY]).grid_change
        flow = _forward_flow(grid * (SIZE_PX / 2))
        x, y = flow[:, :1], flow[:, 1:]
        energies.append(torch.cat([across * x + slanted * y, down * y], dim=1).flatten(1))
        change = _steps(pictures[:, :, FACE_ROWS, FACE_COLS])[:, :3] - plain
        small = F.avg_pool2d(change, change.shape[2] // LOOK_PX)
        looks.append(small.permute(0, 2, 3, 1).flatten(1))
    return Answers(_shortened(torch.cat(energies)), torch.cat(looks))


def _gradients(neutral: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The structure tensor's square root, per pixel of the crop, so that squares of flow times it sum to the error."""
    steps = _steps(neutral)
    alpha = steps[:, 3:] / 255
    over = steps[:, :3] * alpha + 255 * (1 - alpha)
    x = F.pad((over[..., 2:] - over[..., :-2]) / 2, (1, 1))[:, :, _ROWS, _COLUMNS]
    y = F.pad((over[..., 2:, :] - over[..., :-2, :]) / 2, (0, 0, 1, 1))[:, :, _ROWS, _COLUMNS]
    there = (steps[:, 3:, _ROWS, _COLUMNS] > 8).to(steps.dtype) / x[0].numel()
    xx, xy, yy = ((one * other).sum(1, keepdim=True) * there for one, other in ((x, x), (x, y), (y, y)))
    across = (xx + 1e-12).sqrt()
    slanted = xy / across
    down: Tensor = (yy - slanted**2).clamp(min=0).sqrt()
    return across, slanted, down


def _shortened(energies: Tensor) -> Tensor:
    """The same distances in few numbers (principal components)."""
    centred = energies - energies.mean(dim=0)
    strength, axes = torch.linalg.eigh((centred @ centred.T).double())
    best = strength.argsort(descending=True)[:KEPT]
    out: Tensor = (axes[:, best] * strength[best].clamp(min=0).sqrt()).float()
    return out


def _forward_flow(backward: Tensor) -> Tensor:
    """How far each point of the neutral picture moves, (n,2,220,232), of where pixels came from, (n,2,512,512), px."""
    half = F.avg_pool2d(backward, 2) / 2
    flow = _turned(half, -half, _grid(half), _HALF_STEPS)
    flow = 2 * F.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=False)
    here = _grid(backward)[:, _ROWS, _COLUMNS]
    return _turned(backward, flow[:, :, _ROWS, _COLUMNS], here, _FULL_STEPS)


def _turned(backward: Tensor, flow: Tensor, here: Tensor, steps: int) -> Tensor:
    sizes = torch.tensor([backward.shape[3] - 1, backward.shape[2] - 1], device=backward.device)
    for _ in range(steps):
        places = (here + flow.permute(0, 2, 3, 1)) * 2 / sizes - 1
        found = F.grid_sample(backward, places, mode="bilinear", padding_mode="border", align_corners=True)
        flow = flow + _DAMPING * (-found - flow)
    return flow


def _grid(like: Tensor) -> Tensor:
    """The place of each pixel of `like` (n,c,H,W): (1,H,W,2), x then y."""
    y, x = (torch.arange(int(size), device=like.device, dtype=like.dtype) for size in like.shape[2:])
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)[None]


def _steps(linear: Tensor) -> Tensor:
    """[-1, 1] (n,4,H,W) as 8-bit sRGB steps, channels still first."""
    return to_srgb_floats(linear).permute(0, 3, 1, 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a folder of answers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder with THA3's five .pt files")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--drawings", type=int, default=262)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args(arguments)
    networks = load_networks(given.weights, given.device)
    given.out.mkdir(parents=True, exist_ok=True)
    for seed in range(given.drawings):
        poses = poses_for(seed)
        found = answers(networks, drawing(seed), poses)
        np.savez(
            given.out / f"{seed:04}.npz",
            energies=found.energies.cpu().numpy().astype(np.float16),
            looks=found.looks.cpu().numpy().astype(np.float16),
            turns=np.stack([turns_of(pose) for pose in poses]),
        )
        sys.stdout.write(f"drawing {seed + 1} of {given.drawings}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
