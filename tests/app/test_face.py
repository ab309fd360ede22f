"""One face follows another without a gap: the last picture stays, and a face that cannot be is never shown."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.bus import Bus
from app.errors import AppError
from app.face import Face, HeldFacts
from app.messages import Frame
from tests.fakes import TIMEOUT_S, Facts, FakeAvatar, FakeClock


class LoadingFace(FakeAvatar):
    """A face that is ready when the test says so, or fails."""

    def __init__(self, shade: int) -> None:
        super().__init__()
        self.shade = shade
        self.frame: Frame | None = None
        self.ready = threading.Event()
        self.problem: AppError | None = None

    def draw(self, seq: int) -> None:
        self.frame = Frame(seq, np.full((2, 2, 4), self.shade, np.uint8), seq)

    def latest(self) -> Frame | None:
        return self.frame

    def wait_loaded(self, timeout_s: float) -> None:
        assert self.ready.wait(TIMEOUT_S)
        if self.problem is not None:
            raise self.problem


def test_the_old_face_is_shown_until_the_new_one_is_there_and_frames_go_on_counting() -> None:
    old, new = LoadingFace(1), LoadingFace(2)
    face = Face(old)
    old.draw(7)
    seqs = [face.latest().seq]
    thread = threading.Thread(target=face.bring_in, args=(new, 1.0))

    thread.start()
    old.draw(8)
    seqs.append(face.latest().seq)
    new.ready.set()
    thread.join(TIMEOUT_S)

    last = face.latest()
    assert 1 == last.pixels[0, 0, 0]  # the last picture stays until the new face has one
    new.draw(1)
    seqs.append(face.latest().seq)
    assert [1, 2, 3] == seqs
    assert 2 == face.latest().pixels[0, 0, 0]
    assert ("close", None) in old.calls
    assert ("close", None) not in new.calls


def test_a_face_that_cannot_be_is_closed_and_the_old_one_goes_on() -> None:
    old, new = LoadingFace(1), LoadingFace(2)
    new.problem = AppError("No weights.", "Get some.")
    new.ready.set()
    face = Face(old)

    with pytest.raises(AppError, match="No weights"):
        face.bring_in(new, 1.0)

    face.gesture("nod")
    assert face.current is old
    assert ("gesture", "nod") in old.calls
    assert [("close", None)] == new.calls


def test_the_new_face_wears_what_the_old_one_does_and_both_hear_everything_meanwhile() -> None:
    old, new = LoadingFace(1), LoadingFace(2)
    face = Face(old)
    face.express("happy")
    face.feel("joy", 0.5)
    new.ready.set()
    original = new.wait_loaded
    new.wait_loaded = lambda timeout_s: (face.clear(4), original(timeout_s))  # type: ignore[assignment,func-returns-value]

    face.bring_in(new, 1.0)

    assert [("express", "happy"), ("feel", ("joy", 0.5)), ("clear", 4)] == new.calls
    assert ("clear", 4) in old.calls


def test_where_there_was_no_face_one_can_be_brought_in() -> None:
    face, new = Face(None), LoadingFace(2)
    face.express("happy")
    assert face.latest() is None
    new.ready.set()
    new.draw(1)

    face.bring_in(new, 1.0)

    assert 1 == face.latest().seq


def test_a_face_that_comes_after_the_end_is_closed() -> None:
    old, new = LoadingFace(1), LoadingFace(2)
    face = Face(old)
    face.close()
    new.ready.set()

    face.bring_in(new, 1.0)

    assert ("close", None) in new.calls


def test_of_a_face_behind_the_scenes_only_the_progress_is_told_until_it_is_shown() -> None:
    bus = Bus(FakeClock().now_ns)
    facts = Facts(bus)
    held = HeldFacts(bus)
    held.emit("avatar", "state", state="busy")
    held.emit("avatar", "progress", what="Baking", share=0.5)
    held.emit("avatar", "frames", fps=30)
    held.emit("avatar", "character", name="haru")
    held.emit("avatar", "state", state="ready")
    assert ["progress"] == [fact.event for fact in facts.all]

    held.let_out()
    held.emit("avatar", "frames", fps=29)

    assert [("character", "haru"), ("state", "ready"), ("frames", 29)] == [
        (fact.event, next(iter(fact.data.values()))) for fact in facts.all[1:]
    ]
