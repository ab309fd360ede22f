"""A talk with a persona that is still being written: aside from the show, not spoken and not kept."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.bus import Bus
from app.errors import AppError
from app.messages import TryPersona
from app.policy.sentences import SentenceSplitter
from app.ports import ChatModel

MAX_CHARS = 2000
"""Of an answer; more is not waited for."""


class TryOut:
    """Answers one `TryPersona` at a time on a thread of its own; what comes of it is told in facts.

    The brain is one of its own, made by `make_chat(persona)`: the show's may be speaking meanwhile. It is kept while
    the persona stays the same and so does what `in_force` returns (settings, keys), and closed with the try-out.
    Methods may be called from any thread and return at once.
    """

    def __init__(
        self, bus: Bus, make_chat: Callable[[str], ChatModel], in_force: Callable[[], object] = lambda: None
    ) -> None:
        self._bus = bus
        self._make_chat = make_chat
        self._in_force = in_force
        self._lock = threading.Lock()
        self._newest = 0
        self._working = threading.Lock()
        """Held by the thread that asks; guards `_held`."""
        self._held: tuple[tuple[str, object], ChatModel] | None = None

    def ask(self, command: TryPersona) -> None:
        """Ask; ends the question before. An empty text lets go of the brain."""
        with self._lock:
            self._newest = serial = self._newest + 1
        threading.Thread(target=self._work, args=(command, serial), name="try-out", daemon=True).start()

    def stop(self) -> None:
        """End what is asked and let go of the brain; waits for neither."""
        self.ask(TryPersona(0, "", ""))

    def _is_newest(self, serial: int) -> bool:
        with self._lock:
            return serial == self._newest

    def _work(self, command: TryPersona, serial: int) -> None:
        with self._working:
            if not self._is_newest(serial):
                return
            if not command.text.strip():
                self._let_go()
                return
            try:
                text = self._answer(command, serial)
                problem = None if text else AppError("The brain gave an empty answer.", "Ask it once more.")
            except AppError as error:
                problem, text = error, ""
            except Exception as error:  # whatever a provider does, the page is told and the next question is new
                problem = AppError(
                    f"The brain failed with an unexpected {type(error).__name__}.", "Ask it once more, or see the log."
                )
                text = ""
            if not self._is_newest(serial):
                return
            if problem is None:
                self._bus.emit("brain", "tried", number=command.number, text=text, done=True)
            else:
                self._let_go()
                self._bus.emit(
                    "brain",
                    "tried",
                    number=command.number,
                    text="",
                    done=True,
                    problem=problem.problem,
                    remedy=problem.remedy,
                )

    def _answer(self, command: TryPersona, serial: int) -> str:
        chat = self._chat(command.persona)
        messages = [{"role": "system", "content": command.persona}]
        for asked, answered in command.before:
            messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
        messages.append({"role": "user", "content": command.text})
        # As in the show: the same cuts, and tags for the face are no words.
        splitter = SentenceSplitter()
        said: list[str] = []
        for piece in chat.reply(messages, lambda: not self._is_newest(serial)):
            for sentence in splitter.feed(piece):
                said.append(sentence)
                if self._is_newest(serial):
                    self._bus.emit("brain", "tried", number=command.number, text=" ".join(said), done=False)
            if not self._is_newest(serial) or sum(map(len, said)) > MAX_CHARS:
                break
        return " ".join([*said, *splitter.finish()]).strip()

    def _chat(self, persona: str) -> ChatModel:
        wanted = (persona, self._in_force())
        if self._held is not None and self._held[0] == wanted:
            return self._held[1]
        self._let_go()
        chat = self._make_chat(persona)
        try:
            chat.load()
        except Exception:
            chat.close()
            raise
        self._held = wanted, chat
        return chat

    def _let_go(self) -> None:
        if self._held is not None:
            self._held[1].close()
            self._held = None
