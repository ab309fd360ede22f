"""The navigation rail: one button per page, down the left edge."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.gui import icons
from app.gui.theme import Theme

ICON_PX = 20
"""At the usual size of the text; it grows with that."""
EDGE_PX = 12
GAP_PX = 10


class RailButton(QAbstractButton):
    """Icon and label; the label goes where the window is narrow, and then stands in the tooltip."""

    resized = Signal()
    """It needs another width."""

    def __init__(self, name: str, label: str, symbol: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self._symbol = symbol
        self._theme = theme
        self._is_narrow = False
        self.setText(label.replace("&", "&&"))
        self._label = label
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setAccessibleName(label)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        # A click leaves the keys to the page.
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_narrow(self, is_narrow: bool) -> None:
        """Show the icon alone, or the label too."""
        self._is_narrow = is_narrow
        self.setToolTip(self._label if is_narrow else "")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for icon and label."""
        metrics = self.fontMetrics()
        width_px = self._icon_px() + 2 * EDGE_PX
        if not self._is_narrow:
            # As wide as it is while chosen, when it is written bold.
            font = self.font()
            font.setWeight(font.Weight.DemiBold)
            width_px += GAP_PX + QFontMetrics(font).horizontalAdvance(self._label)
        return QSize(width_px, max(38, metrics.height() + 18))

    def _icon_px(self) -> int:
        return max(ICON_PX, round(self.fontMetrics().height() * 1.2))

    def minimumSizeHint(self) -> QSize:
        """Never cut off."""
        return self.sizeHint()

    def changeEvent(self, event: QEvent) -> None:
        """Larger text needs more room."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.updateGeometry()
            self.resized.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, icon and label. The chosen page has a ground and a bar, so that colour is not the only sign."""
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(Qt.PenStyle.NoPen)
        if self.isChecked():
            painter.setBrush(QColor(theme.accent_soft))
            painter.drawRoundedRect(ground, 9, 9)
            painter.setBrush(QColor(theme.accent))
            painter.drawRoundedRect(QRectF(2, self.height() / 2 - 9, 3, 18), 1.5, 1.5)
        elif self.underMouse():
            painter.setBrush(QColor(theme.border))
            painter.drawRoundedRect(ground, 9, 9)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent), 1.6))
            painter.drawRoundedRect(ground, 9, 9)
        colour = QColor(theme.text)
        icon_px = self._icon_px()
        icons.paint(painter, self._symbol, QRectF(EDGE_PX, (self.height() - icon_px) / 2, icon_px, icon_px), colour)
        if not self._is_narrow:
            font = self.font()
            font.setWeight(font.Weight.DemiBold if self.isChecked() else font.Weight.Normal)
            painter.setFont(font)
            painter.setPen(colour)
            left = EDGE_PX + icon_px + GAP_PX
            room = QRectF(left, 0, self.width() - left, self.height())
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, self._label)
        painter.end()


class Rail(QScrollArea):
    """The buttons in a column, which scrolls where the window is too low for all. `chosen` tells the page's name."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.buttons: list[RailButton] = []
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setWidgetResizable(True)
        self.setAccessibleName(self.tr("Pages"))
        inner = QWidget()
        inner.setObjectName("log")
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addStretch(1)
        self.setWidget(inner)

    def add(self, name: str, label: str, symbol: str) -> RailButton:
        """One more page, below the others."""
        button = RailButton(name, label, symbol, self._theme)
        button.clicked.connect(lambda: self.chosen.emit(name))
        button.resized.connect(self._fit)
        self.buttons.append(button)
        self._column.insertWidget(self._column.count() - 1, button)
        self._fit()
        return button

    def select(self, name: str) -> None:
        """Mark the page that is shown."""
        for button in self.buttons:
            button.setChecked(button.name == name)
            if button.name == name:
                self.ensureWidgetVisible(button)

    def set_narrow(self, is_narrow: bool) -> None:
        """Icons alone, or with their labels."""
        for button in self.buttons:
            button.set_narrow(is_narrow)
        self._fit()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        for button in self.buttons:
            button.set_theme(theme)

    def _fit(self) -> None:
        widest_px = max((button.sizeHint().width() for button in self.buttons), default=0)
        self.setFixedWidth(widest_px + 8)
