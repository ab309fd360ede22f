"""The picture of sound that Whisper and what was made from it look at: 80 mel bands, 100 frames a second. Pure."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from animator.messages import Samples

SAMPLE_RATE = 16_000
N_FFT = 400
HOP = 160
"""Samples between frames: 10 ms."""
BANDS = 80
_FLOOR = 1e-10
_LINEAR_BELOW_HZ = 1000.0
_LINEAR_MELS = 15.0
_LOG_STEP = np.log(6.4) / 27.0


def log_mel(samples: Samples) -> npt.NDArray[np.float32]:
    """Log-mel spectrogram of 16 kHz sound, float32 of shape (80, len(samples) // 160).

    As published with Whisper: Hann windows of 25 ms, edges mirrored, power, Slaney's mel bands, log10, at most 8 below
    the loudest, then (x + 4) / 4. Raises ValueError for fewer than 400 samples.
    """
    if samples.ndim != 1 or len(samples) < N_FFT:
        raise ValueError(f"samples must have shape (n,) with n >= {N_FFT}, got {samples.shape}")
    edged = np.pad(np.asarray(samples, np.float32), N_FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(edged, N_FFT)[::HOP][: len(samples) // HOP]
    spectrum = np.fft.rfft(frames * _window(), axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    mel = np.log10(np.maximum(_FLOOR, _filters() @ power.T))
    scaled: npt.NDArray[np.float32] = (np.maximum(mel, mel.max() - 8.0) + 4.0) / 4.0
    return np.ascontiguousarray(scaled, np.float32)


@functools.cache
def _window() -> npt.NDArray[np.float32]:
    return np.hanning(N_FFT + 1)[:-1].astype(np.float32)


@functools.cache
def _filters() -> npt.NDArray[np.float32]:
    """Triangles of equal area, shape (80, 201); Slaney's Auditory Toolbox: linear up to 1 kHz, logarithmic above."""
    top_mel = _LINEAR_MELS + np.log(SAMPLE_RATE / 2 / _LINEAR_BELOW_HZ) / _LOG_STEP
    mels = np.linspace(0.0, top_mel, BANDS + 2)
    edges_hz = np.where(
        mels < _LINEAR_MELS,
        mels * _LINEAR_BELOW_HZ / _LINEAR_MELS,
        _LINEAR_BELOW_HZ * np.exp(_LOG_STEP * (mels - _LINEAR_MELS)),
    )
    bins_hz = np.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
    left, middle, right = (edges_hz[k : k + BANDS, None] for k in range(3))
    rising = (bins_hz - left) / (middle - left)
    falling = (right - bins_hz) / (right - middle)
    return np.asarray(np.maximum(0.0, np.minimum(rising, falling)) * 2.0 / (right - left), np.float32)
