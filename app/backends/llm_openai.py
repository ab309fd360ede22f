"""Any server that speaks OpenAI's chat: Ollama, LM Studio, llama.cpp, vLLM and others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import httpx

from app.backends.openai_stream import (
    OpenAiEndpoint,
    OpenAiStream,
    StreamTimeouts,
    answered,
    is_loopback,
    status_error,
    with_hint,
)
from app.errors import AppError, ServiceError
from app.policy.providers import nearest_model


class OpenAiChat:
    """A chat model behind `url` (which ends in `/v1`), for example http://127.0.0.1:11434/v1 for Ollama.

    An empty `model` takes the server's first. `hint` is added to the system message. `on_change(name, note)` is called
    when another model than the one asked for answers.
    """

    capable = True

    def __init__(
        self,
        url: str,
        model: str = "",
        *,
        key: str = "",
        temperature: float = 0.7,
        max_tokens: int = 700,
        timeouts: StreamTimeouts | None = None,
        hint: str = "",
        on_change: Callable[[str, AppError], None] = lambda name, note: None,
    ) -> None:
        host = httpx.URL(url).host
        self._wanted = model
        self._host = host
        self._hint = hint
        self._on_change = on_change
        self.gone: set[str] = set()
        """Models that were asked and are not there any more."""
        self.name = f"{model} ({host})" if model else host
        self._stream = OpenAiStream(
            OpenAiEndpoint(
                name=self.name,
                url=url,
                model=model,
                key=key,
                extra={"temperature": temperature, "max_tokens": max_tokens},
                # A local server may have to load the model first.
                timeouts=timeouts or StreamTimeouts(first_token_s=60.0),
                remedy=f"Start the server at {url}, or choose another brain in the settings.",
            )
        )

    @property
    def model(self) -> str:
        """The model in use."""
        return self._stream.endpoint.model

    def load(self) -> None:
        """Ask for the list of models: is the server there, does it take the key, and has it the model?"""
        offered = self.offered()
        if not offered:
            return  # not every server has the list
        chosen = nearest_model(self._wanted, offered, frozenset(self.gone))
        if chosen is None:
            problem = f"The server at {self._host} offers no chat model."
            raise ServiceError(problem, "Load a chat model there, or choose another brain in the settings.", "model")
        if chosen == self.model:
            return
        self.name = f"{chosen} ({self._host})"
        self._stream.endpoint = replace(self._stream.endpoint, model=chosen, name=self.name)
        if self._wanted and chosen.split(":")[0] != self._wanted.split(":")[0]:
            problem = f"The server at {self._host} has no model {self._wanted!r}; {chosen} answers instead."
            self._on_change(self.name, AppError(problem, "Name one that it has as server_model under [brain]."))

    def offered(self) -> list[str]:
        """The server's models; empty where it has no such list. Raises ServiceError."""
        endpoint = self._stream.endpoint
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        try:
            response = httpx.get(
                f"{endpoint.url.rstrip('/')}/models",
                headers=headers,
                timeout=5.0,
                trust_env=not is_loopback(endpoint.url),
            )
        except httpx.HTTPError as error:
            problem = f"{self.name} cannot be reached ({type(error).__name__})."
            raise ServiceError(problem, endpoint.remedy, "unreachable") from error
        # Not every server has the list; only a refused key or a broken server means that chat will not work either.
        if response.status_code in (401, 403, 429) or response.status_code >= 500:
            raise status_error(self.name, response.status_code, response.headers.get("retry-after"), endpoint)
        try:
            models = response.json()["data"]
            return [str(model["id"])[:200] for model in models[:1000]]
        except (ValueError, KeyError, TypeError):
            return []

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        """Stream the answer in pieces. A model that is gone is replaced by the nearest. Raises AppError."""
        asked = _user_first(with_hint(messages, self._hint))
        yield from answered(self, lambda: self._stream.pieces(asked, should_stop))

    def close(self) -> None:
        """Release the connection."""
        self._stream.close()


def _user_first(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    """The messages with a word of the user's before a greeting: the templates of some models insist on it."""
    at = next((i for i, message in enumerate(messages) if message["role"] != "system"), None)
    if at is None or messages[at]["role"] == "user":
        return messages
    return [*messages[:at], {"role": "user", "content": "(The talk begins.)"}, *messages[at:]]
