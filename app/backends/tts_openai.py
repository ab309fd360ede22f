"""Any server with OpenAI's `/v1/audio/speech`: Kokoro-FastAPI, wrappers of StyleTTS2, OpenVoice and Coqui, Groq."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from app.backends.voice_http import (
    MAX_SECONDS,
    MAX_SOUND_BYTES,
    Cancelled,
    PcmStream,
    ServerThread,
    checked_url,
    decode_sound,
    is_loopback,
    make_client,
    read_bounded,
    wav_header,
)
from app.errors import AppError
from app.messages import SpeechPiece
from app.policy.chunks import language_of, limit_for, split_for
from app.policy.edges import PieceCutter, finished
from app.policy.hinglish import romanised

GROQ_URL = "https://api.groq.com/openai/v1"
GROQ_MODEL = "canopylabs/orpheus-v1-english"
GROQ_VOICE = "hannah"
GROQ_LIMIT_CHARS = 200
PCM_RATE = 24_000
"""What OpenAI's format "pcm" is: s16, mono, little-endian."""
_EXAMPLE = "http://127.0.0.1:8880/v1"
_TAG = re.compile(r"[\[\]<>]")


@dataclass(frozen=True, slots=True)
class SpeechTimeouts:
    """Seconds. `first_s` is until the first byte of sound, `next_s` a stall in the middle."""

    connect_s: float = 3.0
    first_s: float = 20.0
    next_s: float = 8.0


class OpenAiSynth:
    """A voice behind `url` (which ends in `/v1`).

    `key` is sent over https, or to this computer, only. `language` "en" has Devanagari written in Latin letters, for
    voices that read nothing else; Groq's English voices always do.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str = "",
        voice: str = "",
        key: str = "",
        language: str = "auto",
        speed: float = 1.0,
        timeouts: SpeechTimeouts | None = None,
    ) -> None:
        self._url = checked_url(url, "the voice server", _EXAMPLE)
        self.is_groq = httpx.URL(self._url).host == "api.groq.com"
        if key and not self._url.startswith("https://") and not is_loopback(self._url):
            raise AppError(
                f"The voice server at {self._url} would get the key unencrypted.",
                "Use an https address, or remove KUCHIPAKU_VOICE_KEY.",
            )
        if self.is_groq and not key:
            raise AppError("The voice is to come from Groq, and no Groq key is set.", "Set GROQ_API_KEY.")
        self._model = model or (GROQ_MODEL if self.is_groq else "tts-1")
        self._voice = voice or (GROQ_VOICE if self.is_groq else "alloy")
        self.name = f"{self._voice} ({httpx.URL(self._url).host})"
        self._key = key
        self._language = language
        self._speed = speed
        self._timeouts = timeouts or SpeechTimeouts()
        self._formats = ["wav"] if self.is_groq else ["wav", "pcm"]
        self._remedy = f"Start the server at {self._url}, or choose another voice in the settings."
        self._thread = ServerThread("voice-openai")
        self._client: httpx.AsyncClient | None = None
        self._thread.on_close(self._close_client)

    def load(self) -> None:
        """See that the server is there and takes the key; one on this computer also speaks once, silently.

        Raises AppError.
        """
        status = self._ask("/models")[0]
        # Not every server lists models; only a refused key or a broken server means that speech will not work either.
        if status in (401, 403) or status >= 500:
            raise self._status_error(status, None)
        if is_loopback(self._url):
            for _ in self.speak("Ready.", lambda: False):
                pass

    def voices(self) -> tuple[str, ...]:
        """What the server lists at /audio/voices, which is Kokoro-FastAPI's custom; () where it has no list."""
        status, answer = self._ask("/audio/voices")
        listed = answer.get("voices") if status == 200 and isinstance(answer, dict) else None
        if not isinstance(listed, list):
            return ()
        names = [v.get("id") or v.get("name") if isinstance(v, dict) else v for v in listed]
        return tuple(name for name in names if isinstance(name, str))

    def speak(self, text: str, should_stop: Callable[[], bool] = lambda: False) -> Iterator[SpeechPiece]:
        """Speak `text`; in several pieces where the server sends its sound while it makes it. Raises AppError."""
        if self.is_groq:
            text = _TAG.sub(" ", text)  # brackets are stage directions there
        if self._language == "en" or self.is_groq:
            text = romanised(text)
        language = language_of(text) if self._language in ("", "auto") else self._language
        parts = split_for(text, GROQ_LIMIT_CHARS if self.is_groq else limit_for(language))
        for i, part in enumerate(parts):
            try:
                yield from self._speak_part(part, should_stop, is_last=i == len(parts) - 1)
            except Cancelled:
                return
            if should_stop():
                return

    def close(self) -> None:
        """End everything; safe to call twice."""
        self._thread.close()

    def _speak_part(self, text: str, should_stop: Callable[[], bool], *, is_last: bool) -> Iterator[SpeechPiece]:
        while True:
            form = self._formats[0]
            reader = _Reader(text, form, self.name)
            parts = self._thread.iterate(
                lambda form=form, reader=reader: self._open(text, form, reader),  # type: ignore[misc]
                self._timeouts.connect_s + self._timeouts.first_s,
                self._timeouts.next_s,
                should_stop,
            )
            with contextlib.closing(parts):
                try:
                    for data in parts:
                        for samples in reader.feed(data):
                            yield SpeechPiece(samples, reader.rate, None, final=False, voice=self.name)
                except (TimeoutError, httpx.TimeoutException) as error:
                    raise AppError(f"{self.name} did not answer in time.", self._remedy) from error
                except httpx.TransportError as error:
                    what = "broke off in the middle of a sentence" if reader.has_sound else "cannot be reached"
                    raise AppError(f"{self.name} {what} ({type(error).__name__}).", self._remedy) from error
                except _FormatRefused as error:
                    if len(self._formats) == 1:
                        raise self._status_error(error.status, None) from None
                    self._formats.pop(0)
                    continue
            if should_stop():
                return
            samples, rate = reader.finish()
            yield SpeechPiece(samples, rate, None, final=is_last, voice=self.name)
            self._formats = [form]
            return

    async def _open(self, text: str, form: str, reader: _Reader) -> AsyncIterator[bytes]:
        request: dict[str, Any] = {"model": self._model, "input": text, "voice": self._voice, "response_format": form}
        if self._speed != 1.0:
            request["speed"] = self._speed
        timeout = httpx.Timeout(self._timeouts.first_s, connect=self._timeouts.connect_s)
        async with self._http().stream(
            "POST", f"{self._url}/audio/speech", json=request, headers=self._headers(), timeout=timeout
        ) as response:
            status = response.status_code
            if status in (400, 415, 422):
                raise _FormatRefused(status)
            if status != 200:
                raise self._status_error(status, response.headers.get("retry-after"))
            kind = response.headers.get("content-type", "").split(";")[0].strip().lower()
            if kind in ("application/json", "text/html", "text/plain"):
                raise AppError(f"{self.name} sent something that is not a sound.", self._remedy)
            # A length that is known beforehand means that the sound is ready: nothing is won by cutting it up.
            reader.is_whole = "content-length" in response.headers
            received = 0
            async for data in response.aiter_bytes():
                received += len(data)
                if received > MAX_SOUND_BYTES:
                    raise AppError(f"{self.name} sent more than {MAX_SOUND_BYTES >> 20} MB.", self._remedy)
                yield data

    def _ask(self, path: str) -> tuple[int, Any]:
        async def ask() -> tuple[int, Any]:
            import json

            async with self._http().stream(
                "GET", f"{self._url}{path}", headers=self._headers(), timeout=self._timeouts.connect_s + 2
            ) as response:
                body = await read_bounded(response, self.name, 4 << 20)
                try:
                    return response.status_code, json.loads(body)
                except ValueError:
                    return response.status_code, None

        try:
            return self._thread.run(ask(), self._timeouts.connect_s + 3, lambda: False)
        except (TimeoutError, httpx.HTTPError) as error:
            raise AppError(f"{self.name} cannot be reached ({type(error).__name__}).", self._remedy) from error
        except Cancelled as error:
            raise AppError(f"{self.name} is no longer waited for.", self._remedy) from error

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"} if self._key else {}

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = make_client(self._url)
        return self._client

    async def _close_client(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    def _status_error(self, status: int, retry_after: str | None) -> AppError:
        """What a status means. The server's own text is left out: it may quote the sentence."""
        if status in (401, 403):
            return AppError(f"{self.name} does not accept the key ({status}).", "Check KUCHIPAKU_VOICE_KEY.")
        if status == 404:
            return AppError(f"{self.name} knows no such voice, model or address ({status}).", self._remedy)
        if status == 429:
            wait = f"for {retry_after} s " if retry_after and retry_after.replace(".", "").isdigit() else ""
            return AppError(f"{self.name} has reached its limit ({status}).", f"Wait {wait}or choose another voice.")
        if status >= 500:
            return AppError(f"{self.name} has trouble of its own ({status}).", self._remedy)
        return AppError(
            f"{self.name} refused a sentence ({status}).",
            "Check [voice] server_voice and server_model for this server.",
        )


class _FormatRefused(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class _Reader:
    """Sound of one answer, as it comes where it can be, else as a whole."""

    def __init__(self, text: str, form: str, name: str) -> None:
        self.is_whole = True
        self.rate = PCM_RATE
        self.has_sound = False
        self._text = text
        self._name = name
        self._channels = 1
        self._body = bytearray()
        self._pcm: PcmStream | None = PcmStream() if form == "pcm" else None
        self._cutter = PieceCutter(PCM_RATE, text)
        self._is_other = False
        """No 16-bit WAV: read as a whole at the end."""

    def feed(self, data: bytes) -> list[Any]:
        if self._pcm is None:
            self._body += data
            if self.is_whole or self._is_other:
                return []
            try:
                header = wav_header(bytes(self._body[:8192]))
            except ValueError:
                self._is_other = True
                return []
            if header is None:
                return []
            start, self.rate, self._channels = header
            self._pcm = PcmStream(0, self._channels)
            self._cutter = PieceCutter(self.rate, self._text)
            data = bytes(self._body[start:])
        samples = self._pcm.feed(data)
        if self._pcm.received > MAX_SECONDS * self.rate * 2 * self._channels:
            raise AppError(f"{self._name} does not come to an end of a sentence.", "It is cut off there.")
        self.has_sound = self.has_sound or len(samples) > 0
        return self._cutter.feed(samples)

    def finish(self) -> tuple[Any, int]:
        if self._pcm is None:
            sound, rate = decode_sound(bytes(self._body), self._name)
            return finished(sound, rate, self._text), rate
        if not self.has_sound:
            raise AppError(f"{self._name} sent no sound.", "It is tried again with the next sentence.")
        return self._cutter.finish(), self.rate
