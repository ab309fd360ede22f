"""Several chat models in order: where one fails before it has said anything, the next one answers."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from animator.timebase import Clock
from app.errors import AppError, ServiceError
from app.policy.providers import ProviderOrder
from app.ports import ChatModel

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chat model, and whose it is: models of one provider share its key and its address."""

    model: ChatModel
    provider: str


class FailoverChat:
    """Asks `candidates` in order, less those that rest (`policy.providers` says who does, and for how long).

    `name` is that of the model in use. `on_switch(name, error)` is called when it changes because of `error`. With
    `stand_by` the last candidate is loaded in the background once another answers, so that it can take over at once.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        clock: Clock,
        on_switch: Callable[[str, AppError], None] = lambda name, error: None,
        *,
        stand_by: bool = False,
    ) -> None:
        if not candidates:
            raise ValueError("needs at least one chat model")
        self._models = [candidate.model for candidate in candidates]
        self._clock = clock
        self._on_switch = on_switch
        self._stand_by = stand_by
        self._order = ProviderOrder([candidate.provider for candidate in candidates])
        self._locks = [threading.Lock() for _ in candidates]
        self._ready: set[int] = set()
        self._in_use = 0
        self._last_error: AppError | None = None
        self._closed = threading.Event()
        self.name = self._models[0].name

    @property
    def capable(self) -> bool:
        """Whether the model that would be asked now follows instructions."""
        order = self._order.order(self._now_s())
        return bool(order) and bool(getattr(self._models[order[0]], "capable", False))

    def load(self) -> None:
        """Load the models up to the first that works; the others wait until they are needed.

        Raises AppError, the first model's, if none works.
        """
        errors: list[AppError] = []
        for i in range(len(self._models)):
            if not self._order.may_ask(i, self._now_s()):
                continue
            try:
                self._load(i)
            except Exception as error:
                errors.append(self._note(i, error))
                continue
            self._use(i, errors)
            last = len(self._models) - 1
            if self._stand_by and i != last:
                threading.Thread(target=self._load_quietly, args=(last,), name="chat-stand-by", daemon=True).start()
            return
        raise errors[0]

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        """Stream the answer of the first model that gives one.

        Raises AppError if all fail, or if one fails in mid-answer: two halves of two answers make no sense.
        """
        errors: list[AppError] = []
        for i in self._order.order(self._now_s()):
            if not self._order.may_ask(i, self._now_s()):
                continue
            said_something = False
            try:
                self._load(i)
                for piece in self._models[i].reply(messages, should_stop):
                    if not said_something and piece.strip():
                        said_something = True
                        self._use(i, errors)
                    yield piece
                if should_stop():
                    return
                if not said_something:
                    raise ServiceError(f"{self._models[i].name} gave an empty answer.", "Ask again.", "empty")
                self._order.worked(i)
                return
            except Exception as error:
                if should_stop():
                    return
                known = self._note(i, error)
                if said_something:
                    raise known from None
                errors.append(known)
                _log.warning("%s failed before its first word", self._models[i].name)
        why = errors[0] if errors else self._last_error
        raise why.again() if why is not None else AppError("No chat model can be asked now.", "Wait a minute.")

    def read_ahead(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> None:
        """Let the model in use read the talk so far while nobody waits, where that helps it."""
        read_ahead = getattr(self._models[self._in_use], "read_ahead", None)
        if read_ahead is not None:
            read_ahead(messages, should_stop)

    def close(self) -> None:
        """Close every model; safe to call twice."""
        self._closed.set()
        for model in self._models:
            model.close()

    def _now_s(self) -> float:
        return self._clock.now_ns() / 1e9

    def _note(self, i: int, error: Exception) -> AppError:
        if not isinstance(error, AppError):
            # Its message may quote what was said.
            problem = f"{self._models[i].name} failed with an unexpected {type(error).__name__}."
            error = ServiceError(problem, "Choose another brain if it happens again.", "server")
        self._last_error = error.kept()
        if isinstance(error, ServiceError):
            self._order.failed(i, error.kind, self._now_s(), error.retry_after_s)
        else:
            self._order.failed(i, "server", self._now_s())
        return error

    def _load(self, i: int) -> None:
        with self._locks[i]:
            if i not in self._ready:
                self._models[i].load()
                self._ready.add(i)

    def _load_quietly(self, i: int) -> None:
        try:
            if not self._closed.is_set():
                self._load(i)
        except Exception as error:
            # Said when it is needed; until then the show has a brain.
            _log.warning("%s cannot stand by: %s", self._models[i].name, type(error).__name__)
        finally:
            if self._closed.is_set():
                self._models[i].close()

    def _use(self, i: int, errors: list[AppError]) -> None:
        name = self._models[i].name
        if i != self._in_use and errors:
            self._on_switch(name, errors[0])
        self._in_use, self.name = i, name
