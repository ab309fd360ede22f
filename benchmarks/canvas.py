"""What does a picture for the camera cost: the character placed, captions laid over it, and the conversion?

    python benchmarks/canvas.py [--frames 300] [--json]

On one core, for each size of the picture: `Canvas.place` with and without two lines of captions, turn by turn with the
same frames, and the conversion to BT.709 I420 (`i420`), beside OpenCV's own, which is BT.601. In ms of processor time,
so that other work of the machine counts little: median and 95th percentile. A caption's first word of a sentence (with
its line breaking and shaping) and each further one are what their own thread needs; no picture waits for it. Fonts are
the system's.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
for folder in (ROOT, ROOT / "benchmarks"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from frame_clock import cpu_model  # noqa: E402

from app.canvas import Canvas, i420  # noqa: E402
from app.caption_picture import CaptionPainter  # noqa: E402
from app.compose import character_of, find_character  # noqa: E402
from app.fonts import Typefaces  # noqa: E402

SIZES = ((512, 512), (1280, 720), (1920, 1080))
SENTENCES = {
    "en": "Hello there, how are you? I was thinking about the weather today, and about what we could do together.",
    "ja": "こんにちは、元気ですか。今日はとても良い天気ですね、どこかへ出かけましょうか。",
    "hi": "नमस्ते, आप कैसे हैं? हिन्दी में बात करना मुझे बहुत अच्छा लगता है, और आपको?",
}
BUDGET_MS = 4.0
"""For one frame at 720p, everything together."""


def frames(count: int) -> list[np.ndarray]:
    """Haru, swaying by some pixels: what moves has to be placed anew."""
    art = character_of(find_character("haru")).image
    return [np.ascontiguousarray(np.roll(art, round(6 * np.sin(number / 5)), axis=1)) for number in range(count)]


def took_ms(work: Callable[..., object], *arguments: object) -> float:
    """How much processor time it takes once."""
    began = time.thread_time()
    work(*arguments)
    return (time.thread_time() - began) * 1e3


def spread(values: list[float]) -> dict[str, float]:
    """Median and 95th percentile."""
    return {"median": round(float(np.median(values)), 2), "p95": round(float(np.percentile(values, 95)), 2)}


def measure(size_px: tuple[int, int], shown: list[np.ndarray], faces: Typefaces) -> dict[str, Any]:
    """Every way for one size, turn by turn, so that a busy moment of the machine hits all of them."""
    painter = CaptionPainter(*size_px, faces)
    over = painter.paint(SENTENCES["en"], len(SENTENCES["en"]))
    plain, captioned = Canvas(*size_px), Canvas(*size_px)
    names = ("place", "place with captions", "i420", "i420 by OpenCV (BT.601)", "all, without captions", "all")
    times: dict[str, list[float]] = {name: [] for name in names}
    for frame in shown:
        without = took_ms(plain.place, frame)
        laid = took_ms(captioned.place, frame, over)
        picture = captioned.place(frame, over)
        converted = took_ms(i420, picture)
        times["place"].append(without)
        times["place with captions"].append(laid)
        times["i420"].append(converted)
        times["i420 by OpenCV (BT.601)"].append(took_ms(cv2.cvtColor, picture, cv2.COLOR_RGB2YUV_I420))
        times["all, without captions"].append(without + converted)
        times["all"].append(laid + converted)
    found: dict[str, Any] = {name: spread(values[len(values) // 10 :]) for name, values in times.items()}
    for language, sentence in SENTENCES.items():
        first, later = [], []
        for _ in range(20):
            fresh = CaptionPainter(*size_px, faces)
            first.append(took_ms(fresh.paint, sentence, 3))
            later.extend(took_ms(fresh.paint, sentence, heard) for heard in range(4, len(sentence), 7))
        found[f"captions, {language}: first word"] = spread(first)
        found[f"captions, {language}: a new word"] = spread(later)
    return found


def main() -> int:
    """Measure and print; the exit code is 1 where a frame at 720p is over the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    shown, faces = frames(options.frames), Typefaces()
    results = {f"{width}x{height}": measure((width, height), shown, faces) for width, height in SIZES}
    machine = {"processor": cpu_model(), "system": platform.platform(), "opencv": cv2.__version__, "cores_used": 1}
    if options.json:
        print(json.dumps({"machine": machine, "ms": results}, indent=1))
    else:
        print(", ".join(f"{name} {value}" for name, value in machine.items()))
        print(f"{'ms, median / p95':34}" + "".join(f"{size:>18}" for size in results))
        for name in next(iter(results.values())):
            cells = (f"{found[name]['median']:.2f} / {found[name]['p95']:.2f}" for found in results.values())
            print(f"{name:34}" + "".join(f"{cell:>18}" for cell in cells))
    return 0 if results["1280x720"]["all"]["median"] <= BUDGET_MS else 1


if __name__ == "__main__":
    sys.exit(main())
