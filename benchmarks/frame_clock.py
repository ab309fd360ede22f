"""Does the running app keep its frame clock while everything works?

Runs the live show for a minute of talking: the local brain answers typed questions, Piper speaks, Whisper transcribes
a recording again and again beside them, the face is drawn at 30 fps in its own process, and frames go to a sink at
their deadlines. Prints, and with --json as one object: the worker's missed deadlines (a frame that was not there when
it was due), frames that the sink got twice, the sink's jitter, and what the machine was.

    python benchmarks/frame_clock.py [--seconds 60] [--idle 10] [--json]

The same run measures the machine doing nothing but drawing (--idle seconds) beside it, for comparison.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import threading
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from animator.clock import SystemClock
from app import compose
from app.bus import Bus
from app.messages import Ask, Fact, Frame
from app.settings import Settings
from app.show import Show

QUESTIONS = (
    "What do you like about music?",
    "Tell me something about the sea.",
    "Why is the sky blue?",
    "What should I cook tonight?",
    "Do you have a favourite game?",
)


class Silence:
    """A microphone in a quiet room."""

    name = "silence"

    def open(self) -> None:
        """Nothing to open."""

    def read(self, timeout_s: float) -> None:
        """Nothing is ever said."""
        threading.Event().wait(timeout_s)

    def close(self) -> None:
        """Nothing to close."""


class Meter:
    """A sink that notes when each frame came."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self.rows: list[tuple[int, int, int]] = []

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Nothing to open."""

    def send(self, frame: Frame) -> None:
        """Note the frame's number, its deadline and now."""
        self.rows.append((frame.seq, frame.due_ns, self._clock.now_ns()))

    def close(self) -> None:
        """Nothing to close."""


def cpu_model() -> str:
    """The processor's name where the system says it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def measure(bus: Bus, meter: Meter, seconds: float, work: threading.Event | None) -> dict[str, float]:
    """Let the show run for `seconds` and count; `work` is set while the others are to work."""
    tap = bus.tap(100_000)
    meter.rows.clear()
    if work is not None:
        work.set()
    threading.Event().wait(seconds)
    if work is not None:
        work.clear()
    facts = tap.drain()
    rows = np.array(meter.rows, dtype=np.int64)
    reports = [fact.data for fact in facts if (fact.stage, fact.event) == ("avatar", "frames")]
    due, missed = sum(r["due"] for r in reports), sum(r["missed"] for r in reports)
    late_ms = (rows[:, 2] - rows[:, 1]) / 1e6
    gaps_ms = np.diff(rows[:, 2]) / 1e6
    spoken_s = sum(fact.data["duration_s"] for fact in facts if (fact.stage, fact.event) == ("tts", "clip"))
    return {
        "seconds": seconds,
        "due": due,
        "missed": missed,
        "missed_percent": round(100 * missed / max(due, 1), 3),
        "sink_frames": len(rows),
        "sink_repeated_percent": round(100 * float(np.mean(np.diff(rows[:, 0]) == 0)), 3),
        "sink_fps": round((len(rows) - 1) / ((rows[-1, 2] - rows[0, 2]) / 1e9), 3),
        "sink_late_p99_ms": round(float(np.percentile(late_ms, 99)), 2),
        "sink_gap_p99_ms": round(float(np.percentile(gaps_ms, 99)), 2),
        "sink_gap_max_ms": round(float(gaps_ms.max()), 2),
        "speech_synthesised_s": round(spoken_s, 1),
    }


def main() -> int:
    """Run both phases and print them side by side."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--idle", type=float, default=10.0)
    arguments.add_argument("--json", action="store_true")
    options = arguments.parse_args()

    clock = SystemClock()
    bus = Bus(clock.now_ns)
    settings = Settings()
    folder = compose.find_character(settings.face.character)
    show = Show(bus, clock, settings, folder, microphone=Silence(), speaker=compose.null_speaker(clock), greet=False)
    meter = Meter(clock)
    working, over = threading.Event(), threading.Event()
    finished = threading.Event()

    def on_fact(fact: Fact) -> None:
        if (fact.stage, fact.event) == ("playback", "turn_finished"):
            finished.set()

    def talk() -> None:
        asked = 0
        while not over.is_set():
            if working.wait(0.2):
                finished.clear()
                bus.gate.put(Ask(QUESTIONS[asked % len(QUESTIONS)]))
                asked += 1
                finished.wait(30)

    transcriptions = 0

    def listen() -> None:
        nonlocal transcriptions
        transcriber = compose.line_parts(
            settings, compose.character_of(folder), hears=True, answers=False, bus=bus
        ).transcriber
        assert transcriber is not None
        transcriber.load()
        noise = np.random.default_rng(1).normal(0, 0.05, 5 * 16_000).astype(np.float32)
        while not over.is_set():
            if working.wait(0.2):
                transcriber.transcribe(noise)
                transcriptions += 1
                over.wait(2.5)  # a question every few seconds, as in a talk

    bus.listen(on_fact)
    threads: list[threading.Thread] = []
    try:
        show.start()
        show.wait_until_loaded(600)
        if show.camera is None:
            print(bus.snapshot()["avatar", "state"].data["problem"], file=sys.stderr)
            return 1
        show.camera.add(meter)
        threads = [threading.Thread(target=target, daemon=True) for target in (talk, listen)]
        for thread in threads:
            thread.start()
        threading.Event().wait(3)
        idle = measure(bus, meter, options.idle, None)
        talking = measure(bus, meter, options.seconds, working)
    finally:
        over.set()
        finished.set()
        for thread in threads:
            thread.join(30)
        show.stop()
    report = {
        "idle": idle,
        "talking": talking,
        "transcriptions": transcriptions,
        "machine": f"{cpu_model()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}",
    }
    if options.json:
        print(json.dumps(report))
    else:
        print(report["machine"])
        print(f"{'':24}{'idle':>12}{'talking':>12}")
        for key in talking:
            print(f"{key:24}{idle[key]:>12}{talking[key]:>12}")
        print(f"{'transcriptions':24}{'':>12}{transcriptions:>12}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
