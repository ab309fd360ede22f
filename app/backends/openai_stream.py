"""Streamed chat over HTTP in the OpenAI way, read from a plain thread and cancelled within 50 ms."""

from __future__ import annotations

import asyncio
import email.utils
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import httpx

from app.errors import ServiceError, Trouble

KEEP_ALIVE_S = 60.0
"""People pause between two questions; httpx closes an idle connection after 5 s and would greet the server anew."""
AT_ONCE_S = 0.5
POLL_S = 0.05
"""How often a waiting reader asks whether its turn is still wanted."""
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)*]*(?=\s|$)|\n")
_CLAUSE_END = re.compile(r"[.!?…。！？,;:—\n]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the answer; `cut` marks the end of one that hit its length limit."""

    text: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class StreamTimeouts:
    """Seconds. `first_token_s` covers the model's reading of the prompt, `next_token_s` a stall in the middle."""

    connect_s: float = 3.0
    first_token_s: float = 15.0
    next_token_s: float = 8.0


class Cancelled(Exception):
    """The turn is over; nobody waits for the answer."""


class ThreadedStream:
    """Drives async streams from one plain thread, so that a wait can be given up at any time. Not thread-safe."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def iterate(
        self, make: Callable[[], AsyncIterator[Piece]], timeouts: StreamTimeouts, should_stop: Callable[[], bool]
    ) -> Iterator[Piece]:
        """Yield what `make()` yields. Ends silently when `should_stop()`; raises TimeoutError on a stall."""
        loop = self._event_loop()
        stream = make()
        timeout_s = timeouts.connect_s + timeouts.first_token_s
        try:
            while True:
                try:
                    piece = self.wait(anext(stream, None), timeout_s, should_stop)
                except Cancelled:
                    return
                if piece is None:
                    return
                timeout_s = timeouts.next_token_s
                yield piece
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None and not loop.is_closed():
                loop.run_until_complete(close())

    def wait(self, awaitable: Any, timeout_s: float, should_stop: Callable[[], bool]) -> Any:
        """The result of `awaitable`; raises TimeoutError, or Cancelled when `should_stop()`."""
        loop = self._event_loop()
        task = loop.create_task(_as_coroutine(awaitable))
        done: set[asyncio.Task[Any]] = set()
        waited_s = 0.0
        try:
            while True:
                done, _ = loop.run_until_complete(asyncio.wait({task}, timeout=POLL_S))
                if done:
                    return task.result()
                if should_stop():
                    raise Cancelled
                waited_s += POLL_S
                if waited_s >= timeout_s:
                    raise TimeoutError
        finally:
            if not task.done():
                task.cancel()
                loop.run_until_complete(asyncio.wait({task}))
            # An error that goes up holds the stack that it came by, and a task its error: where the stack holds the
            # task, both, and whoever called, stay until Python looks through everything.
            done.clear()
            del task

    def close(self, *clients: Any) -> None:
        """Close async clients, then the loop. Not while another thread is in `iterate`."""
        loop = self._loop
        if loop is None or loop.is_closed() or loop.is_running():
            return
        for client in clients:
            closing = getattr(client, "aclose", None) or getattr(client, "close", None)
            if closing is not None:
                loop.run_until_complete(closing())
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
        return self._loop


async def _as_coroutine(awaitable: Any) -> Any:
    return await awaitable


@dataclass(frozen=True, slots=True)
class OpenAiEndpoint:
    """An OpenAI-compatible server. `url` ends before `/chat/completions`; `key` is never shown or logged."""

    name: str
    url: str
    model: str
    key: str = field(default="", repr=False)
    extra: dict[str, Any] = field(default_factory=dict)
    """Further fields of the request (sampling)."""
    timeouts: StreamTimeouts = field(default_factory=StreamTimeouts)
    remedy: str = "Check that the server runs and that its address is right."
    socket: str = ""
    """Path of a Unix socket to go through instead of the network; `url` then only names the host."""


class OpenAiStream:
    """A streaming client of one endpoint. Used by one thread."""

    def __init__(self, endpoint: OpenAiEndpoint) -> None:
        self.endpoint = endpoint
        self._threaded = ThreadedStream()
        self._client: httpx.AsyncClient | None = None

    def pieces(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[Piece]:
        """Stream the answer to chat `messages`.

        Raises:
            AppError: If the server is not there, refuses, stalls, or breaks off, also in mid-stream.
        """
        got_something = False
        try:
            for piece in self._threaded.iterate(lambda: self._stream(messages), self.endpoint.timeouts, should_stop):
                got_something = got_something or bool(piece.text)
                yield piece
        except (TimeoutError, httpx.ReadTimeout, httpx.WriteTimeout) as error:
            what = "stopped in the middle of its answer" if got_something else "did not answer in time"
            raise ServiceError(f"{self.endpoint.name} {what}.", self.endpoint.remedy, "timeout") from error
        except httpx.HTTPError as error:
            kind: Trouble = "broken" if got_something or isinstance(error, httpx.RemoteProtocolError) else "unreachable"
            what = "cannot be reached" if kind == "unreachable" else "broke off in the middle of its answer"
            problem = f"{self.endpoint.name} {what} ({type(error).__name__})."
            raise ServiceError(problem, self.endpoint.remedy, kind) from error

    def close(self) -> None:
        """Release the connection; safe to call twice."""
        self._threaded.close(*([self._client] if self._client else []))
        self._client = None

    async def _stream(self, messages: Sequence[dict[str, str]]) -> AsyncIterator[Piece]:
        endpoint = self.endpoint
        if self._client is None:
            # No proxy from the environment: what was said to a server of one's own must not pass a third one.
            limits = httpx.Limits(keepalive_expiry=KEEP_ALIVE_S)
            transport = httpx.AsyncHTTPTransport(uds=endpoint.socket, limits=limits) if endpoint.socket else None
            self._client = httpx.AsyncClient(
                trust_env=not is_loopback(endpoint.url),
                transport=transport,
                limits=limits,
            )
        headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
        request = {"model": endpoint.model, "messages": list(messages), "stream": True, **endpoint.extra}
        timeout = httpx.Timeout(endpoint.timeouts.first_token_s, connect=endpoint.timeouts.connect_s)
        async with self._client.stream(
            "POST", f"{endpoint.url.rstrip('/')}/chat/completions", json=request, headers=headers, timeout=timeout
        ) as response:
            if response.status_code != 200:
                await response.aread()
                raise status_error(endpoint.name, response.status_code, response.headers.get("retry-after"), endpoint)
            finished = False
            async for line in response.aiter_lines():
                if not line.startswith("data:"):
                    continue
                payload = line[5:].strip()
                if payload == "[DONE]":
                    finished = True
                    break
                text, reason = _read_event(payload, endpoint.name)
                if text:
                    yield Piece(text)
                if reason:
                    finished = True
                    yield Piece("", cut=reason == "length")
            if not finished:
                problem = f"{endpoint.name} broke off in the middle of its answer."
                raise ServiceError(problem, endpoint.remedy, "broken")


def _read_event(payload: str, name: str) -> tuple[str, str | None]:
    """(text, finish reason) of one event; raises AppError where the server reports one of its own."""
    try:
        event = json.loads(payload)
    except ValueError as error:
        problem = f"{name} sent something that is not an answer."
        raise ServiceError(problem, "Check the address of the server.", "broken") from error
    if isinstance(event, dict) and event.get("error"):
        raise ServiceError(f"{name} reported an error in the middle of its answer.", "Ask again.", "broken")
    choices = event.get("choices") if isinstance(event, dict) else None
    if not choices:
        return "", None
    choice = choices[0] if isinstance(choices, list) and isinstance(choices[0], dict) else {}
    delta = choice.get("delta")
    # Some servers send their thoughts beside the answer (`reasoning`, `reasoning_content`): never spoken.
    content = delta.get("content") if isinstance(delta, dict) else None
    return content if isinstance(content, str) else "", choice.get("finish_reason")


def status_error(
    name: str, status: int, retry_after: str | None, endpoint: OpenAiEndpoint | None = None
) -> ServiceError:
    """What an HTTP status means, in the user's words. The server's own text is left out: it may quote the question."""
    default = endpoint.remedy if endpoint else "Try again in a minute."
    if status in (401, 403):
        problem, remedy = f"{name} does not accept the key ({status}).", "Check the key in the settings; get a new one."
        return ServiceError(problem, remedy, "key")
    if status in (404, 410):
        problem, remedy = f"{name} does not know this model or address ({status}).", "Choose another model in settings."
        return ServiceError(problem, remedy, "model")
    if status == 413:
        problem, remedy = f"{name} finds the conversation too long ({status}).", "Ask something shorter."
        return ServiceError(problem, remedy, "refused")
    if status == 429:
        after_s = retry_after_s(retry_after)
        wait = f" for {after_s:g} s" if after_s is not None else ""
        problem, remedy = f"{name} has reached its limit ({status}).", f"Wait{wait}, or choose another model."
        return ServiceError(problem, remedy, "limit", after_s)
    if status >= 500:
        return ServiceError(f"{name} has trouble of its own ({status}).", default, "server", retry_after_s(retry_after))
    return ServiceError(f"{name} refused the question ({status}).", default, "refused")


def retry_after_s(header: str | None) -> float | None:
    """The header `retry-after` in s: a number, or a date (RFC 9110, 10.2.3). None where it is neither, or negative."""
    text = (header or "").strip()
    if re.fullmatch(r"\d{1,7}(?:\.\d{1,6})?", text):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def tried_twice(pieces: Callable[[], Iterator[Piece]]) -> Iterator[Piece]:
    """The pieces; asked for once more where the connection broke at once, before anything came.

    A server may close an idle connection in the very moment in which it is used again.
    """
    start_s = time.monotonic()
    got_something = False
    try:
        for piece in pieces():
            got_something = True
            yield piece
        return
    except ServiceError as error:
        is_at_once = time.monotonic() - start_s < AT_ONCE_S
        if got_something or not is_at_once or error.kind not in ("unreachable", "broken"):
            raise
    yield from pieces()


class ChosenModel(Protocol):
    """A chat model that `load` chooses among those that are offered, `gone` ones left out."""

    gone: set[str]

    @property
    def model(self) -> str:
        """The one in use."""
        ...

    def load(self) -> None:
        """Choose. Raises AppError."""
        ...


def answered(chat: ChosenModel, pieces: Callable[[], Iterator[Piece]]) -> Iterator[str]:
    """The spoken text of `pieces()`, which asks `chat.model`. One that is gone is replaced by the nearest, once.

    Raises AppError, also in mid-stream.
    """
    try:
        yield from whole_sentences(without_thoughts(tried_twice(pieces)))
    except ServiceError as error:
        gone = chat.model
        if error.kind != "model" or gone in chat.gone:
            raise
        chat.gone.add(gone)
        chat.load()
        if chat.model == gone:
            raise
        yield from whole_sentences(without_thoughts(tried_twice(pieces)))


def with_hint(messages: Sequence[dict[str, str]], hint: str) -> list[dict[str, str]]:
    """The messages with `hint` at the end of the system message."""
    return [
        {**message, "content": f"{message['content'].rstrip()}\n{hint}"}
        if hint and message["role"] == "system"
        else message
        for message in messages
    ]


def without_thoughts(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces without `<think>…</think>`, wherever they are cut: who only thinks has said nothing.

    Only at an answer's beginning, where models think; a thought that the template opened in the prompt is left to
    the sentence filter.
    """
    opening, closing = "<think>", "</think>"
    held, state = "", "before"
    for piece in pieces:
        if state == "after" or (not piece.text and not piece.cut):
            yield piece
            continue
        held += piece.text
        if state == "before":
            begin = held.lstrip()
            if begin.startswith(opening):
                state, held = "inside", begin[len(opening) :]
            elif piece.cut or not opening.startswith(begin):
                state = "after"
                yield Piece(held, piece.cut)
                held = ""
                continue
        if state == "inside" and closing in held:
            state = "after"
            rest = held.partition(closing)[2].lstrip()
            held = ""
            if rest or piece.cut:
                yield Piece(rest, piece.cut)
        elif state == "inside":
            held = held[-len(closing) :]
    if state == "before" and held:
        yield Piece(held)


def whole_sentences(pieces: Iterator[Piece], max_sentences: int | None = None) -> Iterator[str]:
    """The pieces' text, without a last sentence that was cut off by a length limit, and at most `max_sentences`.

    Costs no time: the first clause passes at once, and what follows is held back only until its sentence ends, which
    is what the voice waits for anyway.
    """
    held = ""
    passed = False
    sentences = 0
    for piece in pieces:
        held += piece.text
        if piece.cut:
            end = _last_end(held)
            if end or passed:
                if held[:end]:
                    yield held[:end]
                return
            break
        # A mark at the very end may go on ("3.", "5"), so it counts only once something follows.
        while match := _SENTENCE_END.search(held, 0, max(0, len(held) - 1)):
            sentences += bool(re.search(r"\w", held[: match.end()]))
            passed = True
            yield held[: match.end()]
            held = held[match.end() :]
            if max_sentences is not None and sentences >= max_sentences:
                return
        if not passed:
            clauses = list(_CLAUSE_END.finditer(held, 0, max(0, len(held) - 1)))
            if clauses:
                passed = True
                yield held[: clauses[-1].end()]
                held = held[clauses[-1].end() :]
    if held:
        yield held


def _last_end(text: str) -> int:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return ends[-1] if ends else 0


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this computer."""
    return httpx.URL(url).host in ("127.0.0.1", "localhost", "::1")
