"""A night on air in short: does the camera get its pictures, and do sound and picture stay together?

Runs the whole show without a window: the local brain answers typed questions, Piper speaks, the face is drawn in its
own process, and pictures go to the camera's sink, which composes and converts each one as for the virtual camera and
then drops it. Sound is played by a loudspeaker that keeps time in silence, or by the settings' device with --device.
For --minutes of talking it measures, and holds against what is wanted:

- repeated: pictures that the camera was sent twice, because the face had drawn no newer one; late: those that were sent
  more than half a picture after their deadline; both in percent;
- jitter: by how much the distance of two pictures differs from 1 / fps, p99;
- offset: by how much the mouth in the pictures is behind the sound as it is heard, from the correlation of its area
  with the sound's envelope, over the first and the last span; drift: the slope of all spans, an hour, with its error;
- flash: the same from the app's own lip-sync test (a click and a white picture), before and after the talk; a flash
  falls on the nearest picture, so one is known to 17 ms, and the mean of all to a few;
- memory: of the app's and the animator's process, medians of the second and of the last tenth of the time.

    python benchmarks/on_air.py [--minutes 30] [--device] [--json]
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import platform
import queue
import sys
import tempfile
import threading
from array import array
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "benchmarks"))

from frame_clock import QUESTIONS, Silence, cpu_model  # noqa: E402
from lips_film import STEP_S, lag_of  # noqa: E402
from mouth_pixels import mouth_area_px  # noqa: E402
from session import memory_mb  # noqa: E402

from animator.clock import SystemClock  # noqa: E402
from app import compose  # noqa: E402
from app.bus import Bus  # noqa: E402
from app.canvas import Canvas, i420, view_of  # noqa: E402
from app.messages import Ask, Fact, Frame, LipSyncTest  # noqa: E402
from app.settings import CameraSettings, Settings  # noqa: E402
from app.show import Show  # noqa: E402
from app.sound_tap import SoundTap  # noqa: E402

FPS = 30
SIZE_PX = (1280, 720)
TURN_TIMEOUT_S = 60.0
LOAD_TIMEOUT_S = 900.0
TESTS = 4
"""So many lip-sync tests at each end, each at another phase of the frames."""
TEST_S = 5.5
WHITE = 250
ONSET = 0.2
"""Of full scale: a click begins at 0.5."""
LONGEST_OFFSET_MS = 400.0
SPANS = 6
LOOKED_AT_S = 100.0
"""Of each span so much is measured: looking at mouths costs what others want."""
WAITING_PICTURES = 15
"""A watcher that cannot keep up leaves pictures out; it fills no memory, which is measured too."""
MOUTH_SIDE_PX = 512
LIMITS = {
    "repeated_or_late_percent": 0.5,
    "jitter_p99_ms": 10.0,
    "offset_start_ms": 20.0,
    "offset_end_ms": 20.0,
    "drift_ms_per_h": 5.0,
    "app_memory_percent": 3.0,
    "animator_memory_percent": 3.0,
}

Curve = npt.NDArray[np.float64]


class Camera:
    """A sink that does a virtual camera's work, and notes when it was given what."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock = clock
        self._canvas = Canvas(*SIZE_PX)
        # Plain numbers: what is noted here is in the app's memory, which is measured too.
        self.rows = array("q")
        """Number, deadline and arrival in ns, of each picture."""
        self.work_ms = array("d")
        self.pictures: queue.Queue[Frame | None] = queue.Queue(WAITING_PICTURES)
        self.unseen = 0
        """Pictures that the watcher had no time for."""

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Nothing to open."""

    def send(self, frame: Frame) -> None:
        """Compose, convert and drop it."""
        now_ns = self._clock.now_ns()
        self.rows.extend((frame.seq, frame.due_ns, now_ns))
        i420(self._canvas.place(frame.pixels))
        self.work_ms.append((self._clock.now_ns() - now_ns) / 1e6)
        try:
            self.pictures.put_nowait(frame)
        except queue.Full:
            self.unseen += 1

    def close(self) -> None:
        """Nothing to close."""


class Watcher:
    """Takes from pictures and sound what is measured, on a thread of its own; it holds up nobody."""

    def __init__(self, camera: Camera, tap: SoundTap, begun_s: float, longest_s: float) -> None:
        self._first_step = math.floor(begun_s / STEP_S)
        self._camera = camera
        self._tap = tap
        self.mouth: list[tuple[float, float]] = []
        """(deadline in s, the mouth's area in px)."""
        self.flashes_s: list[float] = []
        self.clicks_s: list[float] = []
        self.mouth_from_s = math.inf
        """From this host time on mouths are measured, for LOOKED_AT_S of each `span_s`, up to `mouth_to_s`."""
        self.mouth_to_s = math.inf
        self.span_s = 1.0
        self._power = np.full(int(longest_s / STEP_S), 0.0)
        """Of the sound, per STEP_S since `begun_s`. Filled, so that its memory is there from the start."""
        self._last_click_s = 0.0
        self._was_white = False
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._tap.on = True
        self._thread.start()

    def stop(self) -> None:
        """End, once all that came has been looked at."""
        self._camera.pictures.put(None)
        self._thread.join(30)

    def _run(self) -> None:
        if hasattr(os, "setpriority"):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while (frame := self._camera.pictures.get()) is not None:
            self._look(frame)
            for block in self._tap.take():
                self._listen(block.samples, block.sample_rate, block.heard_ns / 1e9)

    def _look(self, frame: Frame) -> None:
        seen = frame.pixels[frame.pixels.shape[0] // 4 :: 32, ::32]
        is_white = bool(seen[seen[..., 3] == 255][..., :3].min(initial=255) >= WHITE)
        if is_white and not self._was_white:
            self.flashes_s.append(frame.due_ns / 1e9)
        self._was_white = is_white
        since_s = frame.due_ns / 1e9 - self.mouth_from_s
        is_wanted = 0 <= since_s < self.mouth_to_s - self.mouth_from_s and since_s % self.span_s < LOOKED_AT_S
        if is_wanted and not is_white:
            pixels, side_px = frame.pixels, frame.pixels.shape[0]
            if side_px > MOUTH_SIDE_PX:
                pixels = pixels[:: side_px // MOUTH_SIDE_PX, :: side_px // MOUTH_SIDE_PX]
            picture = np.ascontiguousarray(view_of(pixels)[..., :3])
            self.mouth.append((frame.due_ns / 1e9, mouth_area_px(picture)))

    def _listen(self, samples: npt.NDArray[np.float32], rate_hz: int, heard_s: float) -> None:
        at = np.floor((heard_s + np.arange(len(samples)) / rate_hz) / STEP_S).astype(int)
        if len(at) == 0:
            return
        places = at - self._first_step
        inside = (places >= 0) & (places < len(self._power))
        np.add.at(self._power, places[inside], samples[inside].astype(float) ** 2 / (rate_hz * STEP_S))
        loud = np.flatnonzero(np.abs(samples) > ONSET)
        if len(loud):
            click_s = heard_s + float(loud[0]) / rate_hz
            if click_s - self._last_click_s > 0.5:
                self.clicks_s.append(click_s)
            self._last_click_s = heard_s + float(loud[-1]) / rate_hz

    def envelope(self, from_s: float, to_s: float) -> Curve:
        """RMS of the sound over a picture's time, per STEP_S from `from_s` on."""
        first = max(0, math.floor(from_s / STEP_S) - self._first_step)
        power = self._power[first : first + int((to_s - from_s) / STEP_S) + 1]
        width = round(1 / FPS / STEP_S)
        return np.sqrt(np.convolve(power, np.full(width, 1.0 / width), mode="same"))

    def lag_ms(self, from_s: float, to_s: float) -> tuple[float, float]:
        """By how many ms the mouth is behind the sound in that time, and the correlation there."""
        rows = np.array([row for row in self.mouth if from_s <= row[0] < to_s and not math.isnan(row[1])])
        if len(rows) < 10 * FPS:
            return float("nan"), 0.0
        start_s = math.floor(from_s / STEP_S) * STEP_S
        lag_s, correlation = lag_of(rows[:, 0] - start_s, rows[:, 1], self.envelope(start_s, to_s + 1.0))
        return lag_s * 1e3, correlation


def pair(flashes_s: list[float], clicks_s: list[float]) -> list[float]:
    """By how many ms each flash is behind its click."""
    found = []
    for click_s in clicks_s:
        nearest = min(flashes_s, key=lambda at_s: abs(at_s - click_s), default=math.inf)
        if abs(nearest - click_s) * 1e3 < LONGEST_OFFSET_MS:
            found.append((nearest - click_s) * 1e3)
    return found


def flash_and_click(show: Show, bus: Bus, watcher: Watcher) -> list[float]:
    """Several lip-sync tests, each cut short."""
    flashes, clicks = len(watcher.flashes_s), len(watcher.clicks_s)
    for number in range(TESTS):
        bus.gate.put(LipSyncTest(True))
        threading.Event().wait(TEST_S)
        bus.gate.put(LipSyncTest(False))
        show.wait_until_idle(TURN_TIMEOUT_S)
        threading.Event().wait(0.5 + (number * 7 % 30) / 900)  # another phase of the frames
    return pair(watcher.flashes_s[flashes:], watcher.clicks_s[clicks:])


def slope_per_h(at_s: list[float], values_ms: list[float]) -> tuple[float, float]:
    """By how many ms an hour they change, and its standard error; NaN where there are too few."""
    known = [(at, value) for at, value in zip(at_s, values_ms, strict=True) if not math.isnan(value)]
    if len(known) < 3:
        return float("nan"), float("nan")
    x, y = np.array(known).T
    x = (x - x.mean()) / 3600
    slope = float((x * (y - y.mean())).sum() / (x**2).sum())
    rest = y - y.mean() - slope * x
    return slope, float(np.sqrt((rest**2).sum() / (len(x) - 2) / (x**2).sum()))


def run(minutes: float, uses_device: bool) -> dict[str, Any]:
    """The whole measurement."""
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    settings = Settings(camera=CameraSettings(width_px=SIZE_PX[0], height_px=SIZE_PX[1]))
    folder = compose.find_character(settings.face.character)
    tap = SoundTap()
    speaker = compose.device_speaker(settings, clock, tap) if uses_device else compose.null_speaker(clock, tap)
    show = Show(bus, clock, settings, folder, microphone=Silence(), speaker=speaker, sound=tap, greet=False, keys=False)
    camera = Camera(clock)
    watcher = Watcher(camera, tap, clock.now_ns() / 1e9, LOAD_TIMEOUT_S + 60 * minutes + 600)
    finished = threading.Event()
    counts = {"due": 0, "missed": 0, "spoken_s": 0.0, "problems": 0}

    def on_fact(fact: Fact) -> None:
        key = (fact.stage, fact.event)
        if key == ("playback", "turn_finished"):
            finished.set()
        elif key == ("avatar", "frames"):
            counts["due"] += fact.data["due"]
            counts["missed"] += fact.data["missed"]
        elif key == ("tts", "clip"):
            counts["spoken_s"] += fact.data["duration_s"]
        elif fact.data.get("state") == "failed":
            counts["problems"] += 1
            print(fact.data.get("problem"), file=sys.stderr)

    bus.listen(on_fact)
    try:
        show.start()
        if not show.wait_until_loaded(LOAD_TIMEOUT_S) or show.camera is None:
            raise SystemExit("The show did not load.")
        show.camera.add(camera)
        watcher.start()
        flash_start = flash_and_click(show, bus, watcher)

        del camera.rows[:], camera.work_ms[:]
        counts.update(due=0, missed=0, spoken_s=0.0)
        begun_s = clock.now_ns() / 1e9
        end_s = begun_s + 60 * minutes
        watcher.span_s, watcher.mouth_to_s, watcher.mouth_from_s = 60 * minutes / SPANS, end_s, begun_s
        memory: list[tuple[float, float, float]] = []
        asked = 0
        while (now_s := clock.now_ns() / 1e9) < end_s:
            finished.clear()
            bus.gate.put(Ask(QUESTIONS[asked % len(QUESTIONS)]))
            asked += 1
            finished.wait(min(TURN_TIMEOUT_S, max(1.0, end_s - now_s)))
            memory.append((clock.now_ns() / 1e9 - begun_s, memory_mb(os.getpid()), memory_mb(worker_pid(show))))
        ended_s = clock.now_ns() / 1e9
        unseen = camera.unseen
        rows = np.array(camera.rows, np.int64).reshape(-1, 3)
        work_ms = np.array(camera.work_ms)
        counted = dict(counts)
        show.wait_until_idle(TURN_TIMEOUT_S)
        flash_end = flash_and_click(show, bus, watcher)
    finally:
        watcher.stop()
        show.stop()

    edges = np.linspace(begun_s, end_s, SPANS + 1)
    lags = [watcher.lag_ms(float(a), float(b)) for a, b in itertools.pairwise(edges)]
    drift, error = slope_per_h([float(a) for a in edges[:-1]], [lag for lag, _ in lags])
    late = (rows[:, 2] - rows[:, 1]) / 1e6
    repeated = np.diff(rows[:, 0]) == 0
    bad = repeated | (late[1:] > 500 / FPS)
    jitter = np.abs(np.diff(rows[:, 2]) / 1e6 - 1e3 / FPS)
    settled = [row for row in memory if row[0] >= 6 * minutes] or memory
    # Weighed as a turn ends, when some of its work is still there: single weighings differ by 5 %, medians do not.
    tenth = max(1, len(settled) // 10)
    first, last = np.median(settled[:tenth], axis=0), np.median(settled[-tenth:], axis=0)
    return {
        "minutes": round((ended_s - begun_s) / 60, 2),
        "turns": asked,
        "speech_s": round(counted["spoken_s"], 1),
        "pictures": len(rows),
        "fps": round((len(rows) - 1) / ((rows[-1, 2] - rows[0, 2]) / 1e9), 3),
        "repeated_percent": round(100 * float(repeated.mean()), 3),
        "late_percent": round(100 * float((late > 500 / FPS).mean()), 3),
        "repeated_or_late_percent": round(100 * float(bad.mean()), 3),
        "animator_missed_percent": round(100 * counted["missed"] / max(1, counted["due"]), 3),
        "jitter_p99_ms": round(float(np.percentile(jitter, 99)), 2),
        "jitter_max_ms": round(float(jitter.max()), 1),
        "compose_and_convert_ms": round(float(np.median(work_ms)), 2),
        "offset_start_ms": round(lags[0][0], 1),
        "offset_end_ms": round(lags[-1][0], 1),
        "offset_of_each_span_ms": [round(lag, 1) for lag, _ in lags],
        "correlation": round(float(np.mean([r for _, r in lags])), 2),
        "drift_ms_per_h": round(drift, 1),
        "drift_error_ms_per_h": round(error, 1),
        "flash_start_ms": round(float(np.mean(flash_start)), 1) if flash_start else float("nan"),
        "flash_end_ms": round(float(np.mean(flash_end)), 1) if flash_end else float("nan"),
        "flashes": len(flash_start) + len(flash_end),
        "app_mb_at_each_tenth": [round(row[1]) for row in memory[:: max(1, len(memory) // 10)]],
        "app_mb": [round(first[1], 1), round(last[1], 1)],
        "animator_mb": [round(first[2], 1), round(last[2], 1)],
        "app_memory_percent": round(100 * (last[1] / first[1] - 1), 2),
        "animator_memory_percent": round(100 * (last[2] / first[2] - 1), 2),
        "pictures_not_looked_at": unseen,
        "problems": counts["problems"],
    }


def worker_pid(show: Show) -> int:
    """The animator's process."""
    return int(show._face.current._process.pid)  # noqa: SLF001


def main() -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--device", action="store_true", help="play on the system's loudspeaker, or a null sink there")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        for name, file in (("CONFIG", ""), ("MEMORY", "memory.sqlite3"), ("HISTORY", "history.sqlite3")):
            os.environ[f"KUCHIPAKU_{name}"] = str(Path(scratch) / file)
        load = os.getloadavg() if hasattr(os, "getloadavg") else (float("nan"),)
        found = run(options.minutes, options.device)
    machine = (
        f"{cpu_model()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load before {load[0]:.1f}"
    )
    if options.json:
        print(json.dumps({"machine": machine, **found}))
        return 0
    print(machine)
    for name, value in found.items():
        wanted = f"   (at most {LIMITS[name]:g})" if name in LIMITS else ""
        missed = name in LIMITS and not abs(value) <= LIMITS[name]
        print(f"{name:28} {value}{wanted}{'   MISSED' if missed else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
