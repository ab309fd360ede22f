"""Names to objects: the only file that knows every backend. The window and the commands build from here alike."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from PIL import Image

from animator.character import Character, list_characters
from animator.human.video import is_video
from animator.messages import Pixels, Samples
from animator.musetalk.files import WeightsError, check_there
from animator.timebase import Clock
from app import brain, ears, paths, secrets
from app.backends.animator_process import AnimatorOptions, AnimatorProcess
from app.backends.camera_pyvirtualcam import VirtualCamera
from app.backends.devices import Devices, list_devices
from app.backends.mic_rehearsal import RehearsalMicrophone
from app.bus import Bus
from app.canvas import Overlay, Scene
from app.characters import library
from app.characters.photo import Looked
from app.control_token import ALPHA_PATH, PAGE_PATH, browser_token_file, browser_url, control_token, token_file
from app.errors import AppError
from app.face import HeldFacts
from app.line import Line, LineOptions
from app.messages import Command, SoundStatus, SpeechPiece
from app.models import ModelStore, default_store, musetalk_folder
from app.obs import SettingsFeeds
from app.policy.obs_plan import Way
from app.policy.persona import Persona
from app.policy.sharing import how_to_install, is_installed, way_here
from app.policy.wake_word import WakeWord
from app.ports import (
    AvatarHost,
    BrowserPage,
    ChatModel,
    ControlServer,
    EchoCanceller,
    FrameSink,
    GlobalKeys,
    Memory,
    Microphone,
    ObsLink,
    RecordingEncoder,
    Speaker,
    SpeechDetector,
    SpeechSynth,
    Transcriber,
    TurnDetector,
)
from app.settings import Settings, Value
from app.sound_tap import SoundTap
from app.stages.camera import CameraStage
from app.voice import engine_of, server_voice, with_stand_in

FACE_MODEL = "tha3-separable-float"
HEARING_MODEL = ears.HEARING_MODEL
TURN_MODEL = "smart-turn-v3"
BRAIN_MODEL = brain.BRAIN_MODEL
VOICE_MODEL = "piper-joe"
WAV2VEC2_MODEL = "wav2vec2-espeak"
VOICES = {"en_US-joe-medium": VOICE_MODEL}
"""Voices that a character may name, and the model of each."""

SIZE_PX = 512
LARGE_FROM_CORES = 4
"""A face of 1024 px takes some half of a core at 30 fps, which two cores need for hearing, thinking and speaking."""
PHOTO_WITHIN_S, VIDEO_WITHIN_S = 60.0, 300.0
MEASURE_LOAD_S = 900.0
"""A character that was never baked is baked first."""
MEASURE_NS = 3_000_000_000
_SAFE_NAME = re.compile(r"[^\W.][\w .-]*")


def character_roots() -> tuple[Path, ...]:
    """Folders that hold characters: those that come with the app, then the user's own."""
    return library.roots()


def find_character(name: str) -> Path:
    """The folder of a character by its name (that of its folder or its own), or a folder or PNG by its path.

    Raises AppError that names those there are.
    """
    if _SAFE_NAME.fullmatch(name):
        for root in character_roots():
            if (root / name / "character.toml").is_file():
                return root / name
    there = list_characters(*character_roots())
    for own_name, folder in there:
        if own_name.casefold() == name.casefold():
            return folder
    path = Path(name).expanduser()
    if path.exists():
        real = path.resolve()
        return next((folder for _, folder in there if folder.resolve() == real), real)
    names = ", ".join(folder.name for _, folder in there)
    raise AppError(f"There is no character called {name!r}; there are: {names}.", "Give one of these, or a PNG's path.")


def face_folder(settings: Settings, folder: Path) -> Path:
    """The character whose face is seen while the one in `folder` is on stage: itself, or a photo of a person.

    Raises AppError where a person is to be seen and there is no photo, or not the wanted one.
    """
    if settings.face.mode != "human" or library.is_photo(folder):
        return folder
    if settings.face.human:
        found = find_character(settings.face.human)
        if library.is_photo(found):
            return found
        raise AppError(f"{found.name} is not a photo of a person.", "Choose one that is, on the page Face.")
    there = library.photos()
    if not there:
        raise AppError("There is no photo of a person.", "Make one on the page Characters, by New from a photo.")
    return there[0].path


def look_at_photo(file: Path) -> Looked:
    """Read a photo or a video of a person and prepare its portrait, which is kept for the face.

    A photo takes some seconds, a video some 20 s.

    It comes from anywhere, and the networks that find a face need memory: a process of its own does it.

    Raises AppError if the photo cannot be used; says what to change.
    """
    with tempfile.TemporaryDirectory(prefix="kuchipaku-") as scratch:
        picture = Path(scratch) / "portrait.png"
        command = [sys.executable, "-m", "animator.human.look", str(file.absolute()), "--cache", str(bakes_dir())]
        try:
            ended = subprocess.run(
                [*command, "--picture", str(picture)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=VIDEO_WITHIN_S if is_video(file) else PHOTO_WITHIN_S,
                cwd=paths.REPOSITORY,
                check=False,
            )
            told = json.loads(ended.stdout.splitlines()[-1])
            if "problem" in told:
                raise AppError(str(told["problem"]), str(told["remedy"]))
            with Image.open(picture) as image:
                pixels = np.array(image.convert("RGBA"), dtype=np.uint8)
        except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
            raise AppError(
                "The file could not be looked at: the work on it broke off.", "Try another one, or a smaller one."
            ) from error
    return Looked(file, pixels, tuple(str(note) for note in told["notes"]))


def name_of(folder: Path) -> str:
    """What `find_character` finds a character's folder or PNG by: its name where that will do, else its path."""
    return folder.name if folder.parent in character_roots() else str(folder)


def character_of(folder: Path) -> Character:
    """Load and check a character; raises AppError."""
    return library.character_at(folder)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the line is made of, besides its two ends."""

    detector: SpeechDetector | None
    transcriber: Transcriber | None
    chat: ChatModel | None
    synth: SpeechSynth
    turn_detector: TurnDetector | None = None


def line_parts(
    settings: Settings, character: Character, *, hears: bool, answers: bool, bus: Bus, required: bool = True
) -> Parts:
    """The models that this show needs, checked but not loaded yet.

    A model that is missing or damaged raises AppError; with `required` False its stage says so instead, in the words
    of that error, and the others work.
    """
    from app.backends.vad_silero import SileroDetector

    store = default_store()
    detector: SpeechDetector | None = None
    transcriber: Transcriber | None = None
    chat: ChatModel | None = None
    if hears:
        detector = SileroDetector()
        transcriber = (
            transcriber_of(settings, bus)
            if required
            else cast("Transcriber", Later(lambda: transcriber_of(settings, bus)))
        )
    if answers:
        chat = (
            chat_of(settings, character, bus)
            if required
            else cast("ChatModel", Later(lambda: chat_of(settings, character, bus)))
        )
    synth = voice_synth(settings, character, bus, required=required)
    return Parts(detector, transcriber, chat, synth, turn_detector(store) if hears else None)


def voice_synth(settings: Settings, character: Character, bus: Bus, *, required: bool) -> SpeechSynth:
    """The character's voice under these settings, not loaded yet; raises AppError as `line_parts`."""
    from app.backends.tts_piper import PiperSynth

    piper: SpeechSynth
    try:
        voice = default_store().path(voice_of(character))
        piper = PiperSynth(file_of(voice, ".onnx"), speed=settings.voice.speed)
    except AppError as error:
        if required:
            raise
        piper = Unavailable(error)
    return speech_synth(settings, piper, bus, required=required)


def transcriber_of(settings: Settings, bus: Bus) -> Transcriber:
    """The ears of the settings, not loaded yet. Raises AppError."""
    from animator.clock import SystemClock

    return ears.transcriber(settings.hearing, default_store(), SystemClock(), lambda error: say_trouble(bus, error))


def chat_of(settings: Settings, character: Character, bus: Bus) -> ChatModel:
    """The brain of the settings for a character, not loaded yet. Raises AppError."""
    return chat_model(settings, default_store(), character.persona, bus)


def speech_synth(settings: Settings, piper: SpeechSynth, bus: Bus, *, required: bool) -> SpeechSynth:
    """The voice of the settings, with Piper behind it.

    Settings that cannot work raise AppError; with `required` False Piper speaks and the stage says why.
    """

    def say_switch(name: str, error: AppError | None) -> None:
        if error is None:
            bus.emit("tts", "state", state="ready", label=name)
        else:
            bus.emit("tts", "state", state="failed", label=name, problem=error.problem, remedy=error.remedy)

    try:
        server = server_voice(settings.voice)
    except AppError as error:
        if required:
            raise
        bus.emit("tts", "state", state="failed", label="Voice", problem=error.problem, remedy=error.remedy)
        return piper
    return piper if server is None else with_stand_in(server, piper, say_switch)


def has_server_voice(settings: Settings) -> bool:
    """Whether a server speaks under these settings."""
    return engine_of(settings.voice) != "piper"


def say_trouble(bus: Bus, error: AppError) -> None:
    """Somebody else's ears cannot be used; the computer's own go on."""
    bus.emit("stt", "state", state="failed", label="Groq", problem=error.problem, remedy=error.remedy)


def turn_detector(store: ModelStore) -> TurnDetector | None:
    """The end-of-turn model, not loaded yet; None where it is missing or damaged: pauses alone then end a turn."""
    from app.backends.turn_smart import SmartTurnDetector

    try:
        return SmartTurnDetector(file_of(store.path(TURN_MODEL), ".onnx"))
    except AppError:
        return None


def voice_of(character: Character) -> str:
    """The model of a character's voice; raises AppError for a voice that nobody knows."""
    if not character.voice:
        return VOICE_MODEL
    if character.voice in VOICES:
        return VOICES[character.voice]
    raise AppError(
        f"{character.name} is to speak with the voice {character.voice!r}, which is not there; there are: "
        f"{', '.join(VOICES)}.",
        "Change voice in its character.toml, or leave it empty for the app's own.",
    )


class Later:
    """Stands in for a model that is made where it is loaded, on its stage's thread.

    Making one may ask the credential store for a key, which may ask the user, and that must not hold up the window.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None

    @property
    def name(self) -> str:
        """What was made is called; "" before."""
        return str(getattr(self._made, "name", ""))

    def load(self) -> None:
        """Make it and load it; raises AppError."""
        self._made = self._make()
        self._made.load()

    def close(self) -> None:
        """Release what was made."""
        if self._made is not None and hasattr(self._made, "close"):
            self._made.close()

    def __getattr__(self, name: str) -> Any:
        """Everything else is the made one's own."""
        made = self.__dict__.get("_made")
        if made is None:
            raise AttributeError(name)
        return getattr(made, name)


class Unavailable:
    """Stands in for a model that is not there: every use raises the error that says how to repair it."""

    name = "not there"

    def __init__(self, error: AppError) -> None:
        self._error = error.kept()

    def load(self) -> None:
        """Raise the reason."""
        raise self._error.again()

    def transcribe(self, samples: Samples) -> str:
        """Raise the reason."""
        raise self._error.again()

    def reply(self, messages: Sequence[dict[str, str]], should_stop: Callable[[], bool]) -> Iterator[str]:
        """Raise the reason."""
        raise self._error.again()

    def speak(self, text: str, should_stop: Callable[[], bool]) -> Iterator[SpeechPiece]:
        """Raise the reason."""
        raise self._error.again()

    def close(self) -> None:
        """Nothing to close."""


def chat_model(settings: Settings, store: ModelStore, persona: str, bus: Bus) -> ChatModel:
    """The brain of the settings; what it has to say about its providers becomes a fact. Raises AppError."""
    from animator.clock import SystemClock

    def say_change(name: str, error: AppError) -> None:
        bus.emit("llm", "state", state="failed", label=name, problem=error.problem, remedy=error.remedy)

    return brain.chat_model(settings.brain, store, persona, SystemClock(), say_change)


def try_out_model(settings: Settings, persona: str) -> ChatModel:
    """A brain of its own for trying a persona out, not loaded yet; its troubles are not the show's. Raises AppError."""
    from animator.clock import SystemClock

    return brain.chat_model(settings.brain, default_store(), persona, SystemClock(), lambda name, error: None)


def file_of(folder: Path, suffix: str) -> Path:
    """The one file of a model's folder that ends in `suffix`."""
    return next(path for path in sorted(folder.iterdir()) if path.name.endswith(suffix))


def device_microphone(settings: Settings, clock: Clock) -> Microphone:
    """The microphone of the settings."""
    from app.backends.mic_sounddevice import SoundDeviceMicrophone

    return SoundDeviceMicrophone(settings.hearing.device, clock=clock)


def device_speaker(
    settings: Settings,
    clock: Clock,
    tap: SoundTap | None = None,
    tell: Callable[[tuple[SoundStatus, ...]], None] = lambda status: None,
) -> Speaker:
    """What plays the voice under these settings; `tap` gets what it plays, `tell` how its devices are."""
    from app.backends.sound_outlet import FIRST_CABLE
    from app.backends.speaker_sounddevice import LOUDSPEAKER, Destination, SoundDeviceSpeaker

    sound, destinations = settings.sound, []
    if sound.headphones:
        heard = dataclasses.replace(LOUDSPEAKER, device=settings.voice.device, volume=sound.headphones_volume)
        destinations.append(heard)
    if sound.stream:
        device = sound.stream_device or FIRST_CABLE
        destinations.append(Destination("stream", "sound device of the stream", device, sound.stream_volume))
    return SoundDeviceSpeaker(clock, destinations, tap=tap, tell=tell)


def sound_cable(on: bool) -> None:
    """Make the app's own virtual cable (Linux), or take it away; raises AppError where that cannot be."""
    from app.backends import pulse

    (pulse.make_cable if on else pulse.remove_cable)()


def file_microphone(path: Path) -> Microphone:
    """A recording, read as fast as the line takes it."""
    from app.backends.mic_file import FileMicrophone

    return FileMicrophone(path)


def rehearsal_microphone(path: Path, clock: Clock, settings: Settings) -> RehearsalMicrophone:
    """A recording at a speaker's pace, followed by the silence that ends an utterance."""
    from app.backends.mic_file import FileMicrophone

    return RehearsalMicrophone(FileMicrophone(path, clock), clock, settings.hearing.min_silence_ms / 1000)


def null_speaker(clock: Clock, tap: SoundTap | None = None) -> Speaker:
    """A loudspeaker that keeps time and makes no sound; `tap` gets what would be heard."""
    from app.backends.speaker_null import NullSpeaker

    return NullSpeaker(clock, tap)


def build_line(
    bus: Bus,
    clock: Clock,
    settings: Settings,
    character: Character,
    parts: Parts,
    microphone: Microphone | None,
    speaker: Speaker,
    face: AvatarHost | None,
    *,
    from_file: bool,
    fallback_speaker: Speaker | None = None,
    on_command: Callable[[Command], None] | None = None,
) -> Line:
    """Wire the line. `from_file`: the microphone is one recorded question."""
    echo = None if from_file else echo_canceller(settings, speaker)
    options = line_options(settings, character, has_echo_canceller=echo is not None, from_file=from_file)
    return Line(
        bus,
        clock,
        microphone,
        parts.detector,
        parts.transcriber,
        parts.chat,
        parts.synth,
        speaker,
        face,
        persona_of(character),
        options,
        turn_detector=None if from_file else parts.turn_detector,
        echo=echo,
        accept=acceptance(settings, character, clock),
        # A film of a recorded question is no talk: it neither knows nor keeps anything.
        memory=memory(settings) if not from_file else None,
        fallback_speaker=fallback_speaker,
        on_command=on_command,
    )


def line_options(
    settings: Settings, character: Character, *, has_echo_canceller: bool, from_file: bool = False
) -> LineOptions:
    """How the line listens and speaks under these settings."""
    hearing, brain_settings = settings.hearing, settings.brain
    return LineOptions(
        source="file" if from_file else "live",
        hearing=hearing_mode(settings, has_echo_canceller=has_echo_canceller),
        min_silence_ms=hearing.min_silence_ms,
        patience=hearing.patience,
        threshold=hearing.threshold,
        partials=hearing.captions,
        interrupt_words=hearing.interrupt_words,
        interrupt_ms=hearing.interrupt_ms,
        fallback_line=character.fallback_line,
        spoken_language=settings.voice.language,
        history_tokens=brain_settings.history_tokens,
        speak_first_s=brain_settings.speak_first_s,
        speak_first_times=brain_settings.speak_first_times,
        guess_emotions=brain_settings.emotions,
    )


def acceptance(settings: Settings, character: Character, clock: Clock) -> Callable[[str], str]:
    """What of the words is meant for the character: all of them, or those that the wake word lets through."""
    if not settings.hearing.wake_word:
        return lambda text: text
    return WakeWord(character.name, settings.hearing.wake_for_s, clock.now_ns).accept


def echo_canceller(settings: Settings, speaker: Speaker) -> EchoCanceller | None:
    """What keeps the character from hearing itself; None where it is switched off, or is not there."""
    played = getattr(speaker, "played", None)
    if settings.hearing.echo == "off" or settings.hearing.mode == "half_duplex" or played is None:
        return None
    from app.backends.echo_webrtc import WebRtcEchoCanceller

    try:
        return WebRtcEchoCanceller(played)
    except ImportError:
        return None


def hearing_mode(settings: Settings, *, has_echo_canceller: bool) -> Literal["open", "half-duplex", "hold", "toggle"]:
    """How the line listens: an open microphone without echo cancellation would make the character hear itself."""
    match settings.hearing.mode:
        case "hold":
            return "hold"
        case "toggle":
            return "toggle"
        case "open" if has_echo_canceller or settings.hearing.echo == "off":
            return "open"
        case _:
            return "half-duplex"


def persona_of(character: Character) -> Persona:
    """Who the brain is to be."""
    return Persona(character.persona, character.name, character.fallback_line, character.openers)


def memory(settings: Settings) -> Memory | None:
    """What the user told, where the settings keep it; opened when it is first used."""
    from app.backends.memory_sqlite import SqliteMemory

    return SqliteMemory(paths.memory_file()) if settings.brain.memory else None


def face_options(settings: Settings, *, stepped: bool) -> AnimatorOptions:
    """How the animator process is started. Raises AppError where the face's weights are missing or damaged."""
    detail = settings.face.detail
    return AnimatorOptions(
        weights(settings),
        bakes_dir(),
        tier=settings.face.tier,
        fps=settings.face.fps,
        stepped=stepped,
        large=detail == "high" or (detail == "auto" and (stepped or (os.cpu_count() or 1) >= LARGE_FROM_CORES)),
        phonemes=_phone_model_or_name(settings.lips.phonemes),
        mouth_offset_ms=settings.lips.mouth_offset_ms,
        engine="musetalk" if settings.face.human_engine == "musetalk" else "tha3",
        musetalk_weights=musetalk_folder(settings.face.musetalk_weights),
        musetalk_quality=settings.face.musetalk_quality,
    )


def check_musetalk(settings: Settings) -> None:
    """Raise AppError where the settings want MuseTalk, or name a folder for it, and its files are not there."""
    if settings.face.human_engine != "musetalk" and not settings.face.musetalk_weights:
        return
    try:
        check_there(musetalk_folder(settings.face.musetalk_weights), settings.face.musetalk_quality)
    except WeightsError as error:
        raise AppError(error.problem, error.remedy) from error


def phone_model(chosen: str) -> str:
    """The phone model of the settings for the animator: a name, a path, or "" for the best that runs.

    Raises AppError where it is not there.
    """
    if chosen in ("", "auto"):
        return ""
    if chosen in ("own", "hama"):
        return chosen
    if chosen == "wav2vec2":
        return str(default_store().brought_path(WAV2VEC2_MODEL))
    path = Path(chosen).expanduser()
    if path.exists():
        return str(path.resolve())
    raise AppError(
        f"There is no phone model {chosen!r}.",
        'Name "own", "hama" or "wav2vec2" (kuchipaku models add), or the path of a model, or leave it at "auto".',
    )


def _phone_model_or_name(chosen: str) -> str:
    """As `phone_model`; the animator takes the best one for a name that it does not know, and says why."""
    try:
        return phone_model(chosen)
    except AppError:
        return chosen


def start_face(bus: Bus, settings: Settings, folder: Path, *, stepped: bool) -> AnimatorProcess:
    """Start the animator with a character; returns before it is ready."""
    face = AnimatorProcess(bus, face_options(settings, stepped=stepped))
    face.load(str(folder))
    return face


def next_face(bus: Bus, settings: Settings, folder: Path) -> tuple[AnimatorProcess, HeldFacts]:
    """Another animator with a character, which is not shown yet and whose facts are held. Raises AppError."""
    check_musetalk(settings)  # at a start it is said, and the photo puppet draws
    held = HeldFacts(bus)
    face = AnimatorProcess(held, face_options(settings, stepped=False))
    face.load(str(folder))
    return face, held


@dataclass(frozen=True, slots=True)
class FaceSpeed:
    """How fast a tier draws here, while everything else runs: frames a second, None where it cannot, and why."""

    tier: str
    fps: float | None
    device: str = ""
    problem: str = ""


def measure_face(settings: Settings, folder: Path, tier: str, clock: Clock, bus: Bus) -> FaceSpeed:
    """Draw a character for some seconds in a process of its own. Blocks; a face that is not baked takes minutes."""
    held = HeldFacts(bus)
    face: AnimatorProcess | None = None
    try:
        options = dataclasses.replace(face_options(settings, stepped=True), tier=tier, engine="tha3")
        options = dataclasses.replace(options, large=face_options(settings, stepped=False).large)
        face = AnimatorProcess(held, options)
        face.load(str(folder))
        face.wait_loaded(MEASURE_LOAD_S)
        state = held.held["state"][1]
        if tier not in str(state.get("label")):
            return FaceSpeed(tier, None, "", str(state.get("problem") or f"The face {tier} does not run here."))
        face.step(None, 0)  # the first frame warms everything up
        start_ns, count = clock.now_ns(), 0
        while clock.now_ns() - start_ns < MEASURE_NS:
            count += 1
            face.step(None, count * 1_000_000_000 // 30)
        return FaceSpeed(tier, round(count * 1e9 / (clock.now_ns() - start_ns), 1))
    except AppError as error:
        return FaceSpeed(tier, None, "", f"{error.problem} {error.remedy}")
    finally:
        if face is not None:
            face.close()


def ask_brain(settings: Settings, clock: Clock, on_each: Callable[[brain.ProviderReport], None]) -> None:
    """Ask each provider of the settings for a word. Blocks for seconds; never raises for one that fails."""
    try:
        found = brain.candidates(settings.brain, default_store(), brain.CHECK_PERSONA, lambda name, note: None)
    except AppError as error:
        provider = settings.brain.provider
        on_each(brain.ProviderReport(provider, "", False, problem=error.problem, remedy=error.remedy))
        return
    brain.check(found, clock, on_each)


def devices() -> Devices:
    """Which microphones, loudspeakers and cameras are there now. Takes some 0.3 s."""
    return list_devices()


def camera_stage(bus: Bus, clock: Clock, face: AvatarHost, settings: Settings) -> CameraStage:
    """The stage that hands frames out, with no sink yet."""
    return CameraStage(bus, clock, face.latest, (SIZE_PX, SIZE_PX), settings.face.fps)


def virtual_camera(
    settings: Settings,
    scene: Callable[[], Scene] = Scene,
    captions: Callable[[int, int], Overlay | None] = lambda *_: None,
) -> VirtualCamera:
    """The virtual camera of the settings, not opened yet. It asks for `scene` and `captions` with every frame."""
    camera = settings.camera
    return VirtualCamera(camera.width_px, camera.height_px, camera.device or None, scene, captions)


def recording_encoder(format: str, width_px: int, height_px: int, fps: float) -> RecordingEncoder:
    """An encoder of recordings. Raises AppError where there is none."""
    from app.backends.recording_av import AvEncoder

    return AvEncoder("webm" if format == "webm" else "mp4", width_px, height_px, fps)


def global_keys() -> GlobalKeys:
    """What gives this desktop's keys, not started yet. Raises AppError where nothing can."""
    platform: str = sys.platform  # named, or type checkers would take the other systems' lines for unreachable
    if platform == "win32":
        from app.backends.keys_windows import WindowsKeys

        return WindowsKeys()
    if platform == "darwin":
        from app.backends.keys_macos import MacKeys

        return MacKeys()
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        from app.backends.keys_portal import PortalKeys

        return PortalKeys()
    if os.environ.get("DISPLAY"):
        from app.backends.keys_x11 import X11Keys

        return X11Keys()
    raise AppError(
        "There is no desktop whose keys could be used.",
        "Keys that work everywhere need X11, Wayland, Windows or macOS; other programs can use the control instead.",
    )


def control_server(port: int) -> ControlServer:
    """Where other programs ask, not listening yet. Raises AppError where there can be no token."""
    from app.backends.control_server import AiohttpControlServer

    control_token(token_file())  # here it can be said that there can be none
    return AiohttpControlServer(port, lambda: control_token(token_file()))


def browser_source(port: int, settings: Callable[[], Settings], scene: Callable[[], Scene]) -> BrowserPage:
    """What shows the character in browsers and media players, not listening yet.

    `settings` and `scene` give those in force. Raises AppError where there can be no token.
    """
    from app.backends.browser_server import BrowserSource

    def size_px() -> tuple[int, int]:
        camera = settings().camera
        return camera.width_px, camera.height_px

    control_token(browser_token_file())
    return BrowserSource(port, lambda: control_token(browser_token_file()), size_px, scene)


def frame_sharing() -> FrameSink:
    """Spout or Syphon, not open yet. Raises AppError where this system has neither, or the library is missing."""
    from app.backends.frame_sharing import FrameSharing, SpoutOutlet, SyphonOutlet

    way = way_here()
    if way is None:
        raise AppError(
            "Spout is only on Windows, and Syphon only on macOS.",
            "Use the browser source or the media source (page Output), which are as transparent.",
        )
    if not is_installed(way):
        raise AppError(f"The library for {way.name} is not installed.", how_to_install(way))
    return FrameSharing(SpoutOutlet if way.name == "Spout" else SyphonOutlet)


WINDOW_TITLES = ("Kuchipaku mini view", "Kuchipaku")
"""Of the windows that show the character, for a window capture: the one without a frame first."""


def obs_link(
    settings: Settings, on_event: Callable[[str, dict[str, Any]], None], on_lost: Callable[[], None]
) -> ObsLink:
    """A connection to this computer's OBS, not open yet; its password is OBS's own or the one that was stored."""
    from app.backends.obs_config import DEFAULT_PORT, read_config
    from app.backends.obs_websocket import ObsWebSocket

    config = read_config()
    port = settings.obs.port
    if port == DEFAULT_PORT and config.port is not None:
        port = config.port
    passwords = [word for word in dict.fromkeys((config.password, secrets.read("obs"))) if word]
    return ObsWebSocket(port, passwords, config.is_enabled, on_event, on_lost)


def obs_feeds(
    settings: Callable[[], Settings], change: Callable[[str, Value], None], camera: Callable[[], str]
) -> SettingsFeeds:
    """What OBS can show of this app; `change` puts a setting in force, `camera` names the virtual camera."""
    file = str(paths.config_dir() / "captions.txt")
    return SettingsFeeds(settings, change, _obs_address, camera, file, WINDOW_TITLES)


def _obs_address(settings: Settings, way: Way) -> str:
    path = ALPHA_PATH if way == "stream" else PAGE_PATH
    return browser_url(settings.browser.port, control_token(browser_token_file()), path)


def bakes_dir() -> Path:
    """Where baked faces lie."""
    return paths.cache_dir() / "bakes"


def weights(settings: Settings) -> Path:
    """The folder of the face's weights that the settings choose.

    Raises AppError where they are missing or, for those that come with the app, damaged.
    """
    store, chosen = default_store(), settings.face.weights
    if chosen in ("", FACE_MODEL):
        return store.path(FACE_MODEL)
    brought = [name for name in store.brought() if name.startswith("tha3-")]
    if chosen in brought:
        return store.brought_path(chosen)
    folder = Path(chosen).expanduser()
    known = ", ".join([FACE_MODEL, *brought])
    if not folder.is_dir():
        raise AppError(
            f"[face] weights names {chosen!r}, which is neither a folder nor one of {known}.",
            "Name a folder with THA3's five .pt files, one of these models, or leave it out.",
        )
    wanted = [file.name for file in store.info(FACE_MODEL).files]
    missing = [name for name in wanted if not (folder / name).is_file()]
    if missing:
        raise AppError(
            f"The folder {folder} of [face] weights lacks {', '.join(missing)}.",
            "All five files of one variant of THA3 must lie in it: separable or standard, float or half.",
        )
    return folder


@cache
def be_right_back() -> Pixels:
    """The picture that viewers get in a panic: uint8 RGBA, square, read-only."""
    import numpy as np
    from PIL import Image

    with Image.open(paths.REPOSITORY / "assets" / "be_right_back.png") as picture:
        pixels = np.asarray(picture.convert("RGBA"))
    pixels.flags.writeable = False
    return pixels
