"""Whisper at Groq for what was said in a whole turn; this computer's own ears for all else, and as a stand-in."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import io
import threading
import wave
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from animator.messages import Samples
from animator.timebase import Clock
from app.backends.openai_stream import KEEP_ALIVE_S, status_error
from app.errors import AppError, ServiceError
from app.messages import HEARING_RATE
from app.policy.hallucination import compression_ratio, keep
from app.policy.providers import ProviderOrder
from app.ports import Transcriber

DEFAULT_MODEL = "whisper-large-v3-turbo"
DEADLINE_S = 2.0
"""From the pause on. Groq takes 0.2 to 0.7 s, one in a hundred 1.5 s (pipecat); later nobody waits any more."""
_POLL_S = 0.05
_NAME = "Groq's speech recognition"
_REMEDY = "Check the internet connection; this computer's own ears go on meanwhile."
_CODES = {"english": "en", "japanese": "ja", "hindi": "hi"}


class GroqTranscriber:
    """`transcribe` is the local model's; `begin_final` asks Groq on a thread of its own.

    One request at a time counts: a newer one cancels the older. After trouble Groq rests, as a brain's provider does:
    until a restart where it refuses the key, as long as it says where a limit is reached, else 10 s and longer.
    `on_trouble` is told once per row of failures. The key is held by the SDK alone. `base_url` is for tests.
    """

    def __init__(
        self,
        local: Transcriber,
        key: str,
        clock: Clock,
        *,
        language: str = "en",
        model: str = DEFAULT_MODEL,
        base_url: str | None = None,
        deadline_s: float = DEADLINE_S,
        on_trouble: Callable[[AppError], None] = lambda error: None,
    ) -> None:
        self.model = model
        self._local = local
        self._key = key
        self._clock = clock
        self._wanted = language
        self._base_url = base_url
        self._deadline_s = deadline_s
        self._on_trouble = on_trouble
        self._said = ""
        self._rests = ProviderOrder(["groq"])
        self._language = ""
        self._client: Any = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pending: GroqText | None = None

    @property
    def name(self) -> str:
        """Both of them."""
        return f"{self.model} (Groq) and {getattr(self._local, 'name', 'Whisper')}"

    @property
    def language(self) -> str:
        """That of the last decode."""
        return self._language or str(getattr(self._local, "language", "en"))

    def load(self) -> None:
        """Load the local model, and meanwhile see whether Groq takes the key; only the local one's failure raises."""
        import groq
        import httpx

        timeout = httpx.Timeout(self._deadline_s)
        limits = httpx.Limits(keepalive_expiry=KEEP_ALIVE_S)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(self._loop,), name="groq-ears", daemon=True)
        self._thread.start()
        self._client = groq.AsyncGroq(
            api_key=self._key,
            base_url=self._base_url,
            http_client=groq.DefaultAsyncHttpxClient(timeout=timeout, limits=limits),
            # The SDK's own retries sleep longer than anybody waits.
            max_retries=0,
            timeout=timeout,
        )
        self._key = ""
        # Greets the server as well: the first turn finds an open connection.
        greeting = self._submit(self._client.models.list())
        self._local.load()
        try:
            greeting.result(self._deadline_s)
        except Exception as error:
            greeting.cancel()
            self.failed(error)

    def transcribe(self, samples: Samples) -> str:
        """The local model's text."""
        self._language = ""
        return self._local.transcribe(samples)

    def begin_final(self, samples: Samples) -> GroqText | None:
        """Send 16 kHz mono to Groq and return at once; None while it rests."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None
        if self._client is None or self._rests.rest_left_s(0, self._now_s()) > 0:
            return None
        language = {} if self._wanted == "auto" else {"language": self._wanted}
        answer = self._client.audio.transcriptions.create(
            file=("a.wav", _wav(samples)),
            model=self.model,
            response_format="verbose_json",
            temperature=0,
            **language,
        )
        self._pending = GroqText(self, self._submit(answer), len(samples) / HEARING_RATE, self._deadline_s, self._clock)
        return self._pending

    def heard(self, answer: Any, duration_s: float) -> str:
        """The text of an answer as far as it was really said. Raises ServiceError for what is no transcript."""
        text = getattr(answer, "text", None)
        if not isinstance(text, str):
            raise ServiceError(f"{_NAME} sent something that is not a transcript.", _REMEDY, "broken")
        self._rests.worked(0)
        self._said = ""
        if self._wanted == "auto":
            name = str(getattr(answer, "language", "") or "").lower()
            self._language = _CODES.get(name, name)
        else:
            self._language = self._wanted
        segments = getattr(answer, "segments", None)
        found = [s for s in segments if isinstance(s, Mapping)] if isinstance(segments, list) else []
        if not found:
            found = [{"text": text}]
        kept = [self._keep(segment, duration_s, alone=len(found) == 1) for segment in found]
        return " ".join(part for part in kept if part)

    def failed(self, error: BaseException) -> None:
        """Let Groq rest, and say why where that is news."""
        trouble = error if isinstance(error, ServiceError) else _translated(error)
        self._rests.failed(0, trouble.kind, self._now_s(), trouble.retry_after_s)
        if self._said != trouble.kind:
            self._said = trouble.kind
            self._on_trouble(trouble)

    def close(self) -> None:
        """Give up what is under way and release the connection; safe to call twice."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        if self._pending is not None:
            self._pending.cancel()
        client, self._client = self._client, None

        async def end() -> None:
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            if client is not None:
                await client.close()

        with contextlib.suppress(TimeoutError, concurrent.futures.CancelledError):
            asyncio.run_coroutine_threadsafe(end(), loop).result(2.0)
        loop.call_soon_threadsafe(loop.stop)
        if self._thread is not None:
            self._thread.join(2.0)

    def _keep(self, segment: Mapping[str, Any], duration_s: float, *, alone: bool) -> str:
        text = str(segment.get("text") or "").strip()
        length_s = _number(segment, "end", 0.0) - _number(segment, "start", 0.0)
        own = compression_ratio(text)
        return keep(
            text,
            # One segment is stretched to whole seconds, or to all of the 30.
            duration_s=duration_s if alone or length_s <= 0 else min(length_s, duration_s),
            no_speech_probability=_number(segment, "no_speech_prob", 0.0),
            mean_log_probability=_number(segment, "avg_logprob", 0.0),
            # Groq counts bytes, of which a letter of Hindi has three alike.
            compression_ratio=max(own, _number(segment, "compression_ratio", 1.0)) if text.isascii() else own,
            language=self._language,
        )

    def _submit(self, awaitable: Any) -> concurrent.futures.Future[Any]:
        assert self._loop is not None

        async def wait() -> Any:
            return await asyncio.wait_for(awaitable, self._deadline_s)

        return asyncio.run_coroutine_threadsafe(wait(), self._loop)

    def _now_s(self) -> float:
        return self._clock.now_ns() / 1e9

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        loop.close()


class GroqText:
    """A text that is under way."""

    def __init__(
        self,
        owner: GroqTranscriber,
        future: concurrent.futures.Future[Any],
        duration_s: float,
        deadline_s: float,
        clock: Clock,
    ) -> None:
        self._owner = owner
        self._future = future
        self._duration_s = duration_s
        self._clock = clock
        self._until_ns = clock.now_ns() + int(deadline_s * 1e9)

    def result(self, otherwise: str, should_stop: Callable[[], bool]) -> str | None:
        """Groq's text, or `otherwise` where it fails or the deadline passes; None where `should_stop()` came first."""
        try:
            while True:
                left_s = (self._until_ns - self._clock.now_ns()) / 1e9
                concurrent.futures.wait([self._future], max(0.0, min(_POLL_S, left_s)))
                if self._future.done():
                    return self._owner.heard(self._future.result(), self._duration_s)
                if left_s <= 0:
                    raise TimeoutError
                if should_stop():
                    return None
        except concurrent.futures.CancelledError:
            return otherwise
        except Exception as error:
            self._future.cancel()
            self._owner.failed(error)
            return otherwise
        finally:
            # The future holds its error, and that the stack it came by: with this text on it, all of them would stay,
            # and a Whisper behind the owner, until Python looks through everything.
            del self

    def cancel(self) -> None:
        """Nobody wants it any more."""
        self._future.cancel()


def _wav(samples: Samples) -> bytes:
    pcm = np.round(np.clip(np.asarray(samples, np.float32), -1.0, 1.0) * 32767).astype("<i2")
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(HEARING_RATE)
        file.writeframes(pcm.tobytes())
    return buffer.getvalue()


def _number(segment: Mapping[str, Any], key: str, default: float) -> float:
    value = segment.get(key)
    return float(value) if isinstance(value, (int, float)) else default


def _translated(error: BaseException) -> ServiceError:
    """The SDK's error in the user's words; its own may quote what was said, or part of the key."""
    import groq

    match error:
        case TimeoutError() | groq.APITimeoutError():
            return ServiceError(f"{_NAME} did not answer in time.", _REMEDY, "timeout")
        case groq.APIStatusError(status_code=status, response=response):
            return status_error(_NAME, status, response.headers.get("retry-after"))
        case groq.APIConnectionError():
            return ServiceError(f"{_NAME} cannot be reached.", _REMEDY, "unreachable")
        case _:
            return ServiceError(f"{_NAME} sent something that is not a transcript.", _REMEDY, "broken")
