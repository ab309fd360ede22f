"""The animator process's loops, with an engine that draws flat colours and a clock that jumps."""

import threading
from pathlib import Path

import numpy as np
import pytest

from animator.border import anchor_message, clip_message
from animator.frames import FrameSlots
from animator.messages import PlayoutAnchor, SpeechClip
from animator.protocol import Capabilities
from animator.worker import Worker

FRAME_NS = 1_000_000_000 // 30


class JumpingClock:
    """Time passes only by sleeping, and by what drawing costs."""

    def __init__(self):
        self.ns = 0

    def now_ns(self):
        return self.ns

    def sleep_until(self, host_ns):
        self.ns = max(self.ns, host_ns)


class FlatEngine:
    """Draws red while silent, green while speaking; may be slow or broken."""

    capabilities = Capabilities(8, 8, "live")
    clamped = 0

    def __init__(self, clock):
        self.clock = clock
        self.cost_ns = 5_000_000
        self.broken = False
        self.drawn = []
        self.told = []
        self.stop_after = 60
        self.worker = None

    def load(self, character, progress):
        if character.name == "bad":
            raise ValueError("The picture has no alpha.")

    def cancel_load(self):
        pass

    def push(self, clip):
        pass

    def clear(self, before_turn):
        pass

    def express(self, name, host_ns):
        if name != "happy":
            raise ValueError(f"no expression {name}")

    def feel(self, name, intensity, host_ns):
        self.told.append(("feel", name, intensity, host_ns))

    def gesture(self, name, host_ns):
        if name != "nod":
            raise ValueError(f"no gesture {name}")
        self.told.append(("gesture", name, host_ns))

    def think(self, turn, on, host_ns):
        self.told.append(("think", turn, on, host_ns))

    def render(self, speech, host_ns):
        self.drawn.append((speech, host_ns))
        self.clock.ns += self.cost_ns
        if len(self.drawn) >= self.stop_after:
            self.worker.stop()
        if self.broken:
            raise RuntimeError("lost the device")
        return np.full((8, 8, 4), 2 if speech else 1, np.uint8)


@pytest.fixture
def show(tmp_path):
    clock = JumpingClock()
    engine = FlatEngine(clock)
    told = []
    frames = FrameSlots.create(tmp_path / "frames", 8, 8)
    worker = engine.worker = Worker(engine, frames, clock, told.append, 30)
    return worker, engine, clock, frames, told


def speak(worker, turn=1, start_ns=0, seconds=1.0):
    clip = SpeechClip(turn, 0, np.zeros(int(16_000 * seconds), np.float32), 16_000, "", None, True)
    worker.take(*clip_message(clip))
    worker.take(anchor_message(PlayoutAnchor(turn, 0, 0, 16_000, start_ns)), b"")


def test_every_frame_is_drawn_for_its_own_deadline(show):
    worker, engine, *_ = show

    worker.free_loop()

    assert [FRAME_NS] * 59 == pytest.approx(np.diff([ns for _, ns in engine.drawn]), abs=1)


def test_a_slow_engine_skips_frames_and_says_how_many(show):
    worker, engine, _, _, told = show
    engine.cost_ns = 50_000_000

    worker.free_loop()

    reports = [fact for fact in told if fact["event"] == "frames"]
    assert reports
    assert all(fact["missed"] > 5 for fact in reports)


def test_a_fast_engine_misses_nothing(show):
    worker, _, _, _, told = show

    worker.free_loop()

    assert [fact["missed"] for fact in told if fact["event"] == "frames"] == [0]


def test_the_first_frame_that_speaks_is_told_once_per_turn(show):
    worker, _, _, _, told = show
    speak(worker, turn=7, start_ns=500_000_000)

    worker.free_loop()

    assert [7] == [fact["turn"] for fact in told if fact["event"] == "speaking_frame"]


def test_after_clear_nothing_older_is_spoken(show):
    worker, engine, *_ = show
    speak(worker, turn=1)
    worker.take({"type": "clear", "before_turn": 2}, b"")

    worker.free_loop()

    assert {None} == {speech for speech, _ in engine.drawn}


def test_a_frame_that_fails_leaves_the_last_one_and_is_reported(show):
    worker, engine, _, frames, told = show
    worker.draw(None, 0)
    engine.broken = True
    worker.draw(None, FRAME_NS)

    assert frames.read()[0] == 1
    assert "lost the device" in told[-1]["problem"]


def test_a_character_that_cannot_be_used_is_reported_and_the_show_goes_on(show):
    worker, _, _, _, told = show
    worker.take({"type": "load", "character": str(Path("some") / "bad")}, b"")
    worker.take({"type": "load", "character": str(Path("some") / "good")}, b"")
    worker._loads.put(None)

    worker.load_loop()

    assert ["problem", "character"] == [fact["event"] for fact in told]
    assert told[0]["problem"] == "The picture has no alpha."


def test_emotions_gestures_and_thoughts_reach_the_engine_at_the_hosts_time(show):
    worker, engine, clock, _, told = show
    clock.ns = 7_000

    worker.take({"type": "feel", "name": "joy", "intensity": 0.5}, b"")
    worker.take({"type": "gesture", "name": "nod"}, b"")
    worker.take({"type": "think", "turn": 3, "on": True}, b"")

    assert [("feel", "joy", 0.5, 7_000), ("gesture", "nod", 7_000), ("think", 3, True, 7_000)] == engine.told
    assert [
        {"event": "emotion", "name": "joy", "intensity": 0.5},
        {"event": "gesture", "name": "nod"},
    ] == told


def test_in_a_film_what_is_told_belongs_to_the_films_own_time(show):
    worker, engine, clock, *_ = show
    engine.stop_after = 1
    clock.ns = 7_000_000_000_000

    worker.take({"type": "step", "id": 1, "speech": None, "host_ns": 500_000_000}, b"")
    worker.stepped_loop()
    worker.take({"type": "gesture", "name": "nod"}, b"")

    assert [("gesture", "nod", 500_000_000)] == engine.told


def test_an_unknown_gesture_is_reported(show):
    worker, *_, told = show

    worker.take({"type": "gesture", "name": "nodd"}, b"")

    assert "no gesture nodd" in told[0]["problem"]
    assert "gestures" in told[0]["remedy"]


def test_an_unknown_expression_is_reported(show):
    worker, _, _, _, told = show

    worker.take({"type": "express", "name": "hapy"}, b"")
    worker.take({"type": "express", "name": "happy"}, b"")

    assert ["problem", "expression"] == [fact["event"] for fact in told]


def test_stepped_frames_are_drawn_exactly_as_asked(show):
    worker, engine, _, frames, told = show
    worker.take({"type": "step", "id": 1, "speech": None, "host_ns": 0}, b"")
    worker.take({"type": "step", "id": 2, "speech": [3, 0, 0.25], "host_ns": 77}, b"")
    worker._steps.put({})

    worker.stepped_loop()

    assert [1, 2] == [fact["id"] for fact in told if fact["event"] == "stepped"]
    assert engine.drawn[1][0].time_s == 0.25
    assert (2, 77, 3) == frames.read()[:3]


def test_a_face_that_is_not_the_wanted_one_says_why(show):
    worker, engine, _, _, told = show
    engine.capabilities = Capabilities(8, 8, "live", "The graphics card has no memory left.", "Close something.")
    worker.take({"type": "load", "character": "good"}, b"")
    worker._loads.put(None)

    worker.load_loop()

    said = [fact for fact in told if fact["event"] == "character"]
    assert [("live", "The graphics card has no memory left.")] == [(fact["tier"], fact["problem"]) for fact in said]


def test_bad_pose_values_are_told_with_the_frames(show):
    worker, engine, _, _, told = show
    engine.clamped = 3

    worker.free_loop()

    assert [3] == [fact["clamped"] for fact in told if fact["event"] == "frames"]


def test_lips_that_take_long_hold_up_no_message(tmp_path):
    """A voice that states no phones costs a tenth of its length; the pipe would fill and the loudspeaker wait."""
    clock, told = JumpingClock(), []
    engine = FlatEngine(clock)
    began, go_on = threading.Event(), threading.Event()

    def slow_push(clip):
        began.set()
        assert go_on.wait(10)

    engine.push = slow_push
    frames = FrameSlots.create(tmp_path / "frames", 8, 8)
    worker = engine.worker = Worker(engine, frames, clock, told.append, 30, lips_aside=True)
    lips = threading.Thread(target=worker.lips_loop)
    lips.start()

    speak(worker, turn=1)
    assert began.wait(10)
    speak(worker, turn=1)
    worker.take({"type": "gesture", "name": "nod"}, b"")
    assert ("gesture", "nod") == engine.told[-1][:2]
    worker.take({"type": "clear", "before_turn": 2}, b"")
    go_on.set()
    worker.stop()
    lips.join(10)

    assert not lips.is_alive()
    assert [fact["turn"] for fact in told if fact["event"] == "pushed"] == [1]
    frames.unlink()
