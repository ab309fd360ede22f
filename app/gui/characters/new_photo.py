"""A photo of a person that is to talk: what was found in it, and the user's word that it may be used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.characters.library import MAX_NAME, Entry, create_photo
from app.characters.photo import Looked
from app.gui.characters.look import (
    Note,
    Tick,
    button,
    heading,
    image_of,
    lay_out,
    paint_ground,
    paint_picture,
    panel_of,
)
from app.gui.characters.work import Work
from app.gui.theme import Theme

RADIUS_PX = 14


class _Portrait(QWidget):
    """How the person will be shown, as large as there is room."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._picture: QImage | None = None
        self.setMinimumSize(280, 280)
        self.setAccessibleName(self.tr("Portrait"))

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def show_picture(self, picture: QImage | None) -> None:
        """Show this, or an empty place."""
        self._picture = picture
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ground, and the portrait in its middle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        whole = QRectF(self.rect())
        paint_ground(painter, whole, self._theme, RADIUS_PX)
        if self._picture is not None:
            side = min(whole.width(), whole.height()) - 24
            area = QRectF((whole.width() - side) / 2, (whole.height() - side) / 2, side, side)
            paint_picture(painter, area, self._picture, RADIUS_PX)
        painter.end()


class NewPhoto(QWidget):
    """From a photo to a person who talks, in one look and two clicks. `made` tells the entry, `left` that none was."""

    made = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme, look: Callable[[Path], Looked], parent: QWidget | None = None) -> None:
        """`look` reads a photo and finds its face; raises AppError."""
        super().__init__(parent)
        self._look = look
        self._looked: Looked | None = None
        self._looking = Work(self)
        self._making = Work(self)
        self.view = _Portrait(theme)
        self.name = QLineEdit()
        self.name.setMaxLength(MAX_NAME)
        self.name.setAccessibleName(self.tr("Name"))
        self.found = Note()
        self.consent = Tick(self.tr("I may use this face"), theme)
        self.mark = Tick(self.tr("Show the mark “AI”"), theme)
        self.trouble = Note()
        self.cancel = button(self.tr("Cancel"))
        self.create_button = button(self.tr("Create"), "primary")
        self._build()

    def _build(self) -> None:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(8)
        column.addWidget(heading(self.tr("Name"), "section"))
        column.addWidget(self.name)
        column.addSpacing(8)
        column.addWidget(heading(self.tr("Photo"), "section"))
        column.addWidget(self.found)
        column.addSpacing(8)
        column.addWidget(heading(self.tr("Consent"), "section"))
        why = Note()
        why.say(
            self.tr(
                "Only your own face, or that of somebody who has agreed to speak this way. The photo stays on this "
                "computer."
            )
        )
        column.addWidget(why)
        column.addWidget(self.consent)
        column.addWidget(self.mark)
        column.addStretch(1)
        panel = panel_of(side, self.trouble, self.cancel, self.create_button)
        panel.setMinimumWidth(340)
        lay_out(self, (heading(self.tr("A photo that talks")),), self.view, panel, (3, 2))
        self.name.textChanged.connect(lambda text: self._refresh())
        self.name.returnPressed.connect(lambda: self.create_button.click())
        self.consent.toggled.connect(lambda on: self._refresh())
        self.cancel.clicked.connect(self.leave)
        self.create_button.clicked.connect(self._create)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.view.set_theme(theme)
        for tick in (self.consent, self.mark):
            tick.set_theme(theme)

    def sizeHint(self) -> QSize:
        """Room for the portrait at its own size and the words beside it."""
        return QSize(960, 600)

    def open(self, file: Path) -> None:
        """Begin with the photo in `file`. The consent to another photo does not count for this one."""
        self._forget()
        self.name.setText(" ".join(file.stem.replace("_", " ").split())[:MAX_NAME])
        self.consent.setChecked(False)
        self.mark.setChecked(True)
        self.found.say(self.tr("Looking for the face…"))
        self._looking.begin(lambda: self._look(file), self._take, self._refuse)
        self._refresh()

    def _take(self, looked: Looked) -> None:
        self._looked = looked
        self.view.show_picture(image_of(looked.picture))
        if looked.notes:
            self.found.say(" ".join(looked.notes), "caution")
        else:
            self.found.say(self.tr("The face can talk."), "fine")
        self._refresh()

    def _refuse(self, problem: str, remedy: str) -> None:
        self.found.say("")
        self.trouble.say(f"{problem} {remedy}", "trouble")
        self._refresh()

    @property
    def is_ready(self) -> bool:
        """Whether a character can be made of it."""
        is_idle = not (self._looking.is_busy or self._making.is_busy)
        return self._looked is not None and is_idle and self.consent.isChecked() and bool(self.name.text().strip())

    def _refresh(self) -> None:
        self.create_button.setEnabled(self.is_ready)
        self.consent.setEnabled(self._looked is not None)

    def _create(self) -> None:
        looked, name, mark = self._looked, self.name.text(), self.mark.isChecked()
        if looked is None or not self.is_ready:
            return
        self._making.begin(
            lambda: create_photo(name, looked.file, consent=True, ai_mark=mark, picture=looked.picture),
            self._take_made,
            self._refuse,
        )
        self._refresh()

    def _take_made(self, entry: Entry) -> None:
        self._forget()
        self.made.emit(replace(entry))

    def leave(self) -> None:
        """Nothing is made."""
        self._forget()
        self.left.emit()

    def _forget(self) -> None:
        for work in (self._looking, self._making):
            work.forget()
        self._looked = None
        self.view.show_picture(None)
        self.trouble.say("")
