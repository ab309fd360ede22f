"""A key of a service: kept in the system's credential store, shown to nobody, and removed again."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from app.errors import AppError
from app.gui.background import in_background
from app.gui.fields import Note, Row, make_button
from app.gui.studio import Studio
from app.messages import SecretChanged


class SecretRow(Row):
    """Where the key comes from, a field for a new one, and a way to remove it. The key itself is never shown."""

    def __init__(self, studio: Studio, name: str, variable: str, label: str, help_text: str) -> None:
        super().__init__(label, help_text)
        self._studio = studio
        self._name = name
        self._variable = variable
        self._store = studio.info.secrets
        self.line = QLineEdit()
        self.line.setProperty("role", "field")
        self.line.setEchoMode(QLineEdit.EchoMode.Password)
        self.line.setMaxLength(500)
        self.line.setAccessibleName(label)
        self.line.setAccessibleDescription(help_text)
        self.keep_button = make_button(self.tr("Store"))
        self.keep_button.setEnabled(False)
        self.keep_button.clicked.connect(self._keep)
        self.line.textChanged.connect(lambda text: self.keep_button.setEnabled(bool(text.strip())))
        self.line.returnPressed.connect(self._keep)
        self.forget_button = make_button(self.tr("Remove"))
        self.forget_button.setAccessibleName(self.tr("Remove: {label}").format(label=label))
        self.forget_button.clicked.connect(self._forget)
        self.forget_button.hide()
        editor = QWidget()
        row = QHBoxLayout(editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.line, 1)
        row.addWidget(self.keep_button)
        row.addWidget(self.forget_button)
        row.setAlignment(self.forget_button, Qt.AlignmentFlag.AlignRight)
        self.put_editor(editor)
        self.note = Note()
        self._grid.addWidget(self.note, 3, 0, 1, 2)
        self.look()

    def look(self) -> None:
        """Ask the store, on another thread, whether the key is there."""
        store = self._store
        if store is None:
            self._show_place("none")
            return
        in_background(self, lambda: store.place(self._name), self._show_place, self._show_error)

    def _show_place(self, place: str) -> None:
        is_fixed = place == "environment"
        self.line.setEnabled(not is_fixed)
        self.keep_button.setVisible(not is_fixed and place != "store")
        self.forget_button.setVisible(place == "store")
        self.line.setVisible(place != "store")
        if is_fixed:
            self.line.setPlaceholderText(self.tr("set outside the app"))
            self.note.say(self.tr("Taken from the environment variable {name}.").format(name=self._variable), "dim")
        elif place == "store":
            self.note.say(self.tr("A key is kept in the system's credential store."), "good")
        else:
            self.line.setPlaceholderText(self.tr("Paste the key here"))
            self.note.say("")

    def _keep(self) -> None:
        store, key = self._store, self.line.text().strip()
        if store is None or not key:
            return
        self.keep_button.setEnabled(False)
        self.problem.say("")
        in_background(self, lambda: store.keep(self._name, key), lambda _: self._kept(), self._show_error)

    def _kept(self) -> None:
        self.line.clear()
        self._studio.put(SecretChanged(self._name))
        self.look()

    def _forget(self) -> None:
        store = self._store
        if store is None:
            return
        self.problem.say("")
        in_background(self, lambda: store.forget(self._name), lambda _: self._kept(), self._show_error)

    def _show_error(self, error: AppError) -> None:
        self.keep_button.setEnabled(bool(self.line.text().strip()))
        self.problem.say(f"{error.problem} {error.remedy}")
