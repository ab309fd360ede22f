"""Which voice speaks: the settings' words to objects. `compose` builds with it, `kuchipaku voices` lists with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from app import secrets
from app.errors import AppError
from app.ports import SpeechSynth
from app.settings import VoiceSettings

ALLTALK_URL = "http://127.0.0.1:7851"
OnSwitch = Callable[[str, AppError | None], None]


class _Listing(Protocol):
    def voices(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class VoiceReport:
    """One voice engine for the user: what it is, where, which voices it has, or what is wrong."""

    engine: str
    name: str
    voices: tuple[str, ...]
    in_use: bool
    problem: str = ""
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """The object of `--json`."""
        return {
            "engine": self.engine,
            "name": self.name,
            "voices": list(self.voices),
            "in_use": self.in_use,
            "problem": self.problem,
            "remedy": self.remedy,
        }


def engine_of(voice: VoiceSettings) -> str:
    """The engine that the settings mean: "auto" is the server where one is set, else Piper.

    An address with AllTalk's usual port, or without `/v1` at its end, is AllTalk's.
    """
    if voice.engine != "auto":
        return voice.engine
    if not voice.server_url.strip():
        return "piper"
    return "openai" if voice.server_url.strip().rstrip("/").endswith("/v1") else "alltalk"


def server_voice(voice: VoiceSettings) -> SpeechSynth | None:
    """The voice on a server, not reached yet; None where Piper speaks. Raises AppError for unusable settings."""
    engine = engine_of(voice)
    if engine == "alltalk":
        from app.backends.tts_alltalk import AllTalkSynth

        return AllTalkSynth(
            voice.server_url.strip() or ALLTALK_URL,
            voice=voice.server_voice,
            language=voice.language,
            speed=voice.speed,
            rvc_voice=voice.rvc_voice,
            rvc_pitch=voice.rvc_pitch,
        )
    if engine == "openai":
        from app.backends.tts_openai import OpenAiSynth

        if not voice.server_url.strip():
            raise AppError(
                'The settings ask for a voice server (engine = "openai"), and no address is set.',
                "Write server_url under [voice], for example http://127.0.0.1:8880/v1.",
            )
        return OpenAiSynth(
            voice.server_url.strip(),
            model=voice.server_model,
            voice=voice.server_voice,
            key=_key(voice.server_url),
            language=voice.language,
            speed=voice.speed,
        )
    if engine == "kokoro":
        raise AppError(
            "Kokoro cannot speak inside the app yet.",
            'Run it as a server (docs/voices.md) and write engine = "openai", or leave engine at "auto".',
        )
    return None


def with_stand_in(main: SpeechSynth, stand_in: SpeechSynth, on_switch: OnSwitch) -> SpeechSynth:
    """`main`, and Piper where it cannot speak."""
    from app.backends.tts_failover import FailoverSynth

    return FailoverSynth(main, stand_in, on_switch)


def reports(voice: VoiceSettings, piper: str) -> list[VoiceReport]:
    """What `kuchipaku voices` shows: Piper's voice, and the server's where one is set. Reaches the server."""
    engine = engine_of(voice)
    found = [VoiceReport("piper", "Piper (built in)", (piper,), in_use=engine == "piper")]
    if engine == "piper":
        return found
    name = voice.server_url or ALLTALK_URL
    server: SpeechSynth | None = None
    try:
        server = server_voice(voice)
        assert server is not None
        server.load()
        listing: _Listing = server  # type: ignore[assignment]
        found.append(VoiceReport(engine, server.name, tuple(listing.voices()), in_use=True))
    except AppError as error:
        found.append(VoiceReport(engine, name, (), True, error.problem, error.remedy))
    finally:
        if server is not None:
            server.close()
    return found


def _key(url: str) -> str:
    key = secrets.read("voice")
    try:
        is_groq = urlsplit(url.strip()).hostname == "api.groq.com"
    except ValueError:
        is_groq = False  # what is wrong with the address is said where the voice is made
    return key or (secrets.read("groq") if is_groq else "")
