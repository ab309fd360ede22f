from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from animator.messages import PlayoutAnchor, SpeechClip
from app.backends.speaker_null import NullSpeaker
from app.sound_tap import SoundTap
from tests.fakes import TIMEOUT_S, FakeClock


class Listener:
    def __init__(self) -> None:
        self.anchors: list[PlayoutAnchor] = []
        self.played: list[tuple[int, int]] = []
        self._changed = threading.Condition()

    def on_anchor(self, anchor: PlayoutAnchor) -> None:
        with self._changed:
            self.anchors.append(anchor)
            self._changed.notify_all()

    def on_played(self, turn: int, index: int) -> None:
        with self._changed:
            self.played.append((turn, index))
            self._changed.notify_all()

    def wait(self, anchors: int = 0, played: int = 0) -> None:
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self.anchors) >= anchors and len(self.played) >= played, TIMEOUT_S
            ), (self.anchors, self.played)


def clip(index: int, seconds: float, turn: int = 1) -> SpeechClip:
    return SpeechClip(turn, index, np.zeros(round(seconds * 1000), np.float32), 1000, "", None, False)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def make(clock: FakeClock, listener: Listener) -> Iterator[NullSpeaker]:
    speaker = NullSpeaker(clock)
    speaker.open(listener.on_anchor, listener.on_played)
    yield speaker
    speaker.close()


@pytest.fixture
def quick(listener: Listener) -> Iterator[NullSpeaker]:
    """On a clock that jumps: everything is over at once, at the right times."""
    yield from make(FakeClock(jumps=True), listener)


def test_clips_follow_each_other_without_a_gap(quick: NullSpeaker, listener: Listener) -> None:
    for index, seconds in enumerate((0.5, 0.25, 1.0)):
        quick.play(clip(index, seconds))
    listener.wait(played=3)

    starts = [anchor.host_ns for anchor in listener.anchors if anchor.sample == 0]
    assert np.diff(starts).tolist() == [500_000_000, 250_000_000]
    assert listener.played == [(1, 0), (1, 1), (1, 2)]


def test_anchors_come_at_the_start_and_ten_times_a_second(quick: NullSpeaker, listener: Listener) -> None:
    quick.play(clip(0, 1.0))
    listener.wait(played=1)

    assert [anchor.sample for anchor in listener.anchors] == [0, 100, 200, 300, 400, 500, 600, 700, 800, 900]
    for anchor in listener.anchors:
        assert anchor.host_ns - listener.anchors[0].host_ns == anchor.sample * 1_000_000


def test_a_clip_lasts_as_long_as_its_sound(listener: Listener) -> None:
    clock = FakeClock()
    speaker = NullSpeaker(clock)
    speaker.open(listener.on_anchor, listener.on_played)
    speaker.play(clip(0, 0.04))
    listener.wait(anchors=1)

    clock.advance(0.02)
    assert speaker.queued_s() == pytest.approx(0.02)
    assert listener.played == []
    clock.advance(0.02)
    listener.wait(played=1)

    assert speaker.queued_s() == 0.0
    clock.advance(1.0)
    speaker.close()


def test_cleared_clips_are_not_reported_as_played(listener: Listener) -> None:
    clock = FakeClock()
    speaker = NullSpeaker(clock)
    speaker.open(listener.on_anchor, listener.on_played)
    speaker.play(clip(0, 5.0))
    speaker.play(clip(1, 5.0))
    listener.wait(anchors=1)

    speaker.clear()
    assert speaker.queued_s() == 0.0
    speaker.play(clip(0, 0.02, turn=2))
    clock.advance(0.02)
    listener.wait(anchors=2)
    clock.advance(0.02)
    listener.wait(played=1)

    assert listener.played == [(2, 0)]
    assert listener.anchors[-1].host_ns <= clock.now_ns()
    clock.advance(1.0)
    speaker.close()


def test_close_ends_the_thread_in_the_middle_of_a_clip(listener: Listener) -> None:
    speaker = NullSpeaker(FakeClock(jumps=True))
    speaker.open(listener.on_anchor, listener.on_played)
    speaker.play(clip(0, 100_000.0))
    listener.wait(anchors=1)

    speaker.close()
    speaker.close()

    assert "speaker-null" not in [thread.name for thread in threading.enumerate()]


def test_a_recorder_gets_each_sample_once_at_the_time_at_which_it_would_be_heard() -> None:
    clock, tap = FakeClock(jumps=True), SoundTap()
    speaker, listener = NullSpeaker(clock, tap), Listener()
    tap.on = True
    speaker.open(listener.on_anchor, listener.on_played)
    sound = np.linspace(0.0, 1.0, 1234, dtype=np.float32)
    speaker.play(SpeechClip(1, 0, sound, 1000, "", None, False))
    listener.wait(played=1)
    speaker.close()

    blocks = tap.take()
    start_ns = listener.anchors[0].host_ns
    assert np.array_equal(sound, np.concatenate([block.samples for block in blocks]))
    heard_s = [(block.heard_ns - start_ns) / 1e9 for block in blocks]
    assert heard_s == pytest.approx([0.1 * k for k in range(len(blocks))], abs=0.001)
