"""The real show, pressed by another program of this computer: what viewers get, and what an editor of faces sees."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from animator.clock import SystemClock
from app import compose
from app.bus import Bus
from app.canvas import Canvas
from app.control_token import control_token, token_file
from app.messages import Frame, PreviewPose
from app.settings import ControlSettings, KeySettings, Settings
from app.show import Show
from benchmarks.mouth_pixels import mouth_area_px
from tests.fakes import Facts, FakeMicrophone

pytestmark = pytest.mark.slow

BAKE_TIMEOUT_S = 600.0
TIMEOUT_S = 60.0
OPEN_PX = 280
"""Of Haru's mouth at 720p: shut lips have 70 to 180 px, open ones from 290."""


@pytest.fixture(scope="module", autouse=True)
def ready(baked_haru) -> None:
    """Models fetched and the default face baked, as the set-up leaves them."""


class Viewer:
    """A camera's viewer, who waits for a picture."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: Frame | None = None

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        pass

    def send(self, frame: Frame) -> None:
        with self._changed:
            self._frame = frame
            self._changed.notify_all()

    def close(self) -> None:
        pass

    def sees(self, wanted: Callable[[Frame], bool]) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._frame is not None and wanted(self._frame), TIMEOUT_S)


def is_away(frame: Frame) -> bool:
    return frame.pixels is compose.be_right_back()


def is_face(frame: Frame) -> bool:
    return not is_away(frame)


class Studio:
    """The show, one viewer, and another program with the token."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        clock = SystemClock()
        self.bus = Bus(clock.now_ns)
        self.facts = Facts(self.bus)
        self.show = Show(
            self.bus,
            clock,
            # No key is taken from whoever runs the tests.
            Settings(keys=KeySettings(on=False), control=ControlSettings(on=True, port=self.port)),
            compose.find_character("haru"),
            microphone=FakeMicrophone(),
            speaker=compose.null_speaker(clock),
            greet=False,
        )
        self.viewer = Viewer()
        assert self.show.camera is not None
        self.show.camera.add(self.viewer)
        self.show.start()
        assert self.show.wait_until_loaded(BAKE_TIMEOUT_S)
        self.facts.wait("control", "status", on=True)

    def ask(self, method: str, path: str) -> dict[str, object]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            connection.request(method, path, headers={"Authorization": f"Bearer {control_token(token_file())}"})
            answer = connection.getresponse()
            assert answer.status == 200
            found: dict[str, object] = json.loads(answer.read())
            return found
        finally:
            connection.close()


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
    studio = Studio()
    yield studio
    studio.show.stop()


def test_panic_takes_the_face_off_the_air_and_brings_it_back(studio: Studio) -> None:
    assert studio.viewer.sees(is_face)

    studio.ask("POST", "/v1/action/panic")
    assert studio.viewer.sees(is_away)
    studio.facts.wait("capture", "state", state="off")
    assert studio.ask("GET", "/v1/state")["panic"] is True

    studio.ask("POST", "/v1/action/panic")
    assert studio.viewer.sees(is_face)
    assert studio.ask("GET", "/v1/state")["panic"] is False


def test_an_expression_that_another_program_presses_is_shown(studio: Studio) -> None:
    studio.ask("POST", "/v1/action/express%20happy?mode=timed&seconds=0.5")

    studio.facts.wait("avatar", "expression", name="happy")
    studio.facts.wait("avatar", "expression", name="neutral")


def test_a_pose_that_is_edited_is_seen_on_the_face(studio: Studio) -> None:
    """What an editor's slider says reaches the picture, through the gate and the animator's own process."""
    canvas = Canvas(1280, 720)

    def is_open(frame: Frame) -> bool:
        return mouth_area_px(canvas.place(frame.pixels)) > OPEN_PX

    assert studio.viewer.sees(lambda frame: not is_open(frame))
    studio.bus.gate.put(PreviewPose((("mouth_aaa", 1.0),)))
    assert studio.viewer.sees(is_open)
    studio.bus.gate.put(PreviewPose(None))
    assert studio.viewer.sees(lambda frame: not is_open(frame))
