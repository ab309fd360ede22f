"""The window's few symbols, drawn as strokes on a 24-unit grid so that they are sharp at any scale."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap


def _microphone(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(9, 3, 6, 11), 3, 3)
    path.moveTo(5.5, 11)
    path.arcTo(QRectF(5.5, 4.5, 13, 13), 180, 180)
    path.moveTo(12, 17.5)
    path.lineTo(12, 21)


def _camera(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3, 6.5, 12.5, 11), 2.5, 2.5)
    path.moveTo(15.5, 11)
    path.lineTo(21, 8)
    path.lineTo(21, 16)
    path.lineTo(15.5, 13)


def _stop(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(6.5, 6.5, 11, 11), 2, 2)


def _send(path: QPainterPath) -> None:
    path.moveTo(12, 19)
    path.lineTo(12, 5)
    path.moveTo(6, 11)
    path.lineTo(12, 5)
    path.lineTo(18, 11)


def _close(path: QPainterPath) -> None:
    path.moveTo(6.5, 6.5)
    path.lineTo(17.5, 17.5)
    path.moveTo(17.5, 6.5)
    path.lineTo(6.5, 17.5)


def _copy(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(8.5, 8.5, 11, 11), 2, 2)
    path.moveTo(15.5, 5.5)
    path.lineTo(15.5, 4.5)
    path.lineTo(4.5, 4.5)
    path.lineTo(4.5, 15.5)
    path.lineTo(5.5, 15.5)


def _warning(path: QPainterPath) -> None:
    path.addPolygon([QPointF(12, 4), QPointF(21, 19.5), QPointF(3, 19.5), QPointF(12, 4)])
    path.moveTo(12, 10)
    path.lineTo(12, 14)
    path.moveTo(12, 16.8)
    path.lineTo(12, 16.9)


def _chevron(path: QPainterPath) -> None:
    path.moveTo(7, 10)
    path.lineTo(12, 15)
    path.lineTo(17, 10)


def _stage(path: QPainterPath) -> None:
    path.addEllipse(QRectF(8, 4, 8, 8))
    path.moveTo(4.5, 20)
    path.arcTo(QRectF(4.5, 14, 15, 12), 180, -180)


def _safe_area(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3, 5, 18, 14), 2.5, 2.5)
    path.addRect(QRectF(6.5, 8.2, 11, 7.6))


def _mini(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3, 5, 18, 14), 2.5, 2.5)
    path.addRoundedRect(QRectF(12, 11.5, 6.5, 5), 1, 1)


def _history(path: QPainterPath) -> None:
    path.addEllipse(QRectF(4, 4, 16, 16))
    path.moveTo(12, 7.5)
    path.lineTo(12, 12)
    path.lineTo(15.5, 14)


def _characters(path: QPainterPath) -> None:
    path.addEllipse(QRectF(5.5, 5, 7, 7))
    path.moveTo(2.5, 19.5)
    path.arcTo(QRectF(2.5, 14.5, 13, 10), 180, -180)
    path.moveTo(15, 5.4)
    path.arcTo(QRectF(12, 5, 7, 7), 80, -160)
    path.moveTo(17.5, 14.8)
    path.cubicTo(QPointF(20, 15.4), QPointF(21.5, 17.2), QPointF(21.5, 19.5))


def _brain(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3.5, 4.5, 17, 12), 4, 4)
    path.moveTo(8, 16.5)
    path.lineTo(8, 20.5)
    path.lineTo(12.5, 16.5)
    path.moveTo(8, 10.5)
    path.lineTo(8.1, 10.5)
    path.moveTo(12, 10.5)
    path.lineTo(12.1, 10.5)
    path.moveTo(16, 10.5)
    path.lineTo(16.1, 10.5)


def _voice(path: QPainterPath) -> None:
    path.addPolygon(
        [QPointF(4, 9.5), QPointF(7.5, 9.5), QPointF(12, 5.5), QPointF(12, 18.5), QPointF(7.5, 14.5), QPointF(4, 14.5)]
    )
    path.closeSubpath()
    path.moveTo(15.2, 9)
    path.arcTo(QRectF(11, 8, 6, 8), 50, -100)
    path.moveTo(17.6, 6.2)
    path.arcTo(QRectF(8, 4.5, 13, 15), 50, -100)


def _face(path: QPainterPath) -> None:
    path.addEllipse(QRectF(4, 4, 16, 16))
    path.moveTo(9, 10)
    path.lineTo(9, 10.8)
    path.moveTo(15, 10)
    path.lineTo(15, 10.8)
    path.moveTo(8.6, 14.4)
    path.arcTo(QRectF(8, 10, 8, 7), 205, 130)


def _output(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3.5, 5, 17, 11.5), 2, 2)
    path.moveTo(12, 16.5)
    path.lineTo(12, 20)
    path.moveTo(8, 20)
    path.lineTo(16, 20)


def _keys(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(3, 6.5, 18, 11), 2.2, 2.2)
    for x in (7.0, 10.3, 13.7, 17.0):
        path.moveTo(x, 10.2)
        path.lineTo(x + 0.1, 10.2)
    path.moveTo(8, 14)
    path.lineTo(16, 14)


def _window(path: QPainterPath) -> None:
    for y, knob in ((6.5, 15.5), (12.0, 8.5), (17.5, 13.5)):
        path.moveTo(4, y)
        path.lineTo(knob - 2, y)
        path.addEllipse(QPointF(knob, y), 2, 2)
        path.moveTo(knob + 2, y)
        path.lineTo(20, y)


def _log(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(5, 3.5, 14, 17), 2, 2)
    for y in (8.5, 12.0, 15.5):
        path.moveTo(8.5, y)
        path.lineTo(15.5, y)


def _folder(path: QPainterPath) -> None:
    path.addPolygon([QPointF(3.5, 18.5), QPointF(3.5, 6), QPointF(9, 6), QPointF(11.2, 8.5), QPointF(20.5, 8.5)])
    path.lineTo(20.5, 18.5)
    path.closeSubpath()


_SHAPES = {
    "folder": _folder,
    "stage": _stage,
    "mini": _mini,
    "safe_area": _safe_area,
    "history": _history,
    "characters": _characters,
    "brain": _brain,
    "voice": _voice,
    "face": _face,
    "output": _output,
    "keys": _keys,
    "window": _window,
    "log": _log,
    "microphone": _microphone,
    "camera": _camera,
    "stop": _stop,
    "send": _send,
    "close": _close,
    "copy": _copy,
    "warning": _warning,
    "chevron": _chevron,
}


def paint(painter: QPainter, name: str, where: QRectF, colour: QColor, struck: bool = False) -> None:
    """Draw symbol `name` into the square `where`; `struck` puts a bar through it (switched off)."""
    path = QPainterPath()
    _SHAPES[name](path)
    if struck:
        path.moveTo(4, 4)
        path.lineTo(20, 20)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(where.topLeft())
    painter.scale(where.width() / 24, where.height() / 24)
    pen = QPen(colour, 1.8, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(colour if name == "stop" else Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    painter.restore()


def icon(name: str, colour: str, size_px: int = 20, disabled: str | None = None) -> QIcon:
    """Symbol `name` as an icon, with pixmaps for screens of scale 1, 2 and 3; `disabled`: its colour while so."""
    result = QIcon()
    modes = [(QIcon.Mode.Normal, colour)] + ([(QIcon.Mode.Disabled, disabled)] if disabled else [])
    for ratio, (mode, shade) in itertools.product((1, 2, 3), modes):
        pixmap = QPixmap(QSize(size_px * ratio, size_px * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        paint(painter, name, QRectF(0, 0, size_px, size_px), QColor(shade))
        painter.end()
        result.addPixmap(pixmap, mode)
    return result
