"""Brain: who answers, what it may take along, and whether it can be reached."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.gui.fields import ChoiceField, Note, NumberField, SwitchField, TextField, make_button
from app.gui.form_page import FormPage
from app.gui.secret_row import SecretRow
from app.messages import TestBrain


class ConnectionTest(QWidget):
    """A button, and one line per provider that was asked."""

    def __init__(self, page: BrainPage) -> None:
        super().__init__()
        self._studio = page.studio
        self.button = make_button(self.tr("Test the connection"))
        self.button.clicked.connect(self._begin)
        self.note = Note()
        self.lines: dict[str, Note] = {}
        head = QHBoxLayout()
        head.setSpacing(14)
        head.addWidget(self.button)
        head.addWidget(self.note, 1)
        head.addStretch(0)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(6)
        self._column.addLayout(head)
        self._studio.bridge.brain_tested.connect(self._show)

    def _begin(self) -> None:
        for line in self.lines.values():
            line.say("")
        self.note.say(self.tr("Asking each of them for a word…"), "dim")
        self._studio.retried.emit(("llm",))
        self._studio.put(TestBrain())

    def _show(self, found: dict[str, object]) -> None:
        self.note.say("")
        provider, model = str(found.get("provider") or ""), str(found.get("model") or "")
        line = self.lines.get(provider)
        if line is None:
            line = self.lines[provider] = Note()
            self._column.addWidget(line)
        name = {"groq": self.tr("Groq"), "server": self.tr("Server"), "local": self.tr("This computer")}.get(
            provider, provider
        )
        head = f"{name} · {model}" if model else name
        detail = str(found.get("detail") or "")
        if not found.get("ok"):
            line.say(self.tr("✗ {who}: {detail}").format(who=head, detail=detail), "problem")
            return
        parts = []
        if isinstance(round_trip_ms := found.get("round_trip_ms"), int | float):
            parts.append(self.tr("round trip {ms:.0f} ms").format(ms=round_trip_ms))
        if isinstance(first_ms := found.get("first_token_ms"), int | float):
            parts.append(self.tr("first word after {ms:.0f} ms").format(ms=first_ms))
        line.say(self.tr("✓ {who}: {detail}").format(who=head, detail=", ".join(parts) or detail), "good")


class BrainPage(FormPage):
    """Every setting of the brain, and the test of its connections."""

    icon = "brain"

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Brain")

    def build(self) -> Iterator[None]:
        """Make the panels."""
        studio = self.studio

        def may_ask(who: str) -> bool:
            return studio.value("brain.provider") in ("auto", who)

        def for_groq() -> bool:
            return may_ask("groq") or studio.value("hearing.transcriber") == "groq"

        def has_server() -> bool:
            return may_ask("server") and bool(studio.value("brain.server_url"))

        def asks_far() -> bool:
            return studio.value("brain.provider") != "local"

        who = self.section(self.tr("Who answers"))
        who.add(
            ChoiceField(
                studio,
                "brain.provider",
                self.tr("Provider"),
                self.tr(
                    "“The best that is there” asks Groq where a key is stored, then your server, then the model on "
                    "this computer; each stands in for the one before."
                ),
                {
                    "auto": self.tr("The best that is there"),
                    "groq": self.tr("Groq"),
                    "server": self.tr("A server of your own"),
                    "local": self.tr("This computer alone"),
                },
            )
        )
        yield
        self.test = ConnectionTest(self)
        who.add_widget(self.test)
        yield
        groq = self.section(self.tr("Groq"))
        self.groq_key = SecretRow(
            studio,
            "groq",
            "GROQ_API_KEY",
            self.tr("Key"),
            self.tr("Optional and free of charge at console.groq.com. With it your words are sent to Groq."),
        )
        groq.add(self.groq_key, for_groq)
        yield
        groq.add(
            TextField(studio, "brain.groq_model", self.tr("Model"), self.tr("The name that Groq gives the model.")),
            lambda: may_ask("groq"),
        )
        yield
        groq.add(
            TextField(
                studio,
                "brain.groq_fallback_model",
                self.tr("Second model"),
                self.tr("Asked where the first has reached its limit, since each has its own. Empty: none."),
            ),
            lambda: may_ask("groq"),
        )
        yield
        server = self.section(self.tr("Server"))
        server.add(
            TextField(
                studio,
                "brain.server_url",
                self.tr("Address"),
                self.tr("Any server that speaks OpenAI's chat, such as Ollama, LM Studio or llama.cpp."),
                "http://127.0.0.1:11434/v1",
            ),
            lambda: may_ask("server"),
        )
        yield
        server.add(
            TextField(
                studio, "brain.server_model", self.tr("Model"), self.tr("Empty takes the first that the server has.")
            ),
            has_server,
        )
        yield
        server.add(
            SecretRow(
                studio,
                "server",
                "KUCHIPAKU_SERVER_KEY",
                self.tr("Key"),
                self.tr("Only where the server asks for one."),
            ),
            has_server,
        )
        yield
        answers = self.section(self.tr("Answers"))
        answers.add(
            NumberField(
                studio,
                "brain.max_tokens",
                self.tr("Longest answer of this computer"),
                self.tr("In tokens; a word is about one and a half."),
                step=8,
                with_slider=False,
            ),
            lambda: may_ask("local"),
        )
        yield
        answers.add(
            NumberField(
                studio,
                "brain.remote_max_tokens",
                self.tr("Longest answer of Groq and servers"),
                self.tr("In tokens, thoughts that are not said included."),
                step=50,
                with_slider=False,
            ),
            asks_far,
        )
        yield
        answers.add(
            NumberField(
                studio,
                "brain.first_token_s",
                self.tr("Give up after"),
                self.tr("Groq is left for the next after this long without a word; a server after ten times that."),
                step=0.5,
                unit=self.tr(" s"),
            ),
            asks_far,
        )
        yield
        answers.add(
            NumberField(
                studio,
                "brain.history_tokens",
                self.tr("Talk kept word by word"),
                self.tr("In tokens. What is older is summed up."),
                step=100,
                with_slider=False,
            )
        )
        yield
        answers.add(
            SwitchField(
                studio,
                "brain.memory",
                self.tr("Remember me"),
                self.tr("Keep what you tell about yourself, on this computer. kuchipaku memory shows and erases it."),
            )
        )
        yield
        answers.add(
            SwitchField(
                studio,
                "brain.keep_history",
                self.tr("Keep the talk"),
                self.tr("Keep what was said, on this computer, so that the page History can show it again."),
            )
        )
        answers.add(
            SwitchField(
                studio,
                "brain.emotions",
                self.tr("Words move the face"),
                self.tr("Also words without a tag change the expression, by a small list of words."),
            )
        )
        yield
        answers.add(
            NumberField(
                studio,
                "brain.speak_first_s",
                self.tr("Speak first after"),
                self.tr("After this long a silence it begins to talk by itself."),
                step=5,
                unit=self.tr(" s"),
                with_slider=False,
                at_least=self.tr("never"),
            )
        )
        yield
        answers.add(
            NumberField(
                studio,
                "brain.speak_first_times",
                self.tr("So often in a row"),
                self.tr("Without an answer of yours it then waits."),
                step=1,
            ),
            lambda: float(studio.value("brain.speak_first_s")) > 0,
        )
        yield
