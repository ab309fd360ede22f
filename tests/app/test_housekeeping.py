"""What was needed for a turn goes back to the system when the turn is over."""

from __future__ import annotations

import threading

import pytest

from app.bus import Bus
from app.housekeeping import Housekeeping
from tests.fakes import TIMEOUT_S


@pytest.mark.parametrize("end", ["turn_finished", "stopped"])
def test_after_a_turn_memory_is_given_back(end: str) -> None:
    bus, given = Bus(lambda: 0), threading.Semaphore(0)
    keeping = Housekeeping(bus, lambda: given.release(), after_s=0.0)

    for turn in (1, 2):
        bus.emit("playback", end, turn=turn)
        assert given.acquire(timeout=TIMEOUT_S)

    keeping.stop()
    keeping._thread.join(TIMEOUT_S)
    assert not keeping._thread.is_alive()


def test_while_somebody_speaks_nothing_is_done() -> None:
    bus, given = Bus(lambda: 0), threading.Semaphore(0)
    keeping = Housekeeping(bus, lambda: given.release(), after_s=0.0)

    bus.emit("playback", "clip_started", turn=1, index=0, text="Hello.")

    assert not given.acquire(timeout=0.05)
    keeping.stop()
