"""Are lips and sound together in the film that viewers get, and do they stay so?

    python benchmarks/lips_film.py [--minutes 2] [--live] [--plain] [--film FILE.mp4] [--keep FILE.mp4] [--json]

The app's own line (voice, playback, animator process, encoder) speaks varied sentences into an MP4: frame by frame as
`say` does, or with --live at the clock's pace as `reply --realtime` does, what was late being late in it. Then nothing
but the MP4 counts: its picture is decoded, the mouth's area measured in pixels wherever the head has turned
(`mouth_pixels.py`), and correlated with the envelope of its sound. The lag is where the correlation is highest, to a
fraction of a frame; positive is a mouth behind its sound. --film measures a film that is there already.

Prints what the machine was, and a line per five minutes with the lags of its single minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "benchmarks"))

from frame_clock import cpu_model  # noqa: E402
from lips_sentences import SENTENCES  # noqa: E402
from mouth_pixels import mouth_area_px  # noqa: E402

from animator.clock import SystemClock  # noqa: E402
from app import compose  # noqa: E402
from app.backends.video_file import VideoFile  # noqa: E402
from app.bus import Bus  # noqa: E402
from app.film import LEAD_OUT_S, FilmedSpeaker, FilmSpeaker, LiveFilm  # noqa: E402
from app.messages import Fact, Say  # noqa: E402
from app.settings import FaceSettings, Settings  # noqa: E402

FPS = 30
BAKE_TIMEOUT_S = 900.0
TURN_TIMEOUT_S = 600.0
SENTENCES_PER_TURN = 8
STEP_S = 0.005
"""The envelope's own step, and that of the lags that are tried."""
MOST_S = 0.25
"""Lags up to this are tried."""
SLOW_S = 1.0
"""What changes more slowly than this says nothing about lip sync: loud and quiet sentences, a head that comes near."""
SILENT = 0.02
"""Peak below which a frame's sound is silence."""
AROUND_S = 0.35
"""So far around a word lips may still be moving."""
SHUT_PX, OPEN_PX = 230.0, 280.0
"""As `tests/app/test_show.py` found for Haru."""

Curve = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """Lip sync over one stretch of the film."""

    from_min: float
    to_min: float
    lag_ms: float
    correlation: float
    open_in_silence: float
    """Share of the frames of silence whose mouth is open."""
    minutes_ms: tuple[float, ...] = ()


def make_film(path: Path, minutes: float, *, live: bool, plain: bool) -> dict[str, Any]:
    """Have varied sentences spoken for `minutes` into an MP4; what the animator said about its frames.

    `plain`: the face is drawn 512 px large also where there is larger art.
    """
    clock = SystemClock()
    bus = Bus(clock.now_ns)
    seen: dict[str, Any] = {"frames due": 0, "frames late": 0, "sentences": 0, "lips": {}}

    def watch(fact: Fact) -> None:
        if (fact.stage, fact.event) == ("avatar", "frames"):
            seen["frames due"] += fact.data["due"]
            seen["frames late"] += fact.data["missed"]
        elif (fact.stage, fact.event) == ("avatar", "pushed"):
            method = fact.data["method"]
            seen["lips"][method] = seen["lips"].get(method, 0) + 1
        elif fact.data.get("state") == "failed":
            print(fact.data.get("problem"), fact.data.get("remedy"), file=sys.stderr)

    bus.listen(watch)
    settings = Settings(face=FaceSettings(detail="plain" if plain else "auto"))
    folder = compose.find_character(settings.face.character)
    character = compose.character_of(folder)
    parts = compose.line_parts(settings, character, hears=False, answers=False, bus=bus)
    chance = random.Random(5)
    with contextlib.ExitStack() as stack:
        video = VideoFile(path, FPS)
        stack.callback(video.discard)
        face = compose.start_face(bus, settings, folder, stepped=not live)
        stack.callback(face.close)
        film = LiveFilm(video, FPS)
        if live:
            camera = compose.camera_stage(bus, clock, face, settings)
            speaker: FilmedSpeaker | FilmSpeaker = FilmedSpeaker(compose.null_speaker(clock), film)
        else:
            speaker = FilmSpeaker(video, face, FPS)
        line = compose.build_line(bus, clock, settings, character, parts, None, speaker, face, from_file=True)
        stack.callback(line.stop)
        face.wait_loaded(BAKE_TIMEOUT_S)
        if live:
            camera.add(film)
            camera.start()
            stack.callback(camera.stop)
        line.start()
        while video.duration_s < 60.0 * minutes:
            words = chance.sample(SENTENCES, SENTENCES_PER_TURN)
            seen["sentences"] += len(words)
            bus.gate.put(Say(" ".join(words)))
            if not line.wait_until_idle(TURN_TIMEOUT_S):
                raise SystemExit("nothing was said for ten minutes")
            print(f"\r{video.duration_s / 60:.1f} of {minutes:g} minutes", end="", file=sys.stderr, flush=True)
        print(file=sys.stderr)
        if live:
            clock.sleep_until(clock.now_ns() + round(LEAD_OUT_S * 1e9))
            camera.stop()
            film.finish()
        elif isinstance(speaker, FilmSpeaker):
            speaker.finish()
            if speaker.problem is not None:
                raise speaker.problem
        line.stop()
        video.close()
    return seen


def curves_of(path: Path) -> tuple[Curve, Curve, Curve]:
    """(frame times in s, mouth areas in px, envelope at STEP_S) of a film; the envelope is RMS over a frame's time."""
    times, areas = [], []
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in film.decode(stream):
            times.append(float(frame.pts * frame.time_base))
            areas.append(mouth_area_px(frame.to_ndarray(format="rgb24")))
    return np.array(times), np.array(areas), _envelope(path, times[-1])


def _envelope(path: Path, until_s: float) -> Curve:
    with av.open(str(path)) as film:
        rate = film.streams.audio[0].rate
        power = np.zeros(int((until_s + 1.0) / STEP_S) + 1)
        hop = round(rate * STEP_S)
        for first, block in _blocks(film):
            at = (first + np.arange(len(block))) // hop
            np.add.at(power, np.clip(at, 0, len(power) - 1), block**2 / hop)
    width = round(1 / FPS / STEP_S)
    return np.sqrt(np.convolve(power, np.full(width, 1.0 / width), mode="same"))


def _blocks(film: Any) -> Iterator[tuple[int, npt.NDArray[np.float64]]]:
    for frame in film.decode(audio=0):
        yield round(frame.pts * frame.time_base * frame.rate), frame.to_ndarray().mean(axis=0, dtype=np.float64)


def lag_of(times: Curve, areas: Curve, envelope: Curve) -> tuple[float, float]:
    """(by how many s the mouth is behind the sound, the correlation there)."""
    grid = (np.arange(len(envelope)) + 0.5) * STEP_S
    mouth = _fast(np.interp(np.arange(times[0], times[-1], STEP_S), times, areas))
    steps = round(MOST_S / STEP_S)
    lags = np.arange(-steps, steps + 1)
    scores = []
    for lag in lags:
        sound = _fast(np.interp(np.arange(times[0], times[-1], STEP_S) - lag * STEP_S, grid, envelope))
        scores.append(float(np.corrcoef(mouth, sound)[0, 1]))
    k = int(np.argmax(scores))
    if not 0 < k < len(lags) - 1:
        return float("nan"), scores[k]
    before, best, after = scores[k - 1 : k + 2]
    return float((lags[k] + 0.5 * (before - after) / (before - 2 * best + after)) * STEP_S), best


def _fast(curve: Curve) -> Curve:
    width = round(SLOW_S / STEP_S)
    slow = np.convolve(curve, np.full(width, 1.0 / width), mode="same")
    return curve - slow


def measure(path: Path) -> tuple[list[Span], dict[str, Any]]:
    """Lip sync of a film per five minutes, and what it is made of."""
    times, areas, envelope = curves_of(path)
    has_face = ~np.isnan(areas)
    level = np.interp(times, (np.arange(len(envelope)) + 0.5) * STEP_S, envelope)
    loud = (level > SILENT / 3).astype(float)
    silent = np.convolve(loud, np.ones(2 * round(AROUND_S * FPS) + 1), mode="same") == 0
    spans = []
    end_s = float(times[-1])
    for start_s in np.arange(0.0, max(end_s - 30.0, 1.0), 300.0):
        inside = (times >= start_s) & (times < start_s + 300.0) & has_face
        lag_s, correlation = lag_of(times[inside], areas[inside], envelope)
        minutes = []
        for minute_s in np.arange(start_s, min(start_s + 300.0, end_s - 30.0), 60.0):
            one = (times >= minute_s) & (times < minute_s + 60.0) & has_face
            minutes.append(round(lag_of(times[one], areas[one], envelope)[0] * 1e3, 1))
        quiet = inside & silent
        spans.append(
            Span(
                start_s / 60,
                min(start_s + 300.0, end_s) / 60,
                round(lag_s * 1e3, 1),
                round(correlation, 3),
                round(float((areas[quiet] > SHUT_PX).mean()) if quiet.any() else 0.0, 4),
                tuple(minutes),
            )
        )
    about = {
        "minutes": round(end_s / 60, 2),
        "frames": len(times),
        "frames without a face": int((~has_face).sum()),
        "silent frames": int(silent.sum()),
        "open share of speech": round(float((areas[(loud > 0) & has_face] > OPEN_PX).mean()), 3),
    }
    return spans, about


def main() -> int:
    """Make a film, or take one, and print its lip sync."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--live", action="store_true", help="film the running show at the clock's pace")
    parser.add_argument("--plain", action="store_true", help="draw the face 512 px large, which is twice as fast")
    parser.add_argument("--film", type=Path, help="measure this MP4 and make none")
    parser.add_argument("--keep", type=Path, metavar="FILE.mp4", help="keep the film")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    machine = {"cpu": cpu_model(), "cores": os.cpu_count(), "system": f"{platform.system()} {platform.machine()}"}
    made: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        path = options.film or options.keep or Path(scratch) / "film.mp4"
        if options.film is None:
            made = make_film(path, options.minutes, live=options.live, plain=options.plain)
        spans, about = measure(path)
    kind = "a film" if options.film else "live" if options.live else "stepped"
    worst_ms = max(abs(span.lag_ms) for span in spans)
    if options.json:
        report = {"machine": machine, "kind": kind, **about, **made, "worst_ms": worst_ms}
        print(json.dumps({**report, "spans": [asdict(span) for span in spans]}))
        return 0
    print(f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}; {kind}")
    print(", ".join(f"{name}: {value}" for name, value in {**about, **made}.items()))
    print("minutes        lag     r     open in silence   each minute, ms")
    for span in spans:
        each = " ".join(f"{ms:+.1f}" for ms in span.minutes_ms)
        where = f"{span.from_min:4.0f}-{span.to_min:<4.0f}"
        print(f"{where} {span.lag_ms:+8.1f} ms  {span.correlation:.2f}  {span.open_in_silence:10.1%}        {each}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
