"""What both sides said, as the chat model sees it: only what was heard, within a budget. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

CUT_OFF = " —"
"""Ends an answer that the user interrupted."""


@dataclass(slots=True)
class _Exchange:
    turn: int
    user: str
    heard: list[str] = field(default_factory=list)
    cut: bool = False


class History:
    """A rolling chat history. Not thread-safe."""

    def __init__(self, budget_chars: int = 2400) -> None:
        self._budget_chars = budget_chars
        self._exchanges: list[_Exchange] = []
        self._forgotten: set[int] = set()
        self._withdrawn: set[int] = set()

    def ask(self, turn: int, text: str) -> None:
        """The user said `text` in `turn`."""
        if turn in self._withdrawn:
            return
        self._exchanges.append(_Exchange(turn, text.strip()))
        self._trim()

    def heard(self, turn: int, text: str) -> None:
        """A clip of the answer to `turn` began to play."""
        if turn in self._forgotten:
            return
        for exchange in reversed(self._exchanges):
            if exchange.turn == turn:
                exchange.heard.append(text.strip())
                return
        # Spoken without a question.
        self._exchanges.append(_Exchange(turn, "", [text.strip()]))
        self._trim()

    def cut(self, turn: int) -> None:
        """The user interrupted `turn`: what was not heard does not count as said."""
        for exchange in self._exchanges:
            if exchange.turn == turn:
                exchange.cut = bool(exchange.heard)

    def withdraw(self, turn: int) -> None:
        """The question of `turn` was only the beginning of a longer one: as if it had never been asked."""
        self._withdrawn.add(turn)
        self._exchanges = [exchange for exchange in self._exchanges if exchange.turn != turn]

    def forget(self, turn: int) -> None:
        """Leave `turn` out: its answer was an apology, not the character's."""
        self._forgotten.add(turn)
        self._exchanges = [exchange for exchange in self._exchanges if exchange.turn != turn]

    def clear(self) -> None:
        """Start afresh."""
        self._exchanges.clear()

    def messages(self, persona: str) -> list[dict[str, str]]:
        """Chat messages, oldest first: the persona, then user and assistant in strict alternation.

        Questions that were never answered are joined with the next one, so that nothing the user typed is lost.
        """
        spoken: list[dict[str, str]] = []
        for exchange in self._exchanges:
            answer = " ".join(exchange.heard)
            for role, text in (("user", exchange.user), ("assistant", answer + CUT_OFF if exchange.cut else answer)):
                if not text:
                    continue
                if spoken and spoken[-1]["role"] == role:
                    spoken[-1]["content"] += "\n" + text
                else:
                    spoken.append({"role": role, "content": text})
        return [{"role": "system", "content": persona}, *spoken]

    def _trim(self) -> None:
        def size(exchange: _Exchange) -> int:
            return len(exchange.user) + sum(len(text) for text in exchange.heard)

        while len(self._exchanges) > 1 and sum(map(size, self._exchanges)) > self._budget_chars:
            self._exchanges.pop(0)
        # One very long question still has to fit; its end says most.
        newest = self._exchanges[-1]
        if len(newest.user) > self._budget_chars:
            newest.user = newest.user[-self._budget_chars :]
