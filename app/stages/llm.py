"""Transcripts → sentences of an answer."""

from __future__ import annotations

import threading
from collections.abc import Callable

from animator.timebase import Clock
from app.bus import Bus
from app.messages import Sentence, Transcript
from app.policy.history import History
from app.policy.sentences import SentenceSplitter
from app.ports import ChatModel
from app.stage import Channel, Stage, Turns

_CLAUSE_ENDS = ".!?…,;:。！？।"


class LlmStage(Stage[Transcript]):
    """Asks the chat model and cuts its stream into sentences.

    `history` is shared with playback, which knows what was heard; `history_lock` guards it. `on_thinking` is called
    with the turn when the model is asked.
    """

    name = "llm"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        turns: Turns,
        inbox: Channel[Transcript],
        outbox: Channel[Sentence],
        chat: ChatModel,
        *,
        persona: Callable[[], str],
        fallback_line: str,
        history: History,
        history_lock: threading.Lock,
        on_thinking: Callable[[int], None] = lambda turn: None,
    ) -> None:
        super().__init__(bus, inbox)
        self._clock = clock
        self._turns = turns
        self._outbox = outbox
        self._chat = chat
        self._persona = persona
        self._fallback_line = fallback_line
        self._history = history
        self._history_lock = history_lock
        self._on_thinking = on_thinking
        self._failed_to_load: Exception | None = None
        self._index = 0
        self._splitter = SentenceSplitter()

    def load(self) -> str:
        """Start or reach the chat model."""
        try:
            self._chat.load()
        except Exception as error:
            self._failed_to_load = error
            raise
        return self._chat.name

    def handle(self, item: Transcript) -> None:
        """Answer one transcript. One that is out of date is still remembered: its words were said."""
        self._index = 0
        self._splitter = SentenceSplitter()
        if item.text.strip():
            with self._history_lock:
                self._history.ask(item.turn, item.text)
        if not self._turns.is_current(item.turn):
            return
        if not item.text.strip():
            self._send(item.turn, "", last=True)
            return
        if self._failed_to_load is not None:
            raise self._failed_to_load
        with self._history_lock:
            messages = self._history.messages(self._persona())
        self.label = self._chat.name
        self.say_state("busy")
        self._on_thinking(item.turn)
        start_ns = self._clock.now_ns()
        self._splitter = splitter = SentenceSplitter()
        is_first = True
        for piece in self._chat.reply(messages, lambda: not self._turns.is_current(item.turn)):
            if not self._turns.is_current(item.turn):
                break
            if is_first and piece.strip():
                is_first = False
                self.label = self._chat.name
                took_ms = round((self._clock.now_ns() - start_ns) / 1e6)
                self.bus.emit(self.name, "first_token", turn=item.turn, took_ms=took_ms)
            for text in splitter.feed(piece):
                self._send(item.turn, text, last=False)
        self._close(item.turn, splitter.finish())
        self.say_state("ready")

    def recover(self, item: Transcript) -> None:
        """No answer, or half of one: say the fallback line if nothing was said yet, and close the turn."""
        if not self._turns.is_current(item.turn):
            return
        # What had come to a clause's end is said, a broken-off word or two is not.
        rest = [text for text in self._splitter.finish() if text[-1] in _CLAUSE_ENDS]
        if self._index or rest:
            self._close(item.turn, rest)
            return
        with self._history_lock:
            self._history.forget(item.turn)
        self._send(item.turn, self._fallback_line, last=True)

    def _close(self, turn: int, rest: list[str]) -> None:
        for text in rest[:-1]:
            self._send(turn, text, last=False)
        self._send(turn, rest[-1] if rest else "", last=True)

    def _send(self, turn: int, text: str, *, last: bool) -> None:
        if not self._turns.is_current(turn):
            return
        self.bus.emit(self.name, "sentence", turn=turn, index=self._index, text=text, last=last)
        self._outbox.put(Sentence(turn, self._index, text, last))
        self._index += 1
