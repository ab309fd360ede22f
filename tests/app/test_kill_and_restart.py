"""Parts of the running show are killed in mid-sentence: viewers keep their picture, and mouth and sound are together
again before the sentence is over."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from animator.clock import SystemClock
from animator.messages import Pixels
from app import compose
from app.bus import Bus
from app.canvas import Canvas
from app.control_token import ALPHA_PATH, browser_token_file, browser_url, control_token
from app.errors import AppError
from app.messages import Express, Frame, Say
from app.settings import BrowserSettings, CameraSettings, KeySettings, RecordingSettings, Settings
from app.show import Show
from app.sound_tap import SoundTap
from benchmarks.mouth_pixels import mouth_area_px
from tests.fakes import Facts, FakeMicrophone

pytestmark = pytest.mark.slow

BAKE_TIMEOUT_S = 600.0
TIMEOUT_S = 60.0
OPEN_PX = 280.0
LONG = ", ".join(["la la la, oh my, what a wonderful long day it is"] * 6) + "."
"""Half a minute: a machine that is busy with other things gets it over with after whatever was killed."""


@pytest.fixture(scope="module", autouse=True)
def ready(baked_haru: Any) -> None:
    """Models fetched and the default face baked, as the set-up leaves them."""


class Sink:
    """A camera's consumer: keeps when which picture came, and breaks when it is told to."""

    def __init__(self) -> None:
        self.broken = False
        self.closed = threading.Event()
        self._changed = threading.Condition()
        self._frames: list[Frame] = []

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        pass

    def send(self, frame: Frame) -> None:
        if self.broken:
            raise AppError("The camera has gone.", "Plug it in.")
        with self._changed:
            self._frames.append(frame)
            del self._frames[:-1]
            self._changed.notify_all()

    def close(self) -> None:
        self.closed.set()

    def wait_until(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The first picture from now on that is wanted, of those that there is time to look at."""
        seen_ns = 0
        give_up_ns = time.monotonic_ns() + round(TIMEOUT_S * 1e9)
        while time.monotonic_ns() < give_up_ns:
            with self._changed:
                while self._newest_ns() <= seen_ns:
                    assert self._changed.wait(TIMEOUT_S)
                frame = self._frames[-1]
            if seen_ns and wanted(frame):
                return frame
            seen_ns = frame.due_ns
        raise AssertionError("no picture was wanted")

    def _newest_ns(self) -> int:
        return self._frames[-1].due_ns if self._frames else -1


class Studio:
    """The show with a sink for a camera, and a stream that players may read; silent until it is told something."""

    def __init__(self, recording: RecordingSettings | None = None, camera: CameraSettings | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.clock = SystemClock()
        self.bus = Bus(self.clock.now_ns)
        self.facts = Facts(self.bus)
        self.sink = Sink()
        sound = SoundTap()
        self.show = Show(
            self.bus,
            self.clock,
            Settings(
                keys=KeySettings(on=False),
                browser=BrowserSettings(on=True, port=self.port),
                recording=recording or RecordingSettings(),
                camera=camera or CameraSettings(),
            ),
            compose.find_character("haru"),
            microphone=FakeMicrophone(),
            speaker=compose.null_speaker(self.clock, sound),
            sound=sound,
            greet=False,
        )
        self.show.start()
        assert self.show.wait_until_loaded(BAKE_TIMEOUT_S)
        self.facts.wait("browser", "status", on=True)
        assert self.show.camera is not None
        self.show.camera.add(self.sink)

    def say(self) -> int:
        """Begin to say LONG; its turn, once it is heard and seen."""
        self.bus.gate.put(Say(LONG))
        turn = int(self.facts.wait("playback", "clip_started").data["turn"])
        self.facts.wait("avatar", "speaking_frame", turn=turn)
        return turn

    def is_heard(self, turn: int) -> bool:
        return ("playback", "turn_finished", turn) not in [
            (fact.stage, fact.event, fact.data.get("turn")) for fact in self.facts.all
        ]

    def kill_face(self) -> None:
        os.kill(self.show._face.current._process.pid, signal.SIGKILL)

    def url(self) -> str:
        return browser_url(self.port, control_token(browser_token_file()), ALPHA_PATH)


def is_open(frame: Frame) -> bool:
    return shows_an_open_mouth(frame.pixels)


def shows_an_open_mouth(pixels: Pixels) -> bool:
    return mouth_area_px(Canvas(1280, 720).place(pixels)) > OPEN_PX


@pytest.fixture
def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
    studio = Studio()
    yield studio
    studio.show.stop()


def test_a_face_that_dies_in_mid_sentence_speaks_on_in_the_same_sentence(studio: Studio) -> None:
    studio.bus.gate.put(Express("happy"))
    studio.facts.wait("avatar", "expression", name="happy")
    turn = studio.say()

    studio.kill_face()

    studio.facts.wait("avatar", "state", state="starting", label="Restarting the face")
    last = studio.sink.wait_until(lambda frame: True)
    assert last.pixels[..., 3].max() == 255  # the last picture, again and again
    studio.facts.wait("avatar", "speaking_frame", turn=turn, count=2)
    studio.facts.wait("avatar", "expression", name="happy", count=2)
    studio.sink.wait_until(is_open)
    assert studio.is_heard(turn)


def test_a_camera_that_breaks_in_mid_sentence_stops_nobody_else_and_can_be_had_again(studio: Studio) -> None:
    turn = studio.say()

    studio.sink.broken = True

    assert studio.sink.closed.wait(TIMEOUT_S)
    other = Sink()
    assert studio.show.camera is not None
    studio.show.camera.add(other)
    other.wait_until(is_open)
    assert studio.is_heard(turn)


def test_who_reads_the_stream_goes_and_comes_in_mid_sentence_also_while_the_face_is_dead(studio: Studio) -> None:
    turn = studio.say()

    for is_killed in (False, True):
        if is_killed:
            studio.kill_face()
        with av.open(studio.url(), timeout=TIMEOUT_S) as stream:
            frames = [frame.to_ndarray(format="rgba") for frame in itertools.islice(stream.decode(video=0), 5)]
        assert all(frame[..., 3].max() == 255 for frame in frames)

    studio.facts.wait("avatar", "speaking_frame", turn=turn, count=2)
    with av.open(studio.url(), timeout=TIMEOUT_S) as stream:
        shown = (frame.to_ndarray(format="rgba") for frame in itertools.islice(stream.decode(video=0), 300))
        assert any(map(shows_an_open_mouth, shown))
    assert studio.is_heard(turn)


def test_everything_dies_in_one_sentence_and_all_of_it_comes_back(studio: Studio) -> None:
    turn = studio.say()

    with av.open(studio.url(), timeout=TIMEOUT_S) as stream:
        next(stream.decode(video=0))
    studio.sink.broken = True
    studio.kill_face()

    assert studio.sink.closed.wait(TIMEOUT_S)
    other = Sink()
    assert studio.show.camera is not None
    studio.show.camera.add(other)
    studio.facts.wait("avatar", "speaking_frame", turn=turn, count=2)
    other.wait_until(is_open)
    with av.open(studio.url(), timeout=TIMEOUT_S) as stream:
        assert next(stream.decode(video=0)).width == 512
    assert studio.is_heard(turn)


A_SHOW_THAT_RECORDS = """
import sys
from app.messages import Record
from app.settings import CameraSettings, RecordingSettings
from tests.app.test_kill_and_restart import Studio

# Small, so that a slow machine is not behind with coding: what is asked is what a kill costs.
studio = Studio(RecordingSettings(folder=sys.argv[1]), CameraSettings(width_px=640, height_px=360))
studio.say()
studio.bus.gate.put(Record(True))
studio.facts.wait("recording", "state", state="ready")
while True:
    print(studio.sink.wait_until(lambda frame: True).due_ns, flush=True)
"""


def children(pid: int) -> list[int]:
    """Every process that this one has begun, and those that they have."""
    found = [int(child) for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
    return found + [other for child in found for other in children(child)]


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc who is a child of whom")
def test_an_app_that_is_killed_while_it_talks_leaves_a_film_that_plays_and_no_process(tmp_path: Path) -> None:
    films = tmp_path / "films"
    environment = os.environ | {"KUCHIPAKU_CONFIG": str(tmp_path)}
    command = [sys.executable, "-c", A_SHOW_THAT_RECORDS, str(films)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2], env=environment
    ) as app:
        assert app.stdout is not None
        first_ns = newest_ns = int(app.stdout.readline())
        while newest_ns - first_ns < 8e9:
            newest_ns = int(app.stdout.readline())
        begun = children(app.pid)
        app.send_signal(signal.SIGKILL)
        app.wait(TIMEOUT_S)
    filmed_s = (newest_ns - first_ns) / 1e9

    (path,) = films.glob("*.mp4")
    with av.open(str(path)) as film:
        shown = list(film.decode(video=0))
        picture_s = float((shown[-1].pts - shown[0].pts) * shown[-1].time_base)
        large = (frame.to_ndarray(format="rgb24", width=1280, height=720) for frame in shown)
        is_talking = any(mouth_area_px(pixels) > OPEN_PX for pixels in large)
    with av.open(str(path)) as film:
        blocks = [frame.to_ndarray() for frame in film.decode(audio=0)]
        sound = np.concatenate([block.mean(axis=0) for block in blocks])
        rate_hz = film.streams.audio[0].rate
    assert picture_s >= filmed_s - 1.0
    assert len(sound) / rate_hz >= filmed_s - 1.0
    assert is_talking
    last_second = sound[-rate_hz:]
    assert np.abs(last_second).max() > 0.05  # it ends in the midst of the talk

    assert len(begun) >= 2  # the face and the brain
    gone_by_s = time.monotonic() + TIMEOUT_S
    while left := [pid for pid in begun if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < gone_by_s, left
        threading.Event().wait(0.1)
