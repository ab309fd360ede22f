"""Follows the path from loudspeaker to microphone, and says what of the sound is not echo. Pure; NumPy only.

A partitioned-block adaptive filter in the frequency domain whose step is a Kalman gain (Enzner and Vary, "Frequency-
domain adaptive Kalman filter for acoustic echo control", 2006; partitioned by Kuech, Mabande and Enzner, 2014): it
learns within a second, and goes on knowing the room while somebody speaks over the echo, because their voice counts
as the measurement's noise. What is linear in the echo is all it takes away, so that the other voice stays whole.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from animator.messages import Samples

FRAME = 160
"""Samples per step: 10 ms at 16 kHz."""
PARTITIONS = 32
"""Of FRAME samples each: echoes up to 320 ms late."""
_FORGET = 0.9998
"""The room's change per step; its square is the model's transition."""
_NOISE_SMOOTHING = 0.9
_START_VARIANCE = 0.05
_FLOOR = 1e-7

Spectrum = npt.NDArray[np.complex64]


class EchoPath:
    """Feed it frames of FRAME samples of both sounds, in step. Not thread-safe."""

    def __init__(self, partitions: int = PARTITIONS) -> None:
        bins = FRAME + 1
        self._filter: Spectrum = np.zeros((partitions, bins), np.complex64)
        self._variance: npt.NDArray[np.float32] = np.full((partitions, bins), _START_VARIANCE, np.float32)
        self._far: Spectrum = np.zeros((partitions, bins), np.complex64)
        self._last: Samples = np.zeros(FRAME, np.float32)
        self._noise: npt.NDArray[np.float32] = np.full(bins, 1e-3, np.float32)

    def step(self, near: Samples, far: Samples) -> Samples:
        """What of `near` (FRAME samples) is no echo of `far` so far; learns from both."""
        self._far = np.roll(self._far, 1, axis=0)
        self._far[0] = np.fft.rfft(np.concatenate([self._last, far]))
        self._last = far
        echo = np.fft.irfft((self._far * self._filter).sum(axis=0))[FRAME:]
        rest = (near - echo).astype(np.float32)
        self._learn(rest)
        return rest

    def _learn(self, rest: Samples) -> None:
        error: Any = np.fft.rfft(np.concatenate([np.zeros(FRAME, np.float32), rest])).astype(np.complex64)
        power = np.abs(self._far) ** 2
        uncertain = 0.5 * (power * self._variance).sum(axis=0)
        self._noise = _NOISE_SMOOTHING * self._noise + (1 - _NOISE_SMOOTHING) * np.abs(error) ** 2
        gain = self._variance / (uncertain + self._noise + _FLOOR)
        change = gain * np.conj(self._far) * error
        # Only the causal half is a filter; without this the step would wrap around.
        causal = np.fft.irfft(change, axis=1)
        causal[:, FRAME:] = 0.0
        self._filter += np.fft.rfft(causal, axis=1).astype(np.complex64)
        self._variance = (
            _FORGET**2 * (1.0 - 0.5 * gain * power) * self._variance + (1 - _FORGET**2) * np.abs(self._filter) ** 2
        ).astype(np.float32)
