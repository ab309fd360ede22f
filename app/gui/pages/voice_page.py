"""Voice: what speaks, in which language, how fast."""

from __future__ import annotations

from collections.abc import Iterator

from app.gui.fields import ChoiceField, NumberField, TextField
from app.gui.form_page import FormPage
from app.gui.secret_row import SecretRow
from app.gui.speech_test import SpeechTest


class VoicePage(FormPage):
    """Every setting of the voice, heard at once with a test sentence."""

    icon = "voice"

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Voice")

    def build(self) -> Iterator[None]:
        """Make the panels."""
        studio = self.studio

        def engine() -> str:
            chosen = str(studio.value("voice.engine"))
            if chosen == "auto":
                return "openai" if studio.value("voice.server_url") else "piper"
            return chosen

        def may_serve() -> bool:
            return studio.value("voice.engine") in ("auto", "alltalk", "openai")

        def serves() -> bool:
            return engine() in ("alltalk", "openai")

        try_it = self.section(self.tr("Try it"))
        self.test = SpeechTest(studio)
        try_it.add_widget(self.test)
        yield
        voice = self.section(self.tr("Who speaks"))
        voice.add(
            ChoiceField(
                studio,
                "voice.engine",
                self.tr("Engine"),
                self.tr("Piper is built in and needs no network. It speaks too where a server cannot be reached."),
                {
                    "auto": self.tr("A server if one is set, else Piper"),
                    "piper": self.tr("Piper (built in)"),
                    "kokoro": self.tr("Kokoro"),
                    "alltalk": self.tr("AllTalk"),
                    "openai": self.tr("A server with /v1/audio/speech"),
                },
            )
        )
        yield
        voice.add(
            TextField(
                studio,
                "voice.server_url",
                self.tr("Server"),
                self.tr("AllTalk: http://127.0.0.1:7851 unless you changed it. Others: the address up to /v1."),
                "http://127.0.0.1:7851",
            ),
            may_serve,
        )
        yield
        voice.add(
            TextField(
                studio,
                "voice.server_voice",
                self.tr("Voice of the server"),
                self.tr("kuchipaku voices lists them. Empty takes the server's own."),
            ),
            serves,
        )
        yield
        voice.add(
            TextField(
                studio,
                "voice.server_model",
                self.tr("Model of the server"),
                self.tr("For servers that have several, such as “kokoro”."),
            ),
            lambda: engine() == "openai",
        )
        yield
        voice.add(
            SecretRow(
                studio,
                "voice",
                "KUCHIPAKU_VOICE_KEY",
                self.tr("Key"),
                self.tr("Only where the server asks for one."),
            ),
            lambda: engine() == "openai",
        )
        yield
        voice.add(
            TextField(
                studio,
                "voice.rvc_voice",
                self.tr("RVC voice"),
                self.tr("AllTalk 2: a voice of its RVC list, laid over the other one."),
            ),
            lambda: engine() == "alltalk",
        )
        yield
        voice.add(
            NumberField(
                studio,
                "voice.rvc_pitch",
                self.tr("RVC pitch"),
                self.tr("Half tones by which RVC shifts the voice."),
                step=1,
            ),
            lambda: engine() == "alltalk" and bool(studio.value("voice.rvc_voice")),
        )
        yield
        speech = self.section(self.tr("How it speaks"))
        speech.add(
            NumberField(
                studio,
                "voice.speed",
                self.tr("Speed"),
                self.tr("1 is usual; 1.2 is a fifth faster."),
                step=0.05,
            )
        )
        yield
        languages = {
            "auto": self.tr("As each sentence is written"),
            "en": self.tr("English"),
            "ja": self.tr("Japanese"),
            "hi": self.tr("Hindi"),
        }
        speech.add(
            ChoiceField(
                studio,
                "voice.language",
                self.tr("Language"),
                self.tr("Usually the writing of each sentence tells. The built-in voice speaks English."),
                languages,
                list(languages),
            )
        )
        yield
