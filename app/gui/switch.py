"""A check box drawn as a sliding switch with a symbol; to assistive technology it stays a check box."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QSizePolicy, QWidget

from app.gui import icons
from app.gui.theme import Theme

ICON_PX = 20
TRACK_PX = QSize(34, 20)
GAP_PX = 8


class Switch(QCheckBox):
    """Symbol, text, slider; symbol or text may be empty. Off, the symbol is struck through and the knob at the left."""

    def __init__(self, symbol: str, text: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._symbol = symbol
        self._theme = theme
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        can_shrink = QSizePolicy.Policy.Maximum if symbol else QSizePolicy.Policy.Fixed
        self.setSizePolicy(can_shrink, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Room for symbol, text and slider."""
        words_px = self.fontMetrics().horizontalAdvance(self.text()) + GAP_PX if self.text() else 0
        symbol_px = ICON_PX + GAP_PX if self._symbol else 0
        return QSize(symbol_px + words_px + TRACK_PX.width() + 4, max(32, self.fontMetrics().height() + 10))

    def minimumSizeHint(self) -> QSize:
        """Where there is no room for the text, symbol and slider are left, and the tooltip."""
        if not self._symbol:
            return self.sizeHint()
        return QSize(ICON_PX + GAP_PX + TRACK_PX.width() + 4, self.sizeHint().height())

    def hitButton(self, pos: QPoint) -> bool:
        """The whole widget can be clicked."""
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw symbol, text and slider."""
        theme, middle = self._theme, self.height() / 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(theme.text if self.isChecked() else theme.dim)
        left = 2
        if self._symbol:
            where = QRectF(left, middle - ICON_PX / 2, ICON_PX, ICON_PX)
            icons.paint(painter, self._symbol, where, colour, not self.isChecked())
            left += ICON_PX + GAP_PX
        painter.setPen(colour)
        room_px = self.width() - left - TRACK_PX.width() - GAP_PX
        words = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room_px)
        if room_px > 3 * self.fontMetrics().averageCharWidth():
            painter.drawText(QRectF(left, 0, room_px + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, words)
        track = QRectF(
            self.width() - TRACK_PX.width() - 2, middle - TRACK_PX.height() / 2, TRACK_PX.width(), TRACK_PX.height()
        )
        painter.setPen(QPen(QColor(theme.accent if self.isChecked() else theme.dim), 1.2))
        painter.setBrush(QColor(theme.accent if self.isChecked() else theme.raised))
        painter.drawRoundedRect(track, 10, 10)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.on_accent if self.isChecked() else theme.dim))
        knob_px = 14.0
        x = track.right() - knob_px - 3 if self.isChecked() else track.left() + 3
        painter.drawEllipse(QRectF(x, middle - knob_px / 2, knob_px, knob_px))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent), 1.6))
            painter.drawRoundedRect(track.adjusted(-2.5, -2.5, 2.5, 2.5), 12, 12)
        painter.end()
