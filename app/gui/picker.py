"""A combo box that goes with the theme."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox

from app.gui import icons


class Picker(QComboBox):
    """A combo box with an arrow in the theme's own colours."""

    arrow = "#808080"

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the box, then the arrow."""
        super().paintEvent(event)
        painter = QPainter(self)
        where = self.rect().adjusted(self.width() - 28, (self.height() - 18) // 2, 0, 0)
        where.setSize(where.size().scaled(18, 18, Qt.AspectRatioMode.IgnoreAspectRatio))
        icons.paint(painter, "chevron", where.toRectF(), QColor(self.arrow))
        painter.end()
