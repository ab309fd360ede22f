"""The animator process's loops, with an engine that draws flat colours and a clock that jumps."""

import gc
import queue
import threading
import weakref
from pathlib import Path

import numpy as np
import pytest

from animator.border import anchor_message, clip_message
from animator.frames import FrameSlots
from animator.messages import PlayoutAnchor, SpeechClip
from animator.protocol import Capabilities, Lips
from animator.worker import HELD_BACK, Worker
from app.stages.camera import AFTER
from tests.fakes import TIMEOUT_S

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
        self.lips = Lips("durations")
        self.told = []
        self.stop_after = 60
        self.worker = None

    def load(self, character, progress):
        if character.name == "bad":
            raise ValueError("The picture has no alpha.")

    def cancel_load(self):
        pass

    def push(self, clip):
        return self.lips

    def clear(self, before_turn):
        pass

    def express(self, name, host_ns):
        if name != "happy":
            raise ValueError(f"no expression {name}")

    def feel(self, name, intensity, host_ns):
        self.told.append(("feel", name, intensity, host_ns))

    def follow(self, speech, host_ns):
        pass

    def close(self):
        pass

    def gesture(self, name, host_ns):
        if name != "nod":
            raise ValueError(f"no gesture {name}")
        self.told.append(("gesture", name, host_ns))

    def preview(self, values, host_ns):
        if values and "nose" in values:
            raise ValueError("no THA3 parameter is called 'nose'")
        self.told.append(("preview", values, host_ns))

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


def speak(worker, turn=1, start_ns=0, seconds=1.0, **more):
    samples = np.zeros(int(16_000 * seconds), np.float32)
    clip = SpeechClip(turn, 0, samples, 16_000, more.pop("text", ""), None, True, **more)
    worker.take(*clip_message(clip))
    for k in range(int(seconds * 10)):
        worker.take(anchor_message(PlayoutAnchor(turn, 0, k * 1600, 16_000, start_ns + k * 100_000_000)), b"")


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


@pytest.mark.parametrize("cost_ns", [1_000_000, 9_000_000, 20_000_000])
def test_a_frame_is_there_well_after_the_deadline_before_its_own_and_by_its_own(show, monkeypatch, cost_ns):
    """Pictures are sent a little after a deadline: however quick the face, they find the frame of that deadline."""
    worker, engine, clock, frames, _ = show
    engine.cost_ns = cost_ns
    left_ns = []
    monkeypatch.setattr(frames, "write", lambda pixels, seq, due_ns, turn: left_ns.append(due_ns - clock.ns))

    worker.free_loop()

    assert 0 <= min(left_ns)
    assert max(left_ns) <= (1 - HELD_BACK) * FRAME_NS + 1
    assert HELD_BACK > AFTER + 0.1


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
    assert "live" == told[-1]["tier"], "and who draws from now on"


def test_a_character_that_cannot_be_used_is_reported_and_the_show_goes_on(show):
    worker, _, _, _, told = show
    worker.take({"type": "load", "character": str(Path("some") / "bad")}, b"")
    worker.take({"type": "load", "character": str(Path("some") / "good")}, b"")
    worker._loads.put(None)

    worker.load_loop()

    assert ["problem", "character"] == [fact["event"] for fact in told]
    assert told[0]["problem"] == "The picture has no alpha."


def test_the_character_before_is_let_go_of_once_another_is_drawn(tmp_path):
    """Even where its objects hold each other, which Python finds rarely by itself."""

    class Art:
        def __init__(self):
            self.itself = self

    class KeepingEngine(FlatEngine):
        def load(self, character, progress):
            self.art = Art()

    clock = JumpingClock()
    engine = KeepingEngine(clock)
    frames = FrameSlots.create(tmp_path / "frames", 8, 8)
    said = queue.SimpleQueue()
    worker = engine.worker = Worker(engine, frames, clock, said.put, 30, lips_aside=True)
    loader = threading.Thread(target=worker.load_loop)
    engine.art = Art()
    before = weakref.ref(engine.art)
    gc.disable()
    try:
        worker.take({"type": "load", "character": "next"}, b"")
        loader.start()
        assert said.get(timeout=TIMEOUT_S)["event"] == "character"
        worker.draw(None, 0)
        worker.draw(None, 1)
        worker._loads.put(None)
        loader.join(TIMEOUT_S)
    finally:
        gc.enable()

    assert before() is None


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
        return engine.lips

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


def test_what_the_lips_of_a_clip_are_made_from_is_told_without_its_words(show):
    worker, engine, clock, _, told = show

    def push(clip):
        clock.ns += 12_000_000
        return Lips("decoded", "own", "the text does not match the sound")

    engine.push = push
    speak(worker, turn=4, text="A secret.", spoken="A secret.")

    assert {
        "event": "pushed",
        "turn": 4,
        "index": 0,
        "method": "decoded",
        "model": "own",
        "reason": "the text does not match the sound",
        "lips_ms": 12.0,
    } == told[0]
    assert "secret" not in str(told)


def test_of_a_clip_that_came_too_late_nothing_is_told(show):
    worker, engine, _, _, told = show
    engine.lips = None

    speak(worker)

    assert told == []


@pytest.mark.parametrize("offset_ms", [-200, -40, 0, 40, 200])
def test_the_mouth_is_shown_as_much_later_as_the_user_wants(tmp_path, offset_ms):
    clock, told = JumpingClock(), []
    engine = FlatEngine(clock)
    frames = FrameSlots.create(tmp_path / "frames", 8, 8)
    worker = engine.worker = Worker(engine, frames, clock, told.append, 30, mouth_offset_ms=offset_ms)
    speak(worker, start_ns=500_000_000)

    worker.free_loop()

    later_s = [(host_ns - 500_000_000) / 1e9 - speech.time_s for speech, host_ns in engine.drawn if speech is not None]
    assert [offset_ms / 1000] * len(later_s) == pytest.approx(later_s)
    assert len(later_s) > 10
    frames.unlink()


def test_a_new_offset_counts_from_the_next_frame_on(show):
    worker, engine, *_ = show
    speak(worker, start_ns=0)
    render = engine.render

    def then_move(speech, host_ns):
        if len(engine.drawn) == 10:
            worker.take({"type": "mouth_offset", "ms": 120}, b"")
        return render(speech, host_ns)

    engine.render = then_move
    worker.free_loop()

    later_ms = [round(host_ns / 1e6 - speech.time_s * 1e3) for speech, host_ns in engine.drawn if speech is not None]
    assert later_ms[:11] == [0] * 11
    assert set(later_ms[11:]) == {120}


@pytest.mark.parametrize("ms", [201, -5000, None, "later"])
def test_an_offset_that_nobody_can_want_is_refused(show, ms):
    worker, engine, *_ = show
    engine.stop_after = 5
    speak(worker, start_ns=0)

    with pytest.raises((ValueError, TypeError)):
        worker.take({"type": "mouth_offset", "ms": ms}, b"")

    worker.free_loop()
    assert {0} == {round(host_ns / 1e6 - speech.time_s * 1e3) for speech, host_ns in engine.drawn}


@pytest.mark.parametrize("offset_ms", [0, 100])
def test_the_picture_flashes_when_a_click_is_heard_within_half_a_frame(tmp_path, offset_ms):
    clock, shown = JumpingClock(), []
    engine = FlatEngine(clock)

    class Kept:
        def write(self, pixels, seq, host_ns, turn):
            shown.append((host_ns, int(pixels[0, 0, 0])))

    worker = engine.worker = Worker(engine, Kept(), clock, lambda fact: None, 30, mouth_offset_ms=offset_ms)
    engine.stop_after = 90
    speak(worker, start_ns=400_000_000, seconds=3.0, flashes_s=(0.5, 1.71))

    worker.free_loop()

    lit = [host_ns / 1e9 for host_ns, colour in shown if colour == 255]
    assert len(lit) == 6
    for first_s, click_s in ((lit[0], 0.9), (lit[3], 2.11)):
        assert first_s == pytest.approx(click_s + offset_ms / 1000, abs=0.5 / 30 + 1e-6)
    assert lit[2] - lit[0] == pytest.approx(2 / 30, abs=1e-6)


def test_where_the_sound_hangs_nothing_is_spoken_until_it_goes_on(show):
    worker, engine, *_ = show
    engine.stop_after = 90
    speak(worker, start_ns=0, seconds=1.0)
    long = SpeechClip(1, 0, np.zeros(16_000 * 5, np.float32), 16_000, "", None, True)
    worker.take(*clip_message(long))  # the same clip, which in truth lasts longer than its anchors

    worker.free_loop()

    spoken_ns = [host_ns for speech, host_ns in engine.drawn if speech is not None]
    assert 1_450_000_000 < max(spoken_ns) < 1_550_000_000


def test_a_test_that_was_stopped_flashes_no_more(show):
    worker, engine, _, frames, _ = show
    engine.stop_after = 10
    speak(worker, turn=1, start_ns=0, flashes_s=(0.3,))
    worker.take({"type": "clear", "before_turn": 2}, b"")

    worker.free_loop()

    assert frames.read()[3].max() == 1
    assert worker._flashes == {}


def test_a_preview_reaches_the_engine_and_one_of_unknown_names_is_reported(show):
    worker, engine, clock, _, told = show
    clock.ns = 7_000

    worker.take({"type": "preview", "values": {"eye_wink": 1}}, b"")
    worker.take({"type": "preview", "values": None}, b"")
    worker.take({"type": "preview", "values": {"nose": 1}}, b"")

    assert [("preview", {"eye_wink": 1.0}, 7_000), ("preview", None, 7_000)] == engine.told
    assert ["no THA3 parameter is called 'nose'"] == [fact["problem"] for fact in told]
