"""Headphones and stream on a real sound server: how far apart they are heard, and how soon they are back after it died.

    python -m benchmarks.sound_routing [--minutes 3] [--kills 3]

Both devices are one side each of one null sink of a PulseAudio of its own, so that one recording of its monitor has
them both, sample by sample. Noise is said; where each second of it lies on either side is found by cross-correlation.
The kills are SIGKILL in mid-sentence, and the server is started again at once.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.clock import SystemClock  # noqa: E402
from animator.messages import PlayoutAnchor, SpeechClip  # noqa: E402
from app.backends.portaudio import Registry, import_sounddevice  # noqa: E402
from app.backends.speaker_sounddevice import Destination, SoundDeviceSpeaker  # noqa: E402
from app.messages import SoundStatus  # noqa: E402
from tests.sound_server import RATE, STEREO, Recording, SoundServer, missing, offset  # noqa: E402

SIDES = "module-remap-sink sink_name={} master=both channels=1 channel_map=mono remix=no master_channel_map={}"
CLIP_S = 10
WITHIN_S = 3
"""Each second is looked for so far on either side of its place."""


class Rig:
    """The server, and the loudspeaker on both of its sinks."""

    def __init__(self, folder: Path, *modules: str) -> None:
        self.server = SoundServer(folder, modules)
        self.server.start()
        sd = import_sounddevice()
        sd._terminate()  # noqa: SLF001 - named as private, and the only way: its list is as old as its start
        sd._initialize()  # noqa: SLF001
        self.status: tuple[SoundStatus, ...] = ()
        self.anchors: list[PlayoutAnchor] = []
        parts = [Destination(part, part, sink) for part, sink in (("headphones", "one"), ("stream", "two"))]
        self.speaker = SoundDeviceSpeaker(SystemClock(), parts, streams=Registry(), tell=self._tell)
        self.speaker.open(self.anchors.append, lambda turn, index: None)

    def _tell(self, status: tuple[SoundStatus, ...]) -> None:
        self.status = status

    def say(self, sound: np.ndarray, index: int) -> None:
        """Queue noise."""
        self.speaker.play(SpeechClip(1, index, sound, RATE, "", None, False))

    def close(self) -> None:
        """End both."""
        self.speaker.close()
        self.server.close()


def noise(seed: int, seconds: float) -> np.ndarray:
    """At -20 dBFS and of low pitch: where it is played a little faster, what is high no longer correlates."""
    white = np.random.default_rng(seed).normal(0.0, 1.0, round(seconds * RATE))
    low = np.convolve(np.convolve(white, np.ones(60), "same"), np.ones(60), "same")
    return np.asarray(0.1 * low / low.std(), np.float32)


def sync(folder: Path, minutes: float) -> None:
    """How far apart both sides are, second by second."""
    remap = [SIDES.format(name, side) for name, side in (("one", "front-left"), ("two", "front-right"))]
    rig = Rig(folder, STEREO.format(name="both"), *remap)
    recording = Recording("both")
    recording.wait_for(4.0)
    clips = max(1, round(minutes * 60 / CLIP_S))
    for index in range(clips):
        rig.say(noise(index, CLIP_S), index)
        while rig.speaker.queued_s() > 1.0:
            time.sleep(0.1)
    recording.wait_for(2.5)
    heard = recording.stop()
    status = rig.status
    rig.close()
    off_ms: list[float] = []
    lost, shift = 0, 0
    base = offset(heard[: 30 * RATE, 0], noise(0, CLIP_S)[:RATE])
    for index in range(clips):
        said = noise(index, CLIP_S)
        for second in range(CLIP_S):
            piece = said[second * RATE :][:RATE]
            from_ = max(0, base + shift + (index * CLIP_S + second) * RATE - WITHIN_S * RATE)
            places = [_place(heard[from_ : from_ + (2 * WITHIN_S + 1) * RATE, side], piece) for side in (0, 1)]
            if places[0] is None or places[1] is None:
                lost += 1
                continue
            shift = from_ + places[0] - base - (index * CLIP_S + second) * RATE
            off_ms.append((places[1] - places[0]) / RATE * 1e3)
    if not off_ms:
        print("nothing could be compared: the machine had no time for the sound server")
        return
    off = np.array(off_ms)
    tenth = max(1, len(off) // 10)
    print(f"two devices, {len(off)} s of noise compared, {lost} s with a gap on a side:")
    print(
        f"  stream after headphones: median {np.median(off):+.2f} ms, "
        f"p95 of the size {np.percentile(np.abs(off), 95):.2f} ms, most {np.abs(off).max():.2f} ms"
    )
    print(f"  first tenth {np.median(off[:tenth]):+.2f} ms, last tenth {np.median(off[-tenth:]):+.2f} ms")
    for each in status:
        print(f"  {each.part}: drift {each.drift_ppm} ppm, lag {each.lag_ms} ms, ran dry {each.gaps} times")


def _place(sound: np.ndarray, piece: np.ndarray) -> int | None:
    """Where `piece` begins in `sound`; None where it is not there as a whole."""
    at = offset(sound, piece)
    if at < 0 or len(sound) - at < len(piece):
        return None
    share = float(np.dot(sound[at : at + len(piece)], piece)) / float(np.dot(piece, piece))
    return at if share > 0.8 else None


def kills(folder: Path, times: int) -> None:
    """From the server's answer after its death to the first anchor and to the first sound on each monitor."""
    rig = Rig(folder, STEREO.format(name="one"), STEREO.format(name="two"))
    for index in range(times):
        rig.say(noise(index, 30.0), index)
        time.sleep(5.0)
        known = len(rig.anchors)
        rig.server.kill()
        killed_s = time.monotonic()
        while not all(each.problem for each in rig.status):
            time.sleep(0.005)
        rig.server.start()
        back_s = time.monotonic()
        recordings = [Recording(name, settle=False) for name in ("one", "two")]
        while not all(recording.sounded_s for recording in recordings) and time.monotonic() < back_s + 10.0:
            time.sleep(0.01)
        heard = [recording.sounded_s - back_s if recording.sounded_s else float("nan") for recording in recordings]
        while len(rig.anchors) <= known:
            time.sleep(0.01)
        for recording in recordings:
            recording.stop()
        print(
            f"kill {index + 1}: server away for {back_s - killed_s:.2f} s; sound on its monitors "
            f"{heard[0]:.2f} s (headphones) and {heard[1]:.2f} s (stream) after it answers"
        )
        rig.speaker.clear()
        time.sleep(1.0)
    rig.close()


def main() -> int:
    """Measure, and say on what."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--kills", type=int, default=3)
    chosen = parser.parse_args()
    if missing():
        print(missing())
        return 2
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, {platform.processor() or platform.machine()}; "
        f"load {os.getloadavg()[0]:.1f}"
    )
    with tempfile.TemporaryDirectory() as folder:
        sync(Path(folder), chosen.minutes)
    with tempfile.TemporaryDirectory() as folder:
        kills(Path(folder), chosen.kills)
    return 0


if __name__ == "__main__":
    sys.exit(main())
