"""The art under the box in which THA3 looks for the head: drag it, turn the wheel, or use the keys."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from animator.character import EYES_Y, HEAD_BOX, SIZE_PX
from app.characters.art import Placement
from app.gui.characters.look import paint_ground
from app.gui.theme import Theme

STEP_PX, LARGE_STEP_PX = 1.0, 10.0
"""An arrow key moves the art by this much of the face's 512 px; with Shift by the larger one."""
ZOOM = 1.03
RADIUS_PX = 12.0


class PlacementView(QWidget):
    """Shows a square of the face's 512 px; `changed` tells the placement that the user chose."""

    changed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._picture = QImage()
        self._scale_of_picture = 1.0
        """Px of the shown picture per px of the art."""
        self.placement = Placement(1.0, 0.0, 0.0)
        self._grabbed: QPointF | None = None
        self.setMinimumSize(280, 280)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.setAccessibleName(self.tr("Where the head is"))
        self.setAccessibleDescription(
            self.tr("Arrow keys move the picture, plus and minus change its size, Shift makes larger steps.")
        )

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_art(self, picture: QImage, scale: float) -> None:
        """Show `picture`, which has `scale` px for each px of the art."""
        self._picture = picture
        self._scale_of_picture = scale
        self.update()

    def place(self, placement: Placement) -> None:
        """Put the art there, without telling so."""
        self.placement = placement
        self.update()

    def sizeHint(self) -> QSize:
        """A face at its own size."""
        return QSize(SIZE_PX, SIZE_PX)

    def _square(self) -> QRectF:
        side = float(min(self.width(), self.height()))
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    def _per_px(self) -> float:
        """Px on screen per px of the face."""
        return self._square().width() / SIZE_PX

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, art, and the box over it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        square = self._square()
        paint_ground(painter, square, self._theme, RADIUS_PX)
        outline = QPainterPath()
        outline.addRoundedRect(square, RADIUS_PX, RADIUS_PX)
        painter.setClipPath(outline)
        ratio = self._per_px()
        if not self._picture.isNull():
            shown = self.placement.scale * ratio / self._scale_of_picture
            where = QRectF(
                square.left() + self.placement.left * ratio,
                square.top() + self.placement.top * ratio,
                self._picture.width() * shown,
                self._picture.height() * shown,
            )
            painter.drawImage(where, self._picture)
        left, top, right, bottom = (each * ratio for each in HEAD_BOX)
        box = QRectF(square.left() + left, square.top() + top, right - left, bottom - top)
        # What the box does not hold steps back a little, so that one looks at the head.
        around = QPainterPath()
        around.addRect(square)
        hole = QPainterPath()
        hole.addRoundedRect(box, 6, 6)
        shade = QColor(self._theme.window)
        shade.setAlphaF(0.45)
        painter.fillPath(around.subtracted(hole), shade)
        for colour, width in ((QColor(255, 255, 255, 210), 4.0), (QColor("#3f63d8"), 2.0)):
            painter.setPen(QPen(colour, width))
            painter.drawRoundedRect(box, 6, 6)
            painter.setPen(QPen(colour, width - 0.6, Qt.PenStyle.DashLine if width < 3 else Qt.PenStyle.SolidLine))
            eyes = square.top() + EYES_Y * ratio
            painter.drawLine(QPointF(box.left(), eyes), QPointF(box.right(), eyes))
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.accent), 2))
            painter.drawRoundedRect(square.adjusted(1, 1, -1, -1), RADIUS_PX, RADIUS_PX)
        painter.end()

    def _choose(self, placement: Placement) -> None:
        if self._picture.isNull():
            return
        self.place(placement)
        self.changed.emit(placement)

    def zoom(self, factor: float) -> None:
        """Make the art larger or smaller around the middle of the head box."""
        left, top, right, bottom = HEAD_BOX
        self._choose(self.placement.zoomed(factor, (left + right) / 2, (top + bottom) / 2))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the art."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag it."""
        if self._grabbed is not None:
            moved = (event.position() - self._grabbed) / self._per_px()
            self._grabbed = event.position()
            self._choose(self.placement.moved(moved.x(), moved.y()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        self._grabbed = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Larger and smaller around the pointer."""
        at = (event.position() - self._square().topLeft()) / self._per_px()
        self._choose(self.placement.zoomed(ZOOM ** (event.angleDelta().y() / 60), at.x(), at.y()))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, plus and minus."""
        is_large = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        step = LARGE_STEP_PX if is_large else STEP_PX
        moves = {
            Qt.Key.Key_Left: (-step, 0.0),
            Qt.Key.Key_Right: (step, 0.0),
            Qt.Key.Key_Up: (0.0, -step),
            Qt.Key.Key_Down: (0.0, step),
        }
        key = Qt.Key(event.key())
        if key in moves:
            self._choose(self.placement.moved(*moves[key]))
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(ZOOM if not is_large else ZOOM**4)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom(1 / (ZOOM if not is_large else ZOOM**4))
        else:
            super().keyPressEvent(event)
