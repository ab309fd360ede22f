"""Errors without a dialogue: what happened and what to do next, each once."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.gui import icons
from app.gui.text import SelectableText
from app.gui.theme import Theme

MAX_TEXT_PX = 76
"""Higher texts scroll: an error never pushes the character out of the window."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One error of one stage."""

    stage: str
    problem: str
    remedy: str


class Banner(QFrame):
    """Shows one trouble at a time and how many wait. Non-modal; hidden while there is none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("banner")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._theme = theme
        self._open: list[Trouble] = []
        self._known: set[Trouble] = set()
        self._last: dict[str, Trouble] = {}
        self._at = 0
        self._sign = QLabel()
        self.problem = SelectableText()
        self.problem.setProperty("weight", "strong")
        self.remedy = SelectableText()
        for text, name in ((self.problem, self.tr("Problem")), (self.remedy, self.tr("What to do"))):
            text.setAccessibleName(name)
        body = QWidget()
        body.setObjectName("log")
        texts = QVBoxLayout(body)
        texts.setContentsMargins(0, 0, 0, 0)
        texts.setSpacing(3)
        texts.addWidget(self.problem)
        texts.addWidget(self.remedy)
        texts.addStretch(1)
        self._body = body
        self._scroll = QScrollArea()
        self._scroll.setWidget(body)
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.count = QPushButton()
        self.count.setProperty("role", "quiet")
        self.count.setToolTip(self.tr("Show the next problem"))
        self.count.clicked.connect(self._next)
        self.copy = QPushButton(self.tr("Copy"))
        self.copy.setProperty("role", "quiet")
        self.copy.setToolTip(self.tr("Copy the problem and what to do about it"))
        self.copy.setAccessibleName(self.tr("Copy the problem"))
        self.copy.clicked.connect(self._copy)
        self.close_button = QPushButton()
        self.close_button.setProperty("role", "quiet")
        self.close_button.setToolTip(self.tr("Dismiss"))
        self.close_button.setAccessibleName(self.tr("Dismiss the problem"))
        self.close_button.clicked.connect(self._dismiss)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 10, 10)
        row.setSpacing(10)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._scroll, 1)
        for button in (self.count, self.copy, self.close_button):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(1500)
        self._copied.timeout.connect(lambda: self.copy.setText(self.tr("Copy")))
        self.set_theme(theme)
        self.hide()

    @property
    def troubles(self) -> list[Trouble]:
        """What is open, oldest first."""
        return list(self._open)

    def set_theme(self, theme: Theme) -> None:
        """Redraw the symbols in other colours."""
        self._theme = theme
        self._sign.setPixmap(icons.icon("warning", theme.bad, 22).pixmap(QSize(22, 22), self.devicePixelRatioF()))
        self.copy.setIcon(icons.icon("copy", theme.text, 16))
        self.close_button.setIcon(icons.icon("close", theme.text, 16))

    def add(self, stage: str, problem: str, remedy: str) -> None:
        """Show an error unless it has been shown since `stage` last worked."""
        trouble = self._last[stage] = Trouble(stage, problem, remedy)
        if trouble in self._known:
            return
        self._known.add(trouble)
        if trouble not in self._open:
            self._open.append(trouble)
        self._at = self._open.index(trouble)
        self._show()

    def recall(self, stage: str) -> None:
        """Show the stage's last error again, also after it was dismissed."""
        trouble = self._last.get(stage)
        if trouble is None:
            return
        if trouble not in self._open:
            self._open.append(trouble)
        self._at = self._open.index(trouble)
        self._show()

    def forget(self, stage: str) -> None:
        """The stage tries again: should the same error come back, it is news."""
        self._known = {t for t in self._known if t.stage != stage}

    def resolve(self, stage: str) -> None:
        """The stage works (or was switched off): its errors are gone."""
        self.forget(stage)
        self._last.pop(stage, None)
        if any(t.stage == stage for t in self._open):
            self._open = [t for t in self._open if t.stage != stage]
            self._at = min(self._at, len(self._open) - 1)
            self._show()

    def _dismiss(self) -> None:
        del self._open[self._at]
        self._at = max(0, min(self._at, len(self._open) - 1))
        self._show()

    def _next(self) -> None:
        self._at = (self._at + 1) % len(self._open)
        self._show()

    def _copy(self) -> None:
        trouble = self._open[self._at]
        QGuiApplication.clipboard().setText(f"{trouble.problem}\n{trouble.remedy}".strip())
        self.copy.setText(self.tr("Copied"))
        self._copied.start()

    def _show(self) -> None:
        if not self._open:
            self.hide()
            return
        trouble = self._open[self._at]
        self.problem.set_text(trouble.problem)
        self.remedy.set_text(trouble.remedy)
        self.remedy.setVisible(bool(trouble.remedy))
        self.count.setText(self.tr("{at} of {all}").format(at=self._at + 1, all=len(self._open)))
        self.count.setVisible(len(self._open) > 1)
        self.setAccessibleName(self.tr("Problem"))
        self.setAccessibleDescription(f"{trouble.problem} {trouble.remedy}")
        self.show()
        self._fit()

    def _fit(self) -> None:
        width_px = max(120, self._scroll.viewport().width() - 4)
        for text in (self.problem, self.remedy):
            text.fit(width_px, hug=False)
        shown = [t for t in (self.problem, self.remedy) if not t.isHidden()]
        height_px = sum(t.height() for t in shown) + 3 * (len(shown) - 1)
        self._scroll.setFixedHeight(max(28, min(MAX_TEXT_PX, height_px)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Wrap the texts for the new width."""
        super().resizeEvent(event)
        if self._open:
            # After the layout has placed the scroll area: its width is not known here yet.
            QTimer.singleShot(0, self, self._fit)
