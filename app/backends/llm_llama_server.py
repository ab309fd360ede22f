"""SmolLM2, or any GGUF model, on this computer: llama.cpp in a process of its own."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.backends.openai_stream import OpenAiEndpoint, OpenAiStream, Piece, StreamTimeouts, whole_sentences
from app.errors import AppError
from app.policy.history import tokens
from app.policy.persona import shortened

_log = logging.getLogger(__name__)

START_TIMEOUT_S = 60.0
_REMEDY = "Run `kuchipaku doctor`; if the model is damaged, `kuchipaku models` fetches it again."

# A model of 135 million weights follows examples far better than instructions: with these it keeps to one or two
# sentences and to the point (Paris, not a song about it). They are in the prompt's fixed beginning, which the server
# keeps, so they cost time once.
EXAMPLES: tuple[tuple[str, str], ...] = (
    ("Hi there!", "Hey! Nice to see you. What shall we talk about?"),
    ("What is the capital of Italy?", "That's Rome! I would love to walk around there one day."),
    ("I had a bad day.", "Oh no, I'm sorry. Take a deep breath, and tell me what happened."),
    ("Tell me something funny.", "Sure! Why did the bicycle fall over? Because it was two tired."),
    ("Why is grass green?", "Good question! Grass is full of chlorophyll, and that looks green to us."),
    ("We choose to go to the moon.", "Those are big words! I like people who dream that far."),
)
SAMPLING = {
    **{"temperature": 0.2, "top_p": 0.9, "repeat_penalty": 1.1, "max_tokens": 80, "cache_prompt": True},
    # Against saying whole sentences again, which so small a model falls into after some ten answers.
    **{"dry_multiplier": 0.8, "dry_base": 1.75, "dry_allowed_length": 3, "dry_penalty_last_n": 1024},
}
HISTORY_TOKENS = 320
"""So much of the talk it is shown: more of it does it no good, and what is read anew takes about 1 s per 120 tokens on
one slow core."""
PERSONA_CHARS = 2400
"""A longer persona (an imported card's) is cut at a sentence: what is here and the talk must fit into the context."""
_KEEP, _AHEAD = 0.5, 0.75
"""Where the talk is too long it is cut to this share of HISTORY_TOKENS, so that it is cut rarely; ahead of time, while
nobody waits, from the second share on."""


class LlamaServerChat:
    """A GGUF model served by a child process; started by `load`, and again if it has died.

    `persona` is read ahead while loading, so that the first answer is as quick as the later ones. `examples` come after
    it in every prompt; give () for larger models. `max_sentences` ends an answer that rambles.
    """

    def __init__(
        self,
        model: Path,
        *,
        name: str = "SmolLM2-135M (local)",
        persona: str = "",
        examples: Sequence[tuple[str, str]] = EXAMPLES,
        max_sentences: int | None = 3,
        max_tokens: int = 80,
        threads: int | None = None,
        context: int = 2048,
        timeouts: StreamTimeouts | None = None,
    ) -> None:
        self.name = name
        self._model = model
        self._persona = persona
        self._examples = tuple(examples)
        self._max_sentences = max_sentences
        self._sampling = {**SAMPLING, "max_tokens": max_tokens}
        self._threads = threads
        self._context = context
        self._timeouts = timeouts or StreamTimeouts(first_token_s=30.0)
        self._process: subprocess.Popen[bytes] | None = None
        self._stream: OpenAiStream | None = None
        self._lock = threading.Lock()
        self._closed = False
        self._first_shown: dict[str, str] | None = None
        self._system_shown = ""

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def load(self) -> None:
        """Start the server and let it read the persona.

        Raises:
            AppError: If the model file is missing or the server does not come up.
        """
        if not self._model.is_file():
            raise AppError(f"The chat model is missing: {self._model}.", "Run `kuchipaku models` to fetch it.")
        self._start()
        self._system_shown = persona = shortened(self._persona, PERSONA_CHARS)
        for _ in self._pieces([{"role": "system", "content": persona}, {"role": "user", "content": "Hi."}], 1):
            pass

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        """Stream the answer in pieces. Raises AppError."""
        if self.pid is None and not self._closed:
            self._start()
        yield from whole_sentences(self._pieces(self._fitting(messages, 1.0), None, should_stop), self._max_sentences)

    def read_ahead(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> None:
        """Read the talk so far while nobody waits, if it has to be cut soon or the persona is new.

        So the next answer comes as fast as ever.
        """
        before = self._system_shown, self._first_shown
        shown = self._fitting(messages, _AHEAD)
        if (self._system_shown, self._first_shown if len(shown) > 1 else before[1]) == before or self.pid is None:
            return
        for _ in self._pieces([*shown, {"role": "user", "content": "."}], 1, should_stop):
            pass

    def _fitting(self, messages: Sequence[dict[str, str]], share: float) -> list[dict[str, str]]:
        """The system message, shortened, and the newest of the talk.

        The talk begins with the same message as last time while it is no longer than `share` of HISTORY_TOKENS, since
        the server keeps what it has read up to the first change.
        """
        system = [
            {**message, "content": shortened(message["content"], PERSONA_CHARS)}
            for message in messages
            if message["role"] == "system"
        ]
        self._system_shown = "".join(message["content"] for message in system)
        talk = [message for message in messages if message["role"] != "system"]
        start = talk.index(self._first_shown) if self._first_shown in talk else 0
        if sum(tokens(message["content"]) for message in talk[start:-1]) > share * HISTORY_TOKENS:
            while start < len(talk) - 1 and (
                talk[start]["role"] != "user"
                or sum(tokens(message["content"]) for message in talk[start:-1]) > _KEEP * HISTORY_TOKENS
            ):
                start += 1
        self._first_shown = dict(talk[start]) if talk else None
        return [*system, *talk[start:]]

    def close(self) -> None:
        """End the server within a second; safe to call twice."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
        if process is not None:
            _end(process)
        if self._stream is not None:
            self._stream.close()

    def _pieces(
        self,
        messages: Sequence[dict[str, str]],
        max_tokens: int | None,
        should_stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[Piece]:
        if self._stream is None:
            raise AppError(f"{self.name} is not running.", _REMEDY)
        if max_tokens is not None:
            endpoint = self._stream.endpoint
            once = OpenAiStream(replace(endpoint, extra={**endpoint.extra, "max_tokens": max_tokens}))
            try:
                yield from once.pieces(self._with_examples(messages), should_stop)
            finally:
                once.close()
            return
        yield from self._stream.pieces(self._with_examples(messages), should_stop)

    def _with_examples(self, messages: Sequence[dict[str, str]]) -> list[dict[str, str]]:
        system = [message for message in messages if message["role"] == "system"]
        rest = [message for message in messages if message["role"] != "system"]
        shown = [
            {"role": role, "content": text}
            for question, answer in self._examples
            for role, text in (("user", question), ("assistant", answer))
        ]
        return [*system, *shown, *rest]

    def _start(self) -> None:
        command = [sys.executable, "-m", "app.backends.llama_server", "--model", str(self._model)]
        command += ["--context", str(self._context)]
        if self._threads is not None:
            command += ["--threads", str(self._threads)]
        with self._lock:
            if self._closed:
                raise AppError(f"{self.name} was closed.", "Start the app again.")
            if self._process is not None:
                _end(self._process)
            self._process = process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        address = self._read_address(process)
        socket = address["url"].removeprefix("unix://") if address["url"].startswith("unix://") else ""
        if self._stream is not None:
            self._stream.close()
        self._stream = OpenAiStream(
            OpenAiEndpoint(
                name=self.name,
                url=("http://localhost" if socket else address["url"]) + "/v1",
                model=self._model.stem,
                key=address["key"],
                extra=dict(self._sampling),
                timeouts=self._timeouts,
                remedy=_REMEDY,
                socket=socket,
            )
        )

    def _read_address(self, process: subprocess.Popen[bytes]) -> dict[str, str]:
        assert process.stdout is not None
        stdout = process.stdout
        lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        # A pipe cannot be read with a timeout on every system; the thread ends with the line or with the process.
        threading.Thread(target=lambda: lines.put(stdout.readline()), name="llama-address", daemon=True).start()
        try:
            line = lines.get(timeout=START_TIMEOUT_S)
            address = json.loads(line)
            return {"url": str(address["url"]), "key": str(address["key"])}
        except queue.Empty as error:
            _end(process)
            raise AppError(f"{self.name} did not start within {START_TIMEOUT_S:.0f} s.", _REMEDY) from error
        except (ValueError, KeyError, TypeError) as error:
            _end(process)
            raise AppError(f"{self.name} did not start; the model file may be damaged.", _REMEDY) from error


def _end(process: subprocess.Popen[bytes]) -> None:
    """Close its input, which ends it, and make sure."""
    with contextlib.suppress(OSError):
        if process.stdin is not None:
            process.stdin.close()
    try:
        process.wait(0.5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(0.5)
    if process.stdout is not None:
        process.stdout.close()
    _log.debug("the chat model's server ended with %s", process.returncode)
