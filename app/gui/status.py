"""The status line: one coloured dot and label per part of the show."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from app.gui.theme import Theme

SEVERITY = ("off", "ready", "busy", "starting", "failed")
"""Where two stages share a dot, the later of these wins."""

DOT_PX = 9.0
GAP_PX = 7
EDGE_PX = 8


class StageChip(QAbstractButton):
    """Dot, name and, where there is room, what the stage says about itself. Clicking a failed one recalls its error."""

    def __init__(
        self, name: str, stages: tuple[str, ...], about: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.name = name
        self.stages = stages
        self._about = about
        self._theme = theme
        self._states: dict[str, tuple[str, str]] = {}
        self._took_ms: dict[str, float] = {}
        self._problems: dict[str, str] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._explain()

    @property
    def state(self) -> str:
        """The graver of its stages' states."""
        return max((state for state, _ in self._states.values()), key=SEVERITY.index, default="off")

    @property
    def label(self) -> str:
        """What the gravest stage says about itself, less the name that stands beside it."""
        found = [label for state, label in self._states.values() if state == self.state and label]
        label = found[0] if found else ""
        if label.casefold().startswith(self.name.casefold()):
            label = label[len(self.name) :].strip(" :()")
        return label

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def set_state(self, stage: str, state: str, label: str) -> None:
        """Take in one stage's state."""
        if self._states.get(stage) == (state, label):
            return
        self._states[stage] = (state, label)
        if state != "failed":
            self._problems.pop(stage, None)
        self._explain()
        self.update()

    def set_problem(self, stage: str, problem: str) -> None:
        """Put the stage's error into the tooltip."""
        self._problems[stage] = problem
        self._explain()

    def set_took(self, stage: str, took_ms: float) -> None:
        """Remember how long the stage's last step took; shown by `refresh`."""
        self._took_ms[stage] = took_ms

    def refresh(self) -> None:
        """Bring the tooltip up to date (slow: figures that flicker cannot be read)."""
        self._explain()

    def _explain(self) -> None:
        words = {
            "off": self.tr("off"),
            "ready": self.tr("ready"),
            "busy": self.tr("working"),
            "starting": self.tr("starting"),
            "failed": self.tr("failed"),
        }
        head = self.tr("{name}: {state}").format(name=self.name, state=words[self.state])
        lines = [f"{head} — {self.label}" if self.label else head, self._about]
        lines += [self.tr("Last step: {ms:.0f} ms").format(ms=ms) for ms in self._took_ms.values()]
        lines += self._problems.values()
        if self.state == "failed":
            lines.append(self.tr("Click to see what to do."))
        # Problems come from elsewhere: a tooltip that looks like markup would be shown as markup.
        tip = "\n".join(line for line in lines if line).replace("<", "‹")
        if tip != self.toolTip():
            self.setToolTip(tip)
            self.setAccessibleName(head)
            self.setAccessibleDescription(tip)

    def sizeHint(self) -> QSize:
        """Room for dot, name and a label of usual length."""
        return QSize(self._name_px() + 110, self._height_px())

    def minimumSizeHint(self) -> QSize:
        """Room for dot and name."""
        return QSize(self._name_px(), self._height_px())

    def _height_px(self) -> int:
        return max(26, self.fontMetrics().height() + 8)

    def _name_px(self) -> int:
        return round(2 * EDGE_PX + DOT_PX + GAP_PX) + self.fontMetrics().horizontalAdvance(self.name)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw dot, name and label. Each state has its own shape too, for those who do not see the colours."""
        theme, state = self._theme, self.state
        colour = QColor(
            {"off": theme.dim, "ready": theme.good, "busy": theme.accent, "starting": theme.warn, "failed": theme.bad}[
                state
            ]
        )
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus() or (self.underMouse() and state == "failed"):
            painter.setPen(QPen(QColor(theme.accent if self.hasFocus() else theme.border), 1.4))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 7, 7)
        dot = QRectF(EDGE_PX, (self.height() - DOT_PX) / 2, DOT_PX, DOT_PX)
        if state == "off":
            painter.setPen(QPen(colour, 1.6))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(dot.adjusted(0.8, 0.8, -0.8, -0.8))
        elif state == "starting":
            painter.setPen(QPen(colour, 2.0))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawArc(dot.adjusted(1, 1, -1, -1), 30 * 16, 280 * 16)
        elif state == "failed":
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            middle = dot.center()
            painter.drawPolygon(
                [
                    QPointF(middle.x(), dot.top() - 1),
                    QPointF(dot.right() + 1.5, dot.bottom() + 0.5),
                    QPointF(dot.left() - 1.5, dot.bottom() + 0.5),
                ]
            )
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            if state == "busy":
                halo = QColor(colour)
                halo.setAlphaF(0.3)
                painter.setBrush(halo)
                painter.drawEllipse(dot.adjusted(-3, -3, 3, 3))
            painter.setBrush(colour)
            painter.drawEllipse(dot)
        metrics = QFontMetrics(self.font())
        left = EDGE_PX + DOT_PX + GAP_PX
        name_px = metrics.horizontalAdvance(self.name)
        painter.setPen(QColor(theme.bad if state == "failed" else theme.text if state != "off" else theme.dim))
        painter.drawText(QRectF(left, 0, name_px + 1, self.height()), Qt.AlignmentFlag.AlignVCenter, self.name)
        room_px = int(self.width() - left - name_px - GAP_PX - EDGE_PX)
        if self.label and room_px > 40:
            painter.setPen(QColor(theme.dim))
            cut = metrics.elidedText(self.label, Qt.TextElideMode.ElideRight, room_px)
            painter.drawText(
                QRectF(left + name_px + GAP_PX, 0, room_px + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, cut
            )
        painter.end()


class StatusLine(QWidget):
    """A chip per part. Stages that it does not know are passed over."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        parts = (
            (self.tr("Hearing"), ("capture", "vad"), self.tr("Microphone and speech detection")),
            (self.tr("Whisper"), ("stt",), self.tr("Speech to text")),
            (self.tr("Brain"), ("llm",), self.tr("Thinks of the answer")),
            (self.tr("Voice"), ("tts", "playback", "sound"), self.tr("Speaks the answer")),
            (self.tr("Face"), ("avatar",), self.tr("Draws the character")),
            (self.tr("Camera"), ("camera",), self.tr("Virtual camera for streaming software")),
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self.chips: list[StageChip] = []
        self._by_stage: dict[str, StageChip] = {}
        for name, stages, about in parts:
            chip = StageChip(name, stages, about, theme)
            font = chip.font()
            font.setPointSizeF(max(font.pointSizeF(), 9.0))
            chip.setFont(font)
            self.chips.append(chip)
            row.addWidget(chip, 1)
            self._by_stage.update(dict.fromkeys(stages, chip))

    def chip(self, stage: str) -> StageChip | None:
        """The chip that shows `stage`."""
        return self._by_stage.get(stage)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        for chip in self.chips:
            chip.set_theme(theme)

    def set_state(self, stage: str, state: str, label: str) -> None:
        """A stage's state."""
        chip = self.chip(stage)
        if chip is not None:
            chip.set_state(stage, state, label)

    def set_problem(self, stage: str, problem: str) -> None:
        """A stage's error, for the tooltip."""
        chip = self.chip(stage)
        if chip is not None:
            chip.set_problem(stage, problem)

    def set_took(self, stage: str, took_ms: float) -> None:
        """How long the stage's last step took."""
        chip = self.chip(stage)
        if chip is not None:
            chip.set_took(stage, took_ms)

    def refresh(self) -> None:
        """Bring the tooltips up to date."""
        for chip in self.chips:
            chip.refresh()
