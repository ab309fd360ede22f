"""Choose the poses that are baked: `python -m animator.tha3.training.choose --bake FOLDER --out runs.npz`.

Runs of all networks are what a bake costs. By the kernel it is known before any run how sure each pose would be; so
poses are taken one by one, each the one after which the app's own motion is known best (greedily, which for this
measure is near the best there is). `--bake` names bakes, of any format that the program draws, whose faces say what
expressions look like.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from animator.tha3 import likeness
from animator.tha3.likeness import Features, Likeness
from animator.tha3.live import LiveFace
from animator.tha3.live_nodes import first_poses
from animator.tha3.training.scenes import Poses, scene, spread

COUNT = 300
WIDE_WEIGHT = 0.6
"""Of poses that the app does not take by itself, as sliders do."""

Doubles = npt.NDArray[np.float64]


def greedy(common: Sequence[tuple[Doubles, Doubles]], weights: Doubles, noise: float, count: int) -> list[int]:
    """Which candidates tell most, best first.

    Args:
        common: For each character: how much the poses asked about have in common with the candidates (asked,
            candidates), and the candidates with each other; changed in place.
        weights: How much each pose asked about counts, (asked,).
        noise: How much of a run is its own.
        count: How many are chosen.
    """
    chosen: list[int] = []
    for _ in range(count):
        gain = np.zeros(common[0][0].shape[1])
        for asked, candidates in common:
            gain += (weights[:, None] * asked**2).sum(axis=0) / (np.diag(candidates) + noise)
        gain[chosen] = -1.0
        best = int(gain.argmax())
        chosen.append(best)
        for asked, candidates in common:
            told = candidates[:, best].copy()
            share = told / (told[best] + noise)
            asked -= np.outer(asked[:, best], share)
            candidates -= np.outer(told, share)
    return chosen


def main(arguments: Sequence[str] | None = None) -> int:
    """Choose, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bake", type=Path, action="append", required=True, help="a bake's folder; several times")
    parser.add_argument("--out", type=Path, required=True, help="file to write, .npz")
    given = parser.parse_args(arguments)
    kernel = likeness.bundled()
    first = np.stack(first_poses())
    candidates = np.concatenate(
        [*(scene(1000 + k)[::4] for k in range(90)), spread(900), spread(500, power=1.2, mixed=False)]
    )
    wide = spread(200, seed=21, power=1.3)
    asked = np.concatenate([*(scene(5000 + k)[::6] for k in range(80)), wide])
    weights = np.where(np.arange(len(asked)) < len(asked) - len(wide), 1.0, WIDE_WEIGHT)
    common = []
    for folder in given.bake:
        face = LiveFace(folder)
        seen = [_features(kernel, face, poses) for poses in (first, candidates, asked)]
        known, told = kernel.between(seen[0], seen[0]) + kernel.noise * np.eye(len(first)), seen[1]
        back = np.linalg.solve(known, kernel.between(seen[0], told))
        ask = kernel.between(seen[2], told) - kernel.between(seen[2], seen[0]) @ back
        common.append((ask, kernel.between(told, told) - kernel.between(told, seen[0]) @ back))
    chosen = greedy(common, weights, kernel.noise, COUNT - len(first))
    np.savez(given.out, poses=np.concatenate([first, candidates[chosen]]))
    sys.stdout.write(f"{given.out}: {COUNT} of {len(candidates)} poses\n")
    return 0


def _features(kernel: Likeness, face: LiveFace, poses: Poses) -> Features:
    return kernel.features(*(np.stack(column) for column in zip(*(face.seen(pose) for pose in poses), strict=True)))


if __name__ == "__main__":
    sys.exit(main())
