"""Anime to human and back during a talk: does the camera keep its pictures, and is the memory given back?

Runs the live show while a long answer is spoken, changes between the character's own face and a photo of a person
--times times, every --every seconds, and prints, with --json as one object: the camera's gaps between pictures (asked:
none above 66 ms); how long the same picture stayed, by the numbers that the face gives its pictures, so that a face at
rest counts as drawing; how many were sent again (at 30 fps one sent twice stays 66.7 ms, which counts as above 66); how
long a change took from the wish to the first picture with the other face; how far the face's process strayed from its
memory with the same face before; and the machine.

    python benchmarks/switching.py [--times 10] [--every 4] [--photo FILE] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from animator.clock import SystemClock  # noqa: E402
from app import compose, paths  # noqa: E402
from app.bus import Bus  # noqa: E402
from app.characters import library  # noqa: E402
from app.messages import Fact, Say, ToggleHuman  # noqa: E402
from app.settings import Settings  # noqa: E402
from app.show import Show  # noqa: E402
from benchmarks.frame_clock import Meter, Silence, cpu_model  # noqa: E402
from benchmarks.session import memory_mb, workers  # noqa: E402

SENTENCE = (
    "People by the sea often say that the best boats are built by patient hands, one plank beside another, "
    "before the summer begins."
)


def percentiles(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile and largest."""
    return {
        name: round(float(np.percentile(values, at)), 1) for name, at in (("median", 50), ("p99", 99), ("max", 100))
    }


def run(times: int, every_s: float, photo: Path) -> dict[str, object]:
    """One talk with all its changes."""
    with tempfile.TemporaryDirectory() as scratch:
        data = Path(scratch) / "data"
        data.mkdir()
        (data / "models").symlink_to(paths.models_dir(), target_is_directory=True)
        os.environ["KUCHIPAKU_DATA"] = str(data)
        os.environ["KUCHIPAKU_CONFIG"] = str(Path(scratch) / "config")
        library.create_photo("Photo", photo, consent=True)
        return _talk(times, every_s)


def _talk(times: int, every_s: float) -> dict[str, object]:
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    settings = Settings()
    folder = compose.find_character(settings.face.character)
    show = Show(
        bus, clock, settings, folder, microphone=Silence(), speaker=compose.null_speaker(clock), greet=False, keys=False
    )
    meter = Meter(clock)
    finished, loaded = threading.Event(), threading.Event()
    loaded_ns: list[int] = []
    over = threading.Event()

    def on_fact(fact: Fact) -> None:
        if (fact.stage, fact.event) == ("playback", "turn_finished"):
            finished.set()
        if (fact.stage, fact.event) == ("avatar", "character"):
            loaded_ns.append(clock.now_ns())
            loaded.set()

    def talk() -> None:
        while not over.is_set():
            finished.clear()
            bus.gate.put(Say(SENTENCE))
            finished.wait(30)

    bus.listen(on_fact)
    wished_ns: list[int] = []
    memory: list[float] = []
    speaker = threading.Thread(target=talk, daemon=True)
    try:
        show.start()
        show.wait_until_loaded(600)
        assert show.camera is not None
        show.camera.add(meter)
        speaker.start()
        threading.Event().wait(3 + every_s)
        (worker,) = workers()
        memory.append(memory_mb(worker))
        meter.rows.clear()
        for _ in range(times):
            loaded.clear()
            wished_ns.append(clock.now_ns())
            bus.gate.put(ToggleHuman())
            loaded.wait(30)
            threading.Event().wait(every_s)
            memory.append(memory_mb(worker))
        rows = np.array(meter.rows, dtype=np.int64)
    finally:
        over.set()
        finished.set()
        speaker.join(30)
        show.stop()
    fresh = rows[np.flatnonzero(np.diff(rows[:, 0], prepend=-1) > 0)]
    own = memory[::2]
    return {
        "changes": times,
        "camera_gap_ms": percentiles(list(np.diff(rows[:, 2]) / 1e6)),
        "same_picture_ms": percentiles(list(np.diff(fresh[:, 2]) / 1e6)),
        "sent_again": len(rows) - len(fresh),
        "gaps_above_66_ms": int(np.count_nonzero(np.diff(fresh[:, 2]) > 66e6)),
        "change_took_ms": percentiles([(b - a) / 1e6 for a, b in zip(wished_ns, loaded_ns[-times:], strict=True)]),
        "own_face_mb": [round(each, 1) for each in own],
        "photo_mb": [round(each, 1) for each in memory[1::2]],
        "own_face_memory_percent": round(100 * (own[-1] / own[0] - 1), 1),
        "fps": round((len(rows) - 1) / ((rows[-1, 2] - rows[0, 2]) / 1e9), 2),
    }


def main() -> int:
    """Measure, and print it with the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--every", type=float, default=4.0, help="s between two changes")
    parser.add_argument("--photo", type=Path, default=ROOT / "tests" / "data" / "faces" / "grace_hopper.jpg")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    report = run(chosen.times, chosen.every, chosen.photo)
    report["machine"] = (
        f"{cpu_model()}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    )
    if chosen.json:
        print(json.dumps(report))
    else:
        for key, value in report.items():
            print(f"{key:26}{value}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
