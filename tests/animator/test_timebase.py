"""What is heard when, and which frames are due."""

import numpy as np
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
        PlayoutAnchor(1, 0, RATE, RATE, 11 * SECOND + 50_000_000),  # the device ran dry for 50 ms
        clips={(1, 0): 3.0},
    )

    assert SpeechTime(1, 0, pytest.approx(1.45)) == playout.speech_time(11 * SECOND + 500_000_000)


def anchors(seconds, *, rate=RATE, drift=0.0, jitter_ms=0.0):
    """Ten a second, by a device whose clock runs `drift` fast, from a driver that is up to `jitter_ms` wrong."""
    chance = np.random.default_rng(1)
    for k in range(int(seconds * 10)):
        heard_ns = 10 * SECOND + k * SECOND // 10
        sample = round(k / 10 * (1.0 + drift) * rate)
        yield PlayoutAnchor(1, 0, sample, rate, heard_ns + round(chance.uniform(-1, 1) * jitter_ms * 1e6))


@pytest.mark.parametrize("drift", [-0.01, -0.0002, 0.0, 0.0002, 0.01])
def test_a_device_whose_clock_drifts_is_followed(drift):
    """Sound cards are wrong by up to 0.02 %, which is 12 ms a minute; 1 % is a broken one."""
    playout = playing(clips={(1, 0): 130.0})
    worst_s = 0.0
    for anchor in anchors(120.0, drift=drift):
        playout.anchor(anchor)
        for later_ns in (0, 50_000_000, 99_000_000):
            host_ns = anchor.host_ns + later_ns
            heard_s = (host_ns - 10 * SECOND) / 1e9 * (1.0 + drift)
            worst_s = max(worst_s, abs(playout.speech_time(host_ns).time_s - heard_s))

    assert worst_s < (0.001 if abs(drift) < 0.001 else 0.005)


def test_what_a_driver_says_may_jitter_and_the_lips_do_not_tremble():
    playout = playing(clips={(1, 0): 70.0})
    wrong_s = []
    for anchor in anchors(60.0, jitter_ms=8.0):
        playout.anchor(anchor)
        wrong_s.append(playout.speech_time(70 * SECOND).time_s - 60.0)

    assert np.std(wrong_s) < 0.5 * 0.008 / np.sqrt(3)
    assert np.abs(np.diff(wrong_s)).max() < 0.006
    assert np.abs(wrong_s[10:]).max() < 0.008


def test_a_clip_whose_anchors_stop_is_not_spoken_on_in_silence():
    """A device that hangs or was unplugged: the mouth shuts, and goes on when the sound does."""
    playout = Playout(stale_s=0.6)
    playout.add_clip(1, 0, 5.0)
    for anchor in anchors(1.0):
        playout.anchor(anchor)

    last_ns = 10 * SECOND + 9 * SECOND // 10
    assert playout.speech_time(last_ns + 590_000_000) is not None
    assert playout.speech_time(last_ns + 610_000_000) is None
    playout.anchor(PlayoutAnchor(1, 0, RATE, RATE, last_ns + 2 * SECOND))
    assert SpeechTime(1, 0, pytest.approx(1.1)) == playout.speech_time(last_ns + 2 * SECOND + 100_000_000)


def test_a_clip_that_was_heard_to_its_end_keeps_its_tail_without_anchors():
    playout = Playout(stale_s=0.6)
    playout.add_clip(1, 0, 1.0)
    for anchor in anchors(0.7):
        playout.anchor(anchor)

    assert playout.speech_time(11 * SECOND + int(0.9 * TAIL_S * SECOND)) is not None


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


@pytest.mark.parametrize("off_ms", [-16.0, -0.4, 0.0, 7.3, 16.0])
def test_a_frame_clock_that_follows_another_stands_where_it_stands_and_no_step_is_seen(off_ms: float) -> None:
    face, camera = FrameClock(0, 30), FrameClock(round(off_ms * 1e6), 30)
    before_ns = camera.next_due_ns(0)
    steps_ms = []
    for _ in range(40):
        camera.follow(face.next_due_ns(0))
        due_ns = camera.next_due_ns(0)
        steps_ms.append((due_ns - before_ns) / 1e6)
        before_ns = due_ns

    assert max(abs(step - 1000 / 30) for step in steps_ms) <= 1.0001
    assert abs((before_ns - face.next_due_ns(0) + 1e9 / 60) % (1e9 / 30) - 1e9 / 60) < 10


def test_a_clock_that_is_followed_for_eight_hours_moves_nothing_by_rounding() -> None:
    face, camera = FrameClock(0, 30), FrameClock(0, 30)
    hours_ns = 8 * 3600 * 1_000_000_000
    camera.follow(face.next_due_ns(hours_ns))

    assert abs(camera.next_due_ns(hours_ns) - hours_ns) < 40_000_000
    assert abs((camera.next_due_ns(hours_ns) + 1e9 / 60) % (1e9 / 30) - 1e9 / 60) < 10


def test_an_fps_of_zero_is_refused():
    with pytest.raises(ValueError, match="positive"):
        FrameClock(0, 0)
