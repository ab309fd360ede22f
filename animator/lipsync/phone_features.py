"""The picture of sound that the phone model sees: 80 log-mel bands, 100 frames a second, no statistics of the whole.

Frame i belongs to the samples [160 i, 160 (i + 1)) and sees the 400 around their middle: it may be computed once
`REACH` samples after its own are there. Training computes the same in PyTorch (`training.network`).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from animator.messages import Samples

Features = npt.NDArray[np.float32]

SAMPLE_RATE = 16_000
HOP = 160
"""Samples between frames: 10 ms."""
WINDOW = 400
"""25 ms, as in most speech recognition: short enough for a stop's closure, long enough for a voice's pitch."""
REACH = (WINDOW - HOP) // 2
"""Samples that a frame sees on either side of its own."""
N_FFT = 512
BANDS = 80
LOW_HZ, HIGH_HZ = 60.0, 7800.0
FLOOR = 1e-6
"""Added to each band's power: about what noise at -80 dBFS holds, so digital silence and a quiet room look alike."""
CENTRE, SPREAD = -4.0, 5.0
"""Brings log powers to about [-2, 2]: a fixed range, because a stream does not know how loud it will be."""
_MEL_BREAK_HZ, _MEL_SCALE = 700.0, 2595.0

SILENT = np.float32((np.log(FLOOR) - CENTRE) / SPREAD)
"""What every band of digital silence holds."""


@functools.cache
def window() -> npt.NDArray[np.float32]:
    """Hann window, float32 of shape (400,)."""
    return np.hanning(WINDOW + 1)[:-1].astype(np.float32)


def filters(warp: float = 1.0) -> npt.NDArray[np.float32]:
    """Triangular mel filters (HTK's scale), float32 of shape (257, 80), each of height 1.

    `warp` moves every filter's frequencies by this factor, as a shorter or longer vocal tract would.
    """
    low, high = (_MEL_SCALE * np.log10(1 + hz / _MEL_BREAK_HZ) for hz in (LOW_HZ, HIGH_HZ))
    edges_hz = _MEL_BREAK_HZ * (10 ** (np.linspace(low, high, BANDS + 2) / _MEL_SCALE) - 1) * warp
    bins_hz = np.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1)[:, None]
    left, middle, right = (edges_hz[None, k : k + BANDS] for k in range(3))
    # The lowest filters would fall between two bins.
    bin_hz = SAMPLE_RATE / N_FFT
    rising = (bins_hz - middle) / np.maximum(middle - left, bin_hz) + 1
    falling = (middle - bins_hz) / np.maximum(right - middle, bin_hz) + 1
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


@functools.cache
def _filters() -> npt.NDArray[np.float32]:
    return filters()


def log_mel(padded: Samples) -> Features:
    """Log-mel bands of all frames whose window lies within `padded`, float32 of shape (frames, 80).

    `padded` is 16 kHz sound that begins REACH samples before the first frame.
    """
    if len(padded) < WINDOW:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP] * window()
    spectrum = np.fft.rfft(frames, N_FFT, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    features: Features = (np.log(power @ _filters() + np.float32(FLOOR)) - np.float32(CENTRE)) / np.float32(SPREAD)
    return features.astype(np.float32, copy=False)


class FeatureStream:
    """Log-mel bands of sound that arrives in pieces: the same numbers, whatever the pieces."""

    def __init__(self) -> None:
        self._pending = np.zeros(REACH, np.float32)
        self._received = 0
        self._sent = 0

    def push(self, samples: Samples) -> Features:
        """The frames that are complete now, float32 of shape (new frames, 80). `samples` is 16 kHz mono."""
        self._received += len(samples)
        self._pending = np.concatenate([self._pending, samples])
        features = log_mel(self._pending)
        self._pending = self._pending[len(features) * HOP :]
        self._sent += len(features)
        return features

    def finish(self) -> Features:
        """The last frames; the sound counts as silent after its end. A started frame is completed."""
        frames = -(-self._received // HOP) - self._sent
        features = log_mel(np.concatenate([self._pending, np.zeros(WINDOW + HOP, np.float32)]))[:frames]
        self._sent += len(features)
        return features
