"""Read-only text that can be selected and that breaks anywhere, so that no long word widens the window."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QTextEdit, QWidget


class SelectableText(QTextEdit):
    """As high as its text at the width it is given by `fit`. Plain text only: what models say is never markup."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setAcceptRichText(False)
        self.setProperty("role", "text")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.document().setDocumentMargin(0)
        self._width_px = 0

    def set_text(self, text: str) -> None:
        """Replace the text and keep the width last asked for."""
        if text != self.toPlainText():
            self.setPlainText(text)
            if self._width_px:
                self.fit(self._width_px)

    def fit(self, width_px: int, hug: bool = True) -> None:
        """Take the size that the text needs within `width_px`; without `hug` always the full width."""
        self._width_px = width_px
        document = self.document()
        document.setTextWidth(width_px)
        used_px = min(width_px, math.ceil(document.idealWidth()) + 1) if hug else width_px
        document.setTextWidth(used_px)
        self.setFixedSize(used_px, math.ceil(document.size().height()))

    def changeEvent(self, event: QEvent) -> None:
        """Another font (a style sheet that arrives, a screen that changes) needs another size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_width_px") and self._width_px:
            self.fit(self._width_px)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave scrolling to whatever holds this text."""
        event.ignore()
