"""What was waited for between the last word and the first sound."""

import pytest

from app.messages import Fact
from app.policy.turn_times import TurnClock

MS = 1_000_000


def follow(*facts):
    clock = TurnClock()
    told = [clock.take(Fact(at_ms * MS, stage, event, data)) for at_ms, stage, event, data in facts]
    return [times for times in told if times is not None]


def test_each_step_is_waited_for_after_the_one_before():
    times = follow(
        (1640, "vad", "speech_ended", {"turn": 1, "ended_ns": 1000 * MS}),
        (1900, "llm", "first_token", {"turn": 1}),
        (2200, "tts", "clip", {"turn": 1, "index": 0}),
        (2250, "playback", "clip_started", {"turn": 1, "index": 0}),
    )[0]

    assert times.waits_ms() == (640.0, 260.0, 300.0, 50.0)
    assert times.total_ms == 1250.0


def test_what_was_prepared_before_the_decision_kept_nobody_waiting():
    times = follow(
        (1400, "llm", "first_token", {"turn": 1}),
        (1640, "vad", "speech_ended", {"turn": 1, "ended_ns": 1000 * MS}),
        (1700, "tts", "clip", {"turn": 1, "index": 0}),
        (1720, "playback", "clip_started", {"turn": 1, "index": 0}),
    )[0]

    assert times.waits_ms() == (640.0, 0.0, 60.0, 20.0)
    assert times.after_ms(times.token_ns) == 400.0


def test_a_typed_question_is_timed_from_when_it_was_sent():
    times = follow(
        (500, "stt", "transcript", {"turn": 1, "typed": True}),
        (900, "llm", "first_token", {"turn": 1}),
        (1000, "playback", "clip_started", {"turn": 1, "index": 0}),
    )[0]

    assert times.typed
    assert times.waits_ms() == (0.0, 400.0, 0.0, 100.0)


def test_a_greeting_which_nobody_asked_for_has_no_times():
    assert follow((1000, "playback", "clip_started", {"turn": 1, "index": 0})) == []


def test_only_the_first_sound_of_an_answer_is_timed():
    sounds = [(2000 + k, "playback", "clip_started", {"turn": 1, "index": k}) for k in range(3)]

    assert len(follow((1000, "stt", "transcript", {"turn": 1, "typed": True}), *sounds)) == 1


def test_a_turn_that_the_user_went_on_with_leaves_no_times():
    times = follow(
        (1640, "vad", "speech_ended", {"turn": 1, "ended_ns": 1000 * MS}),
        (1800, "vad", "speech_resumed", {"turn": 2, "continues": 1}),
        (1900, "playback", "clip_started", {"turn": 1, "index": 0}),
        (3640, "vad", "speech_ended", {"turn": 2, "ended_ns": 3000 * MS}),
        (3700, "playback", "clip_started", {"turn": 2, "index": 0}),
    )

    assert [(each.turn, each.total_ms) for each in times] == [(2, 700.0)]


def test_turns_that_never_sound_are_not_kept_for_ever():
    clock = TurnClock()
    for turn in range(1000):
        clock.take(Fact(turn, "stt", "transcript", {"turn": turn, "typed": True}))

    assert len(clock._turns) <= 16


def test_a_fact_without_its_values_is_refused():
    with pytest.raises(KeyError):
        follow((1, "vad", "speech_ended", {"turn": 1}))
