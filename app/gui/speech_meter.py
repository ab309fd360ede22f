"""How sure the detector is that somebody speaks, with the threshold drawn in it, which can be dragged."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QSlider, QWidget

from app.gui.theme import Theme
from app.settings import RANGES

SCALE = 100
"""Steps per whole probability."""
FALL_PER_TICK = 0.04
HEIGHT_PX = 34
BAR_PX = 14.0
KNOB_PX = 14.0


class SpeechMeter(QSlider):
    """The bar is the newest speech probability, 0 to 1; the slider's own value is the threshold in hundredths."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.shown = 0.0
        low, high = RANGES["hearing.threshold"]
        self.setRange(round(low * SCALE), round(high * SCALE))
        self.setPageStep(5)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        """A bar with a knob."""
        return QSize(240, HEIGHT_PX)

    def minimumSizeHint(self) -> QSize:
        """The least on which a place can be found."""
        return QSize(120, HEIGHT_PX)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_probability(self, probability: float) -> None:
        """Rise to `probability` at once if it is higher than what is shown."""
        if probability > self.shown:
            self.shown = min(1.0, probability)
            self.update()

    def fall(self) -> None:
        """One tick."""
        if self.shown > 0.0:
            self.shown = max(0.0, self.shown - FALL_PER_TICK)
            self.update()

    @property
    def threshold(self) -> float:
        """From the settings' range."""
        return self.value() / SCALE

    def _x_px(self, share: float) -> float:
        return share * self.width()

    def _go_to(self, x_px: float) -> None:
        self.setValue(round(x_px / max(1, self.width()) * SCALE))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the threshold to where the mouse is, and drag it from there."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._go_to(event.position().x())
            event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag."""
        if self.isSliderDown():
            self._go_to(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if self.isSliderDown():
            self.setSliderDown(False)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw trough, probability and threshold. Above the threshold the bar changes its colour."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = (self.height() - BAR_PX) / 2
        trough = QRectF(0, top, self.width(), BAR_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.border))
        painter.drawRoundedRect(trough, 4, 4)
        if self.shown > 0.01:
            is_speech = self.shown >= self.threshold
            painter.setBrush(QColor(theme.good if is_speech else theme.dim))
            width_px = max(4.0, self._x_px(self.shown) - trough.left())
            painter.drawRoundedRect(QRectF(trough.left(), top, width_px, BAR_PX), 4, 4)
        x_px = self._x_px(self.threshold)
        painter.setBrush(QColor(theme.accent))
        painter.drawRoundedRect(QRectF(x_px - 1.5, 3, 3, self.height() - 6), 1.5, 1.5)
        painter.setPen(QPen(QColor(theme.panel), 2))
        painter.drawEllipse(QRectF(x_px - KNOB_PX / 2, (self.height() - KNOB_PX) / 2, KNOB_PX, KNOB_PX))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent), 1.6))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 7, 7)
        painter.end()
