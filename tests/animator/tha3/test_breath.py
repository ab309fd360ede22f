from __future__ import annotations

import numpy as np
import pytest

from animator.messages import Phone
from animator.tha3.breath import LOW, PAUSE_S, SpokenBreath, rest_breath


def test_calm_breath_swings_between_0_and_1_in_four_seconds_from_where_it_was_breathed_out() -> None:
    assert [rest_breath(t) for t in (0, 1, 2, 3, 4)] == pytest.approx([0.0, 0.5, 1.0, 0.5, 0.0], abs=1e-9)
    assert rest_breath(13.7, 13.7) == pytest.approx(0.0, abs=1e-9)


def test_the_chest_is_full_at_the_first_sound_and_sinks_while_words_sound() -> None:
    breath = SpokenBreath([Phone("", 0.0, 0.1), Phone("ɑː", 0.1, 1.5), Phone("n", 1.5, 2.1)], 2.3)
    levels = np.array([breath.at(float(t)) for t in np.arange(0.1, 2.1, 0.01)])

    assert breath.at(-0.2) == breath.at(0.1) == 1.0
    assert (np.diff(levels) <= 1e-9).all()
    assert levels[-1] == pytest.approx(0.6, abs=0.01)


def test_air_is_taken_in_a_pause_but_not_between_two_words() -> None:
    words = [Phone("ɑ", 0.0, 1.5), Phone("ɑ", 1.5 + PAUSE_S - 0.05, 3.0), Phone("", 3.0, 3.6), Phone("ɑ", 3.6, 4.5)]
    breath = SpokenBreath(words, 4.6)

    assert breath.at(1.8) < breath.at(1.4)
    assert breath.at(3.6) > breath.at(3.0) + 0.3


def test_a_long_speech_does_not_sink_below_what_is_left() -> None:
    assert SpokenBreath([Phone("ɑ", 0.0, 60.0)], 60.0).at(60.0) == pytest.approx(LOW)


def test_a_clip_without_sounds_is_one_breath() -> None:
    breath = SpokenBreath([], 2.0)

    assert breath.at(0.0) == 1.0
    assert breath.at(2.0) == pytest.approx(0.6)
    assert np.isfinite(SpokenBreath([], 0.0).at(0.0))


def test_breath_has_no_kink() -> None:
    breath = SpokenBreath([Phone("ɑ", 0.1, 1.0), Phone("ɑ", 1.5, 2.5)], 2.6)
    speed = np.diff([breath.at(float(t)) for t in np.arange(0.0, 2.6, 0.002)]) / 0.002

    assert np.abs(np.diff(speed)).max() < 0.1
