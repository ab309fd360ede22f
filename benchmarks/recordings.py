"""The recordings of `recordings.toml`: real and synthetic voices at 16 kHz, with the places where they pause."""

from __future__ import annotations

import dataclasses
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from animator.messages import Samples  # noqa: E402
from app.audio_file import read_speech  # noqa: E402
from app.errors import AppError  # noqa: E402
from app.models import default_store  # noqa: E402

RATE = 16_000
FADE = 80
"""Samples: 5 ms at the edges of a pause that is put in."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One utterance: float32 in [-1, 1] at RATE. Times are seconds of `samples`."""

    name: str
    samples: Samples
    text: str
    voice: str
    is_real: bool
    is_long: bool
    """One of the extra ones with many pauses; the twenty others end naturally within 8 s."""
    speech_start_s: float
    speech_end_s: float
    gaps_s: tuple[float, ...]
    """Inside the sentence, where a pause can be put in: see `with_pause`."""
    pauses_s: tuple[tuple[float, float], ...]
    """Where the speaker really pauses although more is to come."""


def recordings(*, long: bool = False) -> Iterator[Recording]:
    """The twenty utterances, or with `long` the longer ones with natural pauses.

    What a model of the store that is not there would give is left out.
    """
    voices: dict[str, Any] = {}
    for entry in tomllib.loads((ROOT / "benchmarks" / "recordings.toml").read_text("utf-8"))["recording"]:
        if entry.get("long", False) == long:
            try:
                yield _recording(entry, voices)
            except AppError as error:
                sys.stderr.write(f"{entry['name']} is left out. {error.problem} {error.remedy}\n")


def with_pause(recording: Recording, at_s: float, pause_s: float) -> Recording:
    """The same utterance with a pause of `pause_s` at `at_s`, filled with the recording's own quietest 0.1 s."""
    at = round(at_s * RATE)
    room = _room(recording.samples)
    fill = np.resize(np.concatenate([room, room[::-1]]), round(pause_s * RATE))
    fall, rise = np.linspace(1, 0, FADE, dtype=np.float32), np.linspace(0, 1, FADE, dtype=np.float32)
    before, after = recording.samples[:at].copy(), recording.samples[at:].copy()
    before[-FADE:] *= fall
    after[:FADE] *= rise
    return dataclasses.replace(
        recording,
        name=f"{recording.name} with {1000 * pause_s:.0f} ms at {at_s:.2f} s",
        samples=np.concatenate([before, fill.astype(np.float32), after]),
        speech_end_s=recording.speech_end_s + pause_s,
        gaps_s=(),
        pauses_s=((at_s, at_s + pause_s),),
    )


def _room(samples: Samples) -> Samples:
    size = RATE // 10
    starts = range(0, len(samples) - size, size // 4)
    return min((samples[start : start + size] for start in starts), key=lambda piece: float(np.square(piece).sum()))


def _recording(entry: dict[str, Any], voices: dict[str, Any]) -> Recording:
    if "say" in entry:
        samples = _say(entry["text"], entry["say"], voices)
        loud = np.flatnonzero(np.abs(samples) > 0.02 * np.abs(samples).max())
        start_s, speech_s = 0.0, (loud[0] / RATE, loud[-1] / RATE)
    else:
        model, _, file = entry["file"].rpartition(":")
        path = default_store().path(model) / file if model else ROOT / file
        whole = read_speech(path)
        start_s = entry.get("start_s", 0.0)
        samples = whole[round(start_s * RATE) : round(entry.get("end_s", len(whole) / RATE) * RATE)]
        speech_s = tuple(entry["speech_s"])
    return Recording(
        entry["name"],
        samples,
        entry["text"],
        entry["voice"],
        entry["real"],
        entry.get("long", False),
        speech_s[0] - start_s,
        speech_s[1] - start_s,
        tuple(at - start_s for at in entry.get("gaps_s", ())),
        tuple((a - start_s, b - start_s) for a, b in entry.get("pauses_s", ())),
    )


def _say(text: str, model: str, voices: dict[str, Any]) -> Samples:
    """Speak with Piper: 0.25 s of silence before and after, as a microphone would hear it."""
    if model not in voices:
        from piper import PiperVoice

        voices[model] = PiperVoice.load(next(default_store().path(model).glob("*.onnx")))
    pieces = list(voices[model].synthesize(text))
    spoken = np.concatenate([piece.audio_float_array for piece in pieces]).astype(np.float32)
    quiet = np.zeros(RATE // 4, np.float32)
    return np.concatenate([quiet, 0.5 * soxr.resample(spoken, pieces[0].sample_rate, RATE, quality="HQ"), quiet])
