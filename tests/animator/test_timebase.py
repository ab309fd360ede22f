"""What is heard when, and which frames are due."""

import pytest

from animator.messages import PlayoutAnchor, SpeechTime
from animator.timebase import LEAD_S, TAIL_S, FrameClock, Playout

SECOND = 1_000_000_000
RATE = 22_050


def playing(*anchors: PlayoutAnchor, clips: dict[tuple[int, int], float]) -> Playout:
    playout = Playout()
    for (turn, index), duration_s in clips.items():
        playout.add_clip(turn, index, duration_s)
    for anchor in anchors:
        playout.anchor(anchor)
    return playout


def test_before_any_anchor_nothing_is_heard():
    assert playing(clips={(1, 0): 2.0}).speech_time(SECOND) is None


def test_speech_time_runs_on_from_the_newest_anchor_of_a_clip():
    playout = playing(
        PlayoutAnchor(1, 0, 0, RATE, 10 * SECOND),
        PlayoutAnchor(1, 0, RATE, RATE, 11 * SECOND + 5_000_000),  # the device runs 5 ms late
        clips={(1, 0): 3.0},
    )

    assert SpeechTime(1, 0, pytest.approx(1.495)) == playout.speech_time(11 * SECOND + 500_000_000)


def test_lips_may_move_before_the_first_sample_and_after_the_last():
    playout = playing(PlayoutAnchor(1, 0, 0, RATE, 10 * SECOND), clips={(1, 0): 1.0})

    lead = playout.speech_time(10 * SECOND - int(0.9 * LEAD_S * SECOND))
    tail = playout.speech_time(11 * SECOND + int(0.9 * TAIL_S * SECOND))

    assert lead is not None
    assert lead.time_s == pytest.approx(-0.9 * LEAD_S)
    assert tail is not None
    assert playout.speech_time(11 * SECOND + int(1.1 * TAIL_S * SECOND)) is None


def test_the_clip_that_sounds_wins_over_the_tail_of_the_one_before():
    playout = playing(
        PlayoutAnchor(1, 0, 0, RATE, 10 * SECOND),
        PlayoutAnchor(1, 1, 0, RATE, 11 * SECOND),
        clips={(1, 0): 1.0, (1, 1): 1.0},
    )

    assert SpeechTime(1, 1, pytest.approx(0.1)) == playout.speech_time(11 * SECOND + 100_000_000)


def test_clearing_forgets_older_turns_and_keeps_the_new_one():
    playout = playing(
        PlayoutAnchor(1, 0, 0, RATE, 10 * SECOND),
        PlayoutAnchor(2, 0, 0, RATE, 10 * SECOND),
        clips={(1, 0): 1.0, (2, 0): 1.0},
    )

    playout.clear(before_turn=2)

    assert SpeechTime(2, 0, pytest.approx(0.5)) == playout.speech_time(10 * SECOND + 500_000_000)


def test_deadlines_are_absolute_and_do_not_drift():
    clock = FrameClock(start_ns=0, fps=30)

    due = [clock.next_due_ns(now_ns=0) for _ in range(3000)]

    assert due[-1] == 100 * SECOND
    assert clock.missed == 0


def test_late_frames_are_skipped_and_counted_never_made_up():
    clock = FrameClock(start_ns=0, fps=30)
    clock.next_due_ns(now_ns=0)

    due_ns = clock.next_due_ns(now_ns=SECOND)

    assert due_ns == SECOND
    assert clock.missed == 28  # frames 2 to 29 of the first second


def test_an_fps_of_zero_is_refused():
    with pytest.raises(ValueError, match="positive"):
        FrameClock(0, 0)
