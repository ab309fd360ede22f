"""A camera that cannot be had, is lost, and comes back."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from app.bus import Bus
from app.errors import AppError
from app.messages import Frame
from app.stages.camera import CameraStage, CameraSwitch
from tests.fakes import TIMEOUT_S, Facts, FakeClock

FACE = np.full((8, 8, 4), 100, np.uint8)
RETRY_S = 0.001


class Device:
    """A camera of the computer: there or not, and working or not."""

    def __init__(self) -> None:
        self.problem = ""
        self.breaks = False
        self.opened = 0
        self.got = threading.Semaphore(0)


class Sink:
    device = "/dev/video10"

    def __init__(self, device: Device) -> None:
        self._device = device
        self.is_open = False

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        if self._device.problem:
            raise AppError(self._device.problem, "Bring it back.")
        self.is_open = True
        self._device.opened += 1

    def send(self, frame: Frame) -> None:
        if self._device.breaks:
            self._device.breaks = False
            self._device.problem = "It has been taken away."
            raise AppError(self._device.problem, "Bring it back.")
        self._device.got.release()

    def close(self) -> None:
        self.is_open = False


class Rig:
    def __init__(self) -> None:
        clock = FakeClock(jumps=True)
        bus = Bus(clock.now_ns)
        self.facts = Facts(bus)
        self.device = Device()
        self.sinks: list[Sink] = []
        self.stage = CameraStage(bus, clock, lambda: Frame(1, FACE, 0), (8, 8), 30)
        self.switch = CameraSwitch(bus, self.stage, self.make, retry_s=RETRY_S)
        self.stage.start()

    def make(self) -> Sink:
        self.sinks.append(Sink(self.device))
        return self.sinks[-1]

    def states(self) -> list[str]:
        return [fact.data["state"] for fact in self.facts.of("camera", "state")]

    def let_searches_end(self) -> None:
        self.stage.stop(TIMEOUT_S)  # after this nobody begins one
        for thread in threading.enumerate():
            if thread.name == "camera-search":
                thread.join(TIMEOUT_S)

    def stop(self) -> None:
        self.switch.stop()
        self.stage.stop()


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.stop()


def test_a_camera_that_is_lost_comes_back_by_itself(rig: Rig) -> None:
    rig.switch.switch(True)
    assert rig.device.got.acquire(timeout=TIMEOUT_S)

    rig.device.breaks = True
    waiting = rig.facts.wait("camera", "state", problem="It has been taken away.")
    assert ("starting", "Bring it back.") == (waiting.data["state"], waiting.data["remedy"])
    assert rig.switch.is_on
    rig.device.problem = ""
    rig.facts.wait("camera", "state", 2, state="ready")

    while rig.device.got.acquire(blocking=False):
        pass
    assert rig.device.got.acquire(timeout=TIMEOUT_S)
    assert [False, True] == [rig.sinks[0].is_open, rig.sinks[-1].is_open]


def test_the_same_problem_is_said_once_however_long_it_lasts(rig: Rig) -> None:
    rig.device.problem = "There is none."
    rig.switch.switch(True, patiently=True)
    tried = len(rig.sinks)
    while len(rig.sinks) < tried + 20:
        threading.Event().wait(RETRY_S)

    assert 1 == len(rig.facts.of("camera", "state", problem="There is none."))
    rig.device.problem = "Another program has it."
    rig.facts.wait("camera", "state", problem="Another program has it.")


def test_a_camera_that_is_waited_for_is_waited_for_no_longer_once_it_is_switched_off(rig: Rig) -> None:
    rig.device.problem = "There is none."
    rig.switch.switch(True, patiently=True)
    rig.switch.switch(False)
    rig.device.problem = ""

    rig.let_searches_end()
    assert (False, 0, "off") == (rig.switch.is_on, rig.device.opened, rig.states()[-1])


def test_whoever_switches_on_a_camera_that_is_not_there_is_told_and_it_stays_off(rig: Rig) -> None:
    rig.device.problem = "There is none."

    with pytest.raises(AppError, match="There is none"):
        rig.switch.switch(True)

    assert (False, "failed") == (rig.switch.is_on, rig.states()[-1])


def test_other_settings_count_for_a_camera_that_is_waited_for(rig: Rig) -> None:
    rig.device.problem = "There is none."
    rig.switch.switch(True, patiently=True)
    other = Device()

    rig.switch.change(lambda: Sink(other))

    rig.facts.wait("camera", "state", state="ready")
    assert other.got.acquire(timeout=TIMEOUT_S)


def test_a_camera_lost_while_it_is_switched_off_stays_off(rig: Rig) -> None:
    """The loss is told on the camera's thread, while whoever switches it off holds what the search needs."""
    rig.switch.switch(True)
    assert rig.device.got.acquire(timeout=TIMEOUT_S)
    rig.device.breaks = True
    rig.switch.switch(False)

    rig.let_searches_end()
    assert not rig.switch.is_on
    assert "off" == rig.states()[-1]
