"""What becomes of utterances, guesses and partials."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animator.messages import Samples
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
        self.clock = clock
        self.guesses = Guesses()
        self.listen_with(FakeTranscriber(*texts))
        self.turn = self.turns.mint()

    def listen_with(self, ears: FakeTranscriber) -> None:
        self.ears = ears
        self.stage = SttStage(self.bus, self.clock, self.turns, self.inbox, self.outbox, ears, self.guesses)

    def guess(self, revision: int, *, likely: bool) -> None:
        self.guesses.pause(self.turn, revision)
        self.guesses.judge(self.turn, revision, 0.9 if likely else 0.1)
        self.stage.handle(Utterance(self.turn, SECOND, 0, last=False, speculative=True, revision=revision))

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


class FakePending:
    """Better ears' answer: ready when the test says so."""

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.cancelled = False

    def result(self, otherwise: str, should_stop: Callable[[], bool]) -> str | None:
        if self.cancelled:
            return otherwise
        assert self.text is not None or should_stop()
        return self.text

    def cancel(self) -> None:
        self.cancelled = True


class BetterEars(FakeTranscriber):
    def __init__(self, *texts: str, better: list[FakePending]) -> None:
        super().__init__(*texts)
        self.better = better
        self.begun: list[FakePending] = []

    def begin_final(self, samples: Samples) -> FakePending | None:
        if not self.better:
            return None
        self.begun.append(self.better.pop(0))
        return self.begun[-1]


def test_better_words_count_and_an_answer_is_prepared_with_them() -> None:
    bench = Bench()
    bench.listen_with(BetterEars("local", better=[FakePending("better")]))
    bench.guess(revision=3, likely=True)
    bench.stage.handle(Utterance(bench.turn, SECOND, 0, revision=3))

    prepared, sent = bench.outbox.get(), bench.outbox.get()
    assert [("better", True), ("better", False)] == [(t.text, t.speculative) for t in (prepared, sent) if t is not None]


def test_an_answer_is_never_prepared_with_words_that_may_change() -> None:
    bench = Bench()
    late = FakePending(None)
    bench.listen_with(BetterEars("local", better=[late]))
    bench.inbox.put(Utterance(bench.turn, SECOND, 0, revision=3))
    bench.guess(revision=3, likely=True)
    assert len(bench.outbox) == 0

    late.text = "better"
    bench.stage.handle(Utterance(bench.turn, SECOND, 0, revision=3))

    sent = bench.outbox.get()
    assert sent is not None
    assert (sent.text, len(bench.ears.heard_s)) == ("better", 1)


def test_words_that_may_change_are_not_answered_when_the_end_turns_out_likely_later_either() -> None:
    bench = Bench()
    bench.listen_with(BetterEars("local", better=[FakePending(None)]))
    bench.inbox.put(Utterance(bench.turn, SECOND, 0, revision=3))
    bench.guess(revision=3, likely=False)

    assert bench.guesses.text(bench.turn, 3) == "local"  # whether they sound finished may be known already
    assert bench.guesses.judge(bench.turn, 3, 0.9) is None
    assert not bench.guesses.resume()


def test_words_that_are_settled_are_answered_when_the_end_turns_out_likely_later() -> None:
    bench = Bench("local")
    bench.guess(revision=3, likely=False)

    assert bench.guesses.judge(bench.turn, 3, 0.9) == "local"
    assert bench.guesses.judge(bench.turn, 3, 0.9) is None
    assert bench.guesses.resume()


def test_the_end_of_a_long_turn_is_never_answered_alone() -> None:
    bench = Bench("the rest")
    bench.guesses.pause(bench.turn, 3)
    bench.guesses.judge(bench.turn, 3, 0.1)
    bench.stage.handle(Utterance(bench.turn, SECOND, 0, 1, last=False, speculative=True, revision=3))

    assert bench.guesses.judge(bench.turn, 3, 0.9) is None
    assert not bench.guesses.resume()
    assert len(bench.outbox) == 0


def test_a_pause_in_which_the_user_went_on_is_given_up() -> None:
    bench = Bench()
    old, new = FakePending(None), FakePending("whole")
    bench.listen_with(BetterEars("half", "whole, locally", better=[old, new]))
    bench.inbox.put(Utterance(bench.turn, SECOND, 0, partial=True))
    bench.guess(revision=1, likely=True)
    bench.stage.handle(Utterance(bench.turn, SECOND, 0, revision=2))

    sent = bench.outbox.get()
    assert sent is not None
    assert ("whole", True, False) == (sent.text, old.cancelled, new.cancelled)


def test_where_better_ears_rest_the_local_words_count() -> None:
    bench = Bench()
    bench.listen_with(BetterEars("local", better=[]))
    bench.guess(revision=3, likely=True)
    bench.stage.handle(Utterance(bench.turn, SECOND, 0, revision=3))

    assert "local" == getattr(bench.outbox.get(), "text", None) == getattr(bench.outbox.get(), "text", None)


def test_a_transcript_says_its_language() -> None:
    bench = Bench("こんにちは")
    bench.ears.language = "ja"
    bench.stage.handle(Utterance(bench.turn, SECOND, 7))

    assert bench.outbox.get() == Transcript(bench.turn, "こんにちは", "ja", 7)
