from __future__ import annotations

import numpy as np
import pytest

from app.policy.levels import SILENCE_DBFS, dbfs, fade_edges, speech_dbfs, to_level

RATE = 22_050


def tone(level: float, seconds: float = 1.0) -> np.ndarray:
    return (level * np.sin(2 * np.pi * 220 * np.arange(int(RATE * seconds)) / RATE)).astype(np.float32)


def test_a_full_scale_sine_reads_minus_three() -> None:
    assert dbfs(tone(1.0)) == pytest.approx(-3.01, abs=0.01)


def test_silence_and_nothing_read_the_meters_end() -> None:
    assert dbfs(np.zeros(100, np.float32)) == dbfs(np.zeros(0, np.float32)) == SILENCE_DBFS


def test_pauses_do_not_lower_the_level_of_speech() -> None:
    with_pause = np.concatenate([tone(0.5), np.zeros(3 * RATE, np.float32)])

    assert speech_dbfs(with_pause, RATE) == pytest.approx(dbfs(tone(0.5)), abs=0.3)


@pytest.mark.parametrize("level", [0.003, 0.03, 0.9])
def test_quiet_and_loud_voices_come_out_alike(level: float) -> None:
    assert speech_dbfs(to_level(tone(level), RATE), RATE) == pytest.approx(-20, abs=0.3)


def test_peaks_are_held_below_the_ceiling_without_a_jump() -> None:
    spiky = tone(0.05)
    spiky[10_000:10_020] = 1.0

    limited = to_level(spiky, RATE)

    assert np.abs(limited).max() <= 0.89
    assert np.abs(np.diff(limited[9_000:9_900])).max() < 0.05
    assert np.abs(limited[10_005]) > 0.3


def test_silence_is_not_amplified() -> None:
    hiss = (1e-5 * np.ones(RATE)).astype(np.float32)

    np.testing.assert_array_equal(to_level(hiss, RATE), hiss)


def test_edges_fade_and_the_middle_stays() -> None:
    faded = fade_edges(np.ones(1000, np.float32), RATE, fade_ms=5)

    assert faded[0] == faded[-1] == 0.0
    np.testing.assert_array_equal(faded[110:-110], 1.0)
