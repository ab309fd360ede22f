"""The browser source switched on, off and about, as the settings want it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest

from app.browser import BrowserSwitch
from app.bus import Bus
from app.errors import AppError
from app.messages import Frame
from app.settings import BrowserSettings
from app.stages.camera import CameraStage
from tests.fakes import TIMEOUT_S, Facts, FakeClock

FACE = np.full((8, 8, 4), 100, np.uint8)
ON = BrowserSettings(on=True, port=8001)
TAKEN = 8099


class Page:
    def __init__(self, port: int) -> None:
        self.port = port
        self.is_listening = False
        self.captions: bool | None = None
        self.texts: list[tuple[str, int]] = []
        self.got = threading.Event()

    def start(self) -> None:
        if self.port == TAKEN:
            raise AppError("The port is taken.", "Choose another.")
        self.is_listening = True

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        pass

    def send(self, frame: Frame) -> None:
        assert frame.pixels is FACE
        self.got.set()

    def show_captions(self, on: bool) -> None:
        self.captions = on

    def caption(self, text: str, heard: int) -> None:
        self.texts.append((text, heard))

    def close(self) -> None:
        self.is_listening = False


class Rig:
    def __init__(self) -> None:
        clock = FakeClock(jumps=True)
        self.bus = Bus(clock.now_ns)
        self.facts = Facts(self.bus)
        self.stage = CameraStage(self.bus, clock, lambda: Frame(1, FACE, 0), (8, 8), 30)
        self.pages: list[Page] = []
        self.switch = BrowserSwitch(self.bus, self.stage, self.make)

    def make(self, port: int) -> Page:
        self.pages.append(Page(port))
        return self.pages[-1]

    def listening(self) -> list[int]:
        return [page.port for page in self.pages if page.is_listening]

    def status(self) -> tuple[bool, int, str]:
        data = self.bus.snapshot()["browser", "status"].data
        return data["on"], data["port"], data["problem"]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_it_listens_only_while_it_is_on(rig: Rig) -> None:
    rig.switch.change(BrowserSettings())
    assert [] == rig.listening()
    rig.switch.change(ON)
    assert [8001] == rig.listening()
    assert (True, 8001, "") == rig.status()
    rig.switch.change(replace(ON, on=False))
    assert [] == rig.listening()
    assert (False, 8001, "") == rig.status()


def test_it_gets_every_frame(rig: Rig) -> None:
    rig.switch.change(ON)
    rig.stage.start()
    try:
        assert rig.pages[0].got.wait(TIMEOUT_S)
    finally:
        rig.stage.stop()
    assert [] == rig.listening()


def test_captions_are_switched_without_another_connection(rig: Rig) -> None:
    rig.switch.change(ON)
    rig.switch.change(replace(ON, captions=True))

    assert [True] == [page.captions for page in rig.pages]


def test_another_port_takes_the_place_of_the_one_before(rig: Rig) -> None:
    rig.switch.change(ON)
    rig.switch.change(replace(ON, port=8002))

    assert [8002] == rig.listening()


def test_a_port_that_is_taken_is_refused_and_the_one_before_goes_on(rig: Rig) -> None:
    rig.switch.change(ON)
    with pytest.raises(AppError, match="taken"):
        rig.switch.change(replace(ON, port=TAKEN))

    assert [8001] == rig.listening()
    assert (True, TAKEN, "The port is taken.") == rig.status()
    rig.switch.change(replace(ON, captions=True))
    assert [8001] == rig.listening()


def test_what_is_said_reaches_the_page(rig: Rig) -> None:
    rig.switch.caption("nobody", 1)
    rig.switch.change(ON)
    rig.switch.caption("Hello.", 6)

    assert [("Hello.", 6)] == rig.pages[0].texts
