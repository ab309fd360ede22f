"""Three seconds of the microphone, played back: what the character will hear."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.gui.fields import Note, make_button
from app.gui.studio import Studio
from app.messages import CheckMicrophone

SECONDS = 3


class MicrophoneCheck(QWidget):
    """A button, and what happens: recording, playing, done. The character does not answer meanwhile."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._is_recording = False
        self.button = make_button(self.tr("Record {seconds} s and play them back").format(seconds=SECONDS))
        self.button.clicked.connect(self._begin)
        self.note = Note()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        row.addWidget(self.button)
        row.addWidget(self.note, 1)
        row.addStretch(0)
        studio.bridge.microphone_check.connect(self._show)
        studio.bridge.fell_silent.connect(self._end)
        studio.bridge.state.connect(self._note_state)

    def _begin(self) -> None:
        self._studio.retried.emit(("capture", "playback"))
        self._studio.put(CheckMicrophone(SECONDS))

    def _show(self, phase: str, peak_dbfs: float) -> None:
        self.button.setEnabled(phase == "failed")
        self._is_recording = phase == "recording"
        if phase == "recording":
            self.note.say(self.tr("Say something…"), "dim")
        elif phase == "playing" and peak_dbfs < -45:
            self.note.say(
                self.tr("Hardly anything was heard. Is it the right microphone, and is it switched on?"), "problem"
            )
        elif phase == "playing" and peak_dbfs > -1:
            self.note.say(self.tr("That was too loud: turn the microphone down a little."), "problem")
        elif phase == "playing":
            self.note.say(
                self.tr("This is how you sound. The loudest was {dbfs:.0f} dBFS.").format(dbfs=peak_dbfs), "good"
            )

    def _end(self, _turn: int, _interrupted: bool) -> None:
        # A turn that ended before the recording began is over too; the recording itself is no turn.
        if not self._is_recording:
            self.button.setEnabled(True)

    def _note_state(self, stage: str, state: str, _label: str) -> None:
        if stage == "capture" and state == "failed":
            self.button.setEnabled(True)
            self.note.say("")
