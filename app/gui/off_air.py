"""A strip that says that the show is off the air, and how to come back: nobody is to wonder why all is silent."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from app.gui.fields import make_button
from app.gui.studio import Studio
from app.messages import Panic


class OffAir(QFrame):
    """Seen on every page between the panic key and the next press of it."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.words = QLabel(
            self.tr("You are off air: silence, microphone off, and “Be right back” for viewers of the camera.")
        )
        self.words.setProperty("weight", "strong")
        self.words.setWordWrap(True)
        self.back = make_button(self.tr("Back on air"))
        self.back.clicked.connect(lambda: studio.put(Panic(False)))
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 10, 8)
        row.setSpacing(12)
        row.addWidget(self.words, 1)
        row.addWidget(self.back)
        self.setAccessibleName(self.words.text())
        self.hide()
        studio.bridge.panic.connect(self.setVisible)
