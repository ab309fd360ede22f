"""How fast each tier draws, and how near the live one comes to the networks.

`python benchmarks/face.py` prints the reference implementation (eager, CPU), our exact tier on the CPU (and on CUDA
where there is one) and the live tier on one core, side by side; `--json` prints the same as JSON. The character and
the weights come from the repository and the model store unless they are named.
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
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # the reference helper lives with the tests
    sys.path.insert(0, str(ROOT))

from animator.messages import Pixels, Pose  # noqa: E402
from animator.tha3.bake import bake  # noqa: E402
from animator.tha3.face import FACE_COLS, FACE_ROWS, check_image  # noqa: E402
from animator.tha3.live import LiveFace  # noqa: E402
from animator.tha3.pose import pose_of  # noqa: E402

FPS = 30.0
SEED = 5


def motion(frames: int) -> list[Pose]:
    """Somebody who sways, looks about, blinks and talks, one pose per frame at 30 fps; the same every time."""
    rng = np.random.default_rng(SEED)
    mouths = rng.dirichlet([0.4] * 6, size=frames // 4 + 2) * rng.uniform(0.0, 1.0, (frames // 4 + 2, 1))
    poses: list[Pose] = []
    for k in range(frames):
        t = k / FPS
        head_y, neck_z = 0.2 * np.sin(0.9 * t + 1.0), 0.16 * np.sin(0.7 * t + 2.0)
        pose = pose_of(
            head_x=0.13 * np.sin(1.3 * t),
            head_y=head_y,
            neck_z=neck_z,
            body_y=0.4 * head_y,
            body_z=0.4 * neck_z,
            breathing=0.5 - 0.5 * np.cos(1.6 * t),
            eye_wink=max(0.0, float(np.sin(1.9 * t))) ** 24,
            iris_rotation_x=0.1 * np.sin(1.1 * t),
            iris_rotation_y=0.2 * np.sin(0.8 * t),
        )
        k0, share = divmod(k / 4, 1.0)
        pose[26:32] = mouths[int(k0)] * (1.0 - share) + mouths[int(k0) + 1] * share
        poses.append(pose)
    return poses


def timed(draw: Callable[[Pose], object], poses: list[Pose]) -> dict[str, float]:
    """Median and 99th percentile in ms, and frames per second by the median."""
    draw(poses[-1])
    spent_ms = []
    for pose in poses:
        start_s = time.perf_counter()
        draw(pose)
        spent_ms.append((time.perf_counter() - start_s) * 1e3)
    median_ms = float(np.median(spent_ms))
    return {
        "frames": len(poses),
        "median_ms": round(median_ms, 2),
        "p99_ms": round(float(np.percentile(spent_ms, 99)), 2),
        "fps": round(1e3 / median_ms, 1),
    }


def psnr_db(one: Pixels, other: Pixels, crop: tuple[slice, slice]) -> float:
    """Peak signal-to-noise ratio of two pictures over white, within `crop`."""

    def over_white(pixels: Pixels) -> Any:
        alpha = pixels[..., 3:].astype(np.float32) / 255.0
        return pixels[..., :3] * alpha + 255.0 * (1.0 - alpha)

    error = float(((over_white(one) - over_white(other))[crop] ** 2).mean())
    return 10.0 * float(np.log10(255.0**2 / max(error, 1e-9)))


def default_weights() -> Path:
    """The model store's THA3 weights, fetched if need be."""
    from app.models import default_store

    store = default_store()
    store.fetch("tha3-separable-float")
    return store.path("tha3-separable-float")


def stage_seconds(image: Pixels, weights: Path, cache: Path) -> tuple[Path, dict[str, float]]:
    """Bake and say how long each stage took, in s."""
    start_s = time.perf_counter()
    marks: list[tuple[str, float]] = []

    def progress(what: str, share: float) -> None:
        if not marks or marks[-1][0] != what:
            marks.append((what, time.perf_counter() - start_s))

    folder = bake(image, weights, cache, progress, lambda: False)
    seconds = {what: round(until - begun, 1) for (what, begun), (_, until) in itertools.pairwise(marks)}
    return folder, {**seconds, "all": round(time.perf_counter() - start_s, 1)}


def processor() -> str:
    """The processor's name, as far as it can be found out."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def measure(image: Pixels, weights: Path, reference: Path | None, cache: Path | None, frames: int) -> dict[str, Any]:
    """Everything that is printed."""
    import cv2
    import torch

    from animator.tha3 import color
    from animator.tha3.exact import ExactFace

    poses = motion(max(frames * 10, 300))
    few = poses[:: len(poses) // frames][:frames]
    tiers: dict[str, dict[str, float]] = {}

    with tempfile.TemporaryDirectory(prefix="kuchipaku-bench-") as scratch:
        folder, stages = stage_seconds(image, weights, cache or Path(scratch))
        live = LiveFace(folder)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    tiers["live, one core"] = timed(live.draw, poses)
    cv2.setNumThreads(threads)

    exact = ExactFace(weights, image, "cpu")
    tiers["exact, CPU"] = timed(exact.draw, few)
    if torch.cuda.is_available():
        tiers["exact, CUDA"] = timed(ExactFace(weights, image, "cuda").draw, poses)

    if reference is not None:
        from tests.animator.tha3.reference import load_reference

        draw_reference = load_reference(reference, weights)
        linear = color.to_linear(check_image(image))[0].numpy()
        tiers["reference, CPU"] = timed(lambda pose: draw_reference(linear, pose), few)

    face, whole = (FACE_ROWS, FACE_COLS), (slice(None), slice(None))
    pairs = [(exact.draw(pose), live.draw(pose)) for pose in few]
    in_face = [psnr_db(a, b, face) for a, b in pairs]
    in_whole = [psnr_db(a, b, whole) for a, b in pairs]
    return {
        "tiers": tiers,
        "live_against_exact_psnr_db": {
            "face_median": round(float(np.median(in_face)), 1),
            "face_min": round(min(in_face), 1),
            "picture_median": round(float(np.median(in_whole)), 1),
            "poses": len(few),
        },
        "bake_s": stages,
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "load_1min": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "opencv": cv2.__version__,
            "system": platform.platform(),
        },
    }


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    lines = [f"{'':22}{'median ms':>10}{'p99 ms':>10}{'fps':>9}{'frames':>8}"]
    for name, tier in result["tiers"].items():
        lines.append(f"{name:22}{tier['median_ms']:>10}{tier['p99_ms']:>10}{tier['fps']:>9}{tier['frames']:>8}")
    near = result["live_against_exact_psnr_db"]
    lines += [
        "",
        f"live against exact over {near['poses']} poses: face {near['face_median']} dB (least {near['face_min']}), "
        f"whole picture {near['picture_median']} dB",
        "bake: " + ", ".join(f"{what} {seconds} s" for what, seconds in result["bake_s"].items()),
        "machine: " + ", ".join(f"{name} {value}" for name, value in result["machine"].items()),
    ]
    return "\n".join(lines)


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--character", type=Path, default=None, help="folder or PNG; the first in characters/ if absent"
    )
    parser.add_argument("--weights", type=Path, default=None, help="folder with the five .pt files")
    parser.add_argument(
        "--cache", type=Path, default=None, help="bake here and keep it; a fresh bake is timed if absent"
    )
    parser.add_argument("--frames", type=int, default=20, help="frames for the slow tiers")
    parser.add_argument("--no-reference", action="store_true", help="leave the reference implementation out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()

    from animator.character import load_character

    character = given.character or next(path.parent for path in sorted(ROOT.glob("characters/*/character.toml")))
    reference = None
    if not given.no_reference:
        from tests.animator.tha3.reference import reference_folder

        reference = reference_folder(Path(tempfile.gettempdir()) / "kuchipaku-tha3-reference")
    image = load_character(character).image
    result = measure(image, given.weights or default_weights(), reference, given.cache, max(given.frames, 2))
    print(json.dumps(result, indent=1) if given.json else table(result))


if __name__ == "__main__":
    main()
