"""Syllables by loudness alone: for singing along, and for when no phones can be heard.

The jaw is right then, the lips are not. Also: where a sound is silent.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from animator.messages import Phone, Samples

HOP_S = 0.010
WINDOW_S = 0.030
FLOOR = 1e-3
"""RMS below which a clip is silent as a whole (-60 dBFS)."""
SPEECH_SHARE = 0.08
"""RMS relative to the clip's loud parts from which a moment counts as speech (-22 dB)."""
QUIET_SHARE = 0.03
"""RMS relative to the loud parts below which a moment is silence (-30 dB)."""
QUIET_S = 0.08
LOUD_PERCENTILE = 95
SYLLABLE_S = 0.10
"""Shortest syllable (10 a second is as fast as people speak)."""
DIP = 0.60
"""Two loud moments are two syllables where the loudness between them falls below this share of the lower one."""
OPENNESS = ((0.70, "ɑ"), (0.35, "ʌ"), (0.0, "ə"))
"""The vowel that stands for a syllable, by its loudness relative to the clip's loud parts."""


def clean(samples: Samples) -> Samples:
    """One channel of float32 without what is no number."""
    return np.nan_to_num(np.asarray(samples, dtype=np.float32).reshape(-1), nan=0.0, posinf=0.0, neginf=0.0)


def loudness(samples: Samples, sample_rate: int) -> npt.NDArray[np.float64]:
    """RMS over WINDOW_S every HOP_S: float64 (hops,)."""
    total = np.concatenate([[0.0], np.cumsum(np.square(samples, dtype=np.float64))])
    centre = np.arange(0, len(samples), max(1, round(HOP_S * sample_rate)))
    half = max(1, round(WINDOW_S * sample_rate / 2))
    low, high = np.maximum(centre - half, 0), np.minimum(centre + half, len(samples))
    return np.asarray(np.sqrt(np.maximum(total[high] - total[low], 0.0) / (high - low)))


def quiet_stretches(samples: Samples, sample_rate: int, shortest_s: float = QUIET_S) -> list[tuple[float, float]]:
    """Times [start, end) in s of `shortest_s` and more in which nothing is heard."""
    levels = loudness(samples, sample_rate)
    if not len(levels):
        return []
    loud = float(np.percentile(levels, LOUD_PERCENTILE))
    is_quiet = np.concatenate([[False], levels < max(QUIET_SHARE * loud, FLOOR), [False]])
    edges = np.flatnonzero(np.diff(is_quiet.astype(np.int8)))
    end_s = len(samples) / sample_rate
    found = [(a * HOP_S, min(b * HOP_S, end_s)) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    return [(float(a), float(b)) for a, b in found if b - a >= shortest_s]


class LoudnessPhones:
    """Syllables by loudness alone; the mouth opens with the voice and rests in silence. Works everywhere."""

    name = "loudness"

    def phones(self, samples: Samples, sample_rate: int) -> tuple[Phone, ...]:
        """One open vowel per syllable, wider where it is louder; () for silence."""
        samples = clean(samples)
        if not len(samples):
            return ()
        levels = loudness(samples, sample_rate)
        loud = float(np.percentile(levels, LOUD_PERCENTILE))
        if loud < FLOOR:
            return ()
        relative = np.convolve(levels / loud, np.full(5, 0.2), mode="same")
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


LOUDNESS = LoudnessPhones()
