"""Several chat models in order: where one fails before it has said anything, the next one answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence

from app.errors import AppError
from app.ports import ChatModel

REST_REPLIES = 3
"""So many answers long a model that failed is asked last: waiting for its timeout each time would be worse."""

_log = logging.getLogger(__name__)


class FailoverChat:
    """`name` is that of the model in use. `on_switch(name, error)` is called when it changes because of `error`."""

    def __init__(
        self, models: Sequence[ChatModel], on_switch: Callable[[str, AppError], None] = lambda name, error: None
    ) -> None:
        if not models:
            raise ValueError("needs at least one chat model")
        self._models = list(models)
        self._on_switch = on_switch
        self._ready: set[int] = set()
        self._resting = [0] * len(self._models)
        self.name = self._models[0].name

    def load(self) -> None:
        """Load the models up to the first that works; the others wait until they are needed.

        Raises AppError, the first model's, if none works.
        """
        errors: list[AppError] = []
        for i in range(len(self._models)):
            try:
                self._load(i)
            except AppError as error:
                errors.append(error)
                self._resting[i] = REST_REPLIES
                continue
            self._use(i, errors)
            return
        raise errors[0]

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        """Stream the answer of the first model that gives one.

        Raises AppError if all fail, or if one fails in mid-answer: two halves of two answers make no sense.
        """
        errors: list[AppError] = []
        tried_later = [i for i, left in enumerate(self._resting) if left]
        self._resting = [max(0, left - 1) for left in self._resting]
        for i in [i for i in range(len(self._models)) if i not in tried_later] + tried_later:
            model = self._models[i]
            said_something = False
            try:
                self._load(i)
                for piece in model.reply(messages, should_stop):
                    if not said_something and piece.strip():
                        said_something = True
                        self._use(i, errors)
                    yield piece
                if said_something or should_stop():
                    return
                errors.append(AppError(f"{model.name} gave an empty answer.", "Ask again."))
            except AppError as error:
                if said_something:
                    raise
                errors.append(error)
                self._resting[i] = REST_REPLIES
                _log.warning("%s failed before its first word", model.name)
        raise errors[0]

    def close(self) -> None:
        """Close every model; safe to call twice."""
        for model in self._models:
            model.close()

    def _load(self, i: int) -> None:
        if i not in self._ready:
            self._models[i].load()
            self._ready.add(i)

    def _use(self, i: int, errors: list[AppError]) -> None:
        name = self._models[i].name
        if name != self.name:
            self.name = name
            if errors:
                self._on_switch(name, errors[0])
