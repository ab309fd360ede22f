"""History: what was said, to search, to write to a file, and to erase."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QDate, QLocale, QSignalBlocker, QTime, QTimer
from PySide6.QtGui import QColor, QFont, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.errors import AppError
from app.gui.background import in_background
from app.gui.fields import Note, make_picker
from app.gui.studio import Page, Studio
from app.gui.theme import Theme
from app.history_store import HistoryStore, Said, export

SHOWN = 300
"""Messages shown at once: laying out more would hold the window up. The search finds the older ones."""
SEARCH_AFTER_MS = 200
NEWS_AFTER_MS = 1200
"""After an answer has ended: by then it is in the file."""


class HistoryPage(Page):
    """The newest messages, newest last. The file is read on other threads than the window's."""

    icon = "history"

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(studio, parent)
        self._store: HistoryStore | None = studio.info.history
        self._shown: list[Said] = []
        self._asked = 0
        self._is_seen = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self.refresh)
        self._build()
        studio.theme_changed.connect(self._apply_theme)
        studio.setting_changed.connect(self._note_setting)
        studio.bridge.fell_silent.connect(self._note_news)
        self._apply_theme(studio.theme)

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("History")

    def enter(self) -> None:
        """Read anew what is kept."""
        self._is_seen = True
        self._say_setting()
        self.refresh()
        self.search.setFocus()

    def leave(self) -> None:
        """Nothing is read while the page is not seen."""
        self._is_seen = False
        self._later.stop()

    @property
    def messages(self) -> list[Said]:
        """What is shown."""
        return list(self._shown)

    def _build(self) -> None:
        heading = QLabel(self.title)
        heading.setProperty("role", "heading")
        intro = QLabel(self.tr("What was said. It is kept on this computer only, in a file that only you can read."))
        intro.setProperty("role", "dim")
        intro.setWordWrap(True)
        self.search = QLineEdit()
        self.search.setPlaceholderText(self.tr("Search…"))
        self.search.setAccessibleName(self.tr("Search the history"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda: self._later.start(SEARCH_AFTER_MS))
        self.whose = make_picker(self.studio.theme)
        self.whose.setAccessibleName(self.tr("Talks with"))
        self.whose.setToolTip(self.tr("Whose talks are shown, written to a file, and erased"))
        self.whose.addItem(self.tr("All characters"), None)
        self.whose.activated.connect(self.refresh)
        self.export = QPushButton(self.tr("Export…"))
        self.export.setToolTip(self.tr("Write what is found, all of it, to a file: Markdown or JSON"))
        self.export.clicked.connect(self._export)
        self.erase = QPushButton(self.tr("Erase…"))
        self.erase.clicked.connect(self._erase)
        self.note = Note()
        self.off = Note()
        self.text = QTextEdit()
        self.text.setReadOnly(True)
        self.text.setAcceptRichText(False)
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setProperty("role", "pages")
        self.text.setTabChangesFocus(True)
        self.text.setAccessibleName(self.tr("What was said"))
        panel = QFrame()
        panel.setProperty("role", "panel")
        inner = QVBoxLayout(panel)
        inner.setContentsMargins(14, 10, 6, 10)
        inner.addWidget(self.text)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.search, 3)
        row.addWidget(self.whose, 2)
        row.addWidget(self.export)
        row.addWidget(self.erase)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 0, 0, 0)
        whole.setSpacing(10)
        for part in (heading, intro, self.off):
            whole.addWidget(part)
        whole.addLayout(row)
        whole.addWidget(self.note)
        whole.addWidget(panel, 1)

    # What is found.

    def refresh(self) -> None:
        """Look again for what is asked for."""
        store = self._store
        if store is None:
            self._show([], [])
            return
        self._asked += 1
        asked, words, whose = self._asked, self.search.text(), self.whose.currentData()

        def look() -> tuple[list[Said], list[str]]:
            return store.find(words, whose, SHOWN), store.characters()

        def done(found: tuple[list[Said], list[str]]) -> None:
            if asked == self._asked:
                self._show(*found)

        in_background(self, look, done, self._say_failed)

    def _show(self, messages: list[Said], characters: list[str]) -> None:
        whose = self.whose.currentData()
        if whose is not None and whose not in characters:
            characters = sorted([*characters, whose])
        with QSignalBlocker(self.whose):
            self.whose.clear()
            self.whose.addItem(self.tr("All characters"), None)
            for name in characters:
                self.whose.addItem(name, name)
            self.whose.setCurrentIndex(max(0, self.whose.findData(whose)))
        self.export.setEnabled(bool(messages))
        self.erase.setEnabled(bool(characters))
        if messages != self._shown or not messages:
            self._shown = messages
            self._write()

    def _write(self) -> None:
        theme = self.studio.theme
        self.text.clear()
        cursor = QTextCursor(self.text.document())
        plain, dim, name = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        plain.setForeground(QColor(theme.text))
        dim.setForeground(QColor(theme.dim))
        name.setForeground(QColor(theme.accent))
        name.setFontWeight(QFont.Weight.DemiBold)
        day_block, block = QTextBlockFormat(), QTextBlockFormat()
        day_block.setTopMargin(10)
        day_block.setBottomMargin(6)
        block.setBottomMargin(4)
        if not self._shown:
            searched = bool(self.search.text().strip())
            cursor.insertText(self.tr("Nothing was found.") if searched else self.tr("Nothing is kept yet."), dim)
            return
        cursor.beginEditBlock()
        last_day = None
        locale = QLocale()
        for each in self._shown:
            at = datetime.fromtimestamp(each.at_s)
            if at.date() != last_day:
                cursor.insertBlock(day_block) if last_day is not None else cursor.setBlockFormat(day_block)
                last_day = at.date()
                cursor.insertText(locale.toString(QDate(at.year, at.month, at.day)), dim)
            cursor.insertBlock(block)
            cursor.insertText(locale.toString(QTime(at.hour, at.minute), QLocale.FormatType.ShortFormat) + "  ", dim)
            cursor.insertText((self.tr("You") if each.who == "user" else each.character) + "  ", name)
            cursor.insertText(" ".join(each.text.split()), plain)
            if each.cut:
                cursor.insertText("  " + self.tr("interrupted"), dim)
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.End)

    # What the user does.

    def _export(self) -> None:
        store = self._store
        kinds = self.tr("Markdown (*.md);;JSON (*.json)")
        path, kind = QFileDialog.getSaveFileName(self, self.tr("Export the history"), "kuchipaku.md", kinds)
        if not path or store is None:
            return
        file = Path(path)
        if file.suffix.lower() not in (".md", ".json"):
            file = file.with_name(file.name + (".json" if "json" in kind else ".md"))
        words, whose = self.search.text(), self.whose.currentData()

        def write() -> int:
            found = store.find(words, whose)
            export(found, file)
            return len(found)

        in_background(
            self,
            write,
            lambda count: self.note.say(
                self.tr("{count} messages are in {file}.").format(count=count, file=file.name), "good"
            ),
            self._say_failed,
        )

    def _erase(self) -> None:
        store, whose = self._store, self.whose.currentData()
        if store is None:
            return
        question = (
            self.tr("Erase all talks with {name}?").format(name=whose)
            if whose is not None
            else self.tr("Erase all talks, with all characters?")
        )
        box = QMessageBox(QMessageBox.Icon.Warning, self.tr("Erase the history"), question, parent=self)
        box.setInformativeText(self.tr("This cannot be undone. What the characters remember of you is kept elsewhere."))
        confirm = box.addButton(self.tr("Erase"), QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        if box.clickedButton() is not confirm:
            return

        def done(count: int) -> None:
            self.note.say(self.tr("{count} messages are erased.").format(count=count), "good")
            self.whose.setCurrentIndex(0)
            self.refresh()

        in_background(self, lambda: store.erase(whose), done, self._say_failed)

    # What is said.

    def _say_failed(self, error: AppError) -> None:
        self.note.say(f"{error.problem} {error.remedy}".strip(), "problem")

    def _say_setting(self) -> None:
        keeps = bool(self.studio.value("brain.keep_history"))
        words = self.tr("Nothing new is kept now: the talk is kept only while “Keep the talk” on the page Brain is on.")
        self.off.say("" if keeps else words)

    def _note_setting(self, name: str, _value: object) -> None:
        if name == "brain.keep_history":
            self._say_setting()

    def _note_news(self, _turn: int, _interrupted: bool) -> None:
        if self._is_seen:
            self._later.start(NEWS_AFTER_MS)

    def _apply_theme(self, theme: Theme) -> None:
        self.whose.arrow = theme.dim
        self._write()
