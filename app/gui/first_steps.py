"""The first steps: is it heard, who speaks, and where is it seen. Three pages, each of which can be skipped."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.gui.character_choice import CharacterChoice
from app.gui.fields import DeviceField, Row, SwitchField, make_button, make_picker
from app.gui.form_page import Section
from app.gui.mic_check import MicrophoneCheck
from app.gui.pages.hearing_page import ThresholdField
from app.gui.pages.output_page import CameraNote
from app.gui.preview import Preview
from app.gui.secret_row import SecretRow
from app.gui.speech_test import SpeechTest
from app.gui.studio import Page, Studio
from app.gui.theme import Theme
from app.messages import ListDevices

STEPS = 3


class CharacterRow(Row):
    """Who is on the stage."""

    def __init__(self, studio: Studio) -> None:
        super().__init__("", "")
        self.label.setText(self.tr("Character"))
        self.help.setText(self.tr("More, also from a picture of your own, on the page Characters."))
        self.help.show()
        self.picker = make_picker(studio.theme)
        self.picker.setAccessibleName(self.label.text())
        CharacterChoice(studio, self.picker)
        self.put_editor(self.picker)


class FirstSteps(Page):
    """Shown in place of everything else at the first start, until they are finished or skipped."""

    icon = "stage"

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(studio, parent)
        self.picture = Preview(studio.latest_frame, studio.theme)
        self.steps = QStackedWidget()
        for make in (self._hear, self._speak, self._show):
            self.steps.addWidget(self._scrolled(make()))
        self.count = QLabel()
        self.count.setProperty("role", "dim")
        self.title_label = QLabel()
        self.title_label.setProperty("role", "heading")
        self.title_label.setWordWrap(True)
        self.skip = make_button(self.tr("Skip all"))
        self.skip.clicked.connect(self.finish)
        self.back = make_button(self.tr("Back"))
        self.back.clicked.connect(lambda: self._go(-1))
        self.next = QPushButton()
        self.next.setProperty("role", "primary")
        self.next.clicked.connect(lambda: self._go(1))
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addWidget(self.skip)
        buttons.addStretch(1)
        buttons.addWidget(self.back)
        buttons.addWidget(self.next)
        right = QVBoxLayout()
        right.setSpacing(10)
        right.addWidget(self.count)
        right.addWidget(self.title_label)
        right.addWidget(self.steps, 1)
        right.addLayout(buttons)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(4, 0, 0, 6)
        whole.setSpacing(18)
        whole.addWidget(self.picture, 2)
        whole.addLayout(right, 3)
        studio.theme_changed.connect(self._apply_theme)
        self._write()

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("First steps")

    def enter(self) -> None:
        """Look which devices there are."""
        self.studio.put(ListDevices())
        self.next.setFocus()

    def close_down(self) -> None:
        """No timer goes on."""
        self.picture.stop()

    def finish(self) -> None:
        """Go to the stage."""
        self.studio.page_wanted.emit("stage")

    def _hear(self) -> QWidget:
        section = Section(self.tr("Microphone"))
        self.device = DeviceField(
            self.studio,
            "hearing.device",
            self.tr("Microphone"),
            self.tr("You can also type, and leave this as it is."),
            self.tr("The system's default"),
        )
        self.studio.bridge.devices.connect(self._show_devices)
        section.add(self.device)
        section.add(
            ThresholdField(
                self.studio,
                self.tr("Say something"),
                self.tr("The lower bar should pass the line while you speak, and not while you type."),
            )
        )
        section.add_widget(MicrophoneCheck(self.studio))
        section.refresh()
        return section

    def _show_devices(self, microphones: list[str], _speakers: list[str], _cameras: list[str]) -> None:
        # No lambda: Qt takes a method's connection away with this page, which does not live as long as the window.
        self.device.set_devices(microphones)

    def _speak(self) -> QWidget:
        section = Section(self.tr("Voice and character"))
        self.character = CharacterRow(self.studio)
        section.add(self.character)
        self.test = SpeechTest(self.studio)
        section.add_widget(self.test)
        self.groq_key = SecretRow(
            self.studio,
            "groq",
            "GROQ_API_KEY",
            self.tr("Groq key (optional)"),
            self.tr(
                "Without one a small model on this computer answers, and nothing you say leaves it. With one, larger "
                "models at Groq do; keys are free at console.groq.com."
            ),
        )
        section.add(self.groq_key)
        section.refresh()
        return section

    def _show(self) -> QWidget:
        section = Section(self.tr("Where it is seen"))
        self.camera = SwitchField(
            self.studio,
            "camera.on",
            self.tr("Virtual camera"),
            self.tr("OBS, Discord, Zoom and browsers see the character as a webcam. You can do this later, too."),
        )
        section.add(self.camera)
        section.add_widget(CameraNote(self.studio))
        words = QLabel(
            self.tr(
                "Or let your streaming software capture this window: the page Stage has backgrounds for it, green and "
                "transparent among them."
            )
        )
        words.setProperty("role", "dim")
        words.setWordWrap(True)
        section.add_widget(words)
        section.refresh()
        return section

    def _scrolled(self, section: QWidget) -> QWidget:
        body = QWidget()
        body.setObjectName("log")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 8, 0)
        column.addWidget(section)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(body)
        return area

    def _go(self, step: int) -> None:
        at = self.steps.currentIndex() + step
        if at >= STEPS:
            self.finish()
            return
        self.steps.setCurrentIndex(max(0, at))
        self._write()

    def _write(self) -> None:
        at = self.steps.currentIndex()
        titles = (self.tr("Can it hear you?"), self.tr("Who answers you?"), self.tr("Where do others see it?"))
        self.title_label.setText(titles[at])
        self.count.setText(self.tr("Step {at} of {all}").format(at=at + 1, all=STEPS))
        self.back.setVisible(at > 0)
        self.next.setText(self.tr("To the stage") if at == STEPS - 1 else self.tr("Next"))

    def _apply_theme(self, theme: Theme) -> None:
        self.picture.set_theme(theme)
        self.character.picker.arrow = theme.dim
