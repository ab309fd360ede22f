"""What all stages of the line share."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from animator.priority import GIVES_WAY
from app.bus import Bus
from app.stage import Channel, Stage
from app.stages.stt import SttStage
from app.stages.tts import TtsStage
from tests.fakes import TIMEOUT_S, FakeClock


class Worker(Stage[int]):
    """Says how its thread, and one that it starts, is ranked."""

    name = "worker"

    def load(self) -> str:
        self.ranks = [rank()]
        thread = threading.Thread(target=lambda: self.ranks.append(rank()))
        thread.start()
        thread.join(TIMEOUT_S)
        return ""


class Patient(Worker):
    gives_way = True


def rank() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def ranks(kind: type[Worker]) -> list[int]:
    stage = kind(Bus(FakeClock().now_ns), Channel(1, "wait"))
    stage.start()
    assert stage.loaded.wait(TIMEOUT_S)
    stage.request_stop()
    assert stage.join(TIMEOUT_S)
    return [each - rank() for each in stage.ranks]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ranks threads")
def test_a_stage_that_gives_way_ranks_below_the_others_and_so_does_what_it_starts() -> None:
    assert [0, 0] == ranks(Worker)
    assert [GIVES_WAY, GIVES_WAY] == ranks(Patient)


def test_hearing_and_speaking_give_way_to_the_picture() -> None:
    assert (True, True) == (SttStage.gives_way, TtsStage.gives_way)
