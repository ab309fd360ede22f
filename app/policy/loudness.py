"""Loudness as ears judge it (ITU-R BS.1770-4), and one loudness for every voice. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from animator.messages import Samples

TARGET_LUFS = -19.0
CEILING_DBTP = -1.0
_BLOCK_S, _HOP_S = 0.4, 0.1
_ABSOLUTE_GATE_LUFS = -70.0
_RELATIVE_GATE_LU = -10.0
_OFFSET = -0.691
"""BS.1770's constant: a full-scale 997 Hz sine in one channel reads -3.01 LUFS."""

_MEMORY_S = 10.0
"""Speech that a voice's own level rests on."""
_HALF_TRUST_S = 1.5
"""A clause that sounds for so long counts as much as all that was heard before."""
_FIRST_LIMIT_DB = 40.0
_STEP_LIMIT_DB = 3.0
"""Once a voice is known, no two clauses in a row differ in gain by more."""

Power = npt.NDArray[np.float64]


def _k_weighting_gain(frequencies_hz: Power) -> Power:
    """Magnitude of the K weighting at `frequencies_hz`.

    Both filters of BS.1770-4 as analogue prototypes, with the parameters from which its table for 48 kHz comes (f0, Q
    and gain as published by Brecht De Man, 2018): right at every sample rate.
    """
    s = 1j * frequencies_hz
    f0, gain_db, q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    u = s / f0
    shelf = (high * u**2 + (band / q) * u + 1.0) / (u**2 + u / q + 1.0)
    f1, q1 = 38.13547087602444, 0.5003270373238773
    v = s / f1
    highpass = v**2 / (v**2 + v / q1 + 1.0)
    return np.asarray(np.abs(shelf * highpass), np.float64)


def k_weighted(samples: Samples, sample_rate: int) -> Power:
    """`samples` through the K weighting, in the frequency domain (its phase does not matter to a power)."""
    n = len(samples)
    size = 1 << max(10, (n + sample_rate // 10 - 1).bit_length())
    spectrum = np.fft.rfft(samples.astype(np.float64), size)
    spectrum *= _k_weighting_gain(np.asarray(np.fft.rfftfreq(size, 1.0 / sample_rate), np.float64))
    return np.asarray(np.fft.irfft(spectrum, size)[:n], np.float64)


def block_powers(samples: Samples, sample_rate: int) -> Power:
    """Mean square of the K-weighted sound in blocks of 400 ms, a new one every 100 ms; a shorter sound is one block."""
    if len(samples) == 0:
        return np.zeros(0)
    squares = np.square(k_weighted(samples, sample_rate))
    block, hop = round(_BLOCK_S * sample_rate), round(_HOP_S * sample_rate)
    if len(squares) <= block:
        return np.array([squares.mean()])
    sums = np.concatenate([[0.0], np.cumsum(squares)])
    starts = np.arange(0, len(squares) - block + 1, hop)
    return np.asarray((sums[starts + block] - sums[starts]) / block, np.float64)


def lufs(power: float) -> float:
    """Loudness of a K-weighted mean square; -inf for silence."""
    return _OFFSET + 10 * math.log10(power) if power > 0 else -math.inf


def gated(powers: Power) -> Power:
    """The blocks that count: above -70 LUFS, and no more than 10 LU below the mean of those."""
    kept = powers[powers > 10 ** ((_ABSOLUTE_GATE_LUFS - _OFFSET) / 10)]
    if len(kept) == 0:
        return kept
    return np.asarray(kept[kept > kept.mean() * 10 ** (_RELATIVE_GATE_LU / 10)], np.float64)


def integrated_lufs(samples: Samples, sample_rate: int) -> float:
    """Integrated, gated loudness of a mono sound in LUFS; -inf for silence."""
    kept = gated(block_powers(samples, sample_rate))
    return lufs(float(kept.mean())) if len(kept) else -math.inf


def true_peak(samples: Samples) -> float:
    """Largest value between the samples too, by four-fold oversampling (BS.1770-4, annex 2), linear."""
    if len(samples) == 0:
        return 0.0
    n = 1 << (len(samples) + 64).bit_length()
    spectrum = np.fft.rfft(samples.astype(np.float64), n)
    wide = np.zeros(2 * n + 1, np.complex128)
    wide[: len(spectrum)] = spectrum
    wide[n // 2] *= 0.5
    return float(np.abs(np.fft.irfft(wide, 4 * n) * 4).max())


def limited(samples: Samples, sample_rate: int, ceiling: float = 10 ** (CEILING_DBTP / 20)) -> Samples:
    """Hold every peak at or below `ceiling`: looks 5 ms ahead and turns down smoothly, so it does not click.

    What lies between the samples is allowed for: where the true peak is higher than the samples show, the whole is
    limited by that much lower.
    """
    peak = float(np.abs(samples).max()) if len(samples) else 0.0
    if peak == 0.0:
        return samples
    between = max(1.0, true_peak(samples) / peak)
    top = ceiling / between
    if peak <= top:
        return samples
    block = max(1, sample_rate // 1000)
    peaks = np.pad(np.abs(samples.astype(np.float64)), (0, -len(samples) % block)).reshape(-1, block).max(axis=1)
    gain = np.minimum(1.0, top / np.maximum(peaks, 1e-9))
    reach = 5
    edged = np.pad(gain, 2 * reach, constant_values=1.0)
    lowest = np.lib.stride_tricks.sliding_window_view(edged, 2 * reach + 1).min(axis=1)
    smooth = np.lib.stride_tricks.sliding_window_view(lowest, 2 * reach + 1).mean(axis=1)
    at = (np.arange(len(samples)) - block / 2) / block
    shaped = samples * np.interp(at, np.arange(len(smooth)), smooth)
    held = np.asarray(np.clip(shaped, -top, top), np.float32)
    # The gain's own slope can lift what lies between two samples by another fraction of a decibel.
    over = true_peak(held) / ceiling
    return held if over <= 1.0 else np.asarray(held / over, np.float32)


@dataclass(slots=True)
class _Heard:
    power: float = 0.0
    seconds: float = 0.0
    gain_db: float | None = None


@dataclass(slots=True)
class Leveller:
    """Brings each voice to TARGET_LUFS with a gain that follows the voice more than the clause.

    A clause alone is a poor measure: BS.1770's gate needs some seconds, and "No!" is louder than what stood before it
    because of what it says. So each voice has a running mean of its own gated power over the last _MEMORY_S of speech,
    and a clause is judged by itself with the weight t / (t + _HALF_TRUST_S), t being the seconds that sounded: two
    words hardly move the gain, a sentence of 3 s decides two thirds of it. The very first clause is levelled by
    itself. From one clause to the next the gain moves by at most _STEP_LIMIT_DB. All pieces of one streamed sentence
    share one gain, so that none steps in the middle.
    """

    _voices: dict[str, _Heard] = field(default_factory=dict)

    def gain_db(self, voice: str, samples: Samples, sample_rate: int) -> float:
        """Take one clause (or the first piece of a streamed one) into account; the gain for it in dB."""
        heard = self._voices.setdefault(voice, _Heard())
        kept = gated(block_powers(samples, sample_rate))
        if len(kept) == 0:
            return heard.gain_db or 0.0
        seconds = min(_HOP_S * len(kept) + (_BLOCK_S - _HOP_S), len(samples) / sample_rate)
        own = float(kept.mean())
        if heard.seconds:
            trust = seconds / (seconds + _HALF_TRUST_S)
            level = trust * lufs(own) + (1 - trust) * lufs(heard.power)
        else:
            level = lufs(own)
        known_s = max(0.0, min(heard.seconds, _MEMORY_S - seconds))
        heard.power = (heard.power * known_s + own * seconds) / (known_s + seconds)
        heard.seconds = known_s + seconds
        wanted = min(_FIRST_LIMIT_DB, max(-_FIRST_LIMIT_DB, TARGET_LUFS - level))
        if heard.gain_db is not None:
            wanted = min(heard.gain_db + _STEP_LIMIT_DB, max(heard.gain_db - _STEP_LIMIT_DB, wanted))
        heard.gain_db = wanted
        return wanted

    def apply(self, samples: Samples, sample_rate: int, gain_db: float) -> Samples:
        """`samples` at `gain_db`, peaks held below CEILING_DBTP."""
        if len(samples) == 0:
            return samples
        return limited((samples * np.float32(10 ** (gain_db / 20))).astype(np.float32), sample_rate)
