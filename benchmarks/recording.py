"""What does a recording of the live show cost, and are sound and picture together in it?

    python benchmarks/recording.py [--seconds 60] [--format mp4|webm] [--keep FOLDER] [--json]

The show speaks varied sentences at the clock's pace: first so long without a recording, then so long with one. Both
times the animator's missed frames are counted, and on Linux the processor time of the recorder's threads. Of an MP4 the
lag of the mouth behind the sound is then measured in the file, as `lips_film.py --film` does.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "benchmarks"))

from frame_clock import Silence, cpu_model  # noqa: E402
from lips_film import measure as measure_lips  # noqa: E402
from lips_sentences import SENTENCES  # noqa: E402

from animator.clock import SystemClock  # noqa: E402
from animator.priority import GIVES_WAY_TO_THE_VOICE  # noqa: E402
from app import compose  # noqa: E402
from app.bus import Bus  # noqa: E402
from app.messages import Fact, Record, Say  # noqa: E402
from app.settings import FaceSettings, RecordingSettings, Settings  # noqa: E402
from app.show import Show  # noqa: E402
from app.sound_tap import SoundTap  # noqa: E402

SENTENCES_PER_TURN = 6
_NICE, _USER, _SYSTEM = 16, 11, 12
"""Fields of /proc/self/task/*/stat behind the name."""


def recorder_cpu_s() -> float:
    """Processor time of the threads that run at the recorder's priority so far; Linux only."""
    total = 0.0
    for task in Path("/proc/self/task").glob("*/stat"):
        try:
            fields = task.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended
        if int(fields[_NICE]) == os.getpriority(os.PRIO_PROCESS, 0) + GIVES_WAY_TO_THE_VOICE:
            total += (int(fields[_USER]) + int(fields[_SYSTEM])) / os.sysconf("SC_CLK_TCK")
    return total


class Talk:
    """Has sentences spoken one turn after the other, and counts frames."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self.due = self.missed = self.sent = self.repeated = 0
        self.saved: dict[str, Any] = {}
        self.kept = threading.Event()
        self.over = threading.Event()
        self._chance = random.Random(5)
        bus.listen(self._watch)

    def _watch(self, fact: Fact) -> None:
        match fact.stage, fact.event:
            case "avatar", "frames":
                self.due += fact.data["due"]
                self.missed += fact.data["missed"]
            case "playback", "turn_finished" if not self.over.is_set():
                self.say()
            case "recording", "saved":
                self.saved = dict(fact.data)
                self.kept.set()
            case _, "state" if fact.data.get("state") == "failed":
                print(fact.data.get("problem"), fact.data.get("remedy"), file=sys.stderr)

    def say(self) -> None:
        """One more turn."""
        self._bus.gate.put(Say(" ".join(self._chance.sample(SENTENCES, SENTENCES_PER_TURN))))

    def measure(self, seconds: float) -> dict[str, float]:
        """Frames and the recorder's processor time over so many s."""
        due, missed, cpu_s = self.due, self.missed, recorder_cpu_s()
        threading.Event().wait(seconds)
        due, missed = self.due - due, self.missed - missed
        return {
            "due": due,
            "missed": missed,
            "missed_percent": round(100 * missed / max(due, 1), 2),
            "recorder_cpu_percent": round(100 * (recorder_cpu_s() - cpu_s) / seconds, 1),
        }


def main() -> int:
    """Run both phases, measure the file, and print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--format", choices=("mp4", "webm"), default="mp4")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the recording there")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(options.keep or scratch)
        settings = Settings(
            face=FaceSettings(detail="plain"), recording=RecordingSettings(folder=folder, format=options.format)
        )
        sound = SoundTap()
        show = Show(
            bus,
            clock,
            settings,
            compose.find_character(settings.face.character),
            microphone=Silence(),
            speaker=compose.null_speaker(clock, sound),
            sound=sound,
            greet=False,
            keys=False,
        )
        talk = Talk(bus)
        try:
            show.start()
            show.wait_until_loaded(900)
            talk.say()
            threading.Event().wait(5)
            without = talk.measure(options.seconds)
            bus.gate.put(Record(True))
            threading.Event().wait(1)
            recording = talk.measure(options.seconds)
            bus.gate.put(Record(False))
            talk.kept.wait(10)
        finally:
            talk.over.set()
            show.stop()
        report: dict[str, Any] = {
            "machine": f"{cpu_model()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
            "format": options.format,
            "without": without,
            "recording": recording,
            "saved": {**talk.saved, "bytes": Path(talk.saved["path"]).stat().st_size},
        }
        if options.format == "mp4":
            spans, about = measure_lips(Path(talk.saved["path"]))
            report["lag_ms"] = [span.lag_ms for span in spans]
            report["correlation"] = [span.correlation for span in spans]
            report["each_minute_ms"] = [ms for span in spans for ms in span.minutes_ms]
            report["frames"] = about["frames"]
    if options.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(f"{name:16}{value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
