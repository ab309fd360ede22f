"""What viewers get, and when."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from animator.messages import Pixels
from app.bus import Bus
from app.canvas import Canvas
from app.compose import be_right_back
from app.messages import Frame
from app.stages.camera import CameraStage
from tests.fakes import TIMEOUT_S, FakeClock

FACE = np.full((8, 8, 4), 100, np.uint8)
AWAY = np.full((8, 8, 4), 200, np.uint8)


class Sink:
    """Remembers the last picture."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._pixels: Pixels | None = None

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        pass

    def send(self, frame: Frame) -> None:
        with self._changed:
            self._pixels = frame.pixels
            self._changed.notify_all()

    def wait_for(self, pixels: Pixels) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._pixels is pixels, TIMEOUT_S)

    def close(self) -> None:
        pass


class SlowSink(Sink):
    """A camera that takes its time with a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.taking = threading.Event()
        self._closed = threading.Event()
        self.was_closed_meanwhile = False

    def send(self, frame: Frame) -> None:
        self.taking.set()
        self.was_closed_meanwhile |= self._closed.wait(0.2)

    def close(self) -> None:
        self._closed.set()


class Camera:
    def __init__(self) -> None:
        self.frame: Frame | None = Frame(1, FACE, 0)
        clock = FakeClock(jumps=True)
        self.stage = CameraStage(Bus(clock.now_ns), clock, lambda: self.frame, (8, 8), 30)
        self.sink = Sink()
        self.stage.add(self.sink)
        self.stage.start()


@pytest.fixture
def camera() -> Iterator[Camera]:
    camera = Camera()
    yield camera
    camera.stage.stop()


def test_another_picture_takes_the_place_of_the_face_until_it_is_taken_away(camera: Camera) -> None:
    camera.sink.wait_for(FACE)

    camera.stage.show_instead(AWAY)
    camera.sink.wait_for(AWAY)
    camera.stage.show_instead(None)
    camera.sink.wait_for(FACE)


def test_it_is_shown_also_while_there_is_no_face(camera: Camera) -> None:
    camera.frame = None
    camera.stage.show_instead(AWAY)

    camera.sink.wait_for(AWAY)


def test_be_right_back_is_a_picture_that_fits_the_canvas() -> None:
    pixels = be_right_back()
    empty = np.zeros_like(pixels)

    shown = Canvas(1280, 720).place(pixels).copy()
    behind = Canvas(1280, 720).place(empty)

    assert pixels.shape[0] == pixels.shape[1]
    assert np.abs(shown.astype(int) - behind).max() > 100
    assert np.array_equal(shown[:, :280], behind[:, :280])


def test_a_camera_is_not_closed_while_it_takes_a_picture_and_gets_none_after_that(camera: Camera) -> None:
    sink = SlowSink()
    camera.stage.add(sink)
    assert sink.taking.wait(TIMEOUT_S)

    camera.stage.remove(sink)

    assert not sink.was_closed_meanwhile
    sink.taking.clear()
    camera.stage.show_instead(AWAY)
    camera.sink.wait_for(AWAY)
    assert not sink.taking.is_set()


def test_a_viewer_who_comes_back_after_a_while_without_any_sees_the_face_again(camera: Camera) -> None:
    camera.stage.remove(camera.sink)
    later = Sink()
    camera.stage.add(later)

    later.wait_for(FACE)


def test_it_ends_at_once_where_nobody_looks() -> None:
    clock = FakeClock(jumps=True)
    started_ns = clock.now_ns()
    stage = CameraStage(Bus(clock.now_ns), clock, lambda: None, (8, 8), 30)
    stage.start()
    thread = next(thread for thread in threading.enumerate() if thread.name == "camera")

    stage.stop(TIMEOUT_S)

    assert not thread.is_alive()
    assert clock.now_ns() == started_ns  # it kept no deadline either


def test_pictures_leave_a_little_after_the_deadlines_that_the_face_draws_for() -> None:
    """In between, a face that takes half a frame to draw has a new picture one time and none the next."""
    due_ns: list[int] = []
    enough = threading.Event()

    class Notes(Sink):
        def send(self, frame: Frame) -> None:
            due_ns.append(frame.due_ns)
            if len(due_ns) == 60:
                enough.set()

    clock = FakeClock(jumps=True)
    face_ns = 11_000_000 + 7 * 1_000_000_000  # 11 ms after one of the camera's own deadlines
    stage = CameraStage(Bus(clock.now_ns), clock, lambda: Frame(1, FACE, face_ns), (8, 8), 30)
    stage.add(Notes())
    stage.start()
    assert enough.wait(TIMEOUT_S)
    stage.stop()

    after_ns = [(due - face_ns) % (1e9 / 30) for due in due_ns]
    assert max(abs(after - 0.15e9 / 30) for after in after_ns[20:60]) < 10
    assert 30_000_000 < min(due_ns[i + 1] - due_ns[i] for i in range(59))
