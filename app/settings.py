"""Settings: frozen dataclasses read from one TOML file. Everything has a default; nothing needs the file."""

from __future__ import annotations

import dataclasses
import difflib
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.errors import AppError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HearingSettings:
    """How the app listens."""

    device: str = ""
    """Name of the microphone, or part of it; empty is the system's default."""
    mode: str = "open"
    """"open": always listening, and it can be interrupted; "half_duplex": deaf while it speaks; "hold": while the talk
    key is held; "toggle": between two presses of the talk key."""
    echo: str = "auto"
    """Echo cancellation, which keeps it from hearing itself: "auto" is on where it can be, "off" is for headphones."""
    patience: float = 1.0
    """How long you may pause before it answers: 0.5 is hasty, 2 waits for slow talkers."""
    min_silence_ms: int = 600
    """A pause this long ends what you say, where the end-of-turn model is missing."""
    interrupt_words: int = 2
    """So many words interrupt it while it speaks."""
    interrupt_ms: int = 600
    """So much speech interrupts it, whatever the words."""
    wake_word: bool = False
    """Answer only what names the character, and what follows within wake_for_s."""
    wake_for_s: float = 20.0
    captions: bool = True
    """Show what you say while you say it."""
    threshold: float = 0.6
    """Speech probability above which somebody speaks, 0 to 1."""
    muted: bool = False
    language: str = "en"
    """What you speak: "en", "ja", "hi", or "auto" for any. All but "en" need a Whisper for all languages."""
    model: str = "auto"
    """The Whisper that hears: "tiny.en" comes with the app; "tiny", "base.en", "base", "small" and "large-v3-turbo" are
    added with `kuchipaku models add`, or name a folder. "auto" takes the largest that is quick enough here."""
    transcriber: str = "local"
    """"local": nothing you say leaves the computer; "groq": what you said in a turn is sent to Groq, which knows more
    words, and this computer's own ears stand in where it is late. Needs GROQ_API_KEY."""


@dataclass(frozen=True, slots=True)
class BrainSettings:
    """Who answers."""

    provider: str = "auto"
    """"auto": Groq where GROQ_API_KEY is set, then the server where `server_url` is, then the local model, each
    standing in for the one before; "groq", "server" or "local": that one alone."""
    groq_model: str = "openai/gpt-oss-20b"
    groq_fallback_model: str = "openai/gpt-oss-120b"
    """Asked where the first has reached its limit, since each has its own; empty: none."""
    server_url: str = ""
    """Any server that speaks OpenAI's chat, such as http://127.0.0.1:11434/v1 for Ollama. Its key, if it wants one, is
    taken from KUCHIPAKU_SERVER_KEY."""
    server_model: str = ""
    """The server's model; empty is its first."""
    max_tokens: int = 80
    """Longest answer of the local model in tokens."""
    remote_max_tokens: int = 700
    """Longest answer of Groq and of the server in tokens, their thoughts included."""
    first_token_s: float = 6.0
    """Groq is given up for the next provider after this long without a word; the server, which may have to load its
    model first, after ten times that."""
    history_tokens: int = 600
    """So much of the talk is kept word by word (about four letters a token); what is older is summed up."""
    memory: bool = True
    """Remember what the user tells about themselves. `kuchipaku memory` shows and erases it."""
    speak_first_s: float = 0.0
    """Begin to talk after this long a silence; 0: never."""
    speak_first_times: int = 2
    """So often in a row without an answer, then wait."""
    emotions: bool = True
    """Let words without a tag move the face, by a small list of words."""


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How it speaks."""

    device: str = ""
    """Name of the speakers, or part of it; empty is the system's default."""
    engine: str = "auto"
    """"auto": the server at `server_url` where one is set, else Piper; "piper"; "kokoro"; "alltalk"; "openai" for any
    server with `/v1/audio/speech`. Piper speaks where another voice cannot."""
    server_url: str = ""
    """For AllTalk such as "http://127.0.0.1:7851" (the default), for others the address up to `/v1`."""
    server_voice: str = ""
    """One of `kuchipaku voices`; empty is the server's own."""
    server_model: str = ""
    """For servers that have several, such as "kokoro"."""
    language: str = "auto"
    """What it speaks: "en", "hi", "ja" or another code of the voice's; "auto" goes by the script of each sentence."""
    speed: float = 1.0
    """1.2 is a fifth faster."""
    rvc_voice: str = ""
    """AllTalk 2: a voice of its RVC list, laid over the other one."""
    rvc_pitch: int = 0
    """AllTalk 2: half tones by which RVC shifts the voice."""


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """What is drawn."""

    character: str = "haru"
    """Name of a character, or the path of a folder or PNG."""
    tier: str = "auto"
    """"auto": exact on a CUDA device, else live; "live"; "exact"."""
    weights: str = ""
    """THA3's networks: empty for those that come with the app, a name of `kuchipaku models add`, or a folder."""
    detail: str = "auto"
    """Of art that is larger than the face's 512 px: "high" draws it at its own size, "plain" does not; "auto" does on
    four cores and more, and in films."""
    fps: float = 30.0


@dataclass(frozen=True, slots=True)
class LipsSettings:
    """How the mouth follows the voice."""

    phonemes: str = "auto"
    """Who tells the sounds of a voice that does not state them itself: "own" (comes with the app), "hama", "wav2vec2"
    (of `kuchipaku models add`), or the path of a model; "auto" is the best that runs here."""
    mouth_offset_ms: int = 0
    """So much later than the sound the mouth is shown; negative is earlier. For loudspeakers or screens whose delay the
    computer does not know; the window's lip-sync test finds it."""


@dataclass(frozen=True, slots=True)
class CameraSettings:
    """The virtual camera."""

    on: bool = False
    device: str = ""
    """Device such as /dev/video10; empty is the first that is free."""
    width_px: int = 1280
    height_px: int = 720


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, one table of the file each."""

    hearing: HearingSettings = field(default_factory=HearingSettings)
    brain: BrainSettings = field(default_factory=BrainSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    face: FaceSettings = field(default_factory=FaceSettings)
    lips: LipsSettings = field(default_factory=LipsSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)


CHOICES: dict[str, tuple[str, ...]] = {
    "hearing.mode": ("open", "half_duplex", "hold", "toggle"),
    "hearing.echo": ("auto", "off"),
    "hearing.language": ("en", "ja", "hi", "auto"),
    "hearing.transcriber": ("local", "groq"),
    "brain.provider": ("auto", "groq", "server", "local"),
    "voice.engine": ("auto", "piper", "kokoro", "alltalk", "openai"),
    "face.tier": ("auto", "live", "exact"),
    "face.detail": ("auto", "high", "plain"),
}
RANGES: dict[str, tuple[float, float]] = {
    "hearing.patience": (0.4, 3.0),
    "hearing.min_silence_ms": (150, 5000),
    "hearing.interrupt_words": (1, 10),
    "hearing.interrupt_ms": (200, 5000),
    "hearing.wake_for_s": (0, 600),
    "hearing.threshold": (0.05, 0.95),
    "brain.max_tokens": (16, 1024),
    "brain.remote_max_tokens": (64, 8192),
    "brain.first_token_s": (0.5, 60),
    "brain.history_tokens": (100, 16000),
    "brain.speak_first_s": (0, 3600),
    "brain.speak_first_times": (1, 20),
    "voice.speed": (0.5, 2.0),
    "voice.rvc_pitch": (-24, 24),
    "face.fps": (10, 60),
    "lips.mouth_offset_ms": (-200, 200),
    "camera.width_px": (160, 3840),
    "camera.height_px": (120, 2160),
}


def load_settings(path: Path) -> Settings:
    """Settings of the file at `path`; defaults where there is none.

    Raises AppError for a file that is not TOML, an unknown key (with the nearest known one) or a wrong value.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError) as error:
        raise AppError(f"The settings in {path} cannot be read: {error}.", "Mend or remove the file.") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise AppError(f"The settings in {path} are not valid TOML: {error}.", "Mend or remove the file.") from error
    try:
        return _read(Settings, table, "")
    except ValueError as error:
        raise AppError(f"In {path}: {error}", "Correct the line or remove it; every setting has a default.") from error


def _read(kind: type[T], table: dict[str, Any], prefix: str) -> T:
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if key not in fields:
            close = difflib.get_close_matches(key, fields, n=1, cutoff=0.5)
            hint = f" Did you mean {close[0]!r}?" if close else f" Known here: {', '.join(fields)}."
            raise ValueError(f"there is no setting {name!r}.{hint}")
        wanted = hints[key]
        if dataclasses.is_dataclass(wanted):
            if not isinstance(value, dict):
                raise ValueError(f"{name} is a table: write [{name}] above its settings.")
            values[key] = _read(typing.cast("type[Any]", wanted), value, f"{name}.")
        else:
            values[key] = _checked(name, value, wanted)
    return kind(**values)


def _checked(name: str, value: Any, wanted: type | types.UnionType) -> Any:
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not wanted or not isinstance(value, (bool, int, float, str)):
        expected = getattr(wanted, "__name__", str(wanted))
        raise ValueError(f"{name} must be a {expected}, got {type(value).__name__}.")
    if name in CHOICES and value not in CHOICES[name]:
        raise ValueError(f"{name} must be one of {', '.join(CHOICES[name])}, got {value!r}.")
    if name in RANGES and not RANGES[name][0] <= float(value) <= RANGES[name][1]:
        low, high = RANGES[name]
        raise ValueError(f"{name} must lie from {low:g} to {high:g}, got {value!r}.")
    return value
