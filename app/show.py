"""The live show: face, line and camera together. The window, the benchmarks and the tests run it alike."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from animator.character import Character
from animator.timebase import Clock
from app import compose, paths, settings_file
from app.backends.animator_process import AnimatorProcess
from app.bus import Bus
from app.canvas import Placement
from app.characters import library
from app.errors import AppError
from app.line import Line
from app.messages import (
    Command,
    Frame,
    ListCharacters,
    MouthOffset,
    Mute,
    PlaceCharacter,
    Quit,
    Say,
    StageColours,
    SwitchCamera,
    SwitchCharacter,
    TryPersona,
)
from app.ports import FrameSink, Microphone, Speaker
from app.scene import SceneKeeper
from app.settings import Settings
from app.stages.camera import CameraStage, CameraSwitch
from app.try_out import TryOut

_log = logging.getLogger(__name__)


class Show:
    """Everything that runs while the app does. A part that cannot start is said once; the rest goes on."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        settings: Settings,
        folder: Path,
        *,
        microphone: Microphone | None = None,
        speaker: Speaker | None = None,
        greet: bool = True,
        face: bool = True,
    ) -> None:
        """Start the face, which takes longest; everything else waits for `start`.

        `microphone` and `speaker` default to the settings' devices; without `face` nothing is drawn. Raises AppError
        for an unusable character.
        """
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._folder = folder
        self._greet = greet
        self._character = compose.character_of(folder)
        self._face = self._make_face() if face else None
        self._camera: CameraStage | None = None
        self._switch: CameraSwitch | None = None
        if self._face is not None:
            self._camera = compose.camera_stage(bus, clock, self._face, settings)
            self._switch = CameraSwitch(bus, self._camera, self._make_camera)
        self._microphone = microphone
        self._speaker = speaker
        self._line: Line | None = None
        self._builder: threading.Thread | None = None
        self._scene = SceneKeeper(settings.stage)
        self._try_out = TryOut(bus, lambda persona: compose.try_out_model(self._settings, persona))
        self.ended = threading.Event()
        """Set by the command Quit."""
        self._stopped = False

    def _make_face(self) -> AnimatorProcess | None:
        try:
            return compose.start_face(self._bus, self._settings, self._folder, stepped=False)
        except AppError as error:
            self._say("avatar", "Face", error)
            return None

    def _make_camera(self) -> FrameSink:
        return compose.virtual_camera(self._settings, self._scene.current)

    def _build_line(self) -> None:
        """Make and start the line: a second of imports and checks, which neither window nor face wait for."""
        try:
            line = self._make_line()
        except AppError as error:
            self._say("app", "Start", error)
            return
        except Exception as error:
            _log.exception("the line could not be made")
            problem = f"Hearing, brain and voice could not be started: an unexpected {type(error).__name__}."
            self._say("app", "Start", AppError(problem, "Run `kuchipaku doctor`; the log says more."))
            return
        if not self._stopped:
            self._line = line
            line.start()

    def _make_line(self) -> Line:
        settings = self._settings
        parts = compose.line_parts(settings, self._character, hears=True, answers=True, bus=self._bus, required=False)
        return compose.build_line(
            self._bus,
            self._clock,
            settings,
            self._character,
            parts,
            self._microphone if self._microphone is not None else compose.device_microphone(settings, self._clock),
            self._speaker if self._speaker is not None else compose.device_speaker(settings, self._clock),
            self._face,
            from_file=False,
            fallback_speaker=compose.null_speaker(self._clock),
            on_command=self._obey,
        )

    def _wait_for_line(self, timeout_s: float) -> Line | None:
        if self._builder is not None:
            self._builder.join(timeout_s)
        return self._line

    def _say(self, stage: str, label: str, error: AppError) -> None:
        self._bus.emit(stage, "state", state="failed", label=label, problem=error.problem, remedy=error.remedy)

    @property
    def character(self) -> Character:
        """Who is shown, or will be once the face has loaded it."""
        return self._character

    @property
    def camera(self) -> CameraStage | None:
        """The stage that hands out frames; None without a face."""
        return self._camera

    def start(self, *, muted: bool = False, camera_on: bool = False) -> None:
        """Start every part; returns at once. Commands that come before the line is there wait for it."""
        if self._camera is not None:
            self._camera.start()
        if muted:
            self._bus.gate.put(Mute(True))
        if camera_on:
            self._bus.gate.put(SwitchCamera(True))
        if self._greet and self._character.greeting:
            self._bus.gate.put(Say(self._character.greeting))
        self._builder = threading.Thread(target=self._build_line, name="show-line", daemon=True)
        self._builder.start()

    def latest(self) -> Frame | None:
        """The newest frame, or None before the first."""
        return self._face.latest() if self._face is not None else None

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being said or answered."""
        line = self._wait_for_line(timeout_s)
        return line is not None and line.wait_until_idle(timeout_s)

    def wait_until_loaded(self, timeout_s: float) -> bool:
        """Wait until every stage has finished loading, well or badly, and the face is there."""
        line = self._wait_for_line(timeout_s)
        loaded = line is not None and line.wait_until_loaded(timeout_s)
        if self._face is not None:
            self._face.wait_loaded(timeout_s)
        return loaded

    def stop(self) -> None:
        """End every thread and process within 2 s; safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        # Side by side: each may take a second and a half, and the user has pressed Ctrl-C.
        parts: list[Callable[[], object]] = [self._stop_line, self._try_out.stop]
        if self._camera is not None:
            parts.append(self._camera.stop)
        if self._face is not None:
            parts.append(self._face.close)
        threads = [threading.Thread(target=part, name="stopping") for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2.0)

    def _stop_line(self) -> None:
        line = self._wait_for_line(1.5)
        if line is not None:
            line.stop()

    def _obey(self, command: Command) -> None:
        """Commands that the line does not own (gate thread)."""
        match command:
            case SwitchCamera(on=on):
                if self._switch is None:
                    raise AppError("There is no face to show on a camera.", "Run `kuchipaku doctor`.")
                self._switch.switch(on)
            case MouthOffset(offset_ms=offset_ms, keep=keep):
                if keep:
                    settings_file.keep_setting(paths.settings_file(), "lips.mouth_offset_ms", offset_ms)
            case PlaceCharacter(zoom=zoom, x=x, y=y):
                self._scene.place(Placement(zoom, x, y))
            case StageColours(top=top, bottom=bottom, light=light):
                self._scene.colours(top, bottom, light)
            case ListCharacters():
                self._bus.emit("show", "characters", names=[each.name for each in library.entries()])
            case TryPersona():
                self._try_out.ask(command)
            case SwitchCharacter(name=name):
                self._switch_character(name)
            case Quit():
                self.ended.set()

    def _switch_character(self, name: str) -> None:
        folder = compose.find_character(name)
        character = compose.character_of(folder)
        if self._face is None:
            raise AppError("There is no face to change.", "Run `kuchipaku doctor`.")
        self._character, self._folder = character, folder
        self._face.load(str(folder))
        if self._line is not None:  # on its own thread, so it is
            self._line.set_persona(compose.persona_of(character))
