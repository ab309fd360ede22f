from __future__ import annotations

import numpy as np
import pytest

from animator.tha3.crossfade import Crossfade, Values


def level(value: float) -> Values:
    return np.array([value], dtype=np.float32)


def read(fade: Crossfade, times: np.ndarray) -> np.ndarray:
    return np.array([float(fade.at(float(t))[0]) for t in times])


def test_a_fade_starts_where_it_was_and_ends_at_its_target() -> None:
    fade = Crossfade(lambda _: level(0.2))

    fade.to(lambda _: level(1.0), 10.0, 0.5)

    assert [0.2, 0.2, pytest.approx(0.6), 1.0, 1.0] == list(
        read(fade, np.array([9.0, 10.0, 10.25, 10.5, 99.0])).round(6)
    )


def test_fades_in_the_middle_of_fades_leave_no_jump_and_no_kink() -> None:
    fade = Crossfade(lambda t: level(np.sin(t)))
    for k, since_s in enumerate((1.0, 1.1, 1.15, 1.3, 1.32)):
        fade.to(lambda t, k=k: level(np.cos(3 * t + k)), since_s, 0.3)

    step_s = 0.001
    values = read(fade, np.arange(0.8, 2.2, step_s))
    speed = np.diff(values) / step_s

    assert np.abs(speed).max() < 20
    assert np.abs(np.diff(speed)).max() < 0.5  # a kink would be a step of the speed


def test_what_is_faded_out_goes_on_moving_meanwhile() -> None:
    fade = Crossfade(lambda t: level(t))

    fade.to(lambda _: level(0.0), 10.0, 1.0)

    assert read(fade, np.array([10.1]))[0] > 9.7


def test_values_may_fade_at_their_own_pace_and_later_than_others() -> None:
    fade = Crossfade(lambda _: np.zeros(2, dtype=np.float32))

    fade.to(lambda _: np.ones(2, dtype=np.float32), 5.0, [0.1, 0.4], [0.0, 0.2])

    np.testing.assert_allclose([1.0, 0.0], fade.at(5.15), atol=1e-6)
    np.testing.assert_allclose([1.0, 1.0], fade.at(5.61), atol=1e-6)


def test_a_thousand_fades_are_not_remembered_for_ever() -> None:
    fade = Crossfade(lambda _: level(0.0))
    for k in range(1000):
        fade.to(lambda _, k=k: level(k), float(k), 0.2)

    assert len(fade._fades) < 10
    assert read(fade, np.array([1000.0]))[0] == 999.0
