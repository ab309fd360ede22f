from __future__ import annotations

import numpy as np
import pytest

from animator.tha3.gestures import GESTURES, cue_of, gesture_at, gesture_length_s

NAMES = tuple(GESTURES)


def path(name: str, step_s: float = 0.002, strength: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    times = np.arange(-0.1, gesture_length_s(name) + 0.1, step_s)
    return times, np.array([gesture_at(name, float(t), strength) for t in times])


def test_the_gestures_are_known_by_name() -> None:
    assert {"nod", "shake", "tilt", "bow", "lean"} == set(GESTURES)


@pytest.mark.parametrize("name", NAMES)
def test_a_gesture_starts_and_ends_at_rest_without_slope(name: str) -> None:
    times, offsets = path(name)
    speed = np.gradient(offsets, times, axis=0)

    for outside in (times <= 0.0, times >= gesture_length_s(name)):
        assert np.abs(offsets[outside]).max() == 0.0
    for edge_s in (0.0, gesture_length_s(name)):
        near = np.abs(times - edge_s) < 0.006
        assert np.abs(speed[near]).max() < 0.25


@pytest.mark.parametrize("name", NAMES)
def test_a_gesture_stays_within_the_baked_head_and_is_large_enough_to_be_seen(name: str) -> None:
    _, offsets = path(name)

    assert np.abs(offsets).max() <= 0.5
    assert np.abs(offsets[:, :3]).max() >= 0.2


@pytest.mark.parametrize("name", NAMES)
def test_a_gesture_moves_no_faster_than_a_head_does(name: str) -> None:
    """1 is about 15 degrees; people shake their heads at up to 100 degrees a second."""
    times, offsets = path(name)

    assert np.abs(np.gradient(offsets, times, axis=0)).max() < 5.0


def test_a_nod_goes_down_twice_a_shake_to_both_sides_a_tilt_to_one() -> None:
    nod, shake, tilt = (path(name)[1] for name in ("nod", "shake", "tilt"))
    dips = np.flatnonzero(np.diff(np.sign(np.diff(nod[:, 0]))) > 0)

    assert len(dips) == 2
    assert nod[:, 0].max() <= 0.0
    assert shake[:, 1].min() < -0.2
    assert shake[:, 1].max() > 0.2
    assert tilt[:, 2].min() >= 0.0


def test_the_body_follows_the_head_150_ms_later() -> None:
    times, offsets = path("shake")
    lag = times[np.argmax(offsets[:, 3])] - times[np.argmax(offsets[:, 1])]

    assert lag == pytest.approx(0.15, abs=0.005)


def test_strength_scales_and_turns_around_but_a_nod_stays_a_nod() -> None:
    np.testing.assert_allclose(0.5 * path("tilt")[1], path("tilt", strength=0.5)[1], atol=1e-6)
    np.testing.assert_allclose(-path("tilt")[1][:, 2], path("tilt", strength=-1.0)[1][:, 2], atol=1e-6)
    np.testing.assert_allclose(path("nod")[1], path("nod", strength=-1.0)[1], atol=1e-6)


def test_an_unknown_gesture_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match="no gesture called 'wave'; there are nod, shake"):
        gesture_at("wave", 0.1)


@pytest.mark.parametrize(
    ("text", "gesture"),
    [
        ("Yes, I do!", "nod"),
        ("“Absolutely.”", "nod"),
        ("No, not today.", "shake"),
        ("Hmm, let me see.", "tilt"),
        ("Sorry about that.", "bow"),
        ("Hey there!", "nod"),
        ("Which one do you like best?", "tilt"),
        ("Nothing happened.", None),
        ("Yesterday it rained.", None),
        ("Nobody came.", None),
        ("", None),
        ("はい。", None),
    ],
)
def test_words_bring_their_gesture_with_them(text: str, gesture: str | None) -> None:
    cue = cue_of(text, 2.0)

    assert gesture == (cue.name if cue else None)


def test_a_questions_tilt_comes_with_its_end_and_never_before_its_start() -> None:
    long, short = cue_of("Do you like it?", 3.0), cue_of("Me?", 0.4)

    assert long is not None
    assert short is not None
    assert long.at_s == pytest.approx(2.1)
    assert short.at_s == 0.0
