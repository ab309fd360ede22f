"""The measure of lip sync, on curves whose lag is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.lips_film import FPS, STEP_S, lag_of


@pytest.mark.parametrize("lag_ms", [-90.0, -21.0, -7.0, 0.0, 3.0, 12.0, 40.0, 133.0])
def test_a_lag_is_found_to_a_fraction_of_a_frame(lag_ms: float) -> None:
    chance = np.random.default_rng(2)
    fine = np.convolve(chance.random(60 * 200) ** 2, np.hanning(31), mode="same")
    grid_s = (np.arange(len(fine)) + 0.5) * STEP_S
    times = np.arange(1.0, 58.0, 1 / FPS)
    mouth = 100.0 + 40.0 * np.interp(times - lag_ms / 1e3, grid_s, fine) + chance.normal(size=len(times))

    lag_s, correlation = lag_of(times, mouth, fine)

    assert lag_s * 1e3 == pytest.approx(lag_ms, abs=1.5)
    assert correlation > 0.9


def test_what_changes_slowly_has_no_say() -> None:
    """A head that comes near makes the mouth larger for seconds; sentences are louder and quieter."""
    chance = np.random.default_rng(2)
    fine = np.convolve(chance.random(60 * 200) ** 2, np.hanning(31), mode="same")
    grid_s = (np.arange(len(fine)) + 0.5) * STEP_S
    times = np.arange(1.0, 58.0, 1 / FPS)
    mouth = np.interp(times, grid_s, fine) * 40.0 + 300.0 * np.sin(times / 4.0)

    assert lag_of(times, mouth, fine * (1.5 + np.sin(grid_s / 3.0)))[0] * 1e3 == pytest.approx(0.0, abs=2.0)
