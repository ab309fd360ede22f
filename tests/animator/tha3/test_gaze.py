from __future__ import annotations

import numpy as np
import pytest

from animator.tha3 import gaze
from animator.tha3.gaze import Gaze

SEEDS = (0, 1, 20, 12345)


def looks(seen: Gaze, from_s: float, to_s: float, step_s: float = 1 / 120) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(from_s, to_s, step_s)
    return times, np.array([seen.at(float(t)) for t in times])


def test_the_viewer_is_looked_at_by_default() -> None:
    assert np.abs(Gaze(1).at(123.0)).max() == 0.0


@pytest.mark.parametrize("seed", SEEDS)
def test_thinking_looks_away_within_half_a_second_and_stays_away(seed: int) -> None:
    eyes = Gaze(seed)
    eyes.away(10.0)

    _, seen = looks(eyes, 10.5, 25.0)

    assert (np.abs(seen[:, 1]) > 0.1).mean() > 0.97  # but for the moments of going over to the other side
    assert np.abs(seen[:, :2]).max() <= 0.6
    assert np.abs(seen[:, 2:5]).max() <= 0.3
    assert (seen[:, 5] == 1.0).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_eyes_lead_the_head_by_about_a_tenth_of_a_second(seed: int) -> None:
    eyes = Gaze(seed)
    eyes.away(10.0)

    times, seen = looks(eyes, 10.0, 11.2, 0.005)
    moved = [times[np.argmax(np.abs(seen[:, i]) > 0.05 * np.abs(seen[:, i]).max())] for i in (1, 3)]

    assert 0.08 < moved[1] - moved[0] < 0.25


def test_looking_back_takes_eyes_and_head_home_and_is_smooth() -> None:
    eyes = Gaze(3)
    eyes.away(10.0)
    eyes.back(12.0)

    _, seen = looks(eyes, 9.0, 13.0)

    assert np.abs(eyes.at(12.0 + gaze.EYES_S)[:2]).max() < 1e-6
    assert np.abs(eyes.at(12.0 + gaze.HEAD_LAG_S + gaze.HEAD_S)).max() < 1e-6
    assert np.abs(np.diff(seen[:, 2:5], axis=0)).max() < 0.02


def test_an_answer_that_comes_at_once_leaves_the_eyes_where_they_are() -> None:
    eyes = Gaze(3)
    eyes.away(10.0)
    eyes.back(10.1)

    assert np.abs(looks(eyes, 10.0, 12.0)[1]).max() < 0.03


def test_every_thought_looks_elsewhere() -> None:
    eyes = Gaze(3)
    places = []
    for k in range(6):
        eyes.away(20.0 * k)
        places.append(tuple(eyes.at(20.0 * k + 1.0)[:2].round(2)))
        eyes.back(20.0 * k + 5.0)

    assert len(set(places)) > 3


def test_eyes_turn_against_a_swaying_head_in_steps() -> None:
    assert gaze.steadied(0.0) == 0.0
    assert gaze.steadied(0.25) == pytest.approx(-0.15, abs=1 / gaze.STEADY_STEPS)
    assert len({gaze.steadied(x) for x in np.arange(-0.2, 0.2, 0.001)}) <= 10
