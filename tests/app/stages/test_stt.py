"""What becomes of utterances, guesses and partials."""

from __future__ import annotations

import numpy as np

from app.bus import Bus
from app.guesses import Guesses
from app.messages import Transcript, Utterance
from app.stage import Channel, Turns
from app.stages.stt import SttStage
from tests.fakes import Facts, FakeClock, FakeTranscriber, speech

SECOND = speech(1000)


class Bench:
    """The stage without its thread: items are handled when the test says so."""

    def __init__(self, *texts: str | Exception) -> None:
        clock = FakeClock()
        self.bus = Bus(clock.now_ns)
        self.facts = Facts(self.bus)
        self.turns = Turns()
        self.inbox: Channel[Utterance] = Channel(100, "wait")
        self.outbox: Channel[Transcript] = Channel(100, "wait")
        self.ears = FakeTranscriber(*texts)
        self.stage = SttStage(self.bus, clock, self.turns, self.inbox, self.outbox, self.ears, Guesses())
        self.turn = self.turns.mint()

    def partial(self, turn: int | None = None, part: int = 0) -> None:
        self.stage.handle(Utterance(turn or self.turn, SECOND, 0, part, last=False, partial=True))

    def said(self) -> list[tuple[str, str]]:
        return [(str(f.data["text"]), str(f.data["committed"])) for f in self.facts.of("stt", "partial")]


def test_partials_are_facts_and_never_transcripts() -> None:
    bench = Bench("what is", "what is the", "What is the capital?")
    bench.partial()
    bench.partial()
    bench.stage.handle(Utterance(bench.turn, SECOND, 7))

    assert [("what is", ""), ("what is the", "what is")] == bench.said()
    assert [2, 3] == [fact.data["words"] for fact in bench.facts.of("stt", "partial")]
    assert bench.outbox.get() == Transcript(bench.turn, "What is the capital?", "en", 7)
    assert len(bench.outbox) == 0


def test_a_partial_is_not_decoded_where_something_newer_waits() -> None:
    bench = Bench()
    bench.inbox.put(Utterance(bench.turn, SECOND, 0))
    bench.partial()

    assert [] == bench.ears.heard_s


def test_a_partial_of_an_old_turn_is_dropped() -> None:
    bench = Bench()
    old, bench.turn = bench.turn, bench.turns.mint()
    bench.partial(turn=old)

    assert ([], []) == (bench.ears.heard_s, bench.said())


def test_a_new_turn_agrees_on_nothing_yet() -> None:
    bench = Bench("one two", "one two", "one two")
    bench.partial()
    bench.partial()
    bench.turn = bench.turns.mint()
    bench.partial()

    assert ["", "one two", ""] == [committed for _, committed in bench.said()]


def test_a_partial_that_fails_costs_nothing_but_itself() -> None:
    bench = Bench(RuntimeError("bad"), "fine")
    item = Utterance(bench.turn, SECOND, 0, last=True, partial=True)
    try:
        bench.stage.handle(item)
    except RuntimeError:
        bench.stage.recover(item)
    assert len(bench.outbox) == 0
    bench.stage.handle(Utterance(bench.turn, SECOND, 0))

    sent = bench.outbox.get()
    assert sent is not None
    assert sent.text == "fine"


def test_partials_do_not_disturb_a_guess() -> None:
    bench = Bench("guess", "partial")
    bench.stage.handle(Utterance(bench.turn, SECOND, 0, last=False, speculative=True, revision=3))
    bench.partial()
    bench.stage.handle(Utterance(bench.turn, SECOND, 0, revision=3))

    sent = bench.outbox.get()
    assert sent is not None
    assert (sent.text, len(bench.ears.heard_s)) == ("guess", 2)
    assert np.isclose(sum(bench.ears.heard_s), 2.0)
