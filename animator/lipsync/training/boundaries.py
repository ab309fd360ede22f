"""Where one sound turns into the next, found in the sound itself: to check an engine's labels, and to share word gaps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from animator.lipsync.training.speech import SAMPLE_RATE, Samples, TimedPhone

STEP_S = 0.002
_WINDOW = 256
_BANDS = 24
MIN_DISTANCE = 5.0
"""Two sounds whose mean log bands (natural logarithm, 24 bands) are nearer than this have no boundary to be found."""


@lru_cache(maxsize=1)
def _filters() -> npt.NDArray[np.float64]:
    """Triangles evenly spaced on the mel scale from 100 to 7,800 Hz, shape (129, 24)."""
    low, high = (np.log(1 + hz / 700) for hz in (100, 7800))
    edges = 700 * (np.exp(np.linspace(low, high, _BANDS + 2)) - 1)
    hz = np.fft.rfftfreq(_WINDOW, 1 / SAMPLE_RATE)[:, None]
    rising = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)) + 1e-9)


def log_bands(samples: Samples) -> npt.NDArray[np.float64]:
    """Logarithm of the energy in 24 bands every STEP_S, centred there, shape (steps, 24)."""
    hop = round(STEP_S * SAMPLE_RATE)
    steps = 1 + (len(samples) - 1) // hop
    padded = np.pad(samples, (_WINDOW // 2, _WINDOW))
    frames = padded[np.arange(steps)[:, None] * hop + np.arange(_WINDOW)] * np.hanning(_WINDOW)
    return np.asarray(np.log(np.abs(np.fft.rfft(frames, axis=1)) ** 2 @ _filters() + 1e-7))


def _middle(bands: npt.NDArray[np.float64], phone: TimedPhone) -> tuple[Any, int]:
    length = phone[2] - phone[1]
    first = int((phone[1] + 0.3 * length) / STEP_S)
    last = max(first + 2, int((phone[1] + 0.75 * length) / STEP_S))
    return bands[first:last].mean(axis=0), min((first + last) // 2, len(bands))


def turn_s(bands: npt.NDArray[np.float64], before: TimedPhone, after: TimedPhone) -> float | None:
    """When the sound has gone half the way from the middle of one phone to the middle of a later one, in s.

    None where the two sound alike or the sound never gets there.
    """
    mean_before, from_step = _middle(bands, before)
    mean_after, to_step = _middle(bands, after)
    way = mean_after - mean_before
    if np.linalg.norm(way) < MIN_DISTANCE or to_step <= from_step:
        return None
    gone = (bands[from_step:to_step] - mean_before) @ way / (way @ way)
    past = np.flatnonzero(gone > 0.5)
    return (from_step + int(past[0])) * STEP_S if len(past) else None


def share_gaps(phones: list[TimedPhone], samples: Samples, gap: str, longest_s: float) -> list[TimedPhone]:
    """Phones without the word gaps (`gap`) that are no pauses: shorter than `longest_s` and between two sounds.

    The sound goes on through such a gap; its time goes to both neighbours, parted where the sound turns from one into
    the other, or in the middle where that cannot be heard. A longer gap, or one beside a pause, becomes a pause.
    """
    bands = log_bands(samples)
    out: list[TimedPhone] = []
    for i, (ipa, start_s, end_s) in enumerate(phones):
        if ipa != gap:
            out.append((ipa, out[-1][2] if out else start_s, end_s))
            continue
        before = phones[i - 1] if i else ("", 0.0, 0.0)
        after = phones[i + 1] if i + 1 < len(phones) else ("", 0.0, 0.0)
        if not before[0] or not after[0] or end_s - start_s > longest_s:
            out.append(("", start_s, end_s))
            continue
        turn = turn_s(bands, before, after)
        cut = (start_s + end_s) / 2 if turn is None else min(max(turn, start_s), end_s)
        out[-1] = (out[-1][0], out[-1][1], cut)
    return out
