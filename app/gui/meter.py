"""The microphone's level as a bar."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui.theme import Theme

FLOOR_DBFS = -60.0
FALL_DB_PER_TICK = 1.5
"""About 45 dB/s at 33 ms per tick: fast enough to follow syllables, slow enough to read."""
HOLD_TICKS = 30
HOT_DBFS = -6.0
CLIP_DBFS = -1.0


class LevelMeter(QWidget):
    """Rises at once, falls steadily, holds the peak for a second. `shown_dbfs` is in [FLOOR_DBFS, 0]."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown_dbfs = FLOOR_DBFS
        self._peak_dbfs = FLOOR_DBFS
        self._peak_age = 0
        self._drawn: tuple[int, int] | None = None
        self._open = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Microphone level"))
        self.setToolTip(self.tr("Microphone level, -60 to 0 dBFS. It should reach the right third while you speak."))

    def sizeHint(self) -> QSize:
        """A slim bar."""
        return QSize(120, 18)

    def minimumSizeHint(self) -> QSize:
        """The least that still reads as a level."""
        return QSize(56, 18)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_open(self, is_open: bool) -> None:
        """False while muted or without a microphone: the bar is empty and takes no levels."""
        self._open = is_open
        if not is_open:
            self.shown_dbfs = self._peak_dbfs = FLOOR_DBFS
        self.update()

    def set_level(self, dbfs: float) -> None:
        """Rise to `dbfs` if it is louder than what is shown."""
        if not self._open:
            return
        clamped = min(0.0, max(FLOOR_DBFS, dbfs))
        self.shown_dbfs = max(self.shown_dbfs, clamped)
        if clamped >= self._peak_dbfs:
            self._peak_dbfs, self._peak_age = clamped, 0
        self._refresh()

    def fall(self) -> None:
        """One tick without anything louder."""
        self.shown_dbfs = max(FLOOR_DBFS, self.shown_dbfs - FALL_DB_PER_TICK)
        self._peak_age += 1
        if self._peak_age > HOLD_TICKS:
            self._peak_dbfs = max(self.shown_dbfs, self._peak_dbfs - FALL_DB_PER_TICK)
        self._refresh()

    def _x_px(self, dbfs: float) -> int:
        return round((dbfs - FLOOR_DBFS) / -FLOOR_DBFS * self.width())

    def _refresh(self) -> None:
        wanted = (self._x_px(self.shown_dbfs), self._x_px(self._peak_dbfs))
        if wanted != self._drawn:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the trough, the level and the held peak."""
        self._drawn = (self._x_px(self.shown_dbfs), self._x_px(self._peak_dbfs))
        level_px, peak_px = self._drawn
        height_px = 6.0
        top = (self.height() - height_px) / 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.border))
        painter.drawRoundedRect(QRectF(0, top, self.width(), height_px), 3, 3)
        colour = self._theme.good
        if self._peak_dbfs > HOT_DBFS:
            colour = self._theme.bad if self._peak_dbfs > CLIP_DBFS else self._theme.warn
        painter.setBrush(QColor(colour))
        if level_px > 1:
            painter.drawRoundedRect(QRectF(0, top, max(level_px, height_px), height_px), 3, 3)
        if peak_px > height_px:
            painter.drawRoundedRect(QRectF(peak_px - 2, top - 2, 2, height_px + 4), 1, 1)
        painter.end()
