"""From facts to what was said: questions that counted, and answers as far as they were heard. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.messages import Fact


@dataclass(frozen=True, slots=True)
class Spoken:
    """One message: `who` is "user" or "character", `at_ns` host time, `cut`: it was interrupted."""

    at_ns: int
    who: str
    text: str
    cut: bool = False


@dataclass(slots=True)
class _Turn:
    question: Spoken | None = None
    began_ns: int = 0
    sentences: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class TalkLog:
    """Follows the facts in their order; a turn is told as a whole, once it is over."""

    _turns: dict[int, _Turn] = field(default_factory=dict)

    def take(self, fact: Fact) -> list[Spoken]:
        """Follow one fact; the messages of a turn where it ends with it.

        Raises KeyError, TypeError or ValueError for a fact that lacks what its name promises.
        """
        match fact.stage, fact.event:
            case "stt", "transcript":
                text = str(fact.data["text"]).strip()
                if text:
                    self._of(fact).question = Spoken(fact.at_ns, "user", text)
            case "vad", "speech_resumed":
                # The user had not finished: what was understood so far comes again, with the rest of it.
                self._turns.pop(int(fact.data["continues"]), None)
            case "playback", "clip_started":
                text = str(fact.data.get("text") or "").strip()
                if text:
                    turn = self._of(fact)
                    turn.began_ns = turn.began_ns or fact.at_ns
                    turn.sentences[int(fact.data["index"])] = text
            case "playback", "turn_finished":
                return self._end(int(fact.data["turn"]), cut=False)
            case "playback", "stopped":
                return self._end(int(fact.data["turn"]), cut=True)
        return []

    def finish(self) -> list[Spoken]:
        """The talk is over: whatever was not yet told."""
        return [message for number in sorted(self._turns) for message in self._end(number, cut=True)]

    def _of(self, fact: Fact) -> _Turn:
        return self._turns.setdefault(int(fact.data["turn"]), _Turn())

    def _end(self, number: int, *, cut: bool) -> list[Spoken]:
        # Older turns that ended without a word, such as one that became nothing.
        older = [each for each in self._turns if each < number]
        told = [message for each in sorted(older) for message in self._close(each, cut=True)]
        return told + self._close(number, cut=cut)

    def _close(self, number: int, *, cut: bool) -> list[Spoken]:
        turn = self._turns.pop(number, None)
        if turn is None:
            return []
        told = [turn.question] if turn.question is not None else []
        if turn.sentences:
            text = " ".join(turn.sentences[index] for index in sorted(turn.sentences))
            told.append(Spoken(turn.began_ns, "character", text, cut))
        return told
