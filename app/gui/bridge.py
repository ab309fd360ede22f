"""From the tap to Qt: drains facts on the GUI thread and emits them as typed signals.

A fact that is unknown or malformed is passed over: stages may say more than this window knows.
"""

from __future__ import annotations

import math
from collections import deque
from pathlib import Path

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from app.bus import Bus
from app.messages import Fact
from app.policy.turn_times import TurnClock

TICK_MS = 33
"""How often facts are read. It also lets Python run its signal handlers (Ctrl-C) while Qt's loop waits."""

SLOW_EVERY = 15
"""Ticks between two refreshes of text that counts (about 0.5 s): figures that flicker cannot be read."""

BUDGET_MS = 8
"""Longest time one tick spends on facts; the rest waits for the next tick, so that the window stays responsive."""

STATES = ("starting", "ready", "busy", "off", "failed")


class Bridge(QObject):
    """Reads `bus` every TICK_MS and emits what the window shows. Lives on the GUI thread; `stop` ends it."""

    level = Signal(float)
    """Microphone level in dBFS, at most once per tick."""
    speech_probability = Signal(float)
    """That somebody speaks, in [0, 1]."""
    microphone_check = Signal(str, float)
    """Phase ("recording", "playing", "failed"), and with "playing" the loudest of the recording in dBFS."""
    state = Signal(str, str, str)
    """Stage, state, label."""
    failed = Signal(str, str, str)
    """Stage, problem, remedy."""
    user_speaking = Signal(bool)
    talk_key = Signal(bool)
    hearing = Signal(str)
    heard = Signal(int, str, bool)
    """Turn, text, whether it was typed."""
    sentence = Signal(int, int, str)
    """Turn, index, text: thought, not yet spoken."""
    spoken = Signal(int, int, str)
    """Turn, index, text: its sound starts now."""
    fell_silent = Signal(int, bool)
    """Turn, whether it was cut short."""
    took = Signal(str, float)
    """Stage and how long its last step took, in ms."""
    progress = Signal(str, float)
    """What is being prepared, share in [0, 1]."""
    frames = Signal(float, int, str)
    """Frames per second, frames missed in the last second, tier."""
    expression = Signal(str)
    character = Signal(str)
    lips = Signal(str, str, str)
    """What the lips of the newest clip are made from: method, model, reason."""
    lip_sync_test = Signal(int)
    """The turn in which clicks and flashes have begun."""
    setting_changed = Signal(str, object)
    """Dotted name, value in force."""
    setting_refused = Signal(str, str, str)
    """Dotted name, problem, remedy."""
    devices = Signal(list, list, list)
    """Names of the microphones, loudspeakers and cameras."""
    cables = Signal(list)
    """The names of the loudspeakers that are virtual cables."""
    sound_status = Signal(list)
    """How each device that plays the voice is: dicts of the values of `SoundStatus`."""
    brain_tested = Signal(dict)
    face_tested = Signal(dict)
    panic = Signal(bool)
    test_card = Signal(bool)
    """Whether viewers see the test card."""
    on_stage = Signal(str, str, list)
    """Name, path and expressions of the character that was chosen last; `character` tells when its face is ready."""
    characters = Signal(list)
    """(name, path) of each; the path is "" where it was not told."""
    persona_tried = Signal(dict)
    keys_status = Signal(dict)
    """What became of the keys that work everywhere."""
    control_status = Signal(dict)
    """Whether other programs may ask."""
    browser_status = Signal(dict)
    """Whether a browser source can be shown."""
    sharing_status = Signal(dict)
    """Whether Spout or Syphon shows the character."""
    obs_status = Signal(dict)
    """What is known of OBS, and what was set up there."""
    recording_status = Signal(dict)
    """Whether something is being recorded, and whether the last seconds are held."""
    recording_saved = Signal(str, str, float)
    """Kind ("recording", "replay", "screenshot"), path, length in s."""
    key_pressed = Signal(str)
    """The action of a key that works everywhere."""
    answered = Signal(object)
    """The TurnTimes of a turn whose answer begins to sound; after `spoken`."""
    tick = Signal()
    slow_tick = Signal()

    def __init__(self, bus: Bus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tap = bus.tap()
        # Subscribe first, then read what had happened before: nothing is missed, and doubles are told apart below.
        self._seen = list(bus.snapshot().values())
        self._backlog: deque[Fact] = deque()
        self._turn_clock = TurnClock()
        self._ticks = 0
        self._loudest_dbfs: float | None = None
        self.keys: dict[str, object] = {}
        self.control: dict[str, object] = {}
        self.browser: dict[str, object] = {}
        self.sharing: dict[str, object] = {}
        self.obs: dict[str, object] = {}
        self.recording: dict[str, object] = {}
        self.sound: list[dict[str, object]] = []
        self.now_on_stage: tuple[str, str, list[str]] | None = None
        self.all_characters: list[tuple[str, str]] = []
        """What the signals of these names said last, for pages made later: `keys_status`, `control_status`,
        `browser_status`, `sharing_status`, `obs_status`, `recording_status`, `sound_status`, `on_stage` and
        `characters`.
        """
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self.drain)

    @property
    def backlog(self) -> int:
        """Facts read but not yet emitted."""
        return len(self._backlog)

    def start(self) -> None:
        """Tell what had happened before, then go on every TICK_MS. Connect the signals first."""
        fresh = self._tap.drain()
        known = {id(fact) for fact in fresh}
        self._backlog.extend(sorted((f for f in self._seen if id(f) not in known), key=lambda fact: fact.at_ns))
        self._backlog.extend(fresh)
        self._timer.start()
        self.drain()

    def stop(self) -> None:
        """End the timer; nothing is emitted afterwards."""
        self._timer.stop()
        self._backlog.clear()

    def drain(self) -> None:
        """Emit what has come since the last call, for BUDGET_MS at most."""
        elapsed = QElapsedTimer()
        elapsed.start()
        if not self._backlog:
            known = {id(fact) for fact in self._seen}
            self._backlog.extend(fact for fact in self._tap.drain() if id(fact) not in known)
        while self._backlog and elapsed.elapsed() < BUDGET_MS:
            try:
                fact = self._backlog.popleft()
                self._tell(fact)
                times = self._turn_clock.take(fact)
                if times is not None:
                    self.answered.emit(times)
            except (KeyError, TypeError, ValueError):
                # A fact without the values that its name promises says nothing that could be shown.
                continue
        if self._loudest_dbfs is not None:
            self.level.emit(self._loudest_dbfs)
            self._loudest_dbfs = None
        self.tick.emit()
        self._ticks += 1
        if self._ticks % SLOW_EVERY == 0:
            self.slow_tick.emit()

    def _tell(self, fact: Fact) -> None:
        data = fact.data
        if "took_ms" in data:
            self.took.emit(fact.stage, _number(data["took_ms"]))
        match fact.stage, fact.event:
            case stage, "state" if data["state"] in STATES:
                self.state.emit(stage, data["state"], str(data.get("label") or ""))
                if data.get("problem"):  # also with "ready": the old character goes on where a new one could not load
                    self.failed.emit(stage, str(data["problem"]), str(data.get("remedy") or ""))
            case "capture", "level":
                dbfs = float(data["dbfs"])
                if not math.isnan(dbfs):
                    self._loudest_dbfs = max(dbfs, self._loudest_dbfs if self._loudest_dbfs is not None else -math.inf)
            case "capture", "check":
                self.microphone_check.emit(str(data["phase"]), _number(data.get("peak_dbfs") or 0.0))
            case "vad", "probability":
                self.speech_probability.emit(min(1.0, max(0.0, _number(data["p"]))))
            case "capture", "talk_key":
                self.talk_key.emit(bool(data["on"]))
            case "stt", "partial":
                self.hearing.emit(str(data["text"]))
            case "vad", "ducked" if not data["on"]:
                self.hearing.emit("")  # a cough, or "mm-hm": it became no turn
            case "vad", "speech_resumed":
                self.user_speaking.emit(True)
            case "vad", "speech_started":
                self.user_speaking.emit(True)
            case "vad", "speech_ended":
                self.user_speaking.emit(False)
            case "stt", "transcript":
                self.heard.emit(int(data["turn"]), str(data["text"]), bool(data.get("typed", False)))
            case "llm", "sentence":
                self.sentence.emit(int(data["turn"]), int(data["index"]), str(data["text"]))
            case "playback", "clip_started":
                self.spoken.emit(int(data["turn"]), int(data["index"]), str(data.get("text") or ""))
            case "playback", "turn_finished":
                self.fell_silent.emit(int(data["turn"]), False)
            case "playback", "stopped":
                self.fell_silent.emit(int(data["turn"]), True)
            case _, "progress":
                self.progress.emit(str(data["what"]), min(1.0, max(0.0, _number(data["share"]))))
            case "avatar", "frames":
                self.frames.emit(_number(data["fps"]), int(data.get("missed") or 0), str(data.get("tier") or ""))
            case "avatar", "expression":
                self.expression.emit(str(data["name"]))
            case "avatar", "pushed":
                self.lips.emit(str(data["method"]), str(data.get("model") or ""), str(data.get("reason") or ""))
            case "avatar", "lip_sync_test":
                self.lip_sync_test.emit(int(data["turn"]))
            case "avatar", "character":
                name = str(data["name"])
                # A face that was given up for another one says so, too.
                if self.now_on_stage is None or Path(self.now_on_stage[1]).stem == name:
                    self.character.emit(name)
            case "avatar", "tested":
                self.face_tested.emit(dict(data))
            case "settings", "changed":
                self.setting_changed.emit(str(data["name"]), data["value"])
            case "settings", "refused":
                self.setting_refused.emit(str(data["name"]), str(data["problem"]), str(data.get("remedy") or ""))
            case "devices", "list":
                self.devices.emit(list(data["microphones"]), list(data["speakers"]), list(data["cameras"]))
                self.cables.emit(list(data.get("cables") or []))
            case "sound", "status":
                self.sound = [dict(device) for device in data["devices"]]
                self.sound_status.emit(self.sound)
            case "brain", "tested":
                self.brain_tested.emit(dict(data))
            case "brain", "tried":
                self.persona_tried.emit(dict(data))
            case "show", "panic":
                self.panic.emit(bool(data["on"]))
            case "show", "test_card":
                self.test_card.emit(bool(data["on"]))
            case "show", "characters":
                names = [str(name) for name in data["names"]]
                paths = [str(path) for path in data.get("paths") or [""] * len(names)]
                self.all_characters = list(zip(names, paths, strict=True))
                self.characters.emit(self.all_characters)
            case "show", "character":
                expressions = [str(name) for name in data["expressions"]]
                self.now_on_stage = (str(data["name"]), str(data["path"]), expressions)
                self.on_stage.emit(*self.now_on_stage)
            case "keys", "status":
                self.keys = dict(data)
                self.keys_status.emit(self.keys)
            case "control", "status":
                self.control = dict(data)
                self.control_status.emit(self.control)
            case "browser", "status":
                self.browser = dict(data)
                self.browser_status.emit(self.browser)
            case "sharing", "status":
                self.sharing = dict(data)
                self.sharing_status.emit(self.sharing)
            case "obs", "status":
                self.obs = dict(data)
                self.obs_status.emit(self.obs)
            case "recording", "status":
                self.recording = dict(data)
                self.recording_status.emit(self.recording)
            case "recording", "saved":
                self.recording_saved.emit(str(data["kind"]), str(data["path"]), _number(data["duration_s"]))
            case "keys", "pressed":
                self.key_pressed.emit(str(data["action"]))


def _number(value: object) -> float:
    """A finite float; ValueError otherwise."""
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise ValueError(f"expected a finite number, got {number!r}")
    return number
