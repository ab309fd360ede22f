"""What the parts of this page share: pictures, notes, and the looks of controls that only this page has."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from animator.messages import Pixels
from app.gui.theme import Theme


def image_of(pixels: Pixels) -> QImage:
    """A picture of its own of uint8 RGBA."""
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    view = QImage(data.data, width, height, width * 4, QImage.Format.Format_RGBA8888)
    return view.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def thumbnail(file: Path, side_px: int) -> QImage:
    """The picture in `file`, as large as fits a square of `side_px`; empty where it cannot be read."""
    picture = QImage(str(file))
    if picture.isNull():
        return picture
    size = QSize(side_px, side_px)
    return picture.scaled(size, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation)


def paint_ground(painter: QPainter, area: QRectF, theme: Theme, radius: float) -> None:
    """The soft fall of colour that the stage has too."""
    fall = QLinearGradient(area.topLeft(), area.bottomLeft())
    fall.setColorAt(0.0, QColor(theme.stage_top))
    fall.setColorAt(1.0, QColor(theme.stage_bottom))
    path = QPainterPath()
    path.addRoundedRect(area, radius, radius)
    painter.fillPath(path, fall)


def paint_picture(painter: QPainter, area: QRectF, picture: QImage, radius: float) -> None:
    """The picture in its place, as large as fits, standing on the lower edge, with the corners of the ground."""
    if picture.isNull():
        return
    size = picture.size().toSizeF().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
    where = QRectF(area.center().x() - size.width() / 2, area.bottom() - size.height(), size.width(), size.height())
    path = QPainterPath()
    path.addRoundedRect(area, radius, radius)
    painter.save()
    painter.setClipPath(path)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(where, picture)
    painter.restore()


def style_sheet(theme: Theme) -> str:
    """Of lists, long texts, sliders and ticks."""
    t = theme
    return f"""
QPlainTextEdit {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 10px;
  padding: 8px 10px; selection-background-color: {t.accent}; selection-color: {t.on_accent}; }}
QPlainTextEdit:focus {{ border: 2px solid {t.accent}; padding: 7px 9px; }}
QListWidget {{ background: {t.raised}; color: {t.text}; border: 1px solid {t.border}; border-radius: 10px;
  padding: 4px; outline: none; }}
QListWidget:focus {{ border: 2px solid {t.accent}; padding: 3px; }}
QListWidget::item {{ padding: 5px 8px; border-radius: 6px; color: {t.text}; }}
QListWidget::item:selected {{ background: {t.accent_soft}; color: {t.text}; }}
QSlider {{ background: transparent; min-height: 22px; }}
QSlider::groove:horizontal {{ background: {t.border}; height: 4px; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent}; height: 4px; border-radius: 2px; }}
QSlider::handle:horizontal {{ background: {t.panel}; border: 2px solid {t.accent}; width: 12px; height: 12px;
  margin: -6px 0; border-radius: 8px; }}
QSlider::handle:horizontal:focus {{ background: {t.accent}; }}
QLabel[role="trouble"] {{ color: {t.bad}; }}
QLabel[role="caution"] {{ color: {t.warn if t.dark else "#8a5a00"}; }}
QLabel[role="fine"] {{ color: {t.good if t.dark else "#17744a"}; }}
"""


class Note(QLabel):
    """A sentence or two below what they are about; empty ones take no room. Plain text: it may hold others' words."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.hide()

    def say(self, text: str, role: str = "dim") -> None:
        """`role`: "dim" informs, "fine" is well, "caution" warns, "trouble" refuses."""
        self.setProperty("role", role)
        self.style().unpolish(self)
        self.style().polish(self)
        self.setText(text)
        self.setVisible(bool(text))


def heading(text: str, role: str = "heading") -> QLabel:
    """A page's or a part's title."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setProperty("role", role)
    return label


def button(text: str, role: str = "", tip: str = "") -> QPushButton:
    """A push button of the theme's kind `role`."""
    made = QPushButton(text)
    if role:
        made.setProperty("role", role)
    if tip:
        made.setToolTip(tip)
    made.setCursor(Qt.CursorShape.PointingHandCursor)
    return made


def end_with(column: QVBoxLayout, trouble: Note, back: QPushButton, go_on: QPushButton) -> None:
    """Close a panel's column: what is wrong, then the way back on the left and the way on on the right."""
    for parts, below_px in (((trouble,), 0), ((back, None, go_on), 16)):
        row = QHBoxLayout()
        row.setContentsMargins(18, 0, 18, below_px)
        row.setSpacing(10)
        for part in parts:
            if part is None:
                row.addStretch(1)
            else:
                row.addWidget(part)
        column.addLayout(row)


def panel_of(content: QWidget, trouble: Note, back: QPushButton, go_on: QPushButton) -> QFrame:
    """A panel with `content` as high as there is room, closed as by `end_with`."""
    panel = QFrame()
    panel.setProperty("role", "panel")
    parts = QVBoxLayout(panel)
    parts.setContentsMargins(1, 1, 1, 0)
    parts.setSpacing(8)
    parts.addWidget(content, 1)
    end_with(parts, trouble, back, go_on)
    return panel


def lay_out(page: QWidget, heads: Sequence[QWidget], left: QWidget, right: QWidget, shares: tuple[int, int]) -> None:
    """Fill a page: what stands over it, and below that two sides whose widths are as `shares`."""
    body = QHBoxLayout()
    body.setSpacing(12)
    for side, share in zip((left, right), shares, strict=True):
        body.addWidget(side, share)
    whole = QVBoxLayout(page)
    whole.setContentsMargins(0, 0, 0, 0)
    whole.setSpacing(10)
    for head in heads:
        whole.addWidget(head)
    whole.addLayout(body, 1)


class Tick(QCheckBox):
    """A check box in the theme's own colours, as large as its words."""

    def __init__(self, text: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self._theme = theme
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def _side_px(self) -> float:
        return max(14.0, self.fontMetrics().ascent() * 1.15)

    def sizeHint(self) -> QSize:
        """Box, gap and words."""
        metrics = self.fontMetrics()
        side = self._side_px()
        return QSize(
            round(side + 10 + metrics.horizontalAdvance(self.text()) + 4), round(max(side, metrics.height()) + 8)
        )

    def minimumSizeHint(self) -> QSize:
        """Never cut off."""
        return self.sizeHint()

    def hitButton(self, at: QPoint) -> bool:
        """All of it can be clicked, the words too."""
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw box, tick and words."""
        theme, side = self._theme, self._side_px()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(1, (self.height() - side) / 2, side, side)
        is_marked = self.hasFocus() or self.underMouse()
        painter.setPen(QPen(QColor(theme.accent if is_marked or self.isChecked() else theme.dim), 1.6))
        painter.setBrush(QColor(theme.accent if self.isChecked() else theme.raised))
        painter.drawRoundedRect(box, 4, 4)
        if self.isChecked():
            pen = QPen(QColor(theme.on_accent), side / 7)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(pen)
            painter.drawPolyline(
                [box.topLeft() + QPointF(x * side, y * side) for x, y in ((0.24, 0.54), (0.43, 0.72), (0.77, 0.3))]
            )
        painter.setPen(QColor(theme.text if self.isEnabled() else theme.dim))
        words = QRectF(side + 10, 0, self.width() - side - 10, self.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.text())
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(theme.accent), 1.2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.end()
