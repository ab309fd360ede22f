"""How near the live tier comes to the exact one over the app's own motion, how fast it draws, how long its bake took.

`python benchmarks/face_fidelity.py` takes every character in characters/ and tests/data/face_plain.png; name others
with --character. For each it bakes (into a fresh cache unless --cache is given), draws `face_motion.app_motion` live
and exactly, and prints PSNR of the face crop (rows 20-240, columns 140-372, over white, 8 bit), the ratio of the
temporal differences, frames per second of the live tier on one core, and when each stage of the bake was there.
`--strip out.png` writes frames of both, exact over live. `--truth DIR` keeps the exact frames and uses them again.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# One core: BLAS reads this when NumPy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import cv2
import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "benchmarks"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from face_motion import app_motion  # noqa: E402

from animator.character import Character, load_character  # noqa: E402
from animator.messages import Pixels  # noqa: E402
from animator.tha3 import live_store  # noqa: E402
from animator.tha3.bake import bake, bake_key  # noqa: E402
from animator.tha3.live import LiveFace  # noqa: E402

CROP = (slice(20, 240), slice(140, 372))
Floats = npt.NDArray[np.float32]


def over_white(pixels: Pixels) -> Floats:
    """The face crop as it is seen on white, in whole 8-bit steps: float32 (220,232,3)."""
    cut = pixels[CROP]
    alpha = cut[..., 3:].astype(np.float32) / 255.0
    return np.asarray(np.rint(cut[..., :3] * alpha + 255.0 * (1.0 - alpha)), np.float32)


def psnr_db(one: Floats, other: Floats) -> float:
    """Peak signal-to-noise ratio of two pictures of 8-bit steps."""
    return 10.0 * float(np.log10(255.0**2 / max(float(((one - other) ** 2).mean()), 1e-9)))


def compare(exact: list[Floats], live: list[Floats]) -> dict[str, float]:
    """Nearness frame by frame, and how much more the live face changes between frames than the exact one."""
    near_db = np.array([psnr_db(a, b) for a, b in zip(exact, live, strict=True)])

    def change(frames: list[Floats]) -> Floats:
        return np.array([np.abs(b - a).mean() for a, b in itertools.pairwise(frames)], np.float32)

    moves, live_moves = change(exact), change(live)
    # Frames in which nothing moves have no ratio.
    moving = moves > 0.02
    return {
        "frames": len(exact),
        "psnr_median_db": round(float(np.median(near_db)), 2),
        "psnr_p5_db": round(float(np.percentile(near_db, 5)), 2),
        "psnr_min_db": round(float(near_db.min()), 2),
        "temporal_ratio": round(float(live_moves.sum() / moves.sum()), 3),
        "temporal_ratio_p95": round(float(np.percentile(live_moves[moving] / moves[moving], 95)), 3),
    }


def exact_frames(character: Character, weights: Path, cache: Path, poses: npt.NDArray[np.float32]) -> list[Pixels]:
    """Every pose drawn by the networks."""
    from animator.tha3.exact_onnx import OnnxFace

    face = OnnxFace(weights, character.image, cache)
    return [face.draw(pose) for pose in poses]


def kept_frames(
    character: Character, weights: Path, cache: Path, poses: npt.NDArray[np.float32], truth: Path | None
) -> list[Pixels]:
    """As `exact_frames`, from `truth` where they are kept already."""
    if truth is None:
        return exact_frames(character, weights, cache, poses)
    path = truth / f"{bake_key(character.image, weights)}-{len(poses)}.npz"
    if path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            if np.array_equal(kept["poses"], poses):
                return list(kept["frames"])
    frames = exact_frames(character, weights, cache, poses)
    truth.mkdir(parents=True, exist_ok=True)
    np.savez(path, poses=poses, frames=np.stack(frames))
    return frames


def timed(face: LiveFace, poses: npt.NDArray[np.float32]) -> dict[str, float]:
    """Median and 99th percentile in ms on one core."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    # Held on one core where the system can.
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if cores:
        os.sched_setaffinity(0, {max(cores)})
    spent_ms = []
    for pose in poses:
        start_s = time.perf_counter()
        face.draw(pose)
        spent_ms.append((time.perf_counter() - start_s) * 1e3)
    cv2.setNumThreads(threads)
    if cores:
        os.sched_setaffinity(0, cores)
    median_ms = float(np.median(spent_ms))
    return {
        "median_ms": round(median_ms, 2),
        "p99_ms": round(float(np.percentile(spent_ms, 99)), 2),
        "fps": round(1e3 / median_ms, 1),
    }


def baked(character: Character, weights: Path, cache: Path) -> tuple[Path, dict[str, float]]:
    """The bake and, where it was made just now, the s after which each stage could be drawn."""
    folder = cache / bake_key(character.image, weights)
    begun_s = time.perf_counter()
    seen: dict[str, float] = {}

    def progress(what: str, share: float) -> None:
        for stage in live_store.stages_on_disk(folder):
            seen.setdefault(stage, round(time.perf_counter() - begun_s, 1))

    old = set(live_store.stages_on_disk(folder))
    bake(character.image, weights, cache, progress, lambda: False)
    return folder, {stage: at_s for stage, at_s in seen.items() if stage not in old}


def strip(exact: list[Pixels], live: list[Pixels], every: int) -> Pixels:
    """Frames side by side, exact over live, on grey: uint8 RGB."""
    columns = []
    for one, other in list(zip(exact, live, strict=True))[::every]:
        pair = np.concatenate([one[CROP], other[CROP]])
        alpha = pair[..., 3:].astype(np.float32) / 255.0
        columns.append(np.rint(pair[..., :3] * alpha + 150.0 * (1.0 - alpha)).astype(np.uint8))
    rows = [np.concatenate(columns[i : i + 8], axis=1) for i in range(0, len(columns) // 8 * 8, 8)]
    return np.concatenate(rows or [np.concatenate(columns, axis=1)])


def measure(path: Path, weights: Path, given: argparse.Namespace, poses: npt.NDArray[np.float32]) -> dict[str, Any]:
    """One character's figures."""
    character = load_character(path)
    with tempfile.TemporaryDirectory(prefix="kuchipaku-bench-") as scratch:
        cache = given.cache or Path(scratch)
        folder, stages_s = baked(character, weights, cache)
        face = LiveFace(folder)
        exact = kept_frames(character, weights, cache, poses, given.truth)
        speed = {"512": timed(face, poses)}
        live = [face.draw(pose) for pose in poses]
        if character.large is not None:
            speed["1024"] = timed(LiveFace(folder, character.large), poses)
        size_mb = round(sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6, 1)
    if given.strip:
        out = given.strip.with_stem(f"{given.strip.stem}-{path.stem}")
        picture = cv2.cvtColor(strip(exact, live, max(len(exact) // 24, 1)), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(out), picture)
    near = compare([over_white(frame) for frame in exact], [over_white(frame) for frame in live])
    return {"near": near, "speed": speed, "bake_stage_s": stages_s, "bake_mb": size_mb}


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--character", type=Path, action="append", help="folder or PNG; may be given several times")
    parser.add_argument("--weights", type=Path, help="folder with the five .pt files")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--cache", type=Path, help="bake here and keep it")
    parser.add_argument("--truth", type=Path, help="keep the exact frames here and use them again")
    parser.add_argument("--strip", type=Path, help="write OUT-CHARACTER.png")
    given = parser.parse_args()
    if given.weights is None:
        from app.models import default_store

        store = default_store()
        store.fetch("tha3-separable-float")
        given.weights = store.path("tha3-separable-float")
    plain = ROOT / "tests" / "data" / "face_plain.png"
    paths = given.character or [
        *(path.parent for path in sorted(ROOT.glob("characters/*/character.toml"))),
        *([plain] if plain.is_file() else []),
    ]
    poses: npt.NDArray[np.float32] = app_motion(given.frames)
    result: dict[str, Any] = {path.stem: measure(path, given.weights, given, poses) for path in paths}
    result["machine"] = {
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "opencv": cv2.__version__,
        "python": platform.python_version(),
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
