"""Lip sync for the user: what the lips are made from, the offset of the mouth, and the test that finds it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from app.gui import icons
from app.gui.theme import Theme

LIMIT_MS = 200
STEP_MS = 5
KEEP_AFTER_MS = 800
"""A value that has stood so long is kept in the settings."""


class LipsBadge(QPushButton):
    """What the lips were last made from, in two or three words; a click opens the panel."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "badge")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the keys to the stage
        self.setText(self.tr("Lips"))
        self.set_explanation("")

    def set_source(self, method: str) -> None:
        """Show where the lips of the newest clip come from (`animator.protocol.Lips.method`)."""
        short = {
            "durations": self.tr("exact"),
            "aligned": self.tr("text and sound"),
            "decoded": self.tr("by ear"),
            "loudness": self.tr("loudness"),
        }.get(method)
        self.setText(self.tr("Lips: {source}").format(source=short) if short else self.tr("Lips"))

    def set_explanation(self, words: str) -> None:
        """The sentence about the source, for the tooltip."""
        tip = self.tr("Click to shift the mouth or to test lip sync.")
        # Reasons come from elsewhere: a tooltip that looks like markup would be shown as markup.
        self.setToolTip(f"{words}\n{tip}".strip().replace("<", "‹"))
        self.setAccessibleName(self.tr("Lip sync"))
        self.setAccessibleDescription(words)


class LipSyncPanel(QFrame):
    """A slider with its help and the test, beside the picture that it is about. Hidden until it is asked for."""

    offset_changed = Signal(int, bool)
    """Offset in ms (positive: the mouth is later), and whether it is to be kept."""
    test_wanted = Signal(bool)

    def __init__(self, offset_ms: int, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self._turn: int | None = None
        self._kept_ms = offset_ms
        self._source = ("", "", "")
        title = QLabel(self.tr("Lip sync"))
        title.setProperty("weight", "strong")
        self.source = QLabel()
        self.source.setProperty("role", "dim")
        self.source.setWordWrap(True)
        self.close_button = QPushButton()
        self.close_button.setProperty("role", "quiet")
        self.close_button.setToolTip(self.tr("Close"))
        self.close_button.setAccessibleName(self.tr("Close lip sync"))
        self.close_button.clicked.connect(self.hide)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(-LIMIT_MS // STEP_MS, LIMIT_MS // STEP_MS)
        self.slider.setPageStep(4)
        self.slider.setTickInterval(LIMIT_MS // STEP_MS)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.slider.setAccessibleName(self.tr("When the mouth moves"))
        self.slider.setToolTip(self.tr("Move the mouth against the voice"))
        self.value = QLabel()
        self.value.setMinimumWidth(self.fontMetrics().horizontalAdvance(self.tr("200 ms earlier") + "  "))
        self.reset = QPushButton(self.tr("Reset"))
        self.reset.setProperty("role", "quiet")
        self.reset.clicked.connect(lambda: self.slider.setValue(0))
        self.help = QLabel(
            self.tr(
                "Lips ahead of the voice, as with Bluetooth speakers? Set them later. The test flashes and clicks once "
                "a second, the same way that mouth and voice go: move the slider until both fall together. It measures "
                "what speakers and screen add to what the computer knows, to about a frame ({frame_ms} ms)."
            ).format(frame_ms=33)
        )
        self.help.setProperty("role", "dim")
        self.help.setWordWrap(True)
        self.test = QPushButton()
        self.test.setCheckable(True)
        self.test.clicked.connect(self.test_wanted)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addWidget(self.source, 1)
        head.addWidget(self.close_button)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.addWidget(QLabel(self.tr("earlier")), 0, 0)
        grid.addWidget(self.slider, 0, 1)
        grid.addWidget(QLabel(self.tr("later")), 0, 2)
        grid.addWidget(self.value, 0, 3)
        grid.addWidget(self.reset, 0, 4)
        grid.addWidget(self.test, 0, 5)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 9, 10, 10)
        column.setSpacing(6)
        column.addLayout(head)
        column.addLayout(grid)
        column.addWidget(self.help)
        self._keep = QTimer(self)
        self._keep.setSingleShot(True)
        self._keep.setInterval(KEEP_AFTER_MS)
        self._keep.timeout.connect(self.keep)
        self.slider.setValue(round(offset_ms / STEP_MS))
        self.slider.valueChanged.connect(self._move)
        self._offset_ms = offset_ms
        self._write_value()
        self._show_test()
        self.set_source("", "", "")
        self.set_theme(theme)
        self.hide()

    @property
    def offset_ms(self) -> int:
        """How much later than the voice the mouth is shown."""
        return self._offset_ms

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.close_button.setIcon(icons.icon("close", theme.text))

    def explanation(self) -> str:
        """Where the lips of the newest clip come from, as a sentence."""
        method, model, reason = self._source
        name = self.tr("own model") if model == "own" else model
        by = f" ({name})" if name else ""
        words = {
            "durations": self.tr("The voice itself says when each of its sounds falls, which is exact"),
            "aligned": self.tr("The words are laid onto the sound{by}").format(by=by),
            "decoded": self.tr("The sounds are heard from the voice{by}").format(by=by),
            "loudness": self.tr("The mouth opens with the loudness alone"),
        }.get(method, "")
        if not words:
            return ""
        return f"{words}: {reason.rstrip('.')}." if reason else f"{words}."

    def set_source(self, method: str, model: str, reason: str) -> None:
        """Where the lips of the newest clip come from (`animator.protocol.Lips`)."""
        self._source = (method, model, reason)
        self.source.setText(self.explanation().replace("<", "‹"))

    def set_offset(self, offset_ms: int) -> None:
        """The offset was set elsewhere and is kept there; while the slider is being moved here, that counts."""
        if self._keep.isActive():
            return
        self._offset_ms = self._kept_ms = offset_ms
        self.slider.blockSignals(True)
        self.slider.setValue(round(offset_ms / STEP_MS))
        self.slider.blockSignals(False)
        self._write_value()

    def begin_test(self, turn: int) -> None:
        """The test is running as `turn`."""
        self._turn = turn
        self._show_test()

    def end_turn(self, turn: int) -> None:
        """A turn is over; the test with it, if it was that."""
        if turn == self._turn:
            self._turn = None
        self._show_test()

    def keep(self) -> None:
        """Have the offset kept, if it is a new one."""
        self._keep.stop()
        if self._offset_ms != self._kept_ms:
            self._kept_ms = self._offset_ms
            self.offset_changed.emit(self._offset_ms, True)

    def leave(self) -> None:
        """The panel is closed: keep the offset, end the test."""
        self.keep()
        if self._turn is not None:
            self.test_wanted.emit(False)

    def _move(self, steps: int) -> None:
        self._offset_ms = steps * STEP_MS
        self._write_value()
        self.offset_changed.emit(self._offset_ms, False)
        self._keep.start()

    def _write_value(self) -> None:
        if self._offset_ms == 0:
            words = self.tr("in time")
        elif self._offset_ms > 0:
            words = self.tr("{ms} ms later").format(ms=self._offset_ms)
        else:
            words = self.tr("{ms} ms earlier").format(ms=-self._offset_ms)
        self.value.setText(words)
        self.slider.setAccessibleDescription(words)

    def _show_test(self) -> None:
        is_running = self._turn is not None
        self.test.setChecked(is_running)
        self.test.setText(self.tr("Stop the test") if is_running else self.tr("Flash + click"))
        self.test.setToolTip(self.tr("Flash and click once a second, for twelve seconds"))
