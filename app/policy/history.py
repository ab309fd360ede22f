"""What both sides said, as the chat model sees it: only what was heard, within a budget of tokens. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.policy.quoting import framed, neutral, without_markers

CUT_OFF = " —"
"""Ends an answer that the user interrupted."""
KEEP = 0.7
"""Over its budget the talk is folded down to this share at once: the model has to read anew whatever moved, so it
moves rarely."""
SUMMARY_CHARS = 420
_PIECE_CHARS = 90
"""Of each question that falls out, so much is kept in a summary by rule."""
_WIDE = re.compile(r"[\u0900-\u0dff\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff00-\uffef]")


def tokens(text: str) -> int:
    """About how many tokens `text` is: four characters each, one for each sign of CJK, Hangul and the Indic scripts."""
    wide = len(_WIDE.findall(text))
    return wide + (len(text) - wide + 3) // 4


@dataclass(slots=True)
class _Exchange:
    turn: int
    user: str
    heard: list[str] = field(default_factory=list)
    cut: bool = False

    @property
    def answer(self) -> str:
        said = " ".join(text for text in self.heard if text)
        return said + CUT_OFF if self.cut and said else said


class History:
    """A rolling chat history; what falls out of it lives on in a short summary. Not thread-safe.

    The summary is made by rule at once; a brain that can may replace it by a better one (`to_sum_up`, `sum_up`).
    """

    def __init__(self, budget_tokens: int = 600) -> None:
        self._budget_tokens = budget_tokens
        self._exchanges: list[_Exchange] = []
        self._forgotten: set[int] = set()
        self._withdrawn: set[int] = set()
        self._summary = ""
        self._folded: list[_Exchange] = []
        """Fallen out, and known to the summary by rule only."""
        self._summed_up = ""
        """The brain's own summary of everything before `_folded`."""
        self._version = 0

    def keep(self, budget_tokens: int) -> None:
        """Keep so much of the talk word by word from now on."""
        if budget_tokens != self._budget_tokens:
            self._budget_tokens = budget_tokens
            if self._exchanges:
                self._trim()

    @property
    def summary(self) -> str:
        """What is left of the exchanges that fell out; "" where none did."""
        return self._summary

    def ask(self, turn: int, text: str) -> None:
        """The user said `text` in `turn`; replaces an earlier guess at it of whose answer nothing was heard."""
        if turn in self._withdrawn:
            return
        said = without_markers(text).strip()
        if self._exchanges and self._exchanges[-1].turn == turn and not self._exchanges[-1].heard:
            self._exchanges[-1].user = said
        else:
            self._exchanges.append(_Exchange(turn, said))
        self._trim()

    def heard(self, turn: int, text: str) -> None:
        """A clip of the answer to `turn` began to play; `text` counts as said unless `cut` takes some of it back."""
        if turn in self._forgotten:
            return
        for exchange in reversed(self._exchanges):
            if exchange.turn == turn:
                exchange.heard.append(text.strip())
                return
        # Spoken without a question.
        self._exchanges.append(_Exchange(turn, "", [text.strip()]))
        self._trim()

    def cut(self, turn: int, last_heard: str | None = None) -> None:
        """The user interrupted `turn`: what was not heard does not count as said.

        `last_heard` is what was really heard of the last piece ("" for nothing); None where all of it counts.
        """
        for exchange in self._exchanges:
            if exchange.turn == turn:
                if last_heard is not None and exchange.heard:
                    exchange.heard[-1] = last_heard.strip()
                    if not exchange.heard[-1]:
                        exchange.heard.pop()
                exchange.cut = bool(exchange.heard)

    def withdraw(self, turn: int) -> None:
        """The question of `turn` was only the beginning of a longer one: as if it had never been asked."""
        self._withdrawn = _newest(self._withdrawn, turn)
        self.forget(turn)

    def forget(self, turn: int) -> None:
        """Leave `turn` out: its answer was an apology, not the character's."""
        self._forgotten = _newest(self._forgotten, turn)
        self._exchanges = [exchange for exchange in self._exchanges if exchange.turn != turn]

    def clear(self) -> None:
        """Start afresh."""
        self._exchanges.clear()
        self._folded.clear()
        self._summary = self._summed_up = ""
        self._version += 1

    def messages(self, persona: str, note: str = "", *, with_summary: bool = True) -> list[dict[str, str]]:
        """Chat messages, oldest first: the persona, then user and assistant in strict alternation.

        Questions that were never answered are joined with the next one, so that nothing the user typed is lost. The
        summary stands before the oldest words and `note` before the newest question, so that all between them stays as
        it was and need not be read again. Small brains take a summary for what is said now: leave it out for them.
        """
        spoken: list[dict[str, str]] = []

        def say(role: str, text: str) -> None:
            if not text:
                return
            if spoken and spoken[-1]["role"] == role:
                spoken[-1]["content"] += "\n" + text
            else:
                spoken.append({"role": role, "content": text})

        if with_summary:
            say("user", framed("Earlier in this talk", [self._summary], SUMMARY_CHARS))
        for i, exchange in enumerate(self._exchanges):
            if i == len(self._exchanges) - 1 and exchange.user:
                say("user", note)
            say("user", exchange.user)
            say("assistant", exchange.answer)
        return [{"role": "system", "content": persona}, *spoken]

    def to_sum_up(self) -> tuple[int, str] | None:
        """(version, text) of what fell out since the brain last summed up, for it to do so; None where nothing did."""
        if not self._folded:
            return None
        lines = [f"Before: {neutral(self._summed_up, SUMMARY_CHARS)}"] if self._summed_up else []
        for exchange in self._folded:
            lines += [f"User said: {neutral(exchange.user, 300)}"] if exchange.user else []
            lines += [f"Character said: {neutral(exchange.answer, 300)}"] if exchange.answer else []
        return self._version, "\n".join(lines)

    def sum_up(self, version: int, text: str) -> None:
        """Take the brain's summary of what `to_sum_up` gave, unless the talk has gone on falling out or begun anew."""
        text = neutral(text, SUMMARY_CHARS)
        if version == self._version and text:
            self._summary = self._summed_up = text
            self._folded.clear()

    def _trim(self) -> None:
        def size(exchange: _Exchange) -> int:
            return tokens(exchange.user) + tokens(exchange.answer)

        total = sum(map(size, self._exchanges))
        if len(self._exchanges) > 1 and total > self._budget_tokens:
            while len(self._exchanges) > 1 and total > KEEP * self._budget_tokens:
                total -= size(self._exchanges[0])
                self._folded.append(self._exchanges.pop(0))
            self._version += 1
            del self._folded[:-24]
            self._summary = self._by_rule()
        # One very long question still has to fit; its end says most.
        newest = self._exchanges[-1]
        if tokens(newest.user) > self._budget_tokens:
            newest.user = _last_tokens(newest.user, self._budget_tokens)

    def _by_rule(self) -> str:
        """The brain's summary so far and the newest of what the user said since, shortened."""
        said = [neutral(exchange.user, _PIECE_CHARS) for exchange in self._folded if exchange.user]
        kept: list[str] = []
        room = SUMMARY_CHARS - (len(self._summed_up) + 1 if self._summed_up else 0) - len("The user said: ")
        for text in reversed(said):
            if sum(len(each) + 3 for each in kept) + len(text) > room:
                break
            kept.insert(0, text)
        by_rule = f"The user said: {' / '.join(kept)}" if kept else ""
        return " ".join(part for part in (self._summed_up, by_rule) if part)


def _newest(turns: set[int], turn: int) -> set[int]:
    """`turns` and `turn`, without those that are too old to turn up again."""
    return {each for each in turns if each > turn - 200} | {turn}


def _last_tokens(text: str, budget: int) -> str:
    """The end of `text` that is `budget` tokens long or a little less."""
    start = 0
    while tokens(text[start:]) > budget:
        start += max(1, (tokens(text[start:]) - budget) // 2)
    return text[start:]
