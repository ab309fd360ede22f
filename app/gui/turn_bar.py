"""A slim bar under an answer: what was waited for, step by step, until its first sound."""

from __future__ import annotations

from PySide6.QtCore import Property, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.policy.turn_times import TurnTimes

SHADES = (0.30, 1.0, 0.55, 0.16)
"""Opacity of the accent for each step; neighbours differ in lightness, so that no colour has to be told apart."""
BAR_PX = 5
PX_PER_S = 64.0
LEAST_PX = 24.0


class TurnBar(QWidget):
    """As long as the wait was, at one scale for all turns, with the time beside it. The tooltip has the figures."""

    def __init__(self, times: TurnTimes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.times = times
        self._accent, self._dim = "#3f63d8", "#5a6177"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(self._explain())
        self.setAccessibleName(self._words())
        self.setAccessibleDescription(self.toolTip())

    def _get_accent(self) -> str:
        return self._accent

    def _set_accent(self, colour: str) -> None:
        self._accent = colour
        self.update()

    def _get_dim(self) -> str:
        return self._dim

    def _set_dim(self, colour: str) -> None:
        self._dim = colour
        self.update()

    # The style sheet sets them: a bar knows no theme, as its bubble does not.
    accent = Property(str, _get_accent, _set_accent)
    dim = Property(str, _get_dim, _set_dim)

    def _words(self) -> str:
        return self.tr("{seconds:.1f} s").format(seconds=self.times.total_ms / 1000)

    def _explain(self) -> str:
        times, waits = self.times, self.times.waits_ms()
        names = (
            self.tr("You had finished: {ms:.0f} ms"),
            self.tr("Brain, first word: {ms:.0f} ms"),
            self.tr("Voice, first sentence: {ms:.0f} ms"),
            self.tr("Loudspeaker: {ms:.0f} ms"),
        )
        head = (
            self.tr("From Enter to the first sound: {ms:.0f} ms")
            if times.typed
            else self.tr("From your last word to the first sound: {ms:.0f} ms")
        )
        lines = [head.format(ms=times.total_ms)]
        lines += [
            name.format(ms=wait)
            for k, (name, wait) in enumerate(zip(names, waits, strict=True))
            if k or not times.typed
        ]
        token_ms, decided_ms = times.after_ms(times.token_ns), times.after_ms(times.decided_ns)
        if token_ms is not None and decided_ms is not None and token_ms < decided_ms:
            lines.append(
                self.tr("The brain began early: its first word was there after {ms:.0f} ms.").format(ms=token_ms)
            )
        return "\n".join(lines)

    def sizeHint(self) -> QSize:
        """Bar and figure."""
        text_px = self.fontMetrics().horizontalAdvance(self._words())
        return QSize(round(self._bar_px(10_000)) + text_px + 16, self.fontMetrics().height() + 2)

    def minimumSizeHint(self) -> QSize:
        """The figure alone: a narrow log shortens the bar."""
        return QSize(
            self.fontMetrics().horizontalAdvance(self._words()) + 16 + round(LEAST_PX), self.sizeHint().height()
        )

    def _bar_px(self, room_px: float) -> float:
        return min(max(LEAST_PX, self.times.total_ms / 1000 * PX_PER_S), room_px)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the steps, then the time."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        left, text_px = 6.0, self.fontMetrics().horizontalAdvance(self._words())
        length = self._bar_px(max(LEAST_PX, self.width() - text_px - 16 - left))
        top = (self.height() - BAR_PX) / 2
        total_ms = max(self.times.total_ms, 1.0)
        at = left
        for wait_ms, shade in zip(self.times.waits_ms(), SHADES, strict=True):
            step = length * wait_ms / total_ms
            colour = QColor(self._accent)
            colour.setAlphaF(shade)
            painter.setBrush(colour)
            painter.drawRect(QRectF(at, top, step, BAR_PX))
            at += step
        painter.setPen(QColor(self._dim))
        where = QRectF(left + length + 8, 0, text_px + 4, self.height())
        painter.drawText(where, Qt.AlignmentFlag.AlignVCenter, self._words())
        painter.end()
