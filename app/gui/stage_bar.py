"""The bar below the stage: background, size of the character, safe area, and the small windows."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QColorDialog, QFileDialog, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QSlider, QWidget

from app.canvas import ZOOMS
from app.gui import icons
from app.gui.fields import calm
from app.gui.picker import Picker
from app.gui.studio import Studio
from app.gui.theme import Theme
from app.settings import CHOICES

ZOOM_STEPS = 400
"""Of the slider, from the least zoom to the largest, evenly by proportion."""


class Swatch(QPushButton):
    """A button that shows a colour."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._colour = QColor("#000000")
        self.setFixedWidth(46)

    def set_colour(self, text: str) -> None:
        """Show `text`, "#rrggbb"."""
        self._colour = QColor(text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the button, then the colour."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(128, 128, 128, 160), 1))
        painter.setBrush(self._colour)
        painter.drawRoundedRect(self.rect().adjusted(9, 9, -9, -9).toRectF(), 4, 4)
        painter.end()


class StageBar(QFrame):
    """Every control asks for a setting; what it shows is what is in force. `zoomed` carries a zoom, while it slides."""

    zoomed = Signal(float)
    reset = Signal()
    mini_wanted = Signal()

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._studio = studio
        self.background = Picker()
        self.background.setAccessibleName(self.tr("Background"))
        self.background.setSizeAdjustPolicy(Picker.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.background.setMinimumContentsLength(7)
        self.background.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.background.setToolTip(self.tr("What the character stands before, here and for viewers"))
        words = {
            "theme": self.tr("Soft light"),
            "transparent": self.tr("Transparent"),
            "colour": self.tr("Colour"),
            "picture": self.tr("Picture"),
            "green": self.tr("Chroma green"),
        }
        for choice in CHOICES["stage.background"]:
            self.background.addItem(words[choice], choice)
        self.colour = Swatch()
        self.colour.setAccessibleName(self.tr("Colour of the background"))
        self.colour.setToolTip(self.tr("Choose the colour of the background"))
        self.picture = QPushButton(self.tr("Choose…"))
        self.picture.setAccessibleName(self.tr("Picture of the background"))
        self.zoom = QSlider(Qt.Orientation.Horizontal)
        self.zoom.setProperty("role", "field")
        self.zoom.setRange(0, ZOOM_STEPS)
        self.zoom.setMinimumWidth(70)
        self.zoom.setMaximumWidth(170)
        self.zoom.setAccessibleName(self.tr("Size of the character"))
        self.zoom.setToolTip(self.tr("Size of the character (the wheel over the stage; a drag moves it)"))
        calm(self.background)
        calm(self.zoom)
        self.back = QPushButton(self.tr("Reset"))
        self.back.setAccessibleName(self.tr("Reset size and place"))
        self.back.setToolTip(self.tr("Put the character back to its place (double click on the stage, or Home)"))
        self.safe_area = QPushButton()
        self.safe_area.setAccessibleName(self.tr("Safe area"))
        self.safe_area.setCheckable(True)
        self.safe_area.setToolTip(
            self.tr("Safe area: show the frame within which nothing is cut off on any screen. Only you see it.")
        )
        self.mini = QPushButton()
        self.mini.setAccessibleName(self.tr("Mini view"))
        self.mini.setToolTip(self.tr("Mini view: show the character in a small window above all others"))
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 9, 10, 9)
        row.setSpacing(8)
        row.addWidget(self.background, 1)
        row.addWidget(self.colour)
        row.addWidget(self.picture)
        row.addWidget(self.zoom, 1)
        row.addWidget(self.back)
        row.addStretch(1)
        row.addWidget(self.safe_area)
        row.addWidget(self.mini)
        self._limit_background()
        self._connect()
        self.refresh()
        self.set_theme(studio.theme)

    def _connect(self) -> None:
        self.background.activated.connect(self._choose_background)
        self.colour.clicked.connect(self._choose_colour)
        self.picture.clicked.connect(self._choose_picture)
        self.zoom.valueChanged.connect(lambda step: self.zoomed.emit(zoom_of(step)))
        self.back.clicked.connect(self.reset)
        self.safe_area.clicked.connect(lambda on: self._studio.set("stage.safe_area", on))
        self.mini.clicked.connect(self.mini_wanted)
        self._studio.setting_changed.connect(self._note)
        self._studio.setting_refused.connect(self._note)

    def _limit_background(self) -> None:
        """Room for the longest of its words, at any size of the text."""
        letters = self.background.fontMetrics()
        words = [self.background.itemText(index) for index in range(self.background.count())]
        self.background.setMaximumWidth(max(190, max(map(letters.horizontalAdvance, words)) + 56))

    def changeEvent(self, event: QEvent) -> None:
        """Larger letters need more room."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "mini"):
            self._limit_background()

    def _note(self, name: str, *_: object) -> None:
        if name.startswith("stage."):
            self.refresh()

    def refresh(self) -> None:
        """Show what is in force."""
        stage = self._studio.settings.stage
        with QSignalBlocker(self.background), QSignalBlocker(self.safe_area):
            self.background.setCurrentIndex(self.background.findData(stage.background))
            self.safe_area.setChecked(stage.safe_area)
        self.colour.set_colour(stage.colour)
        self.colour.setVisible(stage.background == "colour")
        self.picture.setVisible(stage.background == "picture")
        self.picture.setToolTip(stage.picture or self.tr("Choose a picture for the background"))
        self.show_zoom(stage.zoom)

    def show_zoom(self, zoom: float) -> None:
        """Move the slider along with the mouse on the stage."""
        with QSignalBlocker(self.zoom):
            self.zoom.setValue(step_of(zoom))

    def set_theme(self, theme: Theme) -> None:
        """Draw arrow and symbols in other colours."""
        self.background.arrow = theme.dim
        self.safe_area.setIcon(icons.icon("safe_area", theme.text))
        self.mini.setIcon(icons.icon("mini", theme.text))

    def _choose_background(self, index: int) -> None:
        wanted = self.background.itemData(index)
        if wanted == "picture" and not self._studio.settings.stage.picture:
            self._choose_picture()
            self.refresh()  # where nothing was chosen
        else:
            self._studio.set("stage.background", wanted)

    def _choose_colour(self) -> None:
        now = QColor(self._studio.settings.stage.colour)
        chosen = QColorDialog.getColor(now, self, self.tr("Colour of the background"))
        if chosen.isValid():
            self._studio.set("stage.colour", chosen.name())

    def _choose_picture(self) -> None:
        kinds = self.tr("Pictures (*.png *.jpg *.jpeg *.webp)")
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Picture of the background"), "", kinds)
        if path:
            # The picture first: without one the background would be refused.
            self._studio.set("stage.picture", path)
            self._studio.set("stage.background", "picture")


def zoom_of(step: int) -> float:
    """The zoom at a step of the slider."""
    least, largest = ZOOMS
    zoom: float = least * (largest / least) ** (step / ZOOM_STEPS)
    return round(zoom, 4)


def step_of(zoom: float) -> int:
    """The slider's step nearest to a zoom."""
    least, largest = ZOOMS
    return round(ZOOM_STEPS * math.log(zoom / least) / math.log(largest / least))
