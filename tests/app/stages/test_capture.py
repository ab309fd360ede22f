"""A microphone that is not there is tried again and again, and said once."""

from __future__ import annotations

import threading

from app.bus import Bus
from app.errors import AppError
from app.messages import Fact
from app.stage import Channel
from app.stages import capture
from app.stages.capture import CaptureStage
from tests.fakes import TIMEOUT_S, FakeClock


class AbsentMicrophone:
    """Not there for the first tries, then there and silent."""

    name = "late microphone"

    def __init__(self, absent_for: int) -> None:
        self.tries = 0
        self._absent_for = absent_for
        self.found = threading.Event()

    def open(self) -> None:
        self.tries += 1
        if self.tries <= self._absent_for:
            raise AppError("No microphone was found.", "Plug one in.")
        self.found.set()

    def read(self, timeout_s: float) -> None:
        threading.Event().wait(0.01)

    def close(self) -> None:
        pass


def test_a_missing_microphone_is_said_once_and_found_when_it_comes(monkeypatch):
    monkeypatch.setattr(capture, "REOPEN_AFTER_S", 0.01)
    clock = FakeClock()
    bus = Bus(clock.now_ns)
    states: list[Fact] = []
    bus.listen(states.append)
    microphone = AbsentMicrophone(absent_for=5)
    stage = CaptureStage(bus, clock, microphone, Channel(4, "drop oldest"), lambda: False, lambda: None, reopen=True)

    stage.start()
    found = microphone.found.wait(TIMEOUT_S)
    stage.request_stop()
    stage.join(TIMEOUT_S)

    assert found
    assert microphone.tries == 6
    assert [fact.data["state"] for fact in states] == ["starting", "failed", "ready"]
