"""AllTalk, version 1 and 2: a voice server of the user's own, spoken to clause by clause.

What is done and why follows the behaviour of its two servers, not its documentation: absolute addresses that point
nowhere, a stop flag that stays set, streams whose header says 0 bytes, and requests that starve each other.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import re
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx

from app.backends.voice_http import (
    Cancelled,
    PcmStream,
    ServerThread,
    checked_url,
    decode_sound,
    make_client,
    read_bounded,
)
from app.errors import AppError
from app.messages import SpeechPiece
from app.policy.chunks import language_of, limit_for, split_for
from app.policy.edges import PieceCutter, finished

T = TypeVar("T")

USUAL_URL = "http://127.0.0.1:7851"
STREAM_RATE = 24_000
STREAM_HEADER_BYTES = 44
"""XTTS streams: this many bytes of a header that says 0 frames, then raw s16 in mono until the stream closes."""
NO_VOICES = "No Voices Found"
_FILE = re.compile(r"[A-Za-z0-9_][\w.-]{0,199}\.wav", re.ASCII)
_FORBIDDEN_IN_VOICE = re.compile(r'[<>"|?*\x00-\x1f]')
_REMEDY = "Start AllTalk and wait until it reports ready, or set [voice] server_url (its usual port is 7851)."
_AGAIN = "The next sentence tries again; AllTalk's own window says more."


@dataclass(frozen=True, slots=True)
class AllTalkTimeouts:
    """Seconds. `ready_s` is what AllTalk's own launcher waits; `sentence_s` includes the wait for a job before it.

    A job that nobody waits for any more may run for `job_s` before the next one is sent beside it.
    """

    ready_s: float = 240.0
    poll_s: float = 0.75
    ask_s: float = 5.0
    sentence_s: float = 60.0
    job_s: float = 180.0
    next_chunk_s: float = 8.0
    stop_s: float = 1.0


@dataclass(frozen=True, slots=True)
class AllTalkInfo:
    """What a server is: `version` 1 or 2, its engine ("xtts", "piper", …) and its voices, names as it gives them."""

    version: int
    engine: str
    voices: tuple[str, ...] = ()
    rvc_voices: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict, repr=False)


class AllTalkSynth:
    """A voice of an AllTalk server at `url`.

    `voice` is one of its list ("" is the engine's own, or the list's first); `language` a code of AllTalk's or "auto",
    which goes by the script of each sentence and is never left to the server (its "auto" takes Hindi for English).
    """

    def __init__(
        self,
        url: str = USUAL_URL,
        *,
        voice: str = "",
        language: str = "auto",
        speed: float = 1.0,
        rvc_voice: str = "",
        rvc_pitch: int = 0,
        timeouts: AllTalkTimeouts | None = None,
    ) -> None:
        self.name = "AllTalk"
        self.info: AllTalkInfo | None = None
        self._url = checked_url(url, "AllTalk", USUAL_URL)
        self._voice = voice
        self._language = language
        self._speed = speed
        self._rvc_voice = rvc_voice
        self._rvc_pitch = rvc_pitch
        self._timeouts = timeouts or AllTalkTimeouts()
        self._thread = ServerThread("voice-alltalk")
        self._client: httpx.AsyncClient | None = None
        self._turnstile: asyncio.Lock | None = None
        self._thread.on_close(self._close_client)

    # Getting ready

    def load(self) -> None:
        """Wait until the server is ready (up to 240 s: it loads gigabytes), see what it is, and speak once silently.

        Raises:
            AppError: If it is not there in time, has no voice, or not the one of the settings. `close` ends the wait.
        """
        self._wait_until_ready()
        self.info = self.probe()
        self._voice = self._choose_voice(self.info)
        shown = self._voice.removesuffix(".wav").removesuffix(".onnx") or self.info.engine
        self.name = f"AllTalk {shown}"
        with contextlib.suppress(Cancelled):
            self._generate("Ready.", self._language_of("Ready."), lambda: False)

    def probe(self) -> AllTalkInfo:
        """Ask the server what it is. Raises AppError."""
        voices = self._ask_json("/api/voices")
        try:
            settings = self._ask_json("/api/currentsettings")
        except AppError:
            settings = {}
        names = voices.get("voices") if voices.get("status", "success") == "success" else []
        is_v2 = "status" in voices or "current_engine_loaded" in settings
        rvc: list[str] = []
        if is_v2:
            with contextlib.suppress(AppError):
                found = self._ask_json("/api/rvcvoices").get("rvcvoices")
                rvc = [v for v in found if isinstance(v, str) and v != "Disabled"] if isinstance(found, list) else []
        return AllTalkInfo(
            version=2 if is_v2 else 1,
            engine=str(settings.get("current_engine_loaded", "")) if is_v2 else "xtts",
            voices=tuple(v for v in names if isinstance(v, str) and v != NO_VOICES) if isinstance(names, list) else (),
            rvc_voices=tuple(rvc),
            settings=settings,
        )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self._timeouts.ready_s
        problem: AppError | None = None
        while True:
            try:
                text = self._run(self._ask_text("/api/ready"), self._timeouts.ask_s).strip().strip('"')
                if text == "Ready":
                    return
                problem = AppError(
                    f"AllTalk at {self._url} reports that no model is loaded.", "Load one in its window."
                )
            except AppError as error:
                problem = error.kept()
            if time.monotonic() >= deadline:
                raise problem.again()
            if self._thread.closed.wait(self._timeouts.poll_s):
                raise AppError("AllTalk is no longer waited for.", _REMEDY)

    def _choose_voice(self, info: AllTalkInfo) -> str:
        if not self._voice:
            if info.version == 1 and not info.voices:
                raise AppError("AllTalk has no voices.", "Put a WAV file into its folder voices.")
            # Version 2's engine has a voice of its own choice; version 1 insists on being told.
            return info.voices[0] if info.version == 1 else ""
        if _FORBIDDEN_IN_VOICE.search(self._voice):
            raise AppError(f"{self._voice!r} cannot be the name of a voice.", "Copy it from `kuchipaku voices`.")
        wanted = self._voice.casefold()
        for suffix in ("", ".wav", ".onnx"):
            for name in info.voices:
                if name.casefold() == wanted + suffix:
                    return name
        if not info.voices and info.version == 2:
            return self._voice  # an engine of one voice lists none
        shown = ", ".join(info.voices[:8]) or "none"
        raise AppError(
            f"AllTalk has no voice called {self._voice!r}; it has {shown}.",
            "Set [voice] server_voice to one of `kuchipaku voices`.",
        )

    @property
    def streams(self) -> bool:
        """Whether sentences come while they are being made: XTTS only, and only what its streams can do."""
        info = self.info
        if info is None or info.engine != "xtts" or self._rvc_voice or self._speed != 1.0:
            return False
        # Version 2 crashes on a stream with a latent voice.
        return bool(info.settings.get("streaming_capable", True)) and not self._voice.startswith("latent:")

    # Speaking

    def speak(self, text: str, should_stop: Callable[[], bool] = lambda: False) -> Iterator[SpeechPiece]:
        """Speak `text`, in parts that the server can take at one go. Raises AppError."""
        info = self.info
        if info is None:
            raise AppError("AllTalk is not ready yet.", _REMEDY)
        language = self._language_of(text)
        parts = split_for(text, limit_for(language))
        for i, part in enumerate(parts):
            is_last = i == len(parts) - 1
            try:
                if self.streams:
                    yield from self._stream(part, language, should_stop, is_last=is_last)
                else:
                    sound, rate = decode_sound(self._generate(part, language, should_stop), "AllTalk")
                    yield SpeechPiece(finished(sound, rate, part), rate, None, final=is_last, voice=self.name)
            except Cancelled:
                return
            if should_stop():
                return

    def voices(self) -> tuple[str, ...]:
        """What the server had in its list when it was loaded."""
        return () if self.info is None else self.info.voices

    def close(self) -> None:
        """End everything; safe to call twice."""
        self._thread.close()

    def _language_of(self, text: str) -> str:
        language = language_of(text) if self._language in ("", "auto") else self._language
        return "zh-cn" if language == "zh" else language

    def _stream(
        self, text: str, language: str, should_stop: Callable[[], bool], *, is_last: bool
    ) -> Iterator[SpeechPiece]:
        # A stop flag that an earlier stream left behind ends the next one at its header: once more, then it is gone.
        for attempt in (1, 2):
            pcm = PcmStream(STREAM_HEADER_BYTES)
            cutter = PieceCutter(STREAM_RATE, text)
            leaving = asyncio.Event()

            def leave(future: concurrent.futures.Future[None], leaving: asyncio.Event = leaving) -> None:
                with contextlib.suppress(Cancelled):
                    self._thread.start(self._end_stream(future, leaving))

            parts = self._thread.iterate(
                lambda leaving=leaving: self._open_stream(text, language, leaving),  # type: ignore[misc]
                self._timeouts.sentence_s,
                self._timeouts.next_chunk_s,
                should_stop,
                on_leave=leave,
                leaves_running=True,
            )
            with contextlib.closing(parts), _in_words(self._url):
                for data in parts:
                    for samples in cutter.feed(pcm.feed(data)):
                        yield SpeechPiece(samples, STREAM_RATE, None, final=False, voice=self.name)
            if should_stop():
                return
            if pcm.received or attempt == 2:
                break
        rest = cutter.finish()
        if not pcm.received:
            raise AppError("AllTalk's stream had no sound in it.", _AGAIN)
        if len(rest):
            yield SpeechPiece(rest, STREAM_RATE, None, final=is_last, voice=self.name)

    async def _open_stream(self, text: str, language: str, leaving: asyncio.Event) -> AsyncIterator[bytes]:
        query = {
            "text": text,
            "voice": self._voice or self._default_voice(),
            "language": language,
            "output_file": f"{uuid.uuid4().hex}.wav",
        }
        async with (
            self._one_at_a_time(),
            self._http().stream(
                "GET", f"{self._url}/api/tts-generate-streaming", params=query, timeout=self._read_timeout()
            ) as response,
        ):
            await _check_status(response)
            received = 0
            async for data in response.aiter_bytes():
                received += len(data)
                if received > STREAM_RATE * 2 * 120:
                    raise AppError("AllTalk's stream does not end.", _AGAIN)
                if not leaving.is_set():
                    yield data

    async def _end_stream(self, future: concurrent.futures.Future[None], leaving: asyncio.Event) -> None:
        """Stop first, then read on until the server closes: a closed connection would leave its stop flag set."""
        leaving.set()
        with contextlib.suppress(httpx.HTTPError):
            await self._http().put(f"{self._url}/api/stop-generation", timeout=self._timeouts.stop_s)
        waited_s = 0.0
        while not future.done() and waited_s < self._timeouts.stop_s:
            await asyncio.sleep(0.02)
            waited_s += 0.02
        future.cancel()

    def _default_voice(self) -> str:
        """Streams insist on a voice; the engine's own is in none of the lists."""
        info = self.info
        if info is None or not info.voices:
            raise AppError("AllTalk has no voices.", "Put a WAV file into its folder voices.")
        return next((name for name in info.voices if not name.startswith(("latent:", "voiceset:"))), info.voices[0])

    def _generate(self, text: str, language: str, should_stop: Callable[[], bool]) -> bytes:
        """A WAV file. Given up, the job goes on in the server (nothing stops it) and the next one waits for its end.

        Two at a time would starve each other: 5 s alone, 13 s for two.
        """
        abandoned = threading.Event()
        future = self._thread.start(self._generate_file(text, language, abandoned.is_set))
        try:
            with _in_words(self._url):
                return self._thread.wait(future, self._timeouts.sentence_s, should_stop)
        finally:
            abandoned.set()

    async def _generate_file(self, text: str, language: str, is_abandoned: Callable[[], bool]) -> bytes:
        async with self._one_at_a_time():
            if is_abandoned():
                return b""
            response = await self._http().post(
                f"{self._url}/api/tts-generate", data=self._form(text, language), timeout=self._read_timeout()
            )
            await _check_status(response)
            name = file_name_of(response)
            if is_abandoned():
                return b""
        async with self._http().stream("GET", f"{self._url}/audio/{name}", timeout=self._timeouts.ask_s) as file:
            await _check_status(file)
            return await read_bounded(file, "AllTalk")

    def _form(self, text: str, language: str) -> dict[str, str]:
        form = {
            "text_input": text,
            "text_filtering": "none",  # its filters delete %, / and & without leaving a space
            "narrator_enabled": "false",
            "language": language,
            "output_file_name": uuid.uuid4().hex,
            "output_file_timestamp": "false",
            "autoplay": "false",
        }
        if self._voice:
            form["character_voice_gen"] = self._voice
        if self.info is not None and self.info.version == 1:
            form |= {"narrator_voice_gen": self._voice, "text_not_inside": "character", "autoplay_volume": "0.1"}
            return form
        if self._speed != 1.0:
            form["speed"] = f"{self._speed:g}"
        if self._rvc_voice:
            form |= {"rvccharacter_voice_gen": self._rvc_voice, "rvccharacter_pitch": str(self._rvc_pitch)}
        return form

    # Plumbing

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = make_client(self._url)
        return self._client

    def _read_timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self._timeouts.job_s, connect=self._timeouts.ask_s)

    @contextlib.asynccontextmanager
    async def _one_at_a_time(self) -> AsyncIterator[None]:
        if self._turnstile is None:
            self._turnstile = asyncio.Lock()
        async with self._turnstile:
            yield

    async def _close_client(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _run(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        try:
            with _in_words(self._url):
                return self._thread.run(work, timeout_s, lambda: False)
        except Cancelled as error:
            raise AppError("AllTalk is no longer waited for.", _REMEDY) from error

    async def _ask_text(self, path: str) -> str:
        async with self._http().stream("GET", f"{self._url}{path}", timeout=self._timeouts.ask_s) as response:
            await _check_status(response)
            return (await read_bounded(response, "AllTalk", 1 << 20)).decode("utf-8", "replace")

    def _ask_json(self, path: str) -> dict[str, Any]:
        async def ask() -> dict[str, Any]:
            import json

            try:
                answer = json.loads(await self._ask_text(path))
            except ValueError as error:
                raise AppError(f"What answers at {self._url} is not AllTalk.", _REMEDY) from error
            return answer if isinstance(answer, dict) else {}

        return self._run(ask(), self._timeouts.ask_s)


@contextlib.contextmanager
def _in_words(url: str) -> Iterator[None]:
    """Turn what httpx and time-outs raise into what the user reads."""
    try:
        yield
    except (TimeoutError, httpx.TimeoutException) as error:
        raise AppError(f"AllTalk at {url} did not answer in time.", _AGAIN) from error
    except httpx.TransportError as error:
        raise AppError(f"AllTalk at {url} cannot be reached ({type(error).__name__}).", _REMEDY) from error


async def _check_status(response: httpx.Response) -> None:
    """Raise AppError unless 200. The server's own text is left out: it may quote the sentence."""
    status = response.status_code
    if status == 200:
        return
    if status in (400, 422):
        raise AppError(
            f"AllTalk refused a sentence ({status}).", "Check voice and language against `kuchipaku voices`."
        )
    if status == 404:
        raise AppError("AllTalk has not kept the file of a sentence, or is no AllTalk (404).", _AGAIN)
    if status >= 500:
        raise AppError(f"AllTalk failed at a sentence ({status}).", _AGAIN)
    raise AppError(f"AllTalk answered with status {status}.", _REMEDY)


def file_name_of(response: httpx.Response) -> str:
    """The bare name of the file in an answer of /api/tts-generate.

    Only the name counts: version 1 gives an address with a host of its own (0.0.0.0 as often as not), and nothing that
    a server says may make us fetch from elsewhere.
    """
    try:
        answer = response.json()
    except ValueError as error:
        raise AppError("AllTalk's answer is not what AllTalk sends.", _REMEDY) from error
    if not isinstance(answer, dict) or answer.get("status") != "generate-success":
        raise AppError("AllTalk failed at a sentence.", _AGAIN)
    for key in ("output_file_url", "output_file_path"):
        value = answer.get(key)
        if isinstance(value, str):
            name = re.split(r"[/\\]", value.split("?")[0])[-1]
            if _FILE.fullmatch(name) and ".." not in name:
                return name
    raise AppError("AllTalk named no file that could be fetched.", _AGAIN)
