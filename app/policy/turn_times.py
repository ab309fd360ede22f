"""How long each step took from the user's last word to the first sound of the answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.messages import Fact

KEPT = 16
"""Turns that are followed at once; older ones will not be heard any more."""


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """Host times of one turn in ns; None for a step that left no trace (a greeting is not thought of).

    `asked_ns` is the end of what the user said, or when it was sent if it was `typed`. An answer is prepared before it
    is sure that the user has finished, so `token_ns` and `clip_ns` may come before `decided_ns`.
    """

    turn: int
    typed: bool
    asked_ns: int
    decided_ns: int | None
    token_ns: int | None
    clip_ns: int | None
    sound_ns: int

    @property
    def total_ms(self) -> float:
        """From the user's last word to the first sound."""
        return max(0.0, (self.sound_ns - self.asked_ns) / 1e6)

    def waits_ms(self) -> tuple[float, float, float, float]:
        """What was waited for, one after the other: decision, first word, first clip, its sound. The sum is the total.

        A step that was over before the one in front of it kept nobody waiting.
        """
        waits, at_ns = [], self.asked_ns
        for step_ns in (self.decided_ns, self.token_ns, self.clip_ns, self.sound_ns):
            reached_ns = at_ns if step_ns is None else min(max(at_ns, step_ns), max(self.sound_ns, self.asked_ns))
            waits.append((reached_ns - at_ns) / 1e6)
            at_ns = reached_ns
        return waits[0], waits[1], waits[2], waits[3]

    def after_ms(self, step_ns: int | None) -> float | None:
        """When a step was reached, from the user's last word."""
        return None if step_ns is None else (step_ns - self.asked_ns) / 1e6


@dataclass(slots=True)
class _Turn:
    typed: bool = False
    asked_ns: int | None = None
    decided_ns: int | None = None
    token_ns: int | None = None
    clip_ns: int | None = None


@dataclass(slots=True)
class TurnClock:
    """Puts the times of turns together from facts, in the order in which they come."""

    _turns: dict[int, _Turn] = field(default_factory=dict)

    def take(self, fact: Fact) -> TurnTimes | None:
        """Follow one fact; the times of a turn once, when the first sound of its answer is heard.

        Raises KeyError, TypeError or ValueError for a fact that lacks what its name promises.
        """
        match fact.stage, fact.event:
            case "vad", "speech_ended":
                turn = self._of(fact)
                turn.asked_ns, turn.decided_ns = int(fact.data["ended_ns"]), fact.at_ns
            case "vad", "speech_resumed":
                self._turns.pop(int(fact.data["continues"]), None)
            case "stt", "transcript" if fact.data.get("typed"):
                turn = self._of(fact)
                turn.typed, turn.asked_ns = True, fact.at_ns
            case "llm", "first_token":
                self._of(fact).token_ns = fact.at_ns
            case "tts", "clip" if int(fact.data["index"]) == 0:
                self._of(fact).clip_ns = fact.at_ns
            case "playback", "clip_started":
                return self._heard(int(fact.data["turn"]), fact.at_ns)
            case "playback", "turn_finished" | "stopped":
                self._turns.pop(int(fact.data["turn"]), None)
        return None

    def _of(self, fact: Fact) -> _Turn:
        number = int(fact.data["turn"])
        while len(self._turns) >= KEPT and number not in self._turns:
            del self._turns[min(self._turns)]
        return self._turns.setdefault(number, _Turn())

    def _heard(self, number: int, at_ns: int) -> TurnTimes | None:
        turn = self._turns.pop(number, None)
        if turn is None or turn.asked_ns is None:
            return None  # a later sentence; or nobody had asked, as with a greeting
        return TurnTimes(number, turn.typed, turn.asked_ns, turn.decided_ns, turn.token_ns, turn.clip_ns, at_ns)
