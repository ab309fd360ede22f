"""A long evening: after 200 turns of every kind nothing has grown and no thread was left behind."""

from __future__ import annotations

import gc
import threading
import tracemalloc

import pytest

from app.errors import AppError
from app.line import LineOptions
from app.messages import Ask, Say, StopTalking
from tests.app.test_line import Rig, hear, wait_for
from tests.fakes import TIMEOUT_S, FakeChat, FakeSpeaker, FakeTurnDetector, silence, speech

GROWTH_KIB = 300
"""A history within its budget, dictionaries' own ups and downs; 200 turns kept would be megabytes."""


class MoodyChat(FakeChat):
    """Fails every third time, once before and once after its first words."""

    def reply(self, messages, should_stop):  # type: ignore[no-untyped-def]
        self.count = getattr(self, "count", 0) + 1
        if self.count % 6 == 3:
            raise AppError("The brain is away.", "Wait.")
        yield "Well, I think so. "
        if self.count % 6 == 0:
            raise AppError("The brain fell over.", "Wait.")
        yield "Ask me again tomorrow, please."


def one_round(r: Rig, number: int) -> None:
    """Five turns: typed, said as it is, spoken, spoken with a pause that was no end, and stopped."""
    r.put(Ask(f"Question number {number}?"))
    assert r.line.wait_until_idle(TIMEOUT_S)
    r.put(Say("Good evening, everybody."))
    assert r.line.wait_until_idle(TIMEOUT_S)
    hear(r, silence(200), speech(400), silence(1500))
    assert r.line.wait_until_idle(TIMEOUT_S)
    hear(r, silence(200), speech(400), silence(260), speech(300), silence(1500))
    assert r.line.wait_until_idle(TIMEOUT_S)
    r.put(Ask("One more thing"), StopTalking())
    assert r.line.wait_until_idle(TIMEOUT_S)


def forget(r: Rig) -> None:
    """What the stand-ins themselves keep."""
    for kept in (r.facts.all, r.speaker.clips, r.speaker.ducked, r.avatar.calls, r.chat.asked, r.synth.spoken):
        kept.clear()
    r.transcriber.heard_s.clear()


@pytest.mark.slow
def test_after_200_turns_memory_and_threads_are_where_they_were() -> None:
    r = Rig(
        chat=MoodyChat(),
        speaker=FakeSpeaker(instant=True),
        turn_detector=FakeTurnDetector(0.9),
        options=LineOptions(hearing="open"),
    )
    r.line.start()
    assert r.line.wait_until_loaded(TIMEOUT_S)
    for number in range(6):
        one_round(r, number)
    forget(r)
    gc.collect()
    threads = {thread.name for thread in threading.enumerate()}
    tracemalloc.start()
    before = tracemalloc.take_snapshot()

    for number in range(40):
        one_round(r, number)

    turns = r.line.turn
    forget(r)
    gc.collect()
    grown = sum(entry.size_diff for entry in tracemalloc.take_snapshot().compare_to(before, "filename"))
    tracemalloc.stop()
    assert turns > 200
    assert {thread.name for thread in threading.enumerate()} <= threads
    assert grown < GROWTH_KIB * 1024
    assert r.line.stop()
    wait_for(lambda: not [t for t in threading.enumerate() if t.name.startswith("line-")])
