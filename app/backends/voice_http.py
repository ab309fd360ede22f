"""What voices behind a server share: a loop of their own, waits that can be given up, and sound read with suspicion."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import io
import queue
import threading
import wave
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from typing import Any, TypeVar

import httpx
import numpy as np

from animator.messages import Samples
from app.errors import AppError

T = TypeVar("T")

POLL_S = 0.02
"""How often a wait asks whether its turn is still wanted."""
MAX_SOUND_BYTES = 64 * 1024 * 1024
"""Five minutes at 48 kHz in stereo; no sentence is as long."""
MAX_SECONDS = 120.0


class Cancelled(Exception):
    """The turn is over; nobody waits for this sound."""


class ServerThread:
    """An asyncio loop in a thread of its own, so that what was given up can still be ended properly.

    `clean` work (a server that has to be told to stop) goes on in it after the caller has left. Thread-safe.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.closed = threading.Event()

    def on_close(self, call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `call()` in the loop before it ends."""
        self._closing.append(call)

    def start(self, work: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin `work` in the loop; raises Cancelled once closed."""
        with self._lock:
            if self.closed.is_set():
                work.close()
                raise Cancelled
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._run, args=(self._loop,), name=self._name, daemon=True)
                self._thread.start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, future: concurrent.futures.Future[T], timeout_s: float, should_stop: Callable[[], bool]) -> T:
        """The result. Raises Cancelled when `should_stop()` or closed, TimeoutError; the work itself goes on."""
        waited_s = 0.0
        try:
            while True:
                try:
                    return future.result(POLL_S)
                except concurrent.futures.CancelledError:
                    raise Cancelled from None
                except TimeoutError:
                    if future.done():
                        raise  # the work's own
                if should_stop() or self.closed.is_set():
                    raise Cancelled
                waited_s += POLL_S
                if waited_s >= timeout_s:
                    raise TimeoutError
        finally:
            # An error that goes up holds the stack that it came by, and a future its error: where the stack holds the
            # future, all of them, and whoever called, stay until Python looks through everything.
            del future

    def run(self, work: Coroutine[Any, Any, T], timeout_s: float, should_stop: Callable[[], bool]) -> T:
        """Start and wait; what is given up is cancelled."""
        future = self.start(work)
        try:
            return self.wait(future, timeout_s, should_stop)
        finally:
            future.cancel()
            del future  # as in `wait`

    def iterate(
        self,
        make: Callable[[], AsyncIterator[bytes]],
        first_timeout_s: float,
        next_timeout_s: float,
        should_stop: Callable[[], bool],
        *,
        on_leave: Callable[[concurrent.futures.Future[None]], None] = lambda future: None,
        leaves_running: bool = False,
    ) -> Generator[bytes]:
        """Yield what `make()` yields; its errors are raised here. Ends silently when `should_stop()`.

        Raises Cancelled once closed, TimeoutError on a stall. `on_leave(future)` is called where the stream is left
        before its end; with `leaves_running` it is then its task to end the stream in the loop.
        """
        parts: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

        async def pump() -> None:
            try:
                async for part in make():
                    parts.put(part)
            finally:
                parts.put(None)

        future = self.start(pump())
        finished = False
        waited_s, limit_s = 0.0, first_timeout_s
        try:
            while True:
                try:
                    part = parts.get(timeout=POLL_S)
                except queue.Empty:
                    if self.closed.is_set():
                        raise Cancelled from None
                    if should_stop():
                        return
                    waited_s += POLL_S
                    if waited_s >= limit_s:
                        raise TimeoutError from None
                    continue
                if part is None:
                    finished = True
                    with contextlib.suppress(concurrent.futures.CancelledError):
                        future.result(1.0)
                    if self.closed.is_set():
                        raise Cancelled  # the loop was ended, and the stream with it
                    return
                waited_s, limit_s = 0.0, next_timeout_s
                if should_stop():
                    return
                yield part
        finally:
            if not finished:
                on_leave(future)
                if not leaves_running or self.closed.is_set():
                    future.cancel()
            del future  # as in `wait`

    def close(self) -> None:
        """End the loop; whoever waits gets Cancelled. Safe to call twice, from any thread."""
        with self._lock:
            if self.closed.is_set():
                return
            self.closed.set()
            loop, thread = self._loop, self._thread
        if loop is not None and thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(1.5)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            # Second: what was told to end, and the connections.
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            ending = [loop.create_task(call()) for call in self._closing]
            everything = [*tasks, *ending]
            if everything:
                loop.run_until_complete(asyncio.wait(everything, timeout=1.0))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


def make_client(url: str, limit: int = 2) -> httpx.AsyncClient:
    """A client that keeps its connections. Nothing for a server of one's own goes through a proxy."""
    return httpx.AsyncClient(
        trust_env=not is_loopback(url),
        limits=httpx.Limits(max_connections=limit + 2, max_keepalive_connections=limit),
        # Never: a redirect could lead anywhere, with the sentence in it.
        follow_redirects=False,
    )


def is_loopback(url: str) -> bool:
    """Whether `url` names this computer."""
    return httpx.URL(url).host in ("127.0.0.1", "localhost", "::1")


def checked_url(url: str, what: str, example: str) -> str:
    """`url` without a slash at its end; raises AppError where it is none."""
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError) as error:
        raise AppError(f"The address of {what} is not one: {url!r}.", f"Write it like {example}.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise AppError(f"The address of {what} is not one: {url!r}.", f"Write it like {example}.")
    return url.strip().rstrip("/")


async def read_bounded(response: httpx.Response, name: str, limit_bytes: int = MAX_SOUND_BYTES) -> bytes:
    """The whole body; raises AppError where it is larger than `limit_bytes`."""
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > limit_bytes:
            raise AppError(f"{name} sent more than {limit_bytes >> 20} MB for one sentence.", "Check its address.")
    return bytes(body)


def decode_sound(data: bytes, name: str) -> tuple[Samples, int]:
    """Mono float32 and its rate of a sound file in memory: WAV of any kind that libsndfile reads, FLAC, Ogg or MP3.

    Raises AppError for what is none, is cut off in the middle, is empty, or is longer than MAX_SECONDS.
    """
    import soundfile

    if not data:
        raise AppError(f"{name} sent no sound.", "It is tried again with the next sentence.")
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate, frames = int(file.samplerate), int(file.frames)
            if not 4_000 <= rate <= 192_000 or frames > rate * MAX_SECONDS:
                raise AppError(f"{name} sent a sound of {frames} samples at {rate} Hz.", "Check the server.")
            samples = file.read(dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AppError(f"{name} sent something that is not a sound.", "Check that its address is right.") from error
    if len(samples) < frames or _is_cut_off(data):
        raise AppError(f"{name} sent half a sound.", "It is tried again with the next sentence.")
    if not len(samples):
        raise AppError(f"{name} sent a sound of no length.", "It is tried again with the next sentence.")
    return mono(samples), rate


def _is_cut_off(data: bytes) -> bool:
    """Whether a RIFF file promises more than is there (libsndfile reads such a file without a word)."""
    if data[:4] != b"RIFF" or len(data) < 44:
        return False
    promised = int.from_bytes(data[4:8], "little") + 8
    # Streams do not know their length beforehand: 0, 36 or all ones are no promise.
    return 44 < promised < 0x7FFF0000 and promised > len(data) + 1


def mono(samples: Any) -> Samples:
    """Shape (n, channels) to (n,), without values that are no numbers."""
    mixed = np.asarray(samples, np.float32).mean(axis=1)
    return np.asarray(np.nan_to_num(np.clip(mixed, -1.0, 1.0)), np.float32)


class PcmStream:
    """Raw little-endian s16 as it comes, in whole samples: a chunk may split one."""

    def __init__(self, skip_bytes: int = 0, channels: int = 1) -> None:
        self._skip = skip_bytes
        self._width = 2 * channels
        self._channels = channels
        self._rest = b""
        self.received = 0
        """Bytes of sound so far, without the header."""

    def feed(self, data: bytes) -> Samples:
        """The whole samples that are complete now; mono float32."""
        if self._skip:
            skipped, data = data[: self._skip], data[self._skip :]
            self._skip -= len(skipped)
        self.received += len(data)
        data = self._rest + data
        whole = len(data) - len(data) % self._width
        self._rest = data[whole:]
        if not whole:
            return np.zeros(0, np.float32)
        values = np.frombuffer(data[:whole], "<i2").astype(np.float32) / 32768.0
        return mono(values.reshape(-1, self._channels))


def wav_header(data: bytes) -> tuple[int, int, int] | None:
    """(bytes before the sound, rate, channels) of a 16-bit PCM WAV that begins with `data`; None: more is needed.

    Raises ValueError where it is another kind of file.
    """
    if len(data) < 12:
        return None
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError("no WAV file")
    at, form = 12, None
    while len(data) >= at + 8:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind == b"data":
            if form is None:
                raise ValueError("sound before its format")
            return at + 8, form[0], form[1]
        if size > 4096:
            raise ValueError(f"a header of {size} bytes")
        if kind == b"fmt ":
            if len(data) < at + 24:
                return None
            tag, channels = int.from_bytes(data[at + 8 : at + 10], "little"), data[at + 10]
            rate, bits = int.from_bytes(data[at + 12 : at + 16], "little"), data[at + 22]
            if tag not in (1, 0xFFFE) or bits != 16 or channels not in (1, 2) or not 4_000 <= rate <= 192_000:
                raise ValueError("not 16-bit PCM")
            form = (rate, channels)
        at += 8 + size + size % 2
    if at > 8192:
        raise ValueError("no sound behind the header")
    return None


def wav_bytes(samples: Samples, sample_rate: int) -> bytes:
    """A 16-bit mono WAV file."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return out.getvalue()
