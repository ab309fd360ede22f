"""Hearing: which microphone, what counts as speech, when a turn is over, and who understands the words."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from app.gui.fields import (
    SETTLE_MS,
    ChoiceField,
    DeviceField,
    Field,
    FolderChoiceField,
    NumberField,
    SwitchField,
    calm,
)
from app.gui.form_page import FormPage
from app.gui.meter import LevelMeter
from app.gui.mic_check import MicrophoneCheck
from app.gui.speech_meter import SCALE, SpeechMeter
from app.gui.studio import Studio
from app.gui.theme import Theme
from app.messages import ListDevices
from app.settings import Value


class ThresholdField(Field):
    """The threshold of speech, drawn into the meter of what is heard at this moment."""

    def __init__(self, studio: Studio, label: str, help_text: str) -> None:
        super().__init__(studio, "hearing.threshold", label, help_text)
        self.level = LevelMeter(studio.theme)
        self.meter = SpeechMeter(studio.theme)
        calm(self.meter)
        self._name_control(self.meter)
        self.number = QLabel()
        self.number.setProperty("role", "dim")
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(lambda: self.commit(round(self.meter.threshold, 2)))
        self.meter.valueChanged.connect(self._move)
        editor = QWidget()
        grid = QGridLayout(editor)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(1, 1)
        for line, (words, meter) in enumerate(((self.tr("Loudness"), self.level), (self.tr("Speech"), self.meter))):
            name = QLabel(words)
            name.setProperty("role", "small")
            grid.addWidget(name, line, 0)
            grid.addWidget(meter, line, 1)
        grid.addWidget(self.number, 1, 2)
        self.put_editor(editor, wide=True)
        studio.bridge.level.connect(self.level.set_level)
        studio.bridge.speech_probability.connect(self.meter.set_probability)
        studio.bridge.tick.connect(self._fall)
        studio.bridge.state.connect(self._note_state)
        self.show_value(studio.value(self.name))

    def show_value(self, value: Value) -> None:
        """Move the threshold."""
        if self._settle.isActive() or self.meter.isSliderDown():
            return
        self.meter.blockSignals(True)
        self.meter.setValue(round(float(value) * SCALE))
        self.meter.blockSignals(False)
        self._write()

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.level.set_theme(theme)
        self.meter.set_theme(theme)

    def _move(self, _value: int) -> None:
        self._write()
        self._settle.start()

    def _write(self) -> None:
        self.number.setText(f"{self.meter.threshold:.2f}")

    def _fall(self) -> None:
        if self.isVisible():
            self.level.fall()
            self.meter.fall()

    def _note_state(self, stage: str, state: str, _label: str) -> None:
        if stage == "capture":
            self.level.set_open(state not in ("failed", "off"))


class HearingPage(FormPage):
    """Every setting of hearing, tried live."""

    icon = "microphone"

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Hearing")

    def build(self) -> Iterator[None]:
        """Make the panels."""
        studio = self.studio
        microphone = self.section(self.tr("Microphone"))
        self.device = DeviceField(
            studio,
            "hearing.device",
            self.tr("Microphone"),
            self.tr("Remembered by its name: unplug it and plug it in again as you like."),
            self.tr("The system's default"),
        )
        microphone.add(self.device)
        yield
        self.threshold = ThresholdField(
            studio,
            self.tr("What counts as speech"),
            self.tr(
                "Say something, then type or hum. Drag the line so that only your voice passes it: further left hears "
                "more, further right less."
            ),
        )
        microphone.add(self.threshold)
        yield
        microphone.add_widget(MicrophoneCheck(studio))
        yield
        microphone.add(
            ChoiceField(
                studio,
                "hearing.echo",
                self.tr("Echo"),
                self.tr("Keeps the character from hearing itself through your loudspeakers."),
                {"auto": self.tr("Take it out"), "off": self.tr("I wear headphones")},
            )
        )
        yield
        microphone.add(
            SwitchField(
                studio,
                "hearing.muted",
                self.tr("Microphone off"),
                self.tr("Now, and after each start until you switch it on."),
            )
        )
        yield
        talking = self.section(self.tr("Ways to talk"))
        talking.add(
            ChoiceField(
                studio,
                "hearing.mode",
                self.tr("When it listens"),
                self.tr("The talk key is F8 in this window, and one of your choice everywhere on the page Hotkeys."),
                {
                    "open": self.tr("Always; you can interrupt it"),
                    "half_duplex": self.tr("Always, but not while it speaks"),
                    "hold": self.tr("While you hold the talk key"),
                    "toggle": self.tr("Between two presses of the talk key"),
                },
            )
        )
        yield

        def is_open() -> bool:
            return studio.value("hearing.mode") in ("open", "half_duplex")

        def can_interrupt() -> bool:
            return studio.value("hearing.mode") == "open"

        talking.add(
            NumberField(
                studio,
                "hearing.patience",
                self.tr("Patience"),
                self.tr("How long you may pause before it answers. 1 is usual; more waits for slow talkers."),
                step=0.1,
            ),
            is_open,
        )
        yield
        talking.add(
            NumberField(
                studio,
                "hearing.min_silence_ms",
                self.tr("Longest pause"),
                self.tr("A pause this long ends what you say where the model for ends of turns is missing."),
                step=50,
                unit=self.tr(" ms"),
            ),
            is_open,
        )
        yield
        talking.add(
            NumberField(
                studio,
                "hearing.interrupt_words",
                self.tr("Words that interrupt"),
                self.tr("So many words stop it while it speaks. “Stop” and the like always do."),
                step=1,
            ),
            can_interrupt,
        )
        yield
        talking.add(
            NumberField(
                studio,
                "hearing.interrupt_ms",
                self.tr("Speech that interrupts"),
                self.tr("So much speech stops it, whatever the words."),
                step=50,
                unit=self.tr(" ms"),
            ),
            can_interrupt,
        )
        yield
        talking.add(
            SwitchField(
                studio,
                "hearing.wake_word",
                self.tr("Only when its name is said"),
                self.tr("It answers what names the character, and what follows soon after."),
            ),
            is_open,
        )
        yield
        talking.add(
            NumberField(
                studio,
                "hearing.wake_for_s",
                self.tr("Stays awake for"),
                self.tr("So long after its name everything counts."),
                step=5,
                unit=self.tr(" s"),
                with_slider=False,
            ),
            lambda: is_open() and bool(studio.value("hearing.wake_word")),
        )
        yield
        words = self.section(self.tr("Understanding"))
        words.add(
            ChoiceField(
                studio,
                "hearing.language",
                self.tr("Language"),
                self.tr("What you speak. All but English need a Whisper for all languages."),
                {
                    "en": self.tr("English"),
                    "ja": self.tr("Japanese"),
                    "hi": self.tr("Hindi"),
                    "auto": self.tr("Any of them"),
                },
            )
        )
        yield
        words.add(
            ChoiceField(
                studio,
                "hearing.transcriber",
                self.tr("Who listens"),
                self.tr(
                    "“This computer”: nothing you say leaves it. “Groq” knows more words, gets the sound of each turn, "
                    "and needs a key (page Brain)."
                ),
                {"local": self.tr("This computer"), "groq": self.tr("Groq")},
            )
        )
        yield
        words.add(
            FolderChoiceField(
                studio,
                "hearing.model",
                self.tr("Whisper model"),
                self.tr(
                    "“Best that is quick enough” chooses among those that are here. kuchipaku models add brings more."
                ),
                {"auto": self.tr("Best that is quick enough here")},
                ["auto", *studio.info.whispers],
            )
        )
        yield
        words.add(
            SwitchField(
                studio,
                "hearing.captions",
                self.tr("Captions while you speak"),
                self.tr("Show your words as they are understood."),
            )
        )
        yield
        studio.bridge.devices.connect(lambda microphones, _speakers, _cameras: self.device.set_devices(microphones))

    def look(self) -> None:
        """Look which microphones there are now."""
        self.studio.put(ListDevices())
