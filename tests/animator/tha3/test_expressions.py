from __future__ import annotations

import numpy as np
import pytest

from animator.tha3 import pose as p
from animator.tha3.expressions import FADE_S, PRESETS, ExpressionFader, expression_poses, while_speaking


def test_the_eight_presets_are_there_and_differ_from_each_other() -> None:
    poses = expression_poses({})

    assert {"happy", "sad", "angry", "surprised", "shy", "sleepy", "smug", "neutral"} == set(PRESETS)
    assert poses["neutral"][p.MOUTH].max() == 0.0
    assert len(poses) == len({pose.tobytes() for pose in poses.values()})


def test_a_fade_goes_all_the_way_within_250_ms_without_a_jump() -> None:
    fader = ExpressionFader()
    target = expression_poses({})["happy"]

    fader.set("happy", 10.0)
    frames = np.array([fader.pose_at(10.0 + t) for t in np.arange(0, 0.4, 1 / 60)])

    assert FADE_S <= 0.25
    np.testing.assert_array_equal(frames[0], expression_poses({})["neutral"])
    np.testing.assert_allclose(fader.pose_at(10.25), target, atol=1e-6)
    assert np.abs(np.diff(frames, axis=0)).max() < 0.15


def test_a_new_expression_in_mid_fade_goes_on_from_where_the_face_is() -> None:
    fader = ExpressionFader()
    fader.set("angry", 5.0)
    before = fader.pose_at(5.1)

    fader.set("happy", 5.1)

    np.testing.assert_allclose(before, fader.pose_at(5.1), atol=1e-6)
    np.testing.assert_allclose(expression_poses({})["happy"], fader.pose_at(6.0), atol=1e-6)


def test_setting_the_same_expression_again_does_not_restart_the_fade() -> None:
    fader = ExpressionFader()
    fader.set("angry", 5.0)
    fader.set("angry", 5.1)

    np.testing.assert_allclose(expression_poses({})["angry"], fader.pose_at(5.25), atol=1e-6)


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
