"""Who a character is: name, persona, greeting; and a chat beside it to try the persona before it is kept."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from animator.character import Character
from app.characters.character_file import Texts, save_texts
from app.characters.library import MAX_NAME, Entry, character_at, own_copy
from app.gui import icons
from app.gui.characters.look import Note, button, heading, lay_out, panel_of
from app.gui.characters.work import Work
from app.gui.conversation import Bubble
from app.gui.studio import Studio
from app.gui.theme import Theme
from app.messages import TryPersona

MAX_PERSONA, MAX_LINE = 8000, 500
KEPT = 12
"""Questions of the try-out that the brain is shown again."""


class TryOutChat(QFrame):
    """Asks the brain as the persona that is being written. Nothing of it is kept."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.setMinimumWidth(280)
        self._studio = studio
        self._persona = ""
        self._name = ""
        self._number = 0
        self._has_asked = False
        self._question = ""
        self._said: list[tuple[str, str]] = []
        self._answer: Bubble | None = None
        self.bubbles: list[Bubble] = []
        self._build()
        studio.bridge.persona_tried.connect(self._take)
        studio.theme_changed.connect(self._apply_theme)
        self._apply_theme(studio.theme)
        self._fit_soon = QTimer(self)
        self._fit_soon.setSingleShot(True)
        self._fit_soon.setInterval(0)
        self._fit_soon.timeout.connect(self._fit)

    def _build(self) -> None:
        self._inner = QWidget()
        self._inner.setObjectName("log")
        self._column = QVBoxLayout(self._inner)
        self._column.setContentsMargins(2, 2, 8, 2)
        self._column.setSpacing(8)
        self._empty = QLabel(self.tr("Say something, and hear in writing how the persona answers."))
        self._empty.setProperty("role", "dim")
        self._empty.setWordWrap(True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._column.addWidget(self._empty, 1)
        self._column.addStretch(1)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(self._inner)
        self._scroll.viewport().installEventFilter(self)
        bar = self._scroll.verticalScrollBar()
        bar.rangeChanged.connect(lambda low, high: bar.setValue(high))
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("Try it: type a message…"))
        self.field.setAccessibleName(self.tr("Message to try the persona with"))
        self.field.setMaxLength(500)
        self.send = button("", "primary", self.tr("Ask (Enter)"))
        self.send.setAccessibleName(self.tr("Ask"))
        self.clear = button(self.tr("Start over"), "quiet", self.tr("Forget what was said in this try-out"))
        head = QHBoxLayout()
        head.addWidget(heading(self.tr("Try it out"), "section"), 1)
        head.addWidget(self.clear)
        entry = QHBoxLayout()
        entry.setSpacing(8)
        entry.addWidget(self.field, 1)
        entry.addWidget(self.send)
        self.trouble = Note()
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 12, 14, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self._scroll, 1)
        column.addWidget(self.trouble)
        column.addLayout(entry)
        self.field.returnPressed.connect(self._ask)
        self.send.clicked.connect(self._ask)
        self.clear.clicked.connect(self.start_over)

    def _apply_theme(self, theme: Theme) -> None:
        self.send.setIcon(icons.icon("send", theme.on_accent, disabled=theme.dim))

    def set_persona(self, name: str, persona: str) -> None:
        """Answer as this one from the next question on."""
        self._name, self._persona = name, persona

    def start_over(self) -> None:
        """Nothing was said."""
        self._number += 1
        self._said.clear()
        self._answer = None
        for bubble in self.bubbles:
            self._column.removeWidget(bubble)
            bubble.deleteLater()
        self.bubbles.clear()
        self._empty.show()
        self.trouble.say("")

    def end(self) -> None:
        """The page is left: the brain of the try-out may go."""
        if self._has_asked:
            self._has_asked = False
            self._studio.put(TryPersona(0, "", ""))
        self.start_over()

    def _ask(self) -> None:
        text = self.field.text().strip()
        if not text or not self._persona.strip():
            return
        self.field.clear()
        self.trouble.say("")
        self._number += 1
        self._has_asked = True
        self._question = text
        self._add("user", self.tr("You"), text)
        self._answer = self._add("character", self._name, "…")
        self._answer.set_text("…", "waiting")
        self._studio.put(TryPersona(self._number, self._persona, text, tuple(self._said[-KEPT:])))

    def _add(self, who: str, name: str, text: str) -> Bubble:
        self._empty.hide()
        bubble = Bubble(who, name, text)
        self.bubbles.append(bubble)
        self._column.addWidget(bubble)
        bubble.fit(self._scroll.viewport().width() - 12)
        return bubble

    def _take(self, data: dict[str, object]) -> None:
        if data.get("number") != self._number or self._answer is None:
            return
        if problem := str(data.get("problem") or ""):
            self.trouble.say(f"{problem} {data.get('remedy') or ''}", "trouble")
            bubble, self._answer = self._answer, None
            self.bubbles.remove(bubble)
            self._column.removeWidget(bubble)
            bubble.deleteLater()
            return
        text = str(data.get("text") or "")
        if text:
            self._answer.set_text(text)
        if data.get("done"):
            self._said.append((self._question, text))
            self._answer = None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Words wrap anew where there is another width."""
        if event.type() == QEvent.Type.Resize and isinstance(event, QResizeEvent):
            self._fit_soon.start()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        for bubble in self.bubbles:
            bubble.fit(self._scroll.viewport().width() - 12)


class PersonaEditor(QWidget):
    """`saved` tells the entry (a new one where a copy was made), `left` that the page is to be left."""

    saved = Signal(object)
    left = Signal()

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entry: Entry | None = None
        self._texts = Texts("", "", "", "")
        self._loading = Work(self)
        self._saving = Work(self)
        self.chat = TryOutChat(studio)
        self._build()

    def _build(self) -> None:
        self.title = heading("")
        self.copies = Note()
        self.name = QLineEdit()
        self.name.setMaxLength(MAX_NAME)
        self.name.setAccessibleName(self.tr("Name"))
        self.persona = QPlainTextEdit()
        self.persona.setAccessibleName(self.tr("Persona"))
        self.persona.setTabChangesFocus(True)
        self.persona.setMinimumHeight(150)
        self.count = QLabel()
        self.count.setProperty("role", "small")
        self.greeting = QLineEdit()
        self.greeting.setMaxLength(MAX_LINE)
        self.greeting.setAccessibleName(self.tr("Greeting"))
        self.fallback = QLineEdit()
        self.fallback.setMaxLength(MAX_LINE)
        self.fallback.setAccessibleName(self.tr("When nobody can answer"))
        form = QWidget()
        form.setObjectName("log")
        column = QVBoxLayout(form)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(6)

        def row(label: str, help_text: str, widget: QWidget, stretch: int = 0) -> None:
            column.addWidget(heading(label, "section"))
            about = QLabel(help_text)
            about.setProperty("role", "dim")
            about.setWordWrap(True)
            column.addWidget(about)
            column.addWidget(widget, stretch)
            column.addSpacing(8)

        row(self.tr("Name"), self.tr("What it is called, and what the wake word listens for."), self.name)
        row(
            self.tr("Persona"),
            self.tr("Who it is and how it talks, written to it: “You are …”. Short spoken answers work best."),
            self.persona,
            1,
        )
        column.addWidget(self.count, 0, Qt.AlignmentFlag.AlignRight)
        row(self.tr("Greeting"), self.tr("The first thing that it says."), self.greeting)
        row(
            self.tr("When nobody can answer"),
            self.tr("Said in its voice where its brain cannot be reached."),
            self.fallback,
        )
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(form)
        self.trouble = Note()
        self.back = button(self.tr("Back"))
        self.save = button(self.tr("Save"), "primary")
        panel = panel_of(scroll, self.trouble, self.back, self.save)
        lay_out(self, (self.title, self.copies), panel, self.chat, (3, 2))
        for field in (self.name, self.greeting, self.fallback):
            field.textChanged.connect(lambda text: self._refresh())
        self.persona.textChanged.connect(self._refresh)
        self.back.clicked.connect(self.leave)
        self.save.clicked.connect(self._save)

    def open(self, entry: Entry) -> None:
        """Show who `entry` is."""
        self._entry = None
        self.title.setText(entry.name)
        self.copies.say(
            ""
            if entry.is_own
            else self.tr("{name} comes with the app and stays as it is. Saving makes a copy of your own.").format(
                name=entry.name
            )
        )
        self.trouble.say("")
        self.chat.start_over()
        self._loading.begin(lambda: character_at(entry.path), partial(self._show, entry), self._refuse)
        self._refresh()

    def _show(self, entry: Entry, character: Character) -> None:
        self._entry = entry
        self._texts = Texts(
            character.name,
            character.persona,
            character.greeting,
            character.fallback_line,
            character.voice,
            character.language,
        )
        self.name.setText(character.name)
        self.persona.setPlainText(character.persona)
        self.greeting.setText(character.greeting)
        self.fallback.setText(character.fallback_line)
        self._refresh()

    @property
    def texts(self) -> Texts:
        """What is written now."""
        return Texts(
            self.name.text().strip(),
            self.persona.toPlainText().strip(),
            self.greeting.text().strip(),
            self.fallback.text().strip(),
            self._texts.voice,
            self._texts.language,
        )

    @property
    def is_changed(self) -> bool:
        """Whether something was written that is not kept yet."""
        return self._entry is not None and self.texts != self._texts

    def _refresh(self) -> None:
        texts = self.texts
        letters = len(texts.persona)
        self.count.setText(self.tr("{count} of {limit} letters").format(count=letters, limit=MAX_PERSONA))
        self.chat.set_persona(texts.name, texts.persona)
        is_usable = bool(texts.name) and letters <= MAX_PERSONA and not self._saving.is_busy
        self.save.setEnabled(is_usable and self.is_changed)
        for field in (self.name, self.persona, self.greeting, self.fallback):
            field.setEnabled(self._entry is not None)
        if letters > MAX_PERSONA:
            self.trouble.say(self.tr("The persona is too long: shorten it to 8000 letters or fewer."), "trouble")
        elif self.trouble.property("role") == "trouble" and not self._saving.is_busy and self._entry is not None:
            self.trouble.say("")

    def _save(self) -> None:
        entry, texts = self._entry, self.texts
        if entry is None:
            return

        def act() -> Entry:
            own = own_copy(entry)
            # A copy has a name of its own, unless another one was written for it.
            named = texts if own is entry or texts.name != self._texts.name else replaced_name(texts, own.name)
            saved = save_texts(own.path, named)
            return Entry(saved.name, own.path, True)

        self._saving.begin(act, self._take_saved, self._refuse)
        self._refresh()

    def _take_saved(self, entry: Entry) -> None:
        self._texts = self.texts
        self.trouble.say("")
        self.saved.emit(entry)

    def _refuse(self, problem: str, remedy: str) -> None:
        self._refresh()
        self.trouble.say(f"{problem} {remedy}", "trouble")

    def leave(self) -> None:
        """Back to the gallery; what was not saved is gone."""
        self.left.emit()


def replaced_name(texts: Texts, name: str) -> Texts:
    """The same texts under another name."""
    return Texts(name, texts.persona, texts.greeting, texts.fallback_line, texts.voice, texts.language)
