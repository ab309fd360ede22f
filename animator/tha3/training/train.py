"""Learn the kernel: `python -m animator.tha3.training.train --answers DIR --out likeness.npz`.

Of some drawings at a time, a part of the runs is given and the pictures of other poses are to be told from them; the
kernel changes so that the error, on the scale of decibels, gets less. So it learns which poses and faces have what in
common for the networks, whatever the drawing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from animator.tha3.likeness import LOOK_PX, LOOK_SIZE
from animator.tha3.training.answers import RUNS
from animator.tha3.training.kernel import Kernel, scaled

COMPONENTS = 64
"""Of the looks: 96 % of what they show."""
DRAWINGS_AT_ONCE = 16
GIVEN = (140, 180, 200, 240)
FLOOR = 2.0
"""Mean squared error, in 8-bit steps, that a live picture has for other reasons: less is not worth learning."""
_RATE_WIDE, _RATE_FEW, _DECAY = 2e-3, 2e-2, 1e-2
_EMPHASIS = ((slice(0, 11), 1.4), (slice(15, LOOK_PX), 2.0))
"""Rows of the small looks that count more at the start: brows and mouth."""

Doubles = npt.NDArray[np.float64]


def predicted(kernel: Kernel, turns: Tensor, looks: Tensor, energies: Tensor, given: Tensor, asked: Tensor) -> Tensor:
    """Mean squared error of the asked poses, (drawings, asked), where the given ones are known."""
    known, ask = (kernel.look(turns[:, which], looks[:, which]) for which in (given, asked))
    common = kernel(known, known) + kernel.noise.exp() * torch.eye(len(given), dtype=turns.dtype, device=turns.device)
    shares = torch.cholesky_solve(kernel(known, ask), torch.linalg.cholesky(common)).transpose(1, 2)
    mean = energies[:, given].mean(dim=1, keepdim=True)
    return ((shares @ (energies[:, given] - mean) + mean - energies[:, asked]) ** 2).sum(dim=-1)


def components(looks: npt.NDArray[np.floating], size: int) -> tuple[Doubles, Doubles]:
    """The principal directions of `looks` (n,1728), in which a usual look has length 1, and the start of the eye."""
    product = np.zeros((looks.shape[1], looks.shape[1]))
    for begin in range(0, len(looks), 20_000):
        part = looks[begin : begin + 20_000].astype(np.float32)
        product += (part.T @ part).astype(np.float64)
    strength, axes = np.linalg.eigh(product)
    basis = axes[:, np.argsort(-strength)[:size]]
    length = float(np.sqrt(strength.sum() / len(looks)))
    weights = np.ones((LOOK_PX, LOOK_PX, 3))
    for rows, weight in _EMPHASIS:
        weights[rows] = weight
    _, stretch, turn = np.linalg.svd(basis * (weights.reshape(-1, 1) / 384.0), full_matrices=False)
    return basis / length, (turn.T * stretch)[:, :LOOK_SIZE] * length


def train(turns: Doubles, looks: Doubles, energies: Doubles, eye: Doubles, steps: int, device: str = "cpu") -> Kernel:
    """Learn from drawings: turns (n,poses,6) scaled, looks (n,poses,components), energies (n,poses,size)."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    kernel = Kernel(eye).to(device)
    wide = [kernel.eye, *kernel.net.parameters()]
    few = [values for values in kernel.parameters() if all(values is not other for other in wide)]
    optimizer = torch.optim.AdamW([{"params": wide, "weight_decay": _DECAY}, {"params": few, "weight_decay": 0.0}])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, [_RATE_WIDE, _RATE_FEW], total_steps=steps, pct_start=0.15
    )
    asked = torch.arange(RUNS, turns.shape[1], device=device)
    begun_s, usual = time.perf_counter(), 0.0
    for step in range(1, steps + 1):
        which = rng.choice(len(turns), min(DRAWINGS_AT_ONCE, len(turns)), replace=False)
        given = np.sort(rng.choice(RUNS, int(rng.choice(GIVEN)), replace=False))
        some_turns, some_looks, some = (torch.from_numpy(array[which]).to(device) for array in (turns, looks, energies))
        error = predicted(kernel, some_turns, some_looks, some, torch.from_numpy(given).to(device), asked)
        loss = torch.log(error + FLOOR).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        usual += (loss.item() - usual) * max(0.01, 1.0 / step)
        if step % 200 == 0:
            spent_s = round(time.perf_counter() - begun_s)
            sys.stdout.write(json.dumps({"step": step, "loss": round(usual, 4), "spent_s": spent_s}) + "\n")
    return kernel


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=Path, required=True, help="folder that training.answers has written")
    parser.add_argument("--out", type=Path, required=True, help="file to write, .npz")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    given = parser.parse_args(arguments)
    loaded: dict[str, list[Doubles]] = {"turns": [], "looks": [], "energies": []}
    for path in sorted(given.answers.glob("*.npz")):
        with np.load(path, allow_pickle=False) as archive:
            for name, arrays in loaded.items():
                arrays.append(archive[name])
    looks = np.stack(loaded["looks"])
    basis, eye = components(looks.reshape(-1, looks.shape[2]), COMPONENTS)
    kernel = train(
        scaled(np.stack(loaded["turns"])),
        looks.astype(np.float64) @ basis,
        np.stack(loaded["energies"]).astype(np.float64),
        eye,
        given.steps,
        given.device,
    )
    np.savez(given.out, **kernel.arrays(basis))  # type: ignore[arg-type]
    return 0


if __name__ == "__main__":
    sys.exit(main())
