"""The live show: face, line and camera together. The window, the benchmarks and the tests run it alike."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from animator.character import Character, list_characters
from animator.memory import Leftovers, begin
from animator.priority import give_way
from animator.timebase import Clock
from app import compose, paths, secrets, settings_file
from app.browser import BrowserSwitch
from app.bus import Bus
from app.canvas import Placement
from app.caption_picture import CaptionLayer
from app.captions import CaptionRuntime
from app.changes import AT_ONCE, Apply, Changes
from app.characters import library
from app.control import Control, ControlRuntime
from app.errors import AppError
from app.face import Face, LoadingAvatar
from app.history_keeper import HistoryKeeper
from app.history_store import HistoryStore
from app.housekeeping import Housekeeping
from app.keys import KeyRuntime
from app.line import Line
from app.messages import (
    Command,
    Configure,
    Frame,
    ListCharacters,
    ListDevices,
    MouthOffset,
    Mute,
    NextCharacter,
    Panic,
    PlaceCharacter,
    Quit,
    Record,
    RecordKey,
    SaveReplay,
    Say,
    Screenshot,
    SecretChanged,
    SetUpObs,
    ShowTestCard,
    StageColours,
    SwitchCamera,
    SwitchCharacter,
    TestBrain,
    TestFace,
    TestSound,
    ToggleHuman,
    ToggleRecording,
    TryPersona,
    UndoObs,
)
from app.obs import ObsRuntime
from app.policy import hotkeys
from app.ports import BrowserPage, FrameSink, Microphone, Speaker
from app.recorder import Recorder
from app.scene import SceneKeeper
from app.settings import CaptionSettings, Settings, Value, value_of
from app.sharing import SharingSwitch
from app.sound import SoundReport
from app.sound_tap import SoundTap
from app.stages.camera import CameraStage, CameraSwitch
from app.try_out import TryOut

_log = logging.getLogger(__name__)

FACE_WITHIN_S = 900.0
"""A character that was never baked with these weights is baked first."""

OBS_NEEDS_S = 10.0
"""A camera or a page that OBS is to show is on within this time, or another way is taken."""

REBUILDS_BRAIN = (
    "brain.provider",
    "brain.groq_model",
    "brain.groq_fallback_model",
    "brain.server_url",
    "brain.server_model",
    "brain.max_tokens",
    "brain.remote_max_tokens",
    "brain.first_token_s",
)
REBUILDS_HUMAN = ("face.human_engine", "face.musetalk_quality", "face.musetalk_weights")
REBUILDS_FACE = ("face.tier", "face.weights", "face.detail", "face.fps", "lips.phonemes")


class Show:
    """Everything that runs while the app does. A part that cannot start is said once; the rest goes on.

    Every setting is in force as soon as the fact `settings changed` says so: the part that it belongs to is made anew
    beside the one that works, and exchanged once it is ready. Where that fails the old one goes on, and the fact
    `settings refused` says why.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: Settings,
        folder: Path,
        *,
        character: Character | None = None,
        microphone: Microphone | None = None,
        speaker: Speaker | None = None,
        sound: SoundTap | None = None,
        greet: bool = True,
        face: bool = True,
        keys: bool = True,
    ) -> None:
        """Start the face, which takes longest; everything else waits for `start`.

        `character` is what lies in `folder`, where that has been read already. `microphone` and `speaker` default to
        the settings' devices; without `face` nothing is drawn. A `speaker` hands what it plays to `sound`, for
        recordings.

        With `keys` the desktop's keys are taken that the settings bind.

        Raises AppError for an unusable character.
        """
        begin()
        self._bus = bus
        self._clock = clock
        self._folder = folder
        self._greet = greet
        self._character = compose.character_of(folder) if character is None else character
        leftovers = Leftovers()
        self._changes = Changes(bus, settings, self._keep, tidy=leftovers.give_back)
        self._choosing_face = threading.Lock()
        self._shown = self._character
        """Whose face is seen: a photo of a person in human mode."""
        self._shown_folder = folder
        self._face = Face(self._make_face()) if face else None
        self._camera: CameraStage | None = None
        self._switch: CameraSwitch | None = None
        self._browser: BrowserSwitch | None = None
        self._sharing: SharingSwitch | None = None
        self._captions = CaptionRuntime(bus)
        self._caption_layer = CaptionLayer()
        self._captions.add(self._caption_layer.show)
        if self._face is not None:
            self._camera = compose.camera_stage(bus, clock, self._face, settings)
            self._switch = CameraSwitch(bus, self._camera, lambda: self._make_camera(settings))
            self._browser = BrowserSwitch(bus, self._camera, self._make_browser)
            self._captions.add(self._browser.caption)
            self._sharing = SharingSwitch(bus, self._camera, lambda: compose.frame_sharing())
        self._scene = SceneKeeper(settings.stage)
        if self._scene.trouble is not None:
            self._say("stage", "Background", self._scene.trouble)
        self._microphone = microphone
        self._sound = sound if sound is not None else SoundTap()
        self._sound_report = SoundReport(bus)
        self._speaker = speaker if speaker is not None else self._make_speaker(settings)
        self._recorder: Recorder | None = None
        if self._camera is not None:
            self._recorder = Recorder(
                bus,
                lambda: self.settings,
                self._camera,
                self._sound,
                self._scene.current,
                self.latest,
                compose.recording_encoder,
                paths.recordings_dir,
                captions=self._caption_layer.at,
            )
        self._made_line: Line | None = None
        self._line_made = threading.Event()
        """Set once the line is there, or will not come."""
        self._route()
        self._keys = KeyRuntime(bus, clock, settings.keys, folder.stem, compose.global_keys) if keys else None
        self._control: ControlRuntime | None = None
        if self._keys is not None:
            control = Control(bus, self._keys.act, lambda: self.expressions)
            self._control = ControlRuntime(bus, settings.control, control, compose.control_server)
        self._stored_keys = 0
        """How often a key of a service has changed."""
        self._try_out = TryOut(
            bus,
            lambda persona: compose.try_out_model(self.settings, persona),
            lambda: (self.settings.brain, self._stored_keys),
        )
        self.history = HistoryStore(paths.history_file())
        """For reading, too; it closes with the show."""
        self._housekeeping = Housekeeping(bus, leftovers.give_back)
        self._keeper = HistoryKeeper(
            bus,
            clock,
            time.time,
            self.history,
            lambda: self._character.name,
            lambda: self.settings.brain.keep_history,
        )
        self._obs: ObsRuntime | None = None
        if self._switch is not None:
            switch = self._switch
            feeds = compose.obs_feeds(lambda: self.settings, self._change_and_wait, lambda: switch.device)
            self._obs = ObsRuntime(bus, lambda: self.settings, self._changes.keep, compose.obs_link, feeds)
        self.ended = threading.Event()
        """Set by the command Quit."""
        self._stopped = self._is_started = False

    def _make_face(self) -> LoadingAvatar | None:
        try:
            self._choose_face(self.settings)
        except AppError as error:  # the character's own is seen
            self._say("avatar", "Face", error)
        try:
            return compose.start_face(self._bus, self.settings, self._shown_folder, stepped=False)
        except AppError as error:
            self._say("avatar", "Face", error)
            return None

    def _make_speaker(self, settings: Settings) -> Speaker:
        return compose.device_speaker(settings, self._clock, self._sound, self._sound_report)

    def _make_camera(self, settings: Settings) -> FrameSink:
        return compose.virtual_camera(settings, self._scene.current, self._caption_layer.at)

    def _make_browser(self, port: int) -> BrowserPage:
        return compose.browser_source(port, lambda: self.settings, self._scene.current)

    @property
    def _line(self) -> Line:
        """Waits until it has been made. Raises AppError where it could not be."""
        self._line_made.wait()
        if self._made_line is None:
            raise AppError("Hearing, brain and voice are not running.", "Start the app again.")
        return self._made_line

    def _start_line(self) -> None:
        """Make and start the line: a second of imports and checks, which neither window nor face wait for."""
        try:
            self._make_cable()
            line = self._make_line()
            if not self._stopped:
                line.start()
                self._made_line = line
        except AppError as error:
            self._say("app", "Start", error)
        except Exception as error:
            _log.exception("the line could not be made")
            problem = f"Hearing, brain and voice could not be started: an unexpected {type(error).__name__}."
            self._say("app", "Start", AppError(problem, "Run `kuchipaku doctor`; the log says more."))
        finally:
            self._line_made.set()

    def _make_cable(self) -> None:
        """Before the loudspeaker is opened, which may want it."""
        if self.settings.sound.cable:
            try:
                compose.sound_cable(True)
            except AppError as error:
                self._say("sound", "Cable", error)

    def _make_line(self) -> Line:
        settings = self.settings
        parts = compose.line_parts(settings, self._character, hears=True, answers=True, bus=self._bus, required=False)
        return compose.build_line(
            self._bus,
            self._clock,
            settings,
            self._character,
            parts,
            self._microphone if self._microphone is not None else compose.device_microphone(settings, self._clock),
            self._speaker,
            self._face,
            from_file=False,
            fallback_speaker=compose.null_speaker(self._clock, self._sound),
            on_command=self._obey,
        )

    def _say(self, stage: str, label: str, error: AppError) -> None:
        self._bus.emit(stage, "state", state="failed", label=label, problem=error.problem, remedy=error.remedy)

    @staticmethod
    def _keep(name: str, value: bool | int | float | str) -> None:
        settings_file.keep_setting(paths.settings_file(), name, value)

    @property
    def settings(self) -> Settings:
        """What is in force now. Any thread."""
        return self._changes.settings

    @property
    def character(self) -> Character:
        """Who is shown, or will be once the face has loaded it."""
        return self._character

    @property
    def expressions(self) -> tuple[str, ...]:
        """What the face that is seen can show."""
        return tuple(self._shown.expressions)

    @property
    def camera(self) -> CameraStage | None:
        """The stage that hands out frames; None without a face."""
        return self._camera

    def route(self, names: tuple[str, ...], apply: Apply) -> None:
        """Let `apply` put the settings `names` (or whole tables) to work, on a thread of their own.

        It is given the settings before and after, and raises AppError where that cannot be: then they are refused.
        """
        self._changes.route(names, names[0].split(".")[0], apply)

    def start(self, *, muted: bool = False, camera_on: bool = False) -> None:
        """Start every part; returns at once. What differs from the settings' file is told as a change.

        Commands that come before the line is there wait for it.
        """
        if self._camera is not None:
            self._camera.start()
        if self._recorder is not None:
            self._recorder.start()
        if muted != self.settings.hearing.muted:
            self._changes.note("hearing.muted", muted)
        if muted:
            self._bus.gate.put(Mute(True))
        if camera_on:
            # It was on when the app was left, and is waited for: a virtual camera may come later than the desktop.
            self._changes.run("camera", lambda: self._switch_camera(True, patiently=True))
        if self._greet and self._character.greeting:
            self._bus.gate.put(Say(self._character.greeting))
        if not self._is_settings_character():
            self._changes.note("face.character", compose.name_of(self._folder))
        self._tell_character()
        self._is_started = True
        self._keeper.start()
        threading.Thread(target=self._start_line, name="show-line", daemon=True).start()
        if self._keys is not None:
            self._keys.start()
        if self._control is not None:
            self._control.start()
        self._captions.start()
        if self._obs is not None:
            self._obs.start()
        if self.settings.captions != CaptionSettings():
            self._changes.run("captions", lambda: self._change_captions(Settings(), self.settings))
        if self.settings.browser.on and self._browser is not None:
            browser = self._browser
            self._changes.run("browser", lambda: browser.change(self.settings.browser))
        if self.settings.sharing.on and self._sharing is not None:
            sharing = self._sharing
            self._changes.run("sharing", lambda: sharing.switch(self.settings.sharing.on))

    def _is_settings_character(self) -> bool:
        try:
            return compose.find_character(self.settings.face.character) == self._folder
        except AppError:  # it is gone; this one counts for now
            return False

    def latest(self) -> Frame | None:
        """The newest frame, or None before the first."""
        return self._face.latest() if self._face is not None else None

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being said or answered."""
        return self._line_made.wait(timeout_s) and self._line.wait_until_idle(timeout_s)

    def wait_until_loaded(self, timeout_s: float) -> bool:
        """Wait until every stage has finished loading, well or badly, and the face is there."""
        loaded = self._line_made.wait(timeout_s) and self._line.wait_until_loaded(timeout_s)
        if self._face is not None:
            self._face.wait_loaded(timeout_s)
        return loaded

    def wait_until_settled(self, timeout_s: float) -> bool:
        """Wait until every setting that was asked for is in force or refused."""
        return self._changes.wait_until_settled(timeout_s)

    def stop(self) -> None:
        """End every thread and process within 2 s; safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        self._changes.stop()
        self._housekeeping.stop()
        # Side by side: each may take a second and a half, and the user has pressed Ctrl-C.
        parts: list[Callable[[], object]] = [self._stop_line, self._try_out.stop, self._captions.stop]
        if self._keys is not None:
            parts.append(self._keys.stop)
        if self._control is not None:
            parts.append(self._control.stop)
        if self._obs is not None:
            parts.append(self._obs.stop)
        if self._recorder is not None:
            parts.append(self._recorder.stop)
        if self._switch is not None:
            self._switch.stop()
        if self._camera is not None:
            parts.append(self._camera.stop)
        if self._face is not None:
            parts.append(self._face.close)
        threads = [threading.Thread(target=part, name="stopping") for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2.0)
        self._keeper.stop()  # last: what was being said is said

    def _stop_line(self) -> None:
        # One that is still being made sees that it is no longer wanted.
        self._line_made.wait(0.0 if not self._is_started else 1.5)
        if self._made_line is not None:
            self._made_line.stop()
        if self._is_started and self.settings.sound.cable:
            with contextlib.suppress(AppError):  # the sound server is gone, and the cable with it
                compose.sound_cable(False)

    # Commands

    def _obey(self, command: Command) -> None:
        """Commands that the line does not own (gate thread)."""
        match command:
            case Configure(name=name, value=value):
                self._changes.change(name, value)
            case Mute(muted=muted):
                if muted != self.settings.hearing.muted:
                    self._changes.note("hearing.muted", muted)
            case MouthOffset(offset_ms=offset_ms, keep=keep):
                (self._changes.keep if keep else self._changes.note)("lips.mouth_offset_ms", offset_ms)
            case SwitchCamera(on=on):
                self._changes.run("camera", lambda: self._switch_camera(on))
            case Record() | ToggleRecording() | Screenshot() | SaveReplay():
                self._record(command)
            case Panic(on=on):
                if self._camera is not None:
                    self._camera.show_instead(compose.be_right_back() if on else None)
                if on:
                    self._show_test_card(False)
                self._bus.emit("show", "panic", on=on)
            case SetUpObs() | UndoObs():
                self._set_up_obs(command)
            case ShowTestCard(on=on):
                self._show_test_card(on)
            case RecordKey(on=on):
                if self._keys is not None:
                    self._keys.pause(on)
            case ListCharacters():
                found = library.entries()
                names, paths_ = [each.name for each in found], [str(each.path) for each in found]
                self._bus.emit("show", "characters", names=names, paths=paths_)
            case TryPersona():
                self._try_out.ask(command)
            case PlaceCharacter(zoom=zoom, x=x, y=y):
                self._scene.place(Placement(zoom, x, y))
            case StageColours(top=top, bottom=bottom, light=light):
                self._scene.colours(top, bottom, light)
            case SwitchCharacter(name=name):
                self._choose_character(name)
            case NextCharacter():
                self._next_character()
            case ToggleHuman():
                self._toggle_human()
            case SecretChanged(name=name):
                self._use_secret(name)
            case TestBrain():
                self._changes.run("brain test", self._test_brain)
            case TestFace(tier=tier):
                self._changes.run("face test", lambda: self._test_face(tier))
            case TestSound(part=part):
                self._test_sound(part)
            case ListDevices():
                self._changes.run("devices", self._list_devices)
            case Quit():
                self.ended.set()

    def _show_test_card(self, on: bool) -> None:
        if on != self._scene.current().card:
            self._scene.show_card(on)
            self._bus.emit("show", "test_card", on=on)

    def _choose_character(self, name: str) -> None:
        """As `_switch_character`, by another way than the setting: it is kept, too."""
        self._switch_character(name)
        self._changes.keep("face.character", compose.name_of(self._folder))

    def _switch_character(self, name: str) -> None:
        folder = compose.find_character(name)
        character = compose.character_of(folder)
        if self._face is None:
            raise AppError("There is no face to change.", "Run `kuchipaku doctor`.")
        before, self._character, self._folder = self._character, character, folder
        with self._choosing_face:
            seen = self._shown_folder
            try:
                self._choose_face(self.settings)
            except AppError as error:
                self._say("avatar", "Face", error)
            self._tell_character()
            if self._shown_folder != seen or self._shown is character:  # who is chosen again is read again
                self._face.load(str(self._shown_folder))
        if self._face.current is None:  # after the choice, which says whose face that is
            self._changes.run("face", lambda: self._bring_in_face(self.settings))
        was, now = compose.persona_of(before), compose.persona_of(character)
        # Who comes on with other faces, or as the user's own copy, is the same person in the same talk.
        self._line.set_persona(now, keep_talk=was.text == now.text)
        self._line.configure(fallback_line=character.fallback_line)
        if self.settings.hearing.wake_word:
            self._changes.run("ears", lambda: self._accept(self.settings))
        if before.voice != character.voice:
            self._changes.run("voice", lambda: self._replace_synth(self.settings))

    def _choose_face(self, settings: Settings) -> None:
        """Say whose face is to be seen; the character's own and AppError where there is no other."""
        self._shown, self._shown_folder = self._character, self._folder
        wanted = compose.face_folder(settings, self._folder)
        if wanted != self._folder:
            self._shown, self._shown_folder = compose.character_of(wanted), wanted

    def _change_mode(self, old: Settings, new: Settings) -> None:
        if self._face is None:
            raise AppError("There is no face to change.", "Run `kuchipaku doctor`.")
        with self._choosing_face:
            before = self._shown, self._shown_folder
            try:
                self._choose_face(new)
            except AppError:
                self._shown, self._shown_folder = before
                raise
            if self._shown_folder != before[1]:
                self._tell_character()
                # The one that is seen goes on until the other can be drawn, which takes over what is being spoken.
                self._face.load(str(self._shown_folder))

    def _toggle_human(self) -> None:
        if library.is_photo(self._folder):
            raise AppError(f"{self._character.name} is a photo already.", "Choose a drawn character first.")
        self._changes.change("face.mode", "anime" if self.settings.face.mode == "human" else "human")

    def _tell_character(self) -> None:
        character = self._character
        self._bus.emit(
            "show",
            "character",
            name=character.name,
            path=str(self._folder),
            expressions=list(self.expressions),
        )

    def _next_character(self) -> None:
        folders = [folder for _, folder in list_characters(*compose.character_roots())]
        if not folders:
            raise AppError("There is no character to go on to.", "Make one on the page Characters.")
        at = folders.index(self._folder) + 1 if self._folder in folders else 0
        self._choose_character(str(folders[at % len(folders)]))

    def _use_secret(self, name: str) -> None:
        secrets.look_again()
        self._stored_keys += 1
        if name in ("groq", "server"):
            self._changes.run("brain", lambda: self._replace_chat(self.settings))
        if name == "obs" and self._obs is not None:
            self._obs.look()
        if name == "groq" and self.settings.hearing.transcriber == "groq":
            self._changes.run("ears", lambda: self._replace_transcriber(self.settings))
        if name in ("groq", "voice") and compose.has_server_voice(self.settings):
            self._changes.run("voice", lambda: self._replace_synth(self.settings))

    def _test_brain(self) -> None:
        def say(report: Any) -> None:
            found = report.as_json()
            problem, remedy = found.pop("problem"), found.pop("remedy")
            found.pop("reachable")
            detail = f"{problem} {remedy}".strip()
            self._bus.emit("brain", "tested", **found, ok=not problem, detail=detail)

        compose.ask_brain(self.settings, self._clock, say)

    def _test_face(self, tier: str) -> None:
        found = compose.measure_face(self.settings, self._folder, tier, self._clock, self._bus)
        self._bus.emit("avatar", "tested", tier=tier, fps=found.fps, device=found.device, problem=found.problem)

    def _list_devices(self) -> None:
        found = compose.devices()
        microphones, speakers, cameras = map(list, (found.microphones, found.speakers, found.cameras))
        cables = list(found.cables)
        self._bus.emit("devices", "list", microphones=microphones, speakers=speakers, cameras=cameras, cables=cables)

    # Settings. Each is put to work on the thread of its part; what is raised refuses it.

    def _route(self) -> None:
        route = self._changes.route
        route(("hearing", "brain"), "line", self._configure_line)
        route(("hearing.device",), "microphone", self._change_microphone)
        route(("hearing.echo", "hearing.mode"), "line", self._change_echo)
        route(("hearing.muted",), AT_ONCE, lambda old, new: self._line.mute(new.hearing.muted))
        route(("hearing.wake_word", "hearing.wake_for_s"), "ears", lambda old, new: self._accept(new))
        route(
            ("hearing.language", "hearing.model", "hearing.transcriber"),
            "ears",
            lambda old, new: self._replace_transcriber(new),
        )
        route(REBUILDS_BRAIN, "brain", lambda old, new: self._replace_chat(new))
        route(("brain.memory",), "line", lambda old, new: self._line.replace_memory(compose.memory(new)))
        route(("voice",), "voice", lambda old, new: self._replace_synth(new))
        route(("voice.speed",), "voice", self._change_speed)
        route(("voice.device", "sound"), "speaker", self._change_speaker)
        route(("sound.headphones_volume", "sound.stream_volume"), AT_ONCE, self._change_volumes)
        route(("sound.cable",), "speaker", lambda old, new: compose.sound_cable(new.sound.cable))
        route(REBUILDS_FACE, "face", lambda old, new: self._bring_in_face(new))
        route(REBUILDS_HUMAN, "face", lambda old, new: self._bring_in_face(new, is_human=True))
        route(("face.character",), AT_ONCE, lambda old, new: self._switch_character(new.face.character))
        route(("face.mode", "face.human"), "face", self._change_mode)
        route(("lips.mouth_offset_ms",), AT_ONCE, lambda old, new: self._offset_mouth(new.lips.mouth_offset_ms))
        route(("camera",), "camera", self._change_camera)
        route(("browser",), "browser", self._change_browser)
        route(("sharing",), "sharing", self._change_sharing)
        route(("captions",), "captions", self._change_captions)
        route(("recording",), "recording", self._configure_recorder)
        route(("keys",), AT_ONCE, self._check_keys)
        # A picture that is read takes its time.
        route(("stage",), "stage", lambda old, new: self._scene.keep(new.stage))

    def _configure_line(self, old: Settings, new: Settings) -> None:
        # Only what differs: two parts may change options of the line at the same moment.
        before = compose.line_options(old, self._character, has_echo_canceller=False)
        after = compose.line_options(new, self._character, has_echo_canceller=False)
        names = [field.name for field in dataclasses.fields(after) if field.name != "hearing"]
        wanted = {name: getattr(after, name) for name in names if getattr(before, name) != getattr(after, name)}
        if wanted:
            self._line.configure(**wanted)

    def _change_microphone(self, old: Settings, new: Settings) -> None:
        echo = compose.echo_canceller(new, self._speaker)
        self._line.replace_microphone(compose.device_microphone(new, self._clock), echo)

    def _change_speaker(self, old: Settings, new: Settings) -> None:
        speaker = self._make_speaker(new)
        self._line.replace_speaker(speaker)
        self._speaker = speaker
        self._change_echo(old, new)  # the echo is that of the new one

    def _change_volumes(self, old: Settings, new: Settings) -> None:
        set_volume = getattr(self._speaker, "set_volume", None)
        if set_volume is not None:
            set_volume("headphones", new.sound.headphones_volume)
            set_volume("stream", new.sound.stream_volume)

    def _test_sound(self, part: str) -> None:
        test = getattr(self._speaker, "test", None)
        if test is None:
            raise AppError("There is no sound device to test.", "Choose one on the page Output.")
        test(part)

    def _change_echo(self, old: Settings, new: Settings) -> None:
        echo = compose.echo_canceller(new, self._speaker)
        self._line.replace_echo(echo)
        self._line.configure(hearing=compose.hearing_mode(new, has_echo_canceller=echo is not None))

    def _accept(self, settings: Settings) -> None:
        self._line.accept_by(compose.acceptance(settings, self._character, self._clock))

    def _replace_transcriber(self, settings: Settings) -> None:
        give_way()  # the threads of what is loaded here inherit it
        transcriber = compose.transcriber_of(settings, self._bus)
        with _closing_on_error(transcriber):
            transcriber.load()
        self._line.replace_transcriber(transcriber)

    def _replace_chat(self, settings: Settings) -> None:
        chat = compose.chat_of(settings, self._character, self._bus)
        with _closing_on_error(chat):
            chat.load()
        self._line.replace_chat(chat)

    def _change_speed(self, old: Settings, new: Settings) -> None:
        if not self._line.speak_at(new.voice.speed):
            self._replace_synth(new)

    def _replace_synth(self, settings: Settings) -> None:
        give_way()
        synth = compose.voice_synth(settings, self._character, self._bus, required=True)
        with _closing_on_error(synth):
            synth.load()
        self._line.replace_synth(synth)
        self._line.configure(spoken_language=settings.voice.language)

    def _bring_in_face(self, settings: Settings, *, is_human: bool = False) -> None:
        """Exchange the face's process. `is_human`: what moves a photo was chosen, and it is that or none."""
        if self._face is None or self._camera is None or self._switch is None:
            raise AppError("There is no face to change.", "Start the app with its window.")
        compose.phone_model(settings.lips.phonemes)  # at a start it would only be said; here it can be refused
        avatar, held = compose.next_face(self._bus, settings, self._shown_folder)
        self._bus.emit("avatar", "state", state="busy", label="Preparing the new face")

        def accept() -> None:
            said = held.held.get("state", ("", {}))[1]
            if is_human and self._shown.is_person and said.get("problem"):
                raise AppError(str(said["problem"]), str(said.get("remedy", "")))

        try:
            self._face.bring_in(avatar, FACE_WITHIN_S, accept)
        except AppError:
            if self._face.current is not None:
                self._bus.emit("avatar", "state", state="ready", label="Face")
            raise
        held.let_out()
        self._camera.set_fps(settings.face.fps)
        with contextlib.suppress(AppError):  # it is said there
            self._switch.change(lambda: self._make_camera(settings))

    def _change_browser(self, old: Settings, new: Settings) -> None:
        if self._browser is None:
            raise AppError("There is no face to show in a browser.", "Run `kuchipaku doctor`.")
        self._browser.change(new.browser)

    def _change_sharing(self, old: Settings, new: Settings) -> None:
        if self._sharing is None:
            raise AppError("There is no face to share with other programs.", "Run `kuchipaku doctor`.")
        self._sharing.switch(new.sharing.on)

    def _set_up_obs(self, command: SetUpObs | UndoObs) -> None:
        """Only asks for it (gate thread)."""
        if self._obs is None:
            raise AppError("There is no face to show in OBS.", "Run `kuchipaku doctor`.")
        if isinstance(command, SetUpObs):
            self._obs.set_up()
        else:
            self._obs.undo()

    def _change_and_wait(self, name: str, value: Value) -> None:
        """Put a setting in force for another part, on that part's thread. Raises AppError where it is refused."""
        self._changes.change(name, value)
        self._changes.wait_until_settled(OBS_NEEDS_S)
        if value_of(self.settings, name) != value:
            raise AppError(f"{name} could not be changed to {value!r}.", "The page Output says why.")

    def _change_captions(self, old: Settings, new: Settings) -> None:
        if new.captions.file != old.captions.file:
            self._captions.write_to(new.captions.file)
        self._caption_layer.switch(new.captions.picture)

    def _check_keys(self, old: Settings, new: Settings) -> None:
        # Whoever works with the keys follows the facts; what is no key is refused before there is one.
        for action, keys in new.keys.bindings.items():
            if keys != old.keys.bindings.get(action, ""):
                hotkeys.parse(action, keys)

    def _offset_mouth(self, offset_ms: int) -> None:
        if self._face is not None:
            self._face.mouth_offset(offset_ms)
        self._bus.emit("avatar", "mouth_offset", ms=offset_ms)

    def _record(self, command: Record | ToggleRecording | Screenshot | SaveReplay) -> None:
        """Only asks for it (gate thread): what came of it is told by the recorder."""
        if self._recorder is None:
            raise AppError("There is no face to record.", "Run `kuchipaku doctor`.")
        match command:
            case Record(on=on):
                self._recorder.record(on)
            case ToggleRecording():
                self._recorder.toggle()
            case Screenshot():
                self._recorder.screenshot()
            case SaveReplay():
                self._recorder.save_replay()

    def _configure_recorder(self, old: Settings, new: Settings) -> None:
        if self._recorder is not None and self._is_started:
            self._recorder.configure(old.recording, new.recording)

    def _switch_camera(self, on: bool, *, patiently: bool = False) -> None:
        if self._switch is None:
            raise AppError("There is no face to show on a camera.", "Run `kuchipaku doctor`.")
        try:
            self._switch.switch(on, patiently=patiently)
        except AppError:
            on = False  # why was said by the switch
        if on != self.settings.camera.on:
            self._changes.note("camera.on", on)

    def _change_camera(self, old: Settings, new: Settings) -> None:
        if self._switch is None:
            raise AppError("There is no face to show on a camera.", "Run `kuchipaku doctor`.")
        self._switch.change(lambda: self._make_camera(new))
        if new.camera.on != self._switch.is_on:
            self._switch.switch(new.camera.on)


@contextlib.contextmanager
def _closing_on_error(backend: Any) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if hasattr(backend, "close"):
            backend.close()
        raise
