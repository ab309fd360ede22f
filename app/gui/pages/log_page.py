"""Log: what the parts of the show said about themselves, to read and to send to somebody who helps."""

from __future__ import annotations

import os
import platform

from PySide6.QtCore import QTimer, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication, QTextOption
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.errors import AppError
from app.gui.background import in_background
from app.gui.fields import Note
from app.gui.studio import Page, Studio
from app.settings import Settings, setting_names, value_of

_PRIVATE = ("brain.server_url", "voice.server_url", "face.character", "stage.picture")
"""Settings whose value is the user's own affair: the report says only that they are set."""


def changed_settings(settings: Settings) -> list[str]:
    """The settings that differ from their defaults, as lines; without what is the user's own affair."""
    usual = Settings()
    lines = []
    for name in setting_names():
        value = value_of(settings, name)
        if value != value_of(usual, name):
            lines.append(f"{name} = (set)" if name in _PRIVATE else f"{name} = {value!r}")
    return lines


class LogPage(Page):
    """Recent states and problems, the check-up of the computer, and a report without keys and without words."""

    icon = "log"

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(studio, parent)
        self._check_up: list[str] = []
        heading = QLabel(self.title)
        heading.setProperty("role", "heading")
        intro = QLabel(
            self.tr(
                "States and problems since the start. What you said, typed or heard is not in it, and no key: you can "
                "send the report as it is."
            )
        )
        intro.setProperty("role", "dim")
        intro.setWordWrap(True)
        self.copy = QPushButton(self.tr("Copy report"))
        self.copy.setProperty("role", "primary")
        self.copy.clicked.connect(self._copy)
        self.check_up = QPushButton(self.tr("Check this computer"))
        self.check_up.setToolTip(self.tr("Looks at every part that the show needs, as kuchipaku doctor does"))
        self.check_up.clicked.connect(self._check)
        self.check_up.setVisible(studio.info.check_up is not None)
        for button in (self.copy, self.check_up):
            button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.note = Note()
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setProperty("role", "code")
        self.text.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setAccessibleName(self.tr("States and problems"))
        self.text.setTabChangesFocus(True)
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addWidget(self.copy)
        buttons.addWidget(self.check_up)
        buttons.addWidget(self.note, 1)
        buttons.addStretch(0)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 0, 0, 0)
        whole.setSpacing(10)
        whole.addWidget(heading)
        whole.addWidget(intro)
        whole.addLayout(buttons)
        whole.addWidget(self.text, 1)
        self._forget = QTimer(self)
        self._forget.setSingleShot(True)
        self._forget.setInterval(3000)
        self._forget.timeout.connect(lambda: self.note.say(""))
        studio.journal_grew.connect(self._show)

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Log")

    def enter(self) -> None:
        """Show the newest."""
        self._show()

    def report(self) -> str:
        """What is copied: the computer, the settings that differ from the defaults, the check-up, and the journal."""
        info = self.studio.info
        head = [
            f"{info.title} {info.version}",
            f"{platform.platform()}, {platform.machine()}, {os.cpu_count()} cores",
            f"Python {platform.python_version()}, Qt {qVersion()}, {QGuiApplication.platformName()}",
            "",
            *(changed_settings(self.studio.settings) or ["Every setting has its default."]),
        ]
        for device in self.studio.bridge.sound:
            names = ("part", "drift_ppm", "lag_ms", "gaps", "sets_pace")
            head.append("sound: " + ", ".join(f"{name} {device[name]}" for name in names))
        if self._check_up:
            head += ["", *self._check_up]
        return self.studio.journal.report(head)

    def _show(self) -> None:
        if not self.isVisible():
            return
        bar = self.text.verticalScrollBar()
        follows = bar.value() >= bar.maximum() - 4
        lines = [entry.line() for entry in self.studio.journal.entries]
        self.text.setPlainText("\n".join([*lines, *([""] if self._check_up else []), *self._check_up]))
        if follows:
            bar.setValue(bar.maximum())

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.report())
        self.note.say(self.tr("Copied. Paste it where you ask for help."), "good")
        self._forget.start()

    def _check(self) -> None:
        check_up = self.studio.info.check_up
        if check_up is None:
            return
        self.check_up.setEnabled(False)
        self._forget.stop()
        self.note.say(self.tr("Looking at every part; that takes some seconds…"), "dim")
        in_background(self, check_up, self._show_check_up, self._show_failed)

    def _show_check_up(self, lines: tuple[str, ...]) -> None:
        self.check_up.setEnabled(True)
        self.note.say("")
        self._check_up = list(lines)
        self._show()
        self.text.verticalScrollBar().setValue(self.text.verticalScrollBar().maximum())

    def _show_failed(self, error: AppError) -> None:
        self.check_up.setEnabled(True)
        self.note.say(f"{error.problem} {error.remedy}", "problem")
