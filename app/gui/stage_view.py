"""The stage with what is written on it: tier, frame rate, set-up progress."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QVBoxLayout, QWidget

from app.gui.lip_sync import LipsBadge
from app.gui.preview import Preview
from app.gui.theme import Theme
from app.messages import Frame

ROWS = 3
"""Progress bars shown at once."""


class ProgressCard(QFrame):
    """One bar per thing that is being prepared; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "card")
        self._shares: dict[str, float] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 12, 16, 14)
        self._column.setSpacing(6)
        self._rows: list[tuple[QLabel, QLabel, QProgressBar]] = []
        for _ in range(ROWS):
            what, percent, bar = QLabel(), QLabel(), QProgressBar()
            percent.setProperty("role", "dim")
            bar.setTextVisible(False)
            bar.setRange(0, 1000)
            head = QHBoxLayout()
            head.addWidget(what, 1)
            head.addWidget(percent)
            self._column.addLayout(head)
            self._column.addWidget(bar)
            self._rows.append((what, percent, bar))
        self.setFixedWidth(340)
        self.hide()

    def set_share(self, what: str, share: float) -> None:
        """`share` in [0, 1]; 1 takes the row away."""
        if share >= 1.0:
            self._shares.pop(what, None)
        else:
            self._shares[what] = share
        shown = list(self._shares.items())[-ROWS:]
        for row, (label, percent, bar) in enumerate(self._rows):
            for widget in (label, percent, bar):
                widget.setVisible(row < len(shown))
            if row < len(shown):
                name, part = shown[row]
                words = name[:1].upper() + name[1:]
                label.setText(label.fontMetrics().elidedText(words, Qt.TextElideMode.ElideMiddle, 250))
                label.setToolTip(name)
                percent.setText(self.tr("{percent} %").format(percent=int(part * 100)))
                bar.setValue(round(part * 1000))
                bar.setAccessibleName(name)
        self.setVisible(bool(shown))

    def clear(self) -> None:
        """Nothing is being prepared any more."""
        for what in list(self._shares):
            self.set_share(what, 1.0)


class StageView(Preview):
    """The preview, with badges in its corners and start-up words in its middle."""

    def __init__(
        self, latest_frame: Callable[[], Frame | None], character: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(latest_frame, theme, parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.tier = QLabel()
        self.tier.setProperty("role", "badge")
        self.tier.hide()
        self.lips = LipsBadge()
        self.rate = QLabel()
        self.rate.setProperty("role", "badge")
        self.rate.hide()
        self.words = QLabel()
        self.words.setProperty("role", "words")
        self.card = ProgressCard()
        self._missed: deque[int] = deque(maxlen=60)
        self._missed_in_all = 0
        self._figures: tuple[float, str] | None = None
        self._waking_words = self.tr("{name} is waking up…").format(name=character)
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 12, 12, 16)
        grid.setVerticalSpacing(14)
        left = QHBoxLayout()
        left.setSpacing(8)
        left.addWidget(self.tier)
        left.addWidget(self.lips)
        grid.addLayout(left, 0, 0, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.rate, 0, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self.words, 2, 0, 1, 2, Qt.AlignmentFlag.AlignHCenter)
        grid.addWidget(self.card, 3, 0, 1, 2, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom)
        grid.setRowStretch(1, 1)
        self.words.setText(self._waking_words)

    def poll(self) -> None:
        """Take the newest frame; the first one clears the start-up words."""
        had = self.has_frame
        super().poll()
        if self.has_frame and not had:
            self.words.hide()

    def set_face_state(self, state: str) -> None:
        """The face failed, works, or starts."""
        if state == "failed":
            self.words.setText(self.tr("No picture: the face is not running"))
        elif state in ("starting", "busy"):
            self.words.setText(self._waking_words)
        elif state == "ready":
            self.words.setText("")
        if not self.has_frame:
            self.words.setVisible(bool(self.words.text()))
        if state in ("failed", "ready"):
            self.card.clear()
        if state in ("failed", "off", "starting"):
            self.rate.hide()
            self._figures = None

    def set_figures(self, fps: float, missed: int, tier: str) -> None:
        """Take in the figures of one second; `refresh` shows them."""
        self._missed.append(missed)
        self._missed_in_all += missed
        self._figures = (fps, tier)

    def refresh(self) -> None:
        """Write the newest figures."""
        if self._figures is None:
            return
        fps, tier = self._figures
        dropped = sum(self._missed)
        self.rate.setText(self.tr("{fps:.0f} fps · {dropped} dropped").format(fps=fps, dropped=dropped))
        self.rate.setToolTip(
            self.tr("Frames per second, and frames that came too late in the last minute ({all} in all)").format(
                all=self._missed_in_all
            )
        )
        self.rate.show()
        name = {"live": self.tr("LIVE"), "exact": self.tr("EXACT")}.get(tier.lower(), tier.upper())
        if name != self.tier.text():
            self.tier.setText(name)
            self.tier.setProperty("tier", tier.lower())
            self.tier.style().unpolish(self.tier)
            self.tier.style().polish(self.tier)
            self.tier.setToolTip(
                {
                    "live": self.tr(
                        "Live tier: the face plays what was prepared for this character (fast, on the CPU)"
                    ),
                    "exact": self.tr("Exact tier: every frame comes from the full networks"),
                }.get(tier.lower(), tier)
            )
            self.tier.setVisible(bool(name))
