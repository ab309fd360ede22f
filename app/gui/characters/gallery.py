"""All characters as cards, and beside them the one that is chosen: who it is, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.characters.library import Entry, picture_of
from app.gui.characters.look import Note, button, heading, image_of, paint_ground, paint_picture, thumbnail
from app.gui.characters.work import Work
from app.gui.theme import Theme
from app.messages import Frame

THUMB_PX = 164
EDGE_PX = 10
PANEL_PX = (286, 440)
"""Narrowest and widest; between them it grows with the text."""
LIVE_MS = 66
"""The live thumbnail takes every second frame: it is small, and the stage itself is a click away."""
GAP_PX = 12


class CharacterCard(QAbstractButton):
    """A picture and a name; the one on stage moves and says so."""

    opened = Signal()
    """Twice clicked, or Enter: onto the stage with it."""

    def __init__(self, entry: Entry, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.entry = entry
        self._theme = theme
        self._picture = QImage()
        self._live = QImage()
        self.is_on_stage = False
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._explain()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_picture(self, picture: QImage) -> None:
        """The art."""
        self._picture = picture
        self.update()

    def set_live(self, picture: QImage) -> None:
        """The newest frame; an empty one brings the art back."""
        self._live = picture
        self.update()

    def set_on_stage(self, on: bool) -> None:
        """Whether it is the one that is seen."""
        self.is_on_stage = on
        if not on:
            self._live = QImage()
        self._explain()
        self.update()

    @property
    def is_live(self) -> bool:
        """Whether a frame is shown instead of the art."""
        return not self._live.isNull()

    def _about(self) -> str:
        if self.is_on_stage:
            return self.tr("On stage")
        return self.tr("Yours") if self.entry.is_own else self.tr("Comes with the app")

    def _explain(self) -> None:
        self.setAccessibleName(self.tr("{name}, {about}").format(name=self.entry.name, about=self._about()))
        self.setToolTip(self.tr("Click twice to put on stage"))

    def sizeHint(self) -> QSize:
        """Picture and two lines of text."""
        metrics = self.fontMetrics()
        side = max(THUMB_PX, metrics.horizontalAdvance(self.tr("Comes with the app")) + 8)
        return QSize(side + 2 * EDGE_PX, EDGE_PX + side + 10 + 2 * metrics.height() + 14)

    def changeEvent(self, event: QEvent) -> None:
        """Larger words need a larger card."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens, as a double click does."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.setChecked(True)
            self.opened.emit()
        else:
            super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Onto the stage."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Card, picture, name, and what it is."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        is_marked = self.isChecked() or self.hasFocus() or self.underMouse()
        painter.setPen(QPen(QColor(theme.accent if is_marked else theme.border), 2.0 if self.isChecked() else 1.0))
        painter.setBrush(QColor(theme.accent_soft if self.isChecked() else theme.panel))
        painter.drawRoundedRect(ground, 12, 12)
        side = self.width() - 2 * EDGE_PX
        where = QRectF(EDGE_PX, EDGE_PX, side, side)
        paint_ground(painter, where, theme, 9)
        paint_picture(painter, where, self._live if self.is_live else self._picture, 9)
        font = self.font()
        font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        line = painter.fontMetrics().height()
        room = QRectF(12, where.bottom() + 8, self.width() - 24, line)
        name = painter.fontMetrics().elidedText(self.entry.name, Qt.TextElideMode.ElideRight, int(room.width()))
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter, name)
        font.setWeight(font.Weight.DemiBold if self.is_on_stage else font.Weight.Normal)
        font.setPointSizeF(max(font.pointSizeF(), 9.0) * 0.92)
        painter.setFont(font)
        painter.setPen(QColor(theme.accent if self.is_on_stage else theme.dim))
        painter.drawText(room.translated(0, line + 1), Qt.AlignmentFlag.AlignCenter, self._about())
        painter.end()


class _Grid(QWidget):
    """Cards in as many columns as fit."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("log")
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(2, 2, 2, 2)
        self._grid.setSpacing(GAP_PX)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._cards: list[CharacterCard] = []
        self.columns = 0

    def set_cards(self, cards: list[CharacterCard]) -> None:
        for card in self._cards:
            self._grid.removeWidget(card)
            card.deleteLater()
        self._cards = cards
        self.columns = 0
        self.arrange(self.width())

    def arrange(self, width_px: int) -> None:
        for card in self._cards[:1]:
            card.ensurePolished()  # a card that was never seen does not know its font
        card_px = self._cards[0].sizeHint().width() if self._cards else THUMB_PX
        columns = max(1, (width_px - 4 + GAP_PX) // (card_px + GAP_PX))
        if columns == self.columns:
            return
        self.columns = columns
        for at, card in enumerate(self._cards):
            self._grid.addWidget(card, at // columns, at % columns)


class Gallery(QWidget):
    """The cards, and what can be done. It changes nothing itself: its signals tell what is wanted of `chosen`."""

    new_wanted = Signal()
    photo_wanted = Signal()
    import_wanted = Signal()
    stage_wanted = Signal()
    persona_wanted = Signal()
    expressions_wanted = Signal()
    export_wanted = Signal()
    remove_wanted = Signal()

    def __init__(self, latest_frame: Callable[[], Frame | None], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._latest_frame = latest_frame
        self._theme = theme
        self.cards: list[CharacterCard] = []
        self._on_stage = ""
        self._shown_seq = -1
        self._thumbs = Work(self)
        self._build()
        self._timer = QTimer(self)
        self._timer.setInterval(LIVE_MS)
        self._timer.timeout.connect(self._show_frame)

    def _build(self) -> None:
        self.new = button(self.tr("New from a picture…"), "primary", self.tr("Or drop a picture onto this page"))
        self.photo = button(
            self.tr("New from a photo…"), "", self.tr("A photo or a short video of a person, who has to agree")
        )
        self.take_in = button(self.tr("Import…"), "", self.tr("A .kuchi file or a character card (PNG or JSON)"))
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(heading(self.tr("Characters")), 1)
        head.addWidget(self.take_in)
        head.addWidget(self.photo)
        head.addWidget(self.new)
        self.news = Note()
        self.grid = _Grid()
        self._scroll = QScrollArea()
        self._scroll.setAccessibleName(self.tr("Characters"))
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self.grid)
        self._scroll.viewport().installEventFilter(self)
        body = QHBoxLayout()
        body.setSpacing(12)
        body.addWidget(self._scroll, 1)
        body.addWidget(self._build_panel())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(10)
        whole.addLayout(head)
        whole.addWidget(self.news)
        whole.addLayout(body, 1)
        self.new.clicked.connect(self.new_wanted)
        self.photo.clicked.connect(self.photo_wanted)
        self.take_in.clicked.connect(self.import_wanted)

    def _build_panel(self) -> QWidget:
        panel = self._panel = QFrame()
        panel.setProperty("role", "panel")
        self.name = heading("", "section")
        self.name.setWordWrap(True)
        self.about = Note()
        self.to_stage = button(self.tr("Put on stage"), "primary")
        self.persona = button(self.tr("Who it is…"), "", self.tr("Name, persona and greeting, with a chat to try it"))
        self.expressions = button(self.tr("Expressions…"), "", self.tr("Faces, with a slider for every parameter"))
        self.export = button(self.tr("Export…"), "", self.tr("One .kuchi file, to keep or to pass on"))
        self.remove = button(self.tr("Remove…"))
        self.what = QLabel()
        self.what.setTextFormat(Qt.TextFormat.PlainText)
        self.what.setWordWrap(True)
        self.what.setProperty("role", "dim")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.progress = QWidget()
        rows = QVBoxLayout(self.progress)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(6)
        rows.addWidget(self.what)
        rows.addWidget(self.bar)
        self.progress.hide()
        column = QVBoxLayout(panel)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(10)
        column.addWidget(self.name)
        column.addWidget(self.about)
        column.addSpacing(2)
        column.addWidget(self.to_stage)
        column.addWidget(self.persona)
        column.addWidget(self.expressions)
        pair = QHBoxLayout()
        pair.setSpacing(10)
        pair.addWidget(self.export, 1)
        pair.addWidget(self.remove, 1)
        column.addLayout(pair)
        column.addStretch(1)
        column.addWidget(self.progress)
        for pushed, signal in (
            (self.to_stage, self.stage_wanted),
            (self.persona, self.persona_wanted),
            (self.expressions, self.expressions_wanted),
            (self.export, self.export_wanted),
            (self.remove, self.remove_wanted),
        ):
            pushed.clicked.connect(signal)
        return panel

    # What is shown.

    @property
    def chosen(self) -> Entry | None:
        """The character that the buttons mean."""
        return next((card.entry for card in self.cards if card.isChecked()), None)

    @property
    def on_stage(self) -> Entry | None:
        """The character that is seen; None where it is not in the list."""
        return next((card.entry for card in self.cards if card.is_on_stage), None)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        for card in self.cards:
            card.set_theme(theme)

    def set_entries(self, entries: list[Entry], chosen: Path | None = None) -> None:
        """Show these; `chosen` is marked, else the one that was, else the one on stage."""
        before = self.chosen
        wanted = chosen or (before.path if before is not None else None)
        self.cards = [CharacterCard(entry, self._theme) for entry in entries]
        for card in self.cards:
            card.toggled.connect(self._show_chosen)
            card.opened.connect(self.stage_wanted)
        self.grid.set_cards(self.cards)
        self.grid.arrange(self._scroll.viewport().width())
        self.set_on_stage(self._on_stage)
        marked = next((card for card in self.cards if card.entry.path == wanted), None)
        marked = marked or next((card for card in self.cards if card.is_on_stage), None)
        marked = marked or (self.cards[0] if self.cards else None)
        if marked is not None:
            marked.setChecked(True)
        self._show_chosen()
        side_px = round(2 * THUMB_PX * self.devicePixelRatioF())  # cards grow with the text
        self._thumbs.begin(
            lambda: [thumbnail(file, side_px) if (file := picture_of(each.path)) else QImage() for each in entries],
            partial(self._show_thumbs, entries),
            lambda problem, remedy: None,
        )

    def _show_thumbs(self, entries: list[Entry], pictures: list[QImage]) -> None:
        for card, entry, picture in zip(self.cards, entries, pictures, strict=True):
            if card.entry is entry:
                card.set_picture(picture)

    def set_on_stage(self, key: str) -> None:
        """The character of this key (or name) is the one that is seen."""
        self._on_stage = key
        folded = key.casefold()
        found = next((card for card in self.cards if card.entry.key.casefold() == folded), None)
        found = found or next((card for card in self.cards if card.entry.name.casefold() == folded), None)
        for card in self.cards:
            card.set_on_stage(card is found)
        self._show_chosen()

    def set_share(self, what: str, share: float) -> None:
        """How far the face on stage is prepared, in [0, 1]."""
        self.progress.setVisible(share < 1.0)
        words = what[:1].upper() + what[1:]
        self.what.setText(self.tr("{what}: {percent} %").format(what=words, percent=int(share * 100)))
        self.bar.setValue(round(share * 1000))
        self.bar.setAccessibleName(words)

    def _show_chosen(self, _checked: bool = False) -> None:
        entry = self.chosen
        for pushed in (self.to_stage, self.persona, self.expressions, self.export, self.remove):
            pushed.setEnabled(entry is not None)
        if entry is None:
            return
        is_on_stage = entry is self.on_stage
        self.name.setText(entry.name)
        if entry.is_own:
            self.about.say(self.tr("Your own character."))
        else:
            self.about.say(self.tr("Comes with the app and stays as it is. Changing it makes a copy of your own."))
        self.to_stage.setEnabled(not is_on_stage)
        self.to_stage.setText(self.tr("On stage") if is_on_stage else self.tr("Put on stage"))
        self.remove.setEnabled(entry.is_own and not is_on_stage)
        self.remove.setToolTip(
            self.tr("Take it out of the list; its folder is kept apart")
            if self.remove.isEnabled()
            else self.tr("Only your own characters can be removed, and not while they are on stage")
        )

    def start(self) -> None:
        """The page is seen: let the one on stage move."""
        self._timer.start()

    def stop(self) -> None:
        """The page is hidden: it costs nothing."""
        self._timer.stop()

    def _show_frame(self) -> None:
        card = next((card for card in self.cards if card.is_on_stage), None)
        frame = self._latest_frame() if card is not None else None
        if card is None or frame is None or frame.seq == self._shown_seq:
            return
        self._shown_seq = frame.seq
        side_px = round((card.width() - 2 * EDGE_PX) * self.devicePixelRatioF())
        picture = image_of(frame.pixels)
        card.set_live(
            picture.scaled(
                side_px, side_px, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
            )
        )

    def changeEvent(self, event: QEvent) -> None:
        """The room of the words follows their size."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_panel"):
            self._fit()

    def _fit(self) -> None:
        self.ensurePolished()
        wide = 44 * self.fontMetrics().averageCharWidth()
        self._panel.setFixedWidth(min(max(PANEL_PX[0], wide), PANEL_PX[1]))
        self.grid.columns = 0
        self.grid.arrange(self._scroll.viewport().width())

    def showEvent(self, event: QShowEvent) -> None:
        """Now the style's font is known."""
        super().showEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The cards follow the room that they have."""
        if event.type() == QEvent.Type.Resize and isinstance(event, QResizeEvent):
            self.grid.arrange(event.size().width())
        return super().eventFilter(watched, event)
