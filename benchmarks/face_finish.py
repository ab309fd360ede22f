"""What finishing costs: `python benchmarks/face_finish.py [--json]`, one core, a character's own picture."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.character import load_character  # noqa: E402
from animator.manner import Finish  # noqa: E402
from animator.tha3.finish import finished  # noqa: E402

CASES = {
    "outline": Finish(outline=0.9),
    "rim": Finish(rim=0.6),
    "bloom": Finish(bloom=0.4),
    "all": Finish(outline=0.9, rim=0.6, bloom=0.4),
}


def measure(character: Path, frames: int) -> dict[str, Any]:
    """Median, 99th percentile and least time in ms per case; the cases take turns, so that a busy machine hits all."""
    image = load_character(character).image
    spent_ms: dict[str, list[float]] = {name: [] for name in CASES}
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    for _ in range(frames):
        for name, finish in CASES.items():
            start_s = time.perf_counter()
            finished(image, finish)
            spent_ms[name].append((time.perf_counter() - start_s) * 1e3)
    cv2.setNumThreads(threads)
    return {
        "size_px": image.shape[0],
        "finish_ms": {
            name: {
                "median": round(float(np.median(values)), 2),
                "p99": round(float(np.percentile(values, 99)), 2),
                "min": round(min(values), 2),
            }
            for name, values in spent_ms.items()
        },
        "machine": {"system": platform.platform(), "cores": os.cpu_count(), "opencv": cv2.__version__},
    }


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--character", type=Path, default=ROOT / "characters" / "haru")
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = measure(given.character, given.frames)
    if given.json:
        print(json.dumps(result))
        return
    for name, figures in result["finish_ms"].items():
        print(
            f"{name:8} median {figures['median']:5.2f} ms   p99 {figures['p99']:5.2f} ms   least {figures['min']:5.2f}"
        )
    print(", ".join(f"{key} {value}" for key, value in result["machine"].items()))


if __name__ == "__main__":
    main()
