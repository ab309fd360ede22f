"""The newest frame in its scene, as viewers are shown it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QBrush,
    QColor,
    QHideEvent,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from app.canvas import Box, Glow, Piece, Scene, colour_of, grown, opaque_box, piece, premultiplied
from app.gui.theme import Theme
from app.messages import Frame

POLL_MS = 16
"""Twice as often as frames come (33 ms), so that none is skipped and each is shown at most 16 ms late."""

RADIUS_PX = 14
CHEQUER_PX = 12
"""Side of the squares that stand for "transparent"."""


def glow_of(theme: Theme) -> Glow:
    """The background "theme" in the window's colours."""
    return Glow(colour_of(theme.stage_top), colour_of(theme.stage_bottom), colour_of(theme.stage_glow))


def image_of(frame: Frame, source: Box) -> QImage:
    """A part of a frame as the raster engine blends it fastest, in memory of its own: the one copy of its pixels."""
    cut = cv2.cvtColor(premultiplied(frame.pixels[source.rows, source.columns]), cv2.COLOR_RGBA2BGRA)
    height_px, width_px = cut.shape[:2]
    image = QImage(cut.data, width_px, height_px, width_px * 4, QImage.Format.Format_ARGB32_Premultiplied)
    # Qt does not hold on to the memory: Python has to, for as long as the image lives.
    image.pixels = cut  # type: ignore[attr-defined]
    return image


def is_picture(frame: Frame) -> bool:
    """Whether a frame can be drawn at all."""
    shape = frame.pixels.shape
    return len(shape) == 3 and shape[2] == 4 and 0 < shape[0] == shape[1] and frame.pixels.dtype == np.uint8


class Preview(QWidget):
    """Shows what `latest_frame` gives in a scene, and repaints only when the frame is a new one.

    The canvas is as large as fits with the aspect `aspect` (width by height), or the whole widget where that is None.
    Measured on two cores: 0.4 ms of processor time per frame for a canvas of 790 x 444 px, 0.7 ms for 1280 x 720.
    Composing the same with OpenCV, as for the camera, takes 0.7 and 1.7 ms.
    """

    def __init__(
        self,
        latest_frame: Callable[[], Frame | None],
        theme: Theme,
        parent: QWidget | None = None,
        aspect: float | None = None,
    ) -> None:
        super().__init__(parent)
        self._latest_frame = latest_frame
        self._theme = theme
        self._aspect = aspect
        self._scene = Scene(glow=glow_of(theme))
        self._frame: Frame | None = None
        self._seen: Box | None = None
        self._piece: Piece | None = None
        self._image: QImage | None = None
        self._backdrop = QPixmap()
        self.frames_shown = 0
        self.setMinimumSize(320, 170)
        # Everything is painted here; else Qt would fill the window's colour below each frame first.
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setAccessibleName(self.tr("Character"))
        self.setAccessibleDescription(self.tr("Live picture of the character"))
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.poll)

    @property
    def has_frame(self) -> bool:
        """Whether a frame has ever come."""
        return self._frame is not None

    @property
    def aspect(self) -> float | None:
        """The canvas's width by its height; None where it is the whole widget."""
        return self._aspect

    @property
    def scene(self) -> Scene:
        """What the character stands before, and where."""
        return self._scene

    def set_scene(self, scene: Scene) -> None:
        """Show another background or place, at once."""
        old, self._scene = self._scene, scene
        looks = (scene.background, scene.colour, scene.glow)
        if looks != (old.background, old.colour, old.glow) or scene.picture is not old.picture:
            self._backdrop = QPixmap()
        self._take()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self._backdrop = QPixmap()
        self.set_scene(self._scene.with_glow(glow_of(theme)))

    def stop(self) -> None:
        """Ask for no more frames."""
        self._timer.stop()

    def canvas(self) -> QRect:
        """Where the picture is, in device-independent px."""
        if self._aspect is None:
            return self.rect()
        size = QSize(self.width(), round(self.width() / self._aspect))
        if size.height() > self.height():
            size = QSize(round(self.height() * self._aspect), self.height())
        return QRect((self.width() - size.width()) // 2, (self.height() - size.height()) // 2, *size.toTuple())

    def poll(self) -> None:
        """Take the newest frame if it is one that has not been shown yet."""
        frame = self._latest_frame()
        if frame is None or (self._frame is not None and frame.seq == self._frame.seq) or not is_picture(frame):
            return
        first = self._frame is None
        self._frame = frame
        before = self._covered()
        self._take()
        if first:
            self.update()
        else:
            # Only where the character was and is: what is around it need not be drawn again.
            self.update(before.united(self._covered()))
        self.frames_shown += 1

    def _take(self) -> None:
        """Cut out of the newest frame what is seen of it."""
        if self._frame is None:
            return
        pixels = self._frame.pixels
        self._seen = grown(self._seen, opaque_box(pixels), pixels.shape[0])
        where = self.canvas().size()
        self._piece = None
        if self._seen is not None and not where.isEmpty():
            self._piece = piece(pixels.shape[0], where.width(), where.height(), self._scene.placement, self._seen)
        self._image = None if self._piece is None else image_of(self._frame, self._piece.source)

    def _target(self) -> QRectF:
        """Where the cut-out goes; it may stick out of the canvas by a little."""
        if self._piece is None:
            return QRectF()
        where, cut = self.canvas(), self._piece
        return QRectF(where.x() + cut.left, where.y() + cut.top, cut.width, cut.height)

    def _covered(self) -> QRect:
        return self._target().toAlignedRect().adjusted(-1, -1, 1, 1).intersected(self.canvas())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the background and the picture."""
        where = self.canvas()
        if self._backdrop.isNull():
            self._backdrop = self._draw_backdrop(where.size())
        painter = QPainter(self)
        source, over = (
            QPainter.CompositionMode.CompositionMode_Source,
            QPainter.CompositionMode.CompositionMode_SourceOver,
        )
        painter.setCompositionMode(source)
        if not where.contains(event.rect()):
            painter.fillRect(event.rect(), self._around())
        painter.drawPixmap(where.topLeft(), self._backdrop)
        painter.setCompositionMode(over)
        if self._image is not None:
            painter.setClipRect(where, Qt.ClipOperation.IntersectClip)
            self._draw_character(painter, where)
            painter.setCompositionMode(source)
            self._round_corners(painter, where, event.rect())
            painter.setCompositionMode(over)
        elif self._frame is None:
            painter.translate(where.topLeft())
            self._draw_silhouette(painter, where.size())
            painter.resetTransform()
        self._draw_over(painter, where)
        painter.end()

    def _around(self) -> QColor:
        """What is outside the canvas."""
        return QColor(self._theme.window)

    def _draw_character(self, painter: QPainter, where: QRect) -> None:
        if self._image is not None:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(self._target(), self._image, QRectF(self._image.rect()))

    def _draw_over(self, painter: QPainter, where: QRect) -> None:
        """What is drawn over the picture; nothing here."""

    def _round_corners(self, painter: QPainter, where: QRect, dirty: QRect) -> None:
        """Take off what the picture has drawn outside the rounded corners."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area, r = QRectF(where), float(RADIUS_PX)
        for x, y, start in ((0.0, 0.0, 90.0), (1.0, 0.0, 0.0), (1.0, 1.0, 270.0), (0.0, 1.0, 180.0)):
            corner = QPointF(area.left() + x * area.width(), area.top() + y * area.height())
            inside = QRectF(corner.x() - x * r, corner.y() - y * r, r, r)
            if not inside.toAlignedRect().intersects(dirty):
                continue
            path = QPainterPath(corner)
            round_ = QRectF(corner.x() - 2 * x * r, corner.y() - 2 * y * r, 2 * r, 2 * r)
            path.arcTo(round_, start, 90.0)
            path.closeSubpath()
            painter.fillPath(path, self._around())

    def _draw_backdrop(self, size: QSize) -> QPixmap:
        """The scene's background with rounded corners, drawn once per size, scene and theme."""
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(QSize(max(1, round(size.width() * ratio)), max(1, round(size.height() * ratio))))
        pixmap.fill(self._around())
        if self._scene.background == "transparent":
            brush = QBrush(self._chequers(ratio))
        else:
            behind = self._scene.behind(pixmap.width(), pixmap.height())
            height_px, width_px = behind.shape[:2]
            brush = QBrush(QImage(behind.data, width_px, height_px, width_px * 3, QImage.Format.Format_RGB888).copy())
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(brush)
        painter.drawRoundedRect(QRectF(pixmap.rect()), RADIUS_PX * ratio, RADIUS_PX * ratio)
        painter.end()
        pixmap.setDevicePixelRatio(ratio)
        return pixmap

    def _chequers(self, ratio: float) -> QPixmap:
        side = round(CHEQUER_PX * ratio)
        tile = QPixmap(2 * side, 2 * side)
        tile.fill(QColor(self._theme.raised))
        painter = QPainter(tile)
        for at in (0, side):
            painter.fillRect(at, at, side, side, QColor(self._theme.border))
        painter.end()
        return tile

    def _draw_silhouette(self, painter: QPainter, size: QSize) -> None:
        """Somebody will stand here."""
        unit = min(size.width(), size.height()) / 100
        middle, floor = size.width() / 2, float(size.height())
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(middle - 17 * unit, floor - 88 * unit, 34 * unit, 42 * unit), 17 * unit, 17 * unit)
        ends = QPainterPath()
        ends.addRoundedRect(QRectF(middle - 17 * unit, floor - 68 * unit, 34 * unit, 23 * unit), 4 * unit, 4 * unit)
        shape = shape.united(ends)
        shoulders = QPainterPath(QPointF(middle - 33 * unit, floor))
        shoulders.cubicTo(
            QPointF(middle - 32 * unit, floor - 30 * unit),
            QPointF(middle - 26 * unit, floor - 42 * unit),
            QPointF(middle - 6 * unit, floor - 47 * unit),
        )
        shoulders.lineTo(middle + 6 * unit, floor - 47 * unit)
        shoulders.cubicTo(
            QPointF(middle + 26 * unit, floor - 42 * unit),
            QPointF(middle + 32 * unit, floor - 30 * unit),
            QPointF(middle + 33 * unit, floor),
        )
        shade = QColor(self._theme.accent)
        shade.setAlphaF(0.13)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(shape.united(shoulders), shade)
        face = QPainterPath()
        face.addEllipse(QRectF(middle - 12 * unit, floor - 77 * unit, 24 * unit, 28 * unit))
        light = QColor(self._theme.stage_glow)
        light.setAlphaF(0.35)
        painter.fillPath(face, light)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw the background anew at the next paint."""
        self._backdrop = QPixmap()
        self._take()
        super().resizeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for frames while seen."""
        self._timer.start()
        super().showEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        """A hidden stage costs nothing."""
        self._timer.stop()
        super().hideEvent(event)
