"""A sentence to try the voice with."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.gui.fields import make_button
from app.gui.studio import Studio
from app.messages import Say

LONGEST = 300


class SpeechTest(QWidget):
    """A text field and a button; Enter speaks too."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self.line = QLineEdit(self.tr("Hello! This is how I sound. Pretty good, isn't it?"))
        self.line.setProperty("role", "field")
        self.line.setMaxLength(LONGEST)
        self.line.setCursorPosition(0)
        self.line.setAccessibleName(self.tr("Test sentence"))
        self.line.returnPressed.connect(self._say)
        self.button = make_button(self.tr("Say a test sentence"))
        self.button.clicked.connect(self._say)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.line, 1)
        row.addWidget(self.button)

    def _say(self) -> None:
        text = self.line.text().strip()
        if text:
            self._studio.retried.emit(("tts", "playback"))
            self._studio.put(Say(text))
