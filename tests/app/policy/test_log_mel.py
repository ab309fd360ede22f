from __future__ import annotations

import numpy as np
import pytest

from app.policy.log_mel import log_mel


def test_a_frame_is_10_ms_and_has_80_bands() -> None:
    assert (80, 100) == log_mel(np.zeros(16_000, np.float32)).shape
    assert (80, 99) == log_mel(np.zeros(15_999, np.float32)).shape


def test_a_tone_of_1_khz_lights_the_band_around_1_khz() -> None:
    """Slaney's scale is linear up to 1 kHz: mel 15 of 45.25, and band k peaks at mel (k + 1) * 45.25 / 81."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)

    assert {26} == set(np.argmax(log_mel(tone)[:, 5:-5], axis=0))


def test_silence_is_flat_and_nothing_is_more_than_8_decades_below_the_loudest() -> None:
    click = np.zeros(16_000, np.float32)
    click[8_000] = 1.0

    assert log_mel(np.zeros(800, np.float32)) == pytest.approx(-1.5)
    assert log_mel(click).min() == pytest.approx(log_mel(click).max() - 2.0)


@pytest.mark.parametrize("bad", [np.zeros(399, np.float32), np.zeros((2, 800), np.float32)])
def test_less_than_a_frame_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="samples must have shape"):
        log_mel(bad)
