"""The live show: face, line and camera together. The window, the benchmarks and the tests run it alike."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from animator.timebase import Clock
from app import compose, paths, settings_file
from app.backends.animator_process import AnimatorProcess
from app.bus import Bus
from app.characters import library
from app.errors import AppError
from app.keys import KeyRuntime
from app.messages import (
    Command,
    Frame,
    ListCharacters,
    MouthOffset,
    Mute,
    Panic,
    Quit,
    Say,
    SwitchCamera,
    SwitchCharacter,
    TryPersona,
)
from app.ports import Microphone, Speaker
from app.settings import Settings
from app.stages.camera import CameraStage, CameraSwitch
from app.try_out import TryOut


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
        keys: bool = True,
    ) -> None:
        """`microphone` and `speaker` default to the settings' devices; without `face` nothing is drawn.

        With `keys` the desktop's keys are taken that the settings bind.

        Raises AppError for an unusable character.
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
            self._switch = CameraSwitch(bus, self._camera, lambda: compose.virtual_camera(settings))
        parts = compose.line_parts(settings, self._character, hears=True, answers=True, bus=bus, required=False)
        self._line = compose.build_line(
            bus,
            clock,
            settings,
            self._character,
            parts,
            microphone if microphone is not None else compose.device_microphone(settings, clock),
            speaker if speaker is not None else compose.device_speaker(settings, clock),
            self._face,
            from_file=False,
            fallback_speaker=compose.null_speaker(clock),
            on_command=self._obey,
        )
        self._keys = KeyRuntime(bus, clock, settings.keys, folder.stem, compose.global_keys) if keys else None
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

    def _say(self, stage: str, label: str, error: AppError) -> None:
        self._bus.emit(stage, "state", state="failed", label=label, problem=error.problem, remedy=error.remedy)

    @property
    def camera(self) -> CameraStage | None:
        """The stage that hands out frames; None without a face."""
        return self._camera

    def start(self, *, muted: bool = False, camera_on: bool = False) -> None:
        """Start every part; returns at once."""
        if self._camera is not None:
            self._camera.start()
        if muted:
            self._bus.gate.put(Mute(True))
        if camera_on:
            self._bus.gate.put(SwitchCamera(True))
        if self._greet and self._character.greeting:
            self._bus.gate.put(Say(self._character.greeting))
        self._line.start()
        if self._keys is not None:
            self._keys.start()

    def latest(self) -> Frame | None:
        """The newest frame, or None before the first."""
        return self._face.latest() if self._face is not None else None

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until nothing is being said or answered."""
        return self._line.wait_until_idle(timeout_s)

    def wait_until_loaded(self, timeout_s: float) -> bool:
        """Wait until every stage has finished loading, well or badly, and the face is there."""
        loaded = self._line.wait_until_loaded(timeout_s)
        if self._face is not None:
            self._face.wait_loaded(timeout_s)
        return loaded

    def stop(self) -> None:
        """End every thread and process within 2 s; safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        # Side by side: each may take a second and a half, and the user has pressed Ctrl-C.
        parts: list[Callable[[], object]] = [self._line.stop, self._try_out.stop]
        if self._keys is not None:
            parts.append(self._keys.stop)
        if self._camera is not None:
            parts.append(self._camera.stop)
        if self._face is not None:
            parts.append(self._face.close)
        threads = [threading.Thread(target=part, name="stopping") for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(2.0)

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
            case Panic(on=on):
                if self._camera is not None:
                    self._camera.show_instead(compose.be_right_back() if on else None)
                self._bus.emit("show", "panic", on=on)
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
        self._line.set_persona(compose.persona_of(character))
