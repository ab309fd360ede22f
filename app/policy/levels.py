"""How loud sound is, and how to bring a voice to one level. Pure."""

from __future__ import annotations

import math

import numpy as np

from animator.messages import Samples

SILENCE_DBFS = -90.0
"""What a meter shows for digital silence."""


def dbfs(samples: Samples) -> float:
    """RMS level in dB below full scale, at least SILENCE_DBFS; a full-scale sine reads -3.01."""
    if len(samples) == 0:
        return SILENCE_DBFS
    mean_square = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(SILENCE_DBFS, 10 * math.log10(mean_square)) if mean_square > 0 else SILENCE_DBFS


def speech_dbfs(samples: Samples, sample_rate: int) -> float:
    """RMS level of the parts that sound: 20 ms blocks within 25 dB of the loudest, so that pauses do not count."""
    size = max(1, sample_rate // 50)
    count = len(samples) // size
    if count < 2:
        return dbfs(samples)
    power = np.mean(np.square(samples[: count * size].reshape(count, size), dtype=np.float64), axis=1)
    loud = power[power > power.max() * 10**-2.5]
    return dbfs(np.sqrt(loud).astype(np.float32)) if len(loud) else SILENCE_DBFS


def to_level(samples: Samples, sample_rate: int, target_dbfs: float = -20.0, ceiling: float = 0.89) -> Samples:
    """Bring the speaking parts to `target_dbfs` and hold every peak at or below `ceiling` (0.89 is -1 dBFS).

    The limiter looks 5 ms ahead and turns the gain down smoothly, so it does not click. Silence is returned as it is.
    """
    level = speech_dbfs(samples, sample_rate)
    if level <= -70.0:
        return samples
    louder = samples.astype(np.float64) * 10 ** ((target_dbfs - level) / 20)
    block = max(1, sample_rate // 1000)
    padded = np.pad(np.abs(louder), (0, -len(louder) % block)).reshape(-1, block)
    peaks = padded.max(axis=1)
    if peaks.max() > ceiling:
        gain = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-9))
        reach = 5
        edged = np.pad(gain, reach, constant_values=1.0)
        lowest = np.min(np.stack([edged[k : k + len(gain)] for k in range(2 * reach + 1)]), axis=0)
        smooth = np.convolve(np.pad(lowest, reach, mode="edge"), np.ones(2 * reach + 1) / (2 * reach + 1), mode="valid")
        at = (np.arange(len(louder)) - block / 2) / block
        louder *= np.interp(at, np.arange(len(smooth)), smooth)
    return np.clip(louder, -ceiling, ceiling).astype(np.float32)


def fade_edges(samples: Samples, sample_rate: int, fade_ms: float = 5.0) -> Samples:
    """A copy that starts and ends in silence, so that joins do not click."""
    faded = samples.copy()
    n = min(round(sample_rate * fade_ms / 1000), len(faded) // 2)
    if n > 0:
        ramp = np.linspace(0.0, 1.0, n, dtype=np.float32)
        faded[:n] *= ramp
        faded[-n:] *= ramp[::-1]
    return faded
