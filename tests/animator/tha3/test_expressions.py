from __future__ import annotations

import itertools

import numpy as np
import pytest

from animator.tha3 import pose as p
from animator.tha3.emotions import EMOTIONS
from animator.tha3.expressions import (
    FADE_S,
    HAPPY_LIDS_AJAR,
    HAPPY_LIDS_OPEN,
    PRESETS,
    ExpressionFader,
    at_intensity,
    expression_poses,
    while_speaking,
)

SHORT = ("happy", "sad", "angry", "surprised", "shy", "sleepy", "smug", "neutral")
GO_EMOTIONS = [
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "neutral",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
]


def test_the_short_set_comes_first_and_the_28_emotions_of_go_emotions_follow() -> None:
    assert SHORT == tuple(PRESETS)[:8]
    assert 28 == len(GO_EMOTIONS)
    assert GO_EMOTIONS == list(EMOTIONS)
    assert {*SHORT, *GO_EMOTIONS} == set(PRESETS)


def test_every_expression_of_a_set_can_be_told_from_every_other() -> None:
    poses = expression_poses({})

    assert poses["neutral"][p.MOUTH].max() == 0.0
    for names in (SHORT, tuple(GO_EMOTIONS)):
        for one, other in itertools.combinations(names, 2):
            assert np.abs(poses[one] - poses[other]).max() >= 0.2, (one, other)


def test_every_preset_lies_within_its_ranges_and_the_head_within_the_baked_ones() -> None:
    for name, values in PRESETS.items():
        pose = p.pose_of(**values)
        assert p.clamp(pose)[1] == 0, name
        assert np.abs(pose[39:42]).max() <= 0.45, name
        assert pose[p.MOUTH].sum() <= 1.2, name


def test_a_fade_goes_all_the_way_within_250_ms_without_a_jump() -> None:
    fader = ExpressionFader()
    target = expression_poses({})["happy"]

    fader.set("happy", 10.0)
    frames = np.array([fader.pose_at(10.0 + t) for t in np.arange(0, 0.4, 1 / 60)])

    assert FADE_S <= 0.25
    np.testing.assert_array_equal(frames[0], expression_poses({})["neutral"])
    np.testing.assert_allclose(fader.pose_at(10.25)[:39], target[:39], atol=1e-6)
    np.testing.assert_allclose(fader.pose_at(10.43), target, atol=1e-6)
    assert np.abs(np.diff(frames, axis=0)).max() < 0.15


def test_a_new_expression_in_mid_fade_goes_on_from_where_the_face_is() -> None:
    fader = ExpressionFader()
    fader.set("angry", 5.0)
    before = fader.pose_at(5.1)

    fader.set("happy", 5.1)

    np.testing.assert_allclose(before, fader.pose_at(5.1), atol=1e-6)
    np.testing.assert_allclose(expression_poses({})["happy"], fader.pose_at(6.0), atol=1e-6)


@pytest.mark.parametrize("intensity", [0.0, 0.2, 0.4, 0.6, 0.9, 1.0])
def test_at_any_intensity_smiling_lids_are_open_or_shut(intensity: float) -> None:
    poses = expression_poses({})
    for name in PRESETS:
        lids = at_intensity(poses[name], poses["neutral"], intensity)[14:16]
        assert ((lids <= HAPPY_LIDS_OPEN) | (lids == 1.0)).all(), name


def test_eyes_that_an_expression_shuts_open_for_a_while_and_shut_again_without_a_jump() -> None:
    fader = ExpressionFader()
    fader.set("joy", 100.0)
    times = np.arange(100.4, 112.0, 1 / 60)
    lid = np.array([fader.pose_at(float(t))[14] for t in times])

    assert lid[times < 101.7].min() == 1.0
    assert lid[(times > 102.0) & (times < 105.3)].max() == pytest.approx(HAPPY_LIDS_AJAR)
    assert lid[(times > 105.6) & (times < 107.2)].min() == 1.0
    assert np.abs(np.diff(lid)).max() < 0.25
    assert lid[(times > 107.5) & (times < 110.8)].max() < HAPPY_LIDS_OPEN


def test_intensity_scales_everything_else() -> None:
    poses = expression_poses({})

    half = at_intensity(poses["anger"], poses["neutral"], 0.5)

    np.testing.assert_allclose((poses["anger"] + poses["neutral"]) / 2, half, atol=1e-6)


def test_setting_the_same_expression_again_does_not_restart_the_fade() -> None:
    fader = ExpressionFader()
    fader.set("angry", 5.0)
    fader.set("angry", 5.1)

    np.testing.assert_allclose(expression_poses({})["angry"], fader.pose_at(5.45), atol=1e-6)


def test_a_characters_own_expressions_win_and_join() -> None:
    fader = ExpressionFader({"happy": {"eye_happy_wink": 1.0}, "wink": {"eye_wink_left": 1.0}})

    fader.set("happy", 0.0)
    happy = fader.pose_at(1.0)
    fader.set("wink", 1.0)
    wink = fader.pose_at(2.0)

    assert {p.INDEX["eye_happy_wink_left"], p.INDEX["eye_happy_wink_right"]} == set(np.flatnonzero(happy).tolist())
    assert [p.INDEX["eye_wink_left"]] == np.flatnonzero(wink).tolist()


def test_an_unknown_expression_lists_those_there_are_and_changes_nothing() -> None:
    fader = ExpressionFader()

    with pytest.raises(ValueError, match="no expression called 'hapy'; there are happy, sad"):
        fader.set("hapy", 0.0)

    assert fader.name == "neutral"


def test_an_unknown_parameter_names_the_expression() -> None:
    with pytest.raises(ValueError, match="expression 'odd': no THA3 parameter is called 'mouth_huge'"):
        ExpressionFader({"odd": {"mouth_huge": 1.0}})


def test_speech_takes_an_expressions_open_mouth_away_and_eases_its_corners() -> None:
    face = p.pose_of(mouth_ooo=0.5, mouth_raised_corner=1.0, mouth_smirk=0.5, eye_surprised=0.8)

    speaking = while_speaking(face, 1.0)

    assert speaking[p.MOUTH].max() == 0.0
    assert speaking[p.INDEX["mouth_raised_corner_left"]] == pytest.approx(0.4)
    assert speaking[p.INDEX["mouth_smirk"]] == pytest.approx(0.5)  # the line of shut lips
    assert face[p.INDEX["eye_surprised_left"]] == speaking[p.INDEX["eye_surprised_left"]]
    np.testing.assert_array_equal(face, while_speaking(face, 0.0))
