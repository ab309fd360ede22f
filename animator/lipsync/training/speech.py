"""What a synthesiser that states its phone times gives, and how every engine's speech is brought into one form."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from animator.lipsync import visemes

SAMPLE_RATE = 16_000
"""Rate of all training speech in Hz."""
QUIET_BELOW_PEAK_DB = 45.0
"""Beside a pause, what is so far below the utterance's loudest 5 ms is silence whatever the engine says."""
LONGEST_CLOSURE_S = 0.05
CLOSED = frozenset("pbtdkɡʈɖcɟʔ")
"""First letters of the sounds that begin with a closure."""

Samples = npt.NDArray[np.float32]
TimedPhone = tuple[str, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """One spoken text.

    Attributes:
        samples: float32 mono, shape (n,), in [-1, 1], at SAMPLE_RATE.
        phones: (espeak IPA as the engine's mapping gives it, start_s, end_s), without gap from 0 to the end of the
            sound; a pause is "". Times are the engine's own: see `plosive_lead_s` of its `Speaker`.
    """

    samples: Samples
    phones: tuple[TimedPhone, ...]

    @property
    def seconds(self) -> float:
        """Length of the sound in s."""
        return len(self.samples) / SAMPLE_RATE


class Speaker(Protocol):
    """One voice of one engine. `speak` may be called from one thread at a time."""

    engine: str
    voice: str
    language: str

    def speak(self, text: str, speed: float = 1.0, pitch: float = 1.0) -> Utterance:
        """Say `text` at `speed` (1.2 is a fifth faster) and `pitch` times the voice's own, where it can do that.

        Raises:
            ValueError: If there is nothing to say in the text, or the engine's times do not fit its sound.
        """
        ...


class EngineMissing(RuntimeError):
    """An engine is not installed; the message names the package that brings it."""


def to_16k(samples: npt.NDArray[Any], sample_rate: int) -> Samples:
    """Sound at 16 kHz: float32 mono in [-1, 1]; int16 is scaled. Resampling keeps times (linear phase)."""
    import soxr

    sound = samples.astype(np.float32) / 32768.0 if samples.dtype == np.int16 else samples.astype(np.float32)
    if sample_rate != SAMPLE_RATE:
        sound = np.asarray(soxr.resample(sound, sample_rate, SAMPLE_RATE), np.float32)
    return np.clip(sound, -1.0, 1.0)


def fill(phones: Sequence[TimedPhone], seconds: float) -> tuple[TimedPhone, ...]:
    """Phones without gap from 0 to `seconds`: gaps become pauses, neighbouring pauses one, empty phones go.

    Raises:
        ValueError: If phones overlap by more than a millisecond, run backwards, or end more than 30 ms after the sound.
    """
    filled: list[TimedPhone] = []
    at = 0.0

    def add(ipa: str, end_s: float) -> None:
        nonlocal at
        if end_s <= at:
            return
        if filled and not ipa and not filled[-1][0]:
            filled[-1] = ("", filled[-1][1], end_s)
        else:
            filled.append((ipa, at, end_s))
        at = end_s

    for ipa, start_s, end_s in phones:
        if end_s < start_s or start_s < at - 0.001:
            raise ValueError(f"phone {ipa!r} from {start_s:.3f} to {end_s:.3f} s follows one that ends at {at:.3f} s")
        if end_s > seconds + 0.03:
            raise ValueError(f"phone {ipa!r} ends at {end_s:.3f} s, after the sound's {seconds:.3f} s")
        add("", start_s)
        add(ipa, min(end_s, seconds))
    add("", seconds)
    return tuple(filled)


def level_db(samples: Samples, window_s: float = 0.01) -> npt.NDArray[np.float32]:
    """Level of each window of the sound in dB of full scale (RMS), shape (windows,); -120 where it is digital zero."""
    width = round(window_s * SAMPLE_RATE)
    rows = samples[: len(samples) // width * width].reshape(-1, width)
    power = np.mean(np.square(rows, dtype=np.float64), axis=1)
    return (10 * np.log10(np.maximum(power, 1e-12))).astype(np.float32)


def quiet_pauses(utterance: Utterance) -> Utterance:
    """The utterance with every pause as long as it is heard: quiet sound beside a pause belongs to it.

    Statistical voices (Open JTalk) label a sound 35 ms before it is heard after a pause, and let it end 40 ms late. A
    plosive after a pause keeps up to LONGEST_CLOSURE_S of quiet before its burst: that is its closure. Pauses only grow.
    """
    step = 0.005
    level = level_db(utterance.samples, step)
    if not len(level):
        return utterance
    loud = level > float(np.max(level)) - QUIET_BELOW_PEAK_DB
    phones = [list(p) for p in utterance.phones]
    for before, after in itertools.pairwise(phones):
        first, last = round(before[1] / step), round(after[2] / step)
        cut = round(before[2] / step)
        if not before[0] and after[0]:
            heard = np.flatnonzero(loud[cut:last])
            if len(heard):
                closure_s = LONGEST_CLOSURE_S if visemes.normalise(after[0])[:1] in CLOSED else 0.0
                before[2] = after[1] = max(before[2], min((cut + int(heard[0])) * step - closure_s, after[2] - 0.02))
        elif before[0] and not after[0]:
            heard = np.flatnonzero(loud[first:cut])
            if len(heard):
                before[2] = after[1] = min(before[2], max((first + int(heard[-1]) + 1) * step, before[1] + 0.02))
    kept = [(str(ipa), float(s), float(e)) for ipa, s, e in phones if e > s]
    return Utterance(utterance.samples, fill(kept, utterance.seconds))
