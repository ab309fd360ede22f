"""Spout or Syphon switched on and off, and lost."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from app.bus import Bus
from app.errors import AppError
from app.messages import Frame
from app.sharing import SharingSwitch
from app.stages.camera import CameraStage
from tests.fakes import TIMEOUT_S, Facts, FakeClock

FACE = np.full((8, 8, 4), 100, np.uint8)


class Sink:
    def __init__(self, problem: str) -> None:
        self.problem = problem
        self.is_open = False
        self.got = threading.Event()

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        if self.problem == "open":
            raise AppError("Spout found no OpenGL.", "Update the driver.")
        self.is_open = True

    def send(self, frame: Frame) -> None:
        if self.problem == "send":
            raise AppError("Spout did not take a picture.", "Switch it off and on again.")
        assert frame.pixels is FACE
        self.got.set()

    def close(self) -> None:
        self.is_open = False


class Rig:
    def __init__(self) -> None:
        clock = FakeClock(jumps=True)
        self.bus = Bus(clock.now_ns)
        self.facts = Facts(self.bus)
        self.stage = CameraStage(self.bus, clock, lambda: Frame(1, FACE, 0), (8, 8), 30)
        self.sinks: list[Sink] = []
        self.problem = ""
        self.switch = SharingSwitch(self.bus, self.stage, self.make)

    def make(self) -> Sink:
        self.sinks.append(Sink(self.problem))
        return self.sinks[-1]

    def status(self) -> tuple[bool, str]:
        data = self.bus.snapshot()["sharing", "status"].data
        return data["on"], data["problem"]


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_it_is_open_only_while_it_is_on(rig: Rig) -> None:
    rig.switch.switch(False)
    assert [] == rig.sinks
    rig.switch.switch(True)
    rig.switch.switch(True)
    assert [True] == [sink.is_open for sink in rig.sinks]
    assert (True, "") == rig.status()
    rig.switch.switch(False)
    assert [False] == [sink.is_open for sink in rig.sinks]
    assert (False, "") == rig.status()


def test_it_gets_every_frame(rig: Rig) -> None:
    rig.switch.switch(True)
    rig.stage.start()
    try:
        assert rig.sinks[0].got.wait(TIMEOUT_S)
    finally:
        rig.stage.stop()
    assert not rig.sinks[0].is_open


def test_what_cannot_be_opened_is_said_and_can_be_tried_again(rig: Rig) -> None:
    rig.problem = "open"
    with pytest.raises(AppError, match="no OpenGL"):
        rig.switch.switch(True)
    assert (False, "Spout found no OpenGL.") == rig.status()
    rig.problem = ""
    rig.switch.switch(True)

    assert (True, "") == rig.status()


def test_what_breaks_is_said_closed_and_can_be_switched_on_again(rig: Rig) -> None:
    rig.problem = "send"
    rig.switch.switch(True)
    rig.stage.start()
    try:
        rig.facts.wait("sharing", "status", on=False, problem="Spout did not take a picture.")
        assert not rig.sinks[0].is_open
        rig.problem = ""
        rig.switch.switch(False)
        assert (False, "") == rig.status()
        rig.switch.switch(True)
        assert rig.sinks[1].got.wait(TIMEOUT_S)
    finally:
        rig.stage.stop()
