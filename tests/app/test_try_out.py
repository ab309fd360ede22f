"""A persona is tried out aside from the show: its own brain, its own few words, nothing kept."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence

from app.bus import Bus
from app.errors import AppError
from app.messages import Fact, TryPersona
from app.try_out import TryOut

ANSWER = ("It is good to see you here. ", "How are you today?")


class Brain:
    """Answers with `pieces`; waits for `gate` where one is given."""

    name = "a brain"

    def __init__(
        self,
        pieces: Sequence[str] = ("It is good to see you here. ", "How are you today?"),
        gate: threading.Event | None = None,
    ) -> None:
        self.pieces = pieces
        self.gate = gate
        self.asked: list[list[dict[str, str]]] = []
        self.loads = 0
        self.closed = 0
        self.reached = threading.Event()

    def load(self) -> None:
        self.loads += 1

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        self.asked.append(list(messages))
        self.reached.set()
        if self.gate is not None:
            assert self.gate.wait(10)
        for piece in self.pieces:
            if should_stop():
                return
            yield piece

    def close(self) -> None:
        self.closed += 1


class Rig:
    def __init__(self, *brains: Brain) -> None:
        ticks = itertools.count()
        self.bus = Bus(lambda: next(ticks))
        self.facts: list[Fact] = []
        self._more = threading.Condition()
        self.bus.listen(self._take)
        self.brains = iter(brains)
        self.personas: list[str] = []
        self.settings = "as at the start"
        self.try_out = TryOut(self.bus, self._make, self._in_force)

    def _in_force(self) -> str:
        return self.settings

    def _make(self, persona: str) -> Brain:
        self.personas.append(persona)
        return next(self.brains)

    def _take(self, fact: Fact) -> None:
        with self._more:
            self.facts.append(fact)
            self._more.notify_all()

    def done(self, number: int) -> Fact:
        def found() -> Fact | None:
            return next((f for f in self.facts if f.data["number"] == number and f.data["done"]), None)

        with self._more:
            assert self._more.wait_for(lambda: found() is not None, 10)
        fact = found()
        assert fact is not None
        return fact


def test_the_answer_is_told_as_it_comes_and_when_it_is_whole() -> None:
    rig = Rig(Brain())

    rig.try_out.ask(TryPersona(1, "You are Mika.", "Hi"))

    assert "It is good to see you here. How are you today?" == rig.done(1).data["text"]
    assert [False, True] == [fact.data["done"] for fact in rig.facts]


def test_the_brain_is_asked_as_the_persona_with_what_was_said_in_the_try_out() -> None:
    brain = Brain()
    rig = Rig(brain)

    rig.try_out.ask(TryPersona(1, "You are Mika.", "And now?", (("Hi", "Hello."),)))
    rig.done(1)

    assert [
        {"role": "system", "content": "You are Mika."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "And now?"},
    ] == brain.asked[0]


def test_tags_for_the_face_are_no_words() -> None:
    rig = Rig(Brain(["[happy] Oh, ", "nice."]))

    rig.try_out.ask(TryPersona(1, "You are Mika.", "Hi"))

    assert "Oh, nice." == rig.done(1).data["text"]


def test_the_brain_is_kept_while_the_persona_stays_the_same() -> None:
    first, second = Brain(), Brain()
    rig = Rig(first, second)
    for number, persona in enumerate(["A", "A", "B"], 1):
        rig.try_out.ask(TryPersona(number, persona, "Hi"))
        rig.done(number)

    assert ["A", "B"] == rig.personas
    assert (1, 1) == (first.loads, first.closed)
    assert 0 == second.closed


def test_other_settings_or_keys_bring_another_brain() -> None:
    first, second = Brain(), Brain()
    rig = Rig(first, second)
    rig.try_out.ask(TryPersona(1, "A", "Hi"))
    rig.done(1)

    rig.settings = "with a key"
    rig.try_out.ask(TryPersona(2, "A", "Hi"))
    rig.done(2)

    assert (["A", "A"], 1, 0) == (rig.personas, first.closed, second.closed)


def test_a_newer_question_ends_the_one_before() -> None:
    gate = threading.Event()
    slow = Brain(gate=gate)
    rig = Rig(slow)
    rig.try_out.ask(TryPersona(1, "A", "Hi"))
    assert slow.reached.wait(10)

    rig.try_out.ask(TryPersona(2, "A", "Hello?"))
    gate.set()
    rig.done(2)

    assert {2} == {fact.data["number"] for fact in rig.facts}


def test_where_nobody_can_answer_the_reason_is_told() -> None:
    class Broken(Brain):
        def load(self) -> None:
            raise AppError("The key is refused.", "Type it again.")

    broken = Broken()
    rig = Rig(broken, Brain())

    rig.try_out.ask(TryPersona(1, "A", "Hi"))

    assert ("The key is refused.", "Type it again.") == (
        rig.done(1).data["problem"],
        rig.done(1).data["remedy"],
    )
    assert 1 == broken.closed
    rig.try_out.ask(TryPersona(2, "A", "Hi"))
    assert "It is good to see you here. How are you today?" == rig.done(2).data["text"]
