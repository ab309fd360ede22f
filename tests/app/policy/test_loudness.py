from __future__ import annotations

import numpy as np
import pytest

from animator.messages import Samples
from app.policy.loudness import TARGET_LUFS, Leveller, integrated_lufs, limited, true_peak

RATE = 24_000


def tone(level: float, seconds: float = 2.0, hz: float = 997.0, rate: int = RATE) -> Samples:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize("rate", [16_000, 22_050, 24_000, 48_000])
def test_a_full_scale_sine_reads_as_the_standard_says_at_every_rate(rate: int) -> None:
    assert integrated_lufs(tone(1.0, rate=rate), rate) == pytest.approx(-3.01, abs=0.1)


def test_pauses_do_not_count() -> None:
    """The gate: half a minute of silence around a sentence leaves its loudness as it is."""
    quiet = np.zeros(RATE * 15, np.float32)

    alone = integrated_lufs(tone(0.1, 6.0), RATE)

    assert integrated_lufs(np.concatenate([quiet, tone(0.1, 6.0), quiet]), RATE) == pytest.approx(
        alone, abs=0.3
    )  # edges


def test_low_tones_count_less_than_high_ones() -> None:
    assert integrated_lufs(tone(0.1, hz=40), RATE) < integrated_lufs(tone(0.1, hz=3000), RATE) - 6


def test_silence_has_no_loudness_and_stays_silence() -> None:
    silent = np.zeros(RATE, np.float32)
    leveller = Leveller()

    gain_db = leveller.gain_db("a", silent, RATE)

    assert integrated_lufs(silent, RATE) == -np.inf
    assert not leveller.apply(silent, RATE, gain_db).any()


@pytest.mark.parametrize("level", [0.004, 0.05, 0.9])
def test_a_first_clause_already_has_the_target_loudness(level: float) -> None:
    leveller = Leveller()
    clause = tone(level)

    levelled = leveller.apply(clause, RATE, leveller.gain_db("a", clause, RATE))

    assert integrated_lufs(levelled, RATE) == pytest.approx(TARGET_LUFS, abs=0.1)


def test_a_soft_word_stays_softer_than_the_sentence_before_it() -> None:
    leveller = Leveller()
    leveller.gain_db("a", tone(0.1, 8.0), RATE)
    before = leveller.gain_db("a", tone(0.1, 8.0), RATE)

    after = leveller.gain_db("a", tone(0.03, 0.5), RATE)

    assert 0 <= after - before < 3


def test_a_voice_that_changed_for_good_is_followed() -> None:
    leveller = Leveller()
    for level in [0.1] * 4 + [0.02] * 40:
        clause = tone(level)
        gain_db = leveller.gain_db("a", clause, RATE)

    assert integrated_lufs(leveller.apply(clause, RATE, gain_db), RATE) == pytest.approx(TARGET_LUFS, abs=0.5)


def test_each_voice_has_its_own_gain() -> None:
    leveller = Leveller()
    loud = leveller.gain_db("a", tone(0.5), RATE)

    assert leveller.gain_db("b", tone(0.05), RATE) == pytest.approx(loud + 20, abs=0.1)


def test_peaks_between_the_samples_stay_below_one_decibel_too() -> None:
    """A tone of a quarter of the rate, half-way between its peaks: its samples read 3 dB less than its sound."""
    n = np.arange(RATE // 4)
    sly = (1.3 * np.sin(2 * np.pi * n / 4 + np.pi / 4)).astype(np.float32)

    held = limited(sly, RATE)

    assert true_peak(sly) == pytest.approx(1.3, abs=0.05)
    assert true_peak(held) <= 10 ** (-1 / 20) + 0.001


def test_what_is_not_too_loud_passes_untouched() -> None:
    clause = tone(0.5)

    assert np.array_equal(limited(clause, RATE), clause)
