"""Settings: frozen dataclasses read from one TOML file. Everything has a default; nothing needs the file."""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from app.errors import AppError

T = TypeVar("T")
Value = bool | int | float | str
VERSION = 1
"""Of the file. A file of another version is kept aside and never read as if it were this one."""
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
LONGEST = 1000
"""Letters of a setting: a path, an address, a name."""


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
    keep_history: bool = True
    """Keep what was said on this computer, to read it again. `kuchipaku history` shows and erases it."""
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
    """Name of your headphones or speakers, or part of it; empty is the system's default."""
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
class SoundSettings:
    """Where the voice goes. What you hear comes out of the device of [voice]; the stream has one of its own."""

    headphones: bool = True
    """Whether you hear the voice."""
    headphones_volume: float = 1.0
    """Of what you hear alone, 0 to 1."""
    stream: bool = False
    """Play the voice into a second device too, such as a virtual cable that streaming software listens to."""
    stream_device: str = ""
    """Its name, or part of it; empty is the first virtual cable that is found."""
    stream_volume: float = 1.0
    """Of what the stream gets alone, 0 to 1."""
    cable: bool = False
    """On Linux: have a virtual cable called Kuchipaku while the app runs."""


@dataclass(frozen=True, slots=True)
class FaceSettings:
    """What is drawn."""

    character: str = "haru"
    """Name of a character, or the path of a folder or PNG."""
    mode: str = "anime"
    """"anime": the character's own face; "human": a photo of a person in its place."""
    human: str = ""
    """Name of the character that is that photo; empty: the first there is."""
    human_engine: str = "puppet"
    """What moves photos: "puppet" warps them, on any computer; "musetalk" repaints the mouth, on an NVIDIA card, by
    files that you bring."""
    musetalk_quality: str = "best"
    """"best", or "fast": a smaller decoder, with slightly smoother skin."""
    musetalk_weights: str = ""
    """The folder of MuseTalk's files; empty: where `kuchipaku models add musetalk` puts them."""
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
class RecordingSettings:
    """Recordings of what viewers see and hear, in the camera's size."""

    folder: str = ""
    """Where recordings, replays and screenshots are kept; empty is Kuchipaku in the system's folder for videos."""
    format: str = "mp4"
    """"mp4": H.264 and AAC, with the background; "webm": VP9 and Opus, transparent around the character."""
    replay: bool = False
    """Hold the last seconds all the time, so that they can be kept afterwards."""
    replay_s: int = 30


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How the app's window looks and starts."""

    theme: str = "auto"
    """"auto" goes by the system; "light"; "dark"."""
    language: str = "auto"
    """Of the window's words: "auto" goes by the system; "en"; "ja"."""
    text_scale: float = 1.0
    """1.5 is half as large again."""
    start_minimised: bool = False
    """Start as an icon in the tray, without a window."""
    always_on_top: bool = False
    """Keep the window above those of other programs."""
    first_steps: bool = True
    """Show the three first steps at the next start."""


@dataclass(frozen=True, slots=True)
class StageSettings:
    """What the character stands before in the window, and where."""

    background: str = "theme"
    """"theme": the window's own; "transparent"; "colour"; "picture"; "green", which streaming software can key out."""
    colour: str = "#2b2d3a"
    """Of the background "colour": # and six hexadecimal digits, red, green, blue."""
    picture: str = ""
    """Of the background "picture": the path of a PNG or JPEG."""
    zoom: float = 1.0
    """2 shows the character twice as large."""
    x: float = 0.0
    """So far to the right of its place, in parts of the stage's width."""
    y: float = 0.0
    """So far below its place, in parts of the stage's height."""
    safe_area: bool = False
    """Draw the frame within which nothing is cut off on any screen."""


DEFAULT_BINDINGS = {
    "talk": "Ctrl+Alt+Space",
    "mute": "Ctrl+Alt+M",
    "stop": "Ctrl+Alt+S",
    "next_character": "Ctrl+Alt+N",
    "panic": "Ctrl+Alt+P",
}


@dataclass(frozen=True, slots=True)
class KeySettings:
    """Keys that work while another program has the focus."""

    on: bool = True
    bindings: Mapping[str, str] = field(default_factory=lambda: dict(DEFAULT_BINDINGS))
    """What each action is called by, such as talk = "Ctrl+Alt+Space"; "" is no key. An action for one character alone
    is written with its name: "haru/express happy" = "Ctrl+Alt+1". As a setting: "keys.bindings." and the action."""


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Control by other programs of this computer (Stream Deck, scripts), over HTTP and WebSocket on 127.0.0.1."""

    on: bool = False
    port: int = 8793


@dataclass(frozen=True, slots=True)
class BrowserSettings:
    """A page on 127.0.0.1 that shows the character without a background: for the browser source of OBS."""

    on: bool = False
    port: int = 8794
    captions: bool = False
    """Show on it what the character says, word by word."""


@dataclass(frozen=True, slots=True)
class SharingSettings:
    """The character for other programs of this computer with its transparency: Spout on Windows, Syphon on macOS."""

    on: bool = False


@dataclass(frozen=True, slots=True)
class ObsSettings:
    """OBS Studio on this computer, over its WebSocket server."""

    on: bool = False
    """Stay connected, so that what was set up goes on working when either program was started anew."""
    port: int = 4455
    """Of 127.0.0.1. Left at 4455, the port of OBS's own settings counts, where these can be read."""
    way: str = "auto"
    """How OBS shows the character: "auto" takes the first that works here; "browser"; "stream", a media source;
    "camera"; "window"."""
    captions: bool = False
    """Set captions up along with it."""


@dataclass(frozen=True, slots=True)
class CaptionSettings:
    """What the character says, as text for viewers and other programs."""

    picture: bool = False
    """Show it on the picture of the camera and of recordings, word by word."""
    file: str = ""
    """Path of a text file that always holds what is being said, for a text source of OBS; empty: none."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, one table of the file each."""

    hearing: HearingSettings = field(default_factory=HearingSettings)
    brain: BrainSettings = field(default_factory=BrainSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    sound: SoundSettings = field(default_factory=SoundSettings)
    face: FaceSettings = field(default_factory=FaceSettings)
    lips: LipsSettings = field(default_factory=LipsSettings)
    camera: CameraSettings = field(default_factory=CameraSettings)
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    window: WindowSettings = field(default_factory=WindowSettings)
    stage: StageSettings = field(default_factory=StageSettings)
    keys: KeySettings = field(default_factory=KeySettings)
    control: ControlSettings = field(default_factory=ControlSettings)
    browser: BrowserSettings = field(default_factory=BrowserSettings)
    sharing: SharingSettings = field(default_factory=SharingSettings)
    captions: CaptionSettings = field(default_factory=CaptionSettings)
    obs: ObsSettings = field(default_factory=ObsSettings)


CHOICES: dict[str, tuple[str, ...]] = {
    "hearing.mode": ("open", "half_duplex", "hold", "toggle"),
    "hearing.echo": ("auto", "off"),
    "hearing.language": ("en", "ja", "hi", "auto"),
    "hearing.transcriber": ("local", "groq"),
    "brain.provider": ("auto", "groq", "server", "local"),
    "voice.engine": ("auto", "piper", "kokoro", "alltalk", "openai"),
    "face.mode": ("anime", "human"),
    "face.human_engine": ("puppet", "musetalk"),
    "face.musetalk_quality": ("best", "fast"),
    "face.tier": ("auto", "live", "exact"),
    "face.detail": ("auto", "high", "plain"),
    "recording.format": ("mp4", "webm"),
    "obs.way": ("auto", "browser", "stream", "camera", "window"),
    "window.theme": ("auto", "light", "dark"),
    "window.language": ("auto", "en", "ja"),
    "stage.background": ("theme", "transparent", "colour", "picture", "green"),
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
    "sound.headphones_volume": (0, 1),
    "sound.stream_volume": (0, 1),
    "face.fps": (10, 60),
    "lips.mouth_offset_ms": (-200, 200),
    "camera.width_px": (160, 3840),
    "camera.height_px": (120, 2160),
    "recording.replay_s": (5, 300),
    "window.text_scale": (1.0, 2.0),
    "stage.zoom": (0.25, 4.0),
    "stage.x": (-2.0, 2.0),
    "stage.y": (-2.0, 2.0),
    "control.port": (1024, 65535),
    "browser.port": (1024, 65535),
    "obs.port": (1024, 65535),
}


PATTERNS: dict[str, tuple[str, str]] = {
    "stage.colour": (r"#[0-9a-fA-F]{6}", "# and six hexadecimal digits, such as #2b2d3a"),
}
"""What a text must look like, and how that is said."""


def setting_names() -> tuple[str, ...]:
    """The dotted name of every setting but the keys' bindings, such as "voice.speed", in the order of the file."""
    tables = typing.get_type_hints(Settings)
    names = [f"{table}.{f.name}" for table, kind in tables.items() for f in dataclasses.fields(kind)]
    return tuple(name for name in names if name != "keys.bindings")


def value_of(settings: Settings, name: str) -> Value:
    """The setting called `name`. Raises AppError where there is none of that name.

    "keys.bindings." and an action gives the keys of that action, "" where it has none.
    """
    table, key, action = _parts(name)
    held = getattr(getattr(settings, table), key)
    return str(held.get(action, "")) if action else typing.cast("Value", held)


def with_value(settings: Settings, name: str, value: Value) -> Settings:
    """The same settings but for the one called `name`.

    Raises AppError that says what would be right, for a name that is none and for a value that it cannot have.
    """
    table, key, action = _parts(name)
    held = getattr(settings, table)
    try:
        checked: Any = _checked(name, value, str if action else _hints(type(held))[key])
    except ValueError as error:
        raise AppError(str(error), f"{name} stays as it was.") from error
    if action:
        checked = {**getattr(held, key), action: checked}
        if not value and may_go(action):
            del checked[action]
    return dataclasses.replace(settings, **{table: dataclasses.replace(held, **{key: checked})})


def may_go(action: str) -> bool:
    """Whether an action without a key needs no entry: nothing would bind it otherwise, by default or for all."""
    return action not in DEFAULT_BINDINGS and "/" not in action


@dataclass(frozen=True, slots=True)
class Wrong:
    """An entry of a settings file that is not understood: the keys that lead to it, and why."""

    path: tuple[str, ...]
    problem: str


def understand(table: Mapping[str, Any]) -> tuple[Settings, tuple[Wrong, ...]]:
    """Settings of a parsed file, and what of it is not understood. Everything else has its default or its value."""
    wrong: list[Wrong] = []
    version = table.get("version", VERSION)
    if type(version) is not int or not 1 <= version <= VERSION:
        problem = f"version is {version!r}; this app knows the versions 1 to {VERSION} of the settings."
        wrong.append(Wrong(("version",), problem))
    tables = {key: value for key, value in table.items() if key != "version"}
    return _read(Settings, tables, (), wrong), tuple(wrong)


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
    settings, wrong = understand(table)
    if wrong:
        raise AppError(f"In {path}: {wrong[0].problem}", "Correct the line or remove it; every setting has a default.")
    return settings


def _parts(name: str) -> tuple[str, str, str]:
    """Table, key and (of keys.bindings alone) action."""
    table, _, rest = name.partition(".")
    key, _, action = rest.partition(".")
    tables = _hints(Settings)
    is_known = table in tables and key in _hints(tables[table])
    if not is_known or bool(action) != (table == "keys" and key == "bindings"):
        close = difflib.get_close_matches(name, setting_names(), n=1, cutoff=0.5)
        hint = f"Did you mean {close[0]!r}?" if close else "The README lists them all."
        raise AppError(f"There is no setting {name!r}.", hint)
    return table, key, action


def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _read(kind: type[T], table: Mapping[str, Any], path: tuple[str, ...], wrong: list[Wrong]) -> T:
    hints = _hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        here = (*path, key)
        name = ".".join(here)
        if key not in hints:
            close = difflib.get_close_matches(key, hints, n=1, cutoff=0.5)
            hint = f" Did you mean {close[0]!r}?" if close else f" Known here: {', '.join(hints)}."
            wrong.append(Wrong(here, f"there is no setting {name!r}.{hint}"))
        elif dataclasses.is_dataclass(hints[key]) or name == "keys.bindings":
            if not isinstance(value, dict):
                wrong.append(Wrong(here, f"{name} is a table: write [{name}] above its settings."))
            elif name == "keys.bindings":
                values[key] = {**DEFAULT_BINDINGS, **_read_bindings(value, here, wrong)}
            else:
                values[key] = _read(hints[key], value, here, wrong)
        else:
            try:
                values[key] = _checked(name, value, hints[key])
            except ValueError as error:
                wrong.append(Wrong(here, str(error)))
    return kind(**values)


def _read_bindings(table: Mapping[str, Any], path: tuple[str, ...], wrong: list[Wrong]) -> dict[str, str]:
    found: dict[str, str] = {}
    for action, value in table.items():
        try:
            found[action] = _checked(f"{'.'.join(path)}.{action}", value, str)
        except ValueError as error:
            wrong.append(Wrong((*path, action), str(error)))
    return found


def _checked(name: str, value: Any, wanted: type) -> Any:
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
    if name in PATTERNS and not re.fullmatch(PATTERNS[name][0], str(value)):
        raise ValueError(f"{name} must be {PATTERNS[name][1]}, got {value!r}.")
    if isinstance(value, str) and (len(value) > LONGEST or _UNWRITABLE.search(value)):
        raise ValueError(f"{name} must be one line of at most {LONGEST} letters.")
    return value
