"""A token by which other programs are let in, on a page of settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.control_token import control_token, new_token
from app.gui.background import in_background
from app.gui.fields import Row, make_button


class TokenRow(Row):
    """The word by which programs prove that they may ask: hidden until it is wanted, copied, or made anew."""

    renewed = Signal()
    """There is another token, and the one before counts no longer."""

    def __init__(
        self,
        label: str,
        help_text: str,
        file: Path,
        words: Callable[[str], str] = lambda token: token,
        *,
        renews: bool = True,
    ) -> None:
        """`file` holds the token; `words` makes of it what is shown and copied, such as an address with it.

        Without `renews` another row of the page makes the token anew.
        """
        super().__init__(label, help_text)
        self._file = file
        self._words = words
        self._token = ""
        self.line = QLineEdit()
        self.line.setProperty("role", "field")
        self.line.setReadOnly(True)
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.setAccessibleName(label)
        self.line.setAccessibleDescription(help_text)
        self.copy = make_button(self.tr("Copy"))
        self.copy.setAccessibleName(self.tr("Copy: {name}").format(name=label))
        self.copy.clicked.connect(self._copy)
        self.renew = make_button(self.tr("New token"))
        self.renew.setToolTip(self.tr("Programs that have the old one are shut out"))
        self.renew.clicked.connect(lambda: self._fetch(lambda: new_token(self._file), self.renewed.emit))
        self.renew.setVisible(renews)
        editor = QWidget()
        row = QHBoxLayout(editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.line, 1)
        row.addWidget(self.copy)
        row.addWidget(self.renew)
        self.put_editor(editor)
        self._copied = QTimer(self)
        self._copied.setSingleShot(True)
        self._copied.setInterval(1500)
        self._copied.timeout.connect(lambda: self.copy.setText(self.tr("Copy")))

    def _fit(self) -> None:
        if self._editor is not None:
            self._editor.setFixedWidth(62 * self.fontMetrics().averageCharWidth())

    def look(self) -> None:
        """Read the token, on another thread; one is made where there is none."""
        self._fetch(lambda: control_token(self._file))

    def _fetch(self, get: Callable[[], str], then: Callable[[], None] = lambda: None) -> None:
        def show(token: str) -> None:
            self.problem.say("")
            self._token = token
            self.show_words()
            then()

        in_background(self, get, show, lambda error: self.problem.say(f"{error.problem} {error.remedy}"))

    def show_words(self) -> None:
        """Show what `words` makes of the token now."""
        if self._token:
            self.line.setText(self._words(self._token))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.line.text())
        self.copy.setText(self.tr("Copied"))
        self._copied.start()
