"""Groq's cloud, for those who have a key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

from app.backends.openai_stream import (
    KEEP_ALIVE_S,
    Piece,
    StreamTimeouts,
    ThreadedStream,
    answered,
    status_error,
    with_hint,
)
from app.errors import AppError, ServiceError
from app.policy.providers import nearest_model

DEFAULT_MODEL = "openai/gpt-oss-20b"
_REMEDY = "Check the internet connection, or use the local model."


class GroqChat:
    """Streams from Groq through its own SDK. The key is held by the SDK alone and never shown.

    Models are listed while loading; where the wanted one is gone, the nearest answers and `on_change(name, note)` is
    called. `hint` is added to the system message. `base_url` is for tests; the SDK adds `/openai/v1/…` to it.
    """

    capable = True

    def __init__(
        self,
        key: str,
        model: str = DEFAULT_MODEL,
        *,
        base_url: str | None = None,
        temperature: float = 0.7,
        max_tokens: int = 700,
        timeouts: StreamTimeouts | None = None,
        hint: str = "",
        on_change: Callable[[str, AppError], None] = lambda name, note: None,
    ) -> None:
        self.name = f"{model} (Groq)"
        self.model = model
        self._wanted = model
        self._hint = hint
        self._on_change = on_change
        self.gone: set[str] = set()
        """Models that were asked and are not there any more."""
        self._temperature = temperature
        # Thoughts count as well, so this is far more than two sentences need.
        self._max_tokens = max_tokens
        self._timeouts = timeouts or StreamTimeouts(connect_s=3.0, first_token_s=6.0, next_token_s=5.0)
        self._threaded = ThreadedStream()
        self._base_url = base_url
        self._key: str | None = key
        self._client: Any = None

    def load(self) -> None:
        """Make the client and see whether the key and the model are accepted. Raises AppError."""
        import groq
        import httpx

        if not (self._key or "").strip() and self._client is None:
            raise AppError("There is no Groq key.", "Set GROQ_API_KEY, or use the local model.")
        if self._client is None:
            limits = self._timeouts
            timeout = httpx.Timeout(limits.first_token_s, connect=limits.connect_s)
            self._client = groq.AsyncGroq(
                api_key=(self._key or "").strip(),
                base_url=self._base_url,
                http_client=groq.DefaultAsyncHttpxClient(
                    timeout=timeout, limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S)
                ),
                # The SDK's own retries sleep up to a minute; somebody else may answer in that time.
                max_retries=0,
                timeout=timeout,
            )
            self._key = None
        offered = self.offered()
        chosen = nearest_model(self._wanted, offered, frozenset(self.gone)) if offered else self.model
        if chosen is None:
            raise ServiceError(
                "Groq offers no chat model to this key.", "Check the limits of the Groq account.", "model"
            )
        if chosen == self.model:
            return
        self.model, self.name = chosen, f"{chosen} (Groq)"
        problem = f"Groq has no model {self._wanted!r} any more; {chosen} answers instead."
        self._on_change(self.name, AppError(problem, "Name one that it has as groq_model under [brain]."))

    def offered(self) -> list[str]:
        """Groq's models that are switched on. Raises ServiceError."""
        client = self._client
        with _translated(self.name):
            listed = self._threaded.wait(client.models.list(), limits_sum(self._timeouts), lambda: False)
        return [str(model.id) for model in listed.data or () if getattr(model, "active", True) is not False]

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        """Stream the answer in pieces. A model that is gone is replaced by the nearest. Raises AppError."""
        if self._client is None:
            self.load()
        asked = with_hint(messages, self._hint)
        yield from answered(self, lambda: self._pieces(asked, should_stop))

    def close(self) -> None:
        """Release the connection."""
        self._threaded.close(*([self._client] if self._client is not None else []))

    def _pieces(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[Piece]:
        with _translated(self.name):
            yield from self._threaded.iterate(lambda: self._stream(messages), self._timeouts, should_stop)

    async def _stream(self, messages: Sequence[dict[str, str]]) -> AsyncIterator[Piece]:
        stream = await self._client.chat.completions.create(
            model=self.model,
            messages=list(messages),
            stream=True,
            temperature=self._temperature,
            max_completion_tokens=self._max_tokens,
            **({"reasoning_effort": "low", "include_reasoning": False} if "gpt-oss" in self.model else {}),
        )
        finished = False
        try:
            async for chunk in stream:
                if not chunk.choices:
                    continue
                choice = chunk.choices[0]
                if choice.delta.content:
                    yield Piece(choice.delta.content)
                if choice.finish_reason:
                    finished = True
                    yield Piece("", cut=choice.finish_reason == "length")
        finally:
            await stream.close()
        if not finished:
            raise ServiceError(f"{self.name} broke off in the middle of its answer.", "Ask again.", "broken")


def limits_sum(timeouts: StreamTimeouts) -> float:
    """Seconds until a whole first request is given up."""
    return timeouts.connect_s + timeouts.first_token_s


class _translated:
    """Turns the SDK's errors into the user's words."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        import groq

        match error:
            case TimeoutError() | groq.APITimeoutError():
                problem = f"{self._name} did not answer in time."
                raise ServiceError(problem, _REMEDY, "timeout") from error
            case groq.APIStatusError(status_code=status, response=response):
                # `from None`: the SDK's message may quote the question, or part of the key.
                raise status_error(self._name, status, response.headers.get("retry-after")) from None
            case groq.APIConnectionError():
                problem = f"{self._name} cannot be reached."
                raise ServiceError(problem, _REMEDY, "unreachable") from None
            case groq.GroqError():
                problem = f"{self._name} reported an error in the middle of its answer."
                raise ServiceError(problem, "Ask again.", "broken") from None
            case _ if isinstance(error, ValueError) or type(error).__module__.split(".")[0] in ("httpx", "httpcore"):
                problem = f"{self._name} broke off in the middle of its answer."
                raise ServiceError(problem, _REMEDY, "broken") from None
