"""The buttons that record, and what became of it."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.gui.fields import Note, make_button
from app.gui.studio import Studio
from app.messages import Command, Record, SaveReplay, Screenshot

STAGE = "recording"


class RecordingBar(QWidget):
    """Record, screenshot, replay, and a line that says where it was kept, or why not."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._is_on = False
        self._seconds = 0
        self.record = make_button("")
        self.record.clicked.connect(lambda: self._put(Record(not self._is_on)))
        self.screenshot = make_button(self.tr("Screenshot"))
        self.screenshot.setToolTip(self.tr("Keep the picture of this moment, transparent around the character"))
        self.screenshot.clicked.connect(lambda: self._put(Screenshot()))
        self.replay = make_button("")
        self.replay.clicked.connect(lambda: self._put(SaveReplay()))
        self.note = Note()
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.record, self.screenshot, self.replay):
            buttons.addWidget(button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(buttons)
        column.addWidget(self.note)
        self._clock = QTimer(self)
        self._clock.setInterval(1000)
        self._clock.timeout.connect(self._count)
        bridge = studio.bridge
        bridge.recording_status.connect(self._show_status)
        bridge.recording_saved.connect(self._show_saved)
        bridge.failed.connect(self._show_problem)
        studio.setting_changed.connect(lambda _name, _value: self._name_replay())
        self._show_status(bridge.recording)

    def _put(self, command: Command) -> None:
        self._studio.retried.emit((STAGE,))
        self._studio.put(command)

    def _show_status(self, status: dict[str, object]) -> None:
        was_on, self._is_on = self._is_on, bool(status.get("on"))
        self.record.setText(self.tr("Stop recording") if self._is_on else self.tr("Start recording"))
        self.replay.setVisible(bool(status.get("replay")))
        self._name_replay()
        if self._is_on and not was_on:
            self._seconds = 0
            self._clock.start()
            self.note.say(self.tr("Recording…"), "good")
        elif not self._is_on:
            self._clock.stop()

    def _name_replay(self) -> None:
        seconds = int(self._studio.value("recording.replay_s"))
        self.replay.setText(self.tr("Keep the last {seconds} s").format(seconds=seconds))

    def _count(self) -> None:
        self._seconds += 1
        minutes, seconds = divmod(self._seconds, 60)
        self.note.say(self.tr("Recording… {minutes}:{seconds:02}").format(minutes=minutes, seconds=seconds), "good")

    def _show_saved(self, kind: str, path: str, duration_s: float) -> None:
        if self._is_on and kind != "recording":
            return  # the line goes on counting
        words = self.tr("Kept: {path}") if kind == "screenshot" else self.tr("Kept: {path} ({seconds:.0f} s)")
        self.note.say(words.format(path=path, seconds=duration_s), "good")

    def _show_problem(self, stage: str, problem: str, remedy: str) -> None:
        if stage == STAGE:
            self.note.say(f"{problem} {remedy}".strip(), "problem")
