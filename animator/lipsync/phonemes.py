"""Which sounds a clip holds and when, from the sound alone, for voices that cannot say it themselves.

`HamaPhonemes` hears phonemes (a 4.7 MB CTC model in the package `hama`, Apache-2.0); where that package does not run
(Windows), `LoudnessPhones` finds syllables by their loudness: the jaw is right then, the lips are not.
"""

from __future__ import annotations

import sys
import threading
from functools import lru_cache
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from animator.lipsync import visemes
from animator.messages import Phone, Samples

HAMA_RATE = 16_000
HAMA_FRAME_S = 0.020
"""One CTC frame is 320 samples (hama, `ASR_OUTPUT_FRAME_SAMPLES`)."""
HAMA_BIAS_S = 0.035
"""CTC emits a phoneme this much after its onset: median over 233 phones against Piper's own durations (en_US-joe)."""
HAMA_CHUNK_S = 20.0
"""Longer sound is heard in pieces, cut at its quietest moment: memory grows with length."""
HAMA_CHUNK_SEARCH_S = 4.0
SHORTEST_S = 0.10
"""Below this there is nothing to recognise."""
TARGET_PEAK = 0.7
"""The model was trained on speech at an ordinary level."""

HOP_S = 0.010
WINDOW_S = 0.030
FLOOR = 1e-3
"""RMS below which a clip is silent as a whole (-60 dBFS)."""
SPEECH_SHARE = 0.08
"""RMS relative to the clip's loud parts from which a moment counts as speech (-22 dB)."""
LOUD_PERCENTILE = 95
SYLLABLE_S = 0.10
"""Shortest syllable (10 a second is as fast as people speak)."""
DIP = 0.60
"""Two loud moments are two syllables where the loudness between them falls below this share of the lower one."""
OPENNESS = ((0.70, "ɑ"), (0.35, "ʌ"), (0.0, "ə"))
"""The vowel that stands for a syllable, by its loudness relative to the clip's loud parts."""


class PhonemeSource(Protocol):
    """Hears phonemes."""

    name: str

    def phones(self, samples: Samples, sample_rate: int) -> tuple[Phone, ...]:
        """What is said when, in order, pauses left out; () where nothing is. `samples` is float32 mono."""
        ...


def _clean(samples: Samples) -> Samples:
    return np.nan_to_num(np.asarray(samples, dtype=np.float32).reshape(-1), nan=0.0, posinf=0.0, neginf=0.0)


def _loudness(samples: Samples, sample_rate: int) -> npt.NDArray[np.float64]:
    """RMS over WINDOW_S every HOP_S."""
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    centre = np.arange(0, len(samples), max(1, round(HOP_S * sample_rate)))
    half = max(1, round(WINDOW_S * sample_rate / 2))
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, len(samples))
    return np.asarray(np.sqrt(np.maximum(total[high] - total[low], 0.0) / (high - low)))


class LoudnessPhones:
    """Syllables by loudness alone; the mouth opens with the voice and rests in silence. Works everywhere."""

    name = "loudness"

    def phones(self, samples: Samples, sample_rate: int) -> tuple[Phone, ...]:
        """One open vowel per syllable, wider where it is louder; () for silence."""
        samples = _clean(samples)
        if not len(samples):
            return ()
        loudness = _loudness(samples, sample_rate)
        loud = float(np.percentile(loudness, LOUD_PERCENTILE))
        if loud < FLOOR:
            return ()
        relative = np.convolve(loudness / loud, np.full(5, 0.2), mode="same")
        edges = np.flatnonzero(np.diff(np.concatenate([[0], (relative > SPEECH_SHARE).astype(np.int8), [0]])))
        phones: list[Phone] = []
        for first, last in zip(edges[::2], edges[1::2], strict=True):
            cuts = [int(first), *self._dips(relative, int(first), int(last)), int(last)]
            for start, end in pairwise(cuts):
                peak = float(relative[start:end].max())
                ipa = next(vowel for threshold, vowel in OPENNESS if peak >= threshold)
                phones.append(Phone(ipa, start * HOP_S, min(end * HOP_S, len(samples) / sample_rate)))
        return tuple(phones)

    @staticmethod
    def _dips(relative: npt.NDArray[np.float64], first: int, last: int) -> list[int]:
        """Hops at which one syllable ends and the next begins."""
        shortest = round(SYLLABLE_S / HOP_S)
        cuts: list[int] = []
        start = first
        peak, dip, dip_at = 0.0, np.inf, first
        for i in range(first, last):
            value = float(relative[i])
            if value > peak and dip >= DIP * peak:
                peak, dip = value, np.inf
            elif value < dip:
                dip, dip_at = value, i
            elif dip < DIP * min(peak, value) and dip_at - start >= shortest and last - dip_at >= shortest:
                cuts.append(dip_at)
                start, peak, dip = dip_at, value, np.inf
        return cuts


class HamaPhonemes:
    """Phonemes by `hama`'s CTC model. Calls are serialised; ~0.06 s per second of sound on one core."""

    name = "hama"

    def __init__(self, model: Any) -> None:
        self._model = model
        self._lock = threading.Lock()

    @classmethod
    def load(cls) -> HamaPhonemes | None:
        """The model, or None where the package is not installed or does not run (it has no Windows library)."""
        if sys.platform == "win32":
            return None
        try:
            from hama import ASRModel

            return cls(ASRModel())
        except (ImportError, OSError, RuntimeError):
            return None

    def phones(self, samples: Samples, sample_rate: int) -> tuple[Phone, ...]:
        """What is heard; each sound lasts until the next one (silence within is found by the mouth track)."""
        samples = _clean(samples)
        duration_s = len(samples) / sample_rate
        if duration_s < SHORTEST_S or float(np.abs(samples).max()) < FLOOR:
            return ()
        if sample_rate != HAMA_RATE:
            import soxr

            samples = np.asarray(soxr.resample(samples, sample_rate, HAMA_RATE), dtype=np.float32)
        samples = samples * np.float32(TARGET_PEAK / float(np.abs(samples).max()))
        onsets: list[tuple[float, str]] = []
        for first, last in self._chunks(samples):
            with self._lock:
                result = self._model.transcribe_waveform(samples[first:last], HAMA_RATE)
                spans = self._model.phoneme_spans(result)
            for span in spans:
                letters = visemes.normalise(span.phoneme)
                if not span.phoneme.startswith("<") and letters and visemes.is_known(letters):
                    onset_s = first / HAMA_RATE + span.start_frame * HAMA_FRAME_S - HAMA_BIAS_S
                    onsets.append((max(onset_s, 0.0), span.phoneme))
        ends_s = [onset_s for onset_s, _ in onsets[1:]] + [duration_s]
        return tuple(
            Phone(ipa, onset_s, end_s) for (onset_s, ipa), end_s in zip(onsets, ends_s, strict=True) if end_s > onset_s
        )

    @staticmethod
    def _chunks(samples: Samples) -> list[tuple[int, int]]:
        longest, search = int(HAMA_CHUNK_S * HAMA_RATE), int(HAMA_CHUNK_SEARCH_S * HAMA_RATE)
        hop = round(HOP_S * HAMA_RATE)
        chunks: list[tuple[int, int]] = []
        first = 0
        while len(samples) - first > longest:
            low = first + longest - search
            cut = low + hop * int(np.argmin(_loudness(samples[low : first + longest], HAMA_RATE)))
            chunks.append((first, cut))
            first = cut
        return [*chunks, (first, len(samples))]


LOUDNESS = LoudnessPhones()


@lru_cache(maxsize=1)
def best_source() -> PhonemeSource:
    """The best source that runs here, loaded once."""
    return HamaPhonemes.load() or LOUDNESS


def phones_for(samples: Samples, sample_rate: int) -> tuple[Phone, ...]:
    """What is said when in `samples` (float32 mono), by the best source that runs here.

    Where that one hears nothing but there is sound, or fails, loudness stands in. Takes ~0.1 s per second of
    sound; call it from a thread that may wait.
    """
    source = best_source()
    try:
        found = source.phones(samples, sample_rate)
    except Exception:  # a native library's failure must not cost the character its lips
        found = ()
    return found or LOUDNESS.phones(samples, sample_rate)
