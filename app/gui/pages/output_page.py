"""Output: camera, browser source and OBS for other programs, captions, recordings, and where the voice goes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.control_token import ALPHA_PATH, JPEG_PATH, PAGE_PATH, browser_token_file, browser_url
from app.gui.fields import (
    ChoiceField,
    DeviceField,
    FolderChoiceField,
    Note,
    NumberField,
    Row,
    SwitchField,
    TextField,
    make_button,
    make_picker,
)
from app.gui.form_page import FormPage
from app.gui.obs_bar import ObsBar
from app.gui.recording_bar import RecordingBar
from app.gui.secret_row import SecretRow
from app.gui.sound_rows import SoundOutlook
from app.gui.speech_test import SpeechTest
from app.gui.studio import Studio
from app.gui.token_row import TokenRow
from app.messages import ListDevices, ShowTestCard
from app.policy.sharing import offered

SIZES = ((1920, 1080), (1280, 720), (960, 540), (640, 480), (512, 512), (1080, 1920), (720, 1280))


class SizeRow(Row):
    """Width and height of the camera's picture, chosen together."""

    def __init__(self, studio: Studio, label: str, help_text: str) -> None:
        super().__init__(label, help_text)
        self._studio = studio
        self.picker = make_picker(studio.theme)
        self.picker.setAccessibleName(label)
        self.picker.setAccessibleDescription(help_text)
        for size in SIZES:
            self._offer(size)
        self.picker.activated.connect(self._choose)
        self.put_editor(self.picker)
        studio.setting_changed.connect(lambda _name, _value: self.show_size())
        studio.setting_refused.connect(self._refuse)
        studio.theme_changed.connect(lambda theme: setattr(self.picker, "arrow", theme.dim))
        self.show_size()

    def show_size(self) -> None:
        """Select what is in force."""
        size = (int(self._studio.value("camera.width_px")), int(self._studio.value("camera.height_px")))
        index = self.picker.findText(self._words(size))
        if index < 0:
            self._offer(size)
            index = self.picker.count() - 1
        self.picker.setCurrentIndex(index)

    def _words(self, size: tuple[int, int]) -> str:
        return self.tr("{width} × {height}").format(width=size[0], height=size[1])

    def _offer(self, size: tuple[int, int]) -> None:
        self.picker.addItem(self._words(size), list(size))

    def _choose(self, index: int) -> None:
        width_px, height_px = self.picker.itemData(index)
        self.problem.say("")
        self._studio.set("camera.width_px", int(width_px))
        self._studio.set("camera.height_px", int(height_px))

    def _refuse(self, name: str, problem: str, remedy: str) -> None:
        if name in ("camera.width_px", "camera.height_px"):
            self.problem.say(f"{problem} {remedy}".strip())
            self.show_size()


class CameraNote(Note):
    """What the camera says of itself."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._state = ""
        studio.bridge.state.connect(self._note_state)
        studio.bridge.failed.connect(self._note_problem)

    def _note_state(self, stage: str, state: str, label: str) -> None:
        if stage != "camera":
            return
        self._state = state
        if state in ("ready", "busy"):
            self.say(self.tr("On air: {device}").format(device=label) if label else self.tr("On air."), "good")
        elif state == "starting":
            self.say(self.tr("Starting…"), "dim")  # what it waits for comes after this
        elif state == "off":
            self.say(self.tr("Off: other programs see no picture."), "dim")

    def _note_problem(self, stage: str, problem: str, remedy: str) -> None:
        if stage == "camera":
            self.say(f"{problem} {remedy}".strip(), "problem")


class TestCardButton(QWidget):
    """Shows viewers the test card while it is down. The show's own word counts: a panic takes the card away."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.button = make_button(self.tr("Test card"))
        self.button.setCheckable(True)
        self.button.clicked.connect(lambda on: studio.put(ShowTestCard(bool(on))))
        note = Note()
        note.say(
            self.tr(
                "Colour bars and a counter of frames instead of the character, to set up the programs that show the "
                "camera."
            )
        )
        self.button.setAccessibleDescription(note.text())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(note, 1)
        studio.bridge.test_card.connect(self.button.setChecked)


class OutputPage(FormPage):
    """Where the character is seen and heard."""

    icon = "output"

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Output")

    def build(self) -> Iterator[None]:
        """Make the panels."""
        studio = self.studio
        camera = self.section(self.tr("Virtual camera"))
        camera.add(
            SwitchField(
                studio,
                "camera.on",
                self.tr("Camera"),
                self.tr("OBS, Discord, Zoom and browsers then see the character as a webcam, also after a restart."),
            )
        )
        yield
        self.note = CameraNote(studio)
        camera.add_widget(self.note)
        yield
        self.device = DeviceField(
            studio,
            "camera.device",
            self.tr("Device"),
            self.tr("Where the picture goes, if there is more than one virtual camera."),
            self.tr("The first that is free"),
        )
        camera.add(self.device)
        yield
        self.picture = SizeRow(
            studio,
            self.tr("Picture"),
            self.tr(
                "1280 × 720 is what meeting programs expect. Choose it again there after a change. Frames per second: "
                "30 from the start, up to 60 on the page Face."
            ),
        )
        camera.add(self.picture)
        yield
        self.test_card = TestCardButton(studio)
        camera.add_widget(self.test_card)
        yield
        yield from self._build_obs()
        yield from self._build_browser()
        yield from self._build_sharing()
        yield from self._build_recording()
        yield from self._build_sound()
        studio.bridge.devices.connect(self._show_devices)
        studio.bridge.cables.connect(self._show_cables)

    def _build_sound(self) -> Iterator[None]:
        studio = self.studio

        def is_heard() -> bool:
            return bool(studio.value("sound.headphones"))

        def is_streamed() -> bool:
            return bool(studio.value("sound.stream"))

        heard = self.section(self.tr("What you hear"))
        heard.add(
            SwitchField(
                studio,
                "sound.headphones",
                self.tr("Headphones or loudspeakers"),
                self.tr("Off: the voice goes to the stream alone."),
            )
        )
        yield
        self.speaker = DeviceField(
            studio,
            "voice.device",
            self.tr("Device"),
            self.tr("Where you hear the voice."),
            self.tr("The system's default"),
        )
        heard.add(self.speaker, is_heard)
        yield
        heard.add(
            NumberField(
                studio,
                "sound.headphones_volume",
                self.tr("Volume"),
                self.tr("Of what you hear. Stream and recordings keep theirs."),
                step=0.05,
            ),
            is_heard,
        )
        yield
        self.heard = SoundOutlook(studio, "headphones")
        heard.add_widget(self.heard)
        yield
        self.test = SpeechTest(studio)
        heard.add_widget(self.test)
        yield
        stream = self.section(self.tr("What the stream hears"))
        stream.add(
            SwitchField(
                studio,
                "sound.stream",
                self.tr("Sound for streaming software"),
                self.tr(
                    "Plays the voice, and nothing else, into a second device too. Both play at the same moment. Your "
                    "own microphone is not in it: add that in OBS."
                ),
            )
        )
        yield
        if sys.platform.startswith("linux"):
            stream.add(
                SwitchField(
                    studio,
                    "sound.cable",
                    self.tr("Virtual cable “Kuchipaku”"),
                    self.tr(
                        "Made by the sound server while the app runs, and removed with it. OBS finds it as “Monitor of "
                        "Kuchipaku”."
                    ),
                )
            )
            yield
        self.stream_device = DeviceField(
            studio,
            "sound.stream_device",
            self.tr("Device"),
            self.tr(
                "A virtual cable, such as CABLE Input, VoiceMeeter Input or BlackHole: OBS listens at its other end."
            ),
            self.tr("The first virtual cable that is found"),
        )
        stream.add(self.stream_device, is_streamed)
        yield
        stream.add(
            NumberField(
                studio,
                "sound.stream_volume",
                self.tr("Volume"),
                self.tr("Of what the stream gets."),
                step=0.05,
            ),
            is_streamed,
        )
        yield
        self.streamed = SoundOutlook(studio, "stream")
        stream.add_widget(self.streamed)
        yield
        self._show_parts()

    def _build_recording(self) -> Iterator[None]:
        studio = self.studio
        section = self.section(self.tr("Recording"))
        self.recording = RecordingBar(studio)
        section.add_widget(self.recording)
        yield
        section.add(
            FolderChoiceField(
                studio,
                "recording.folder",
                self.tr("Folder"),
                self.tr("Where recordings, replays and screenshots are kept."),
                {"": self.tr("Kuchipaku in the folder for videos")},
                [""],
            )
        )
        yield
        section.add(
            ChoiceField(
                studio,
                "recording.format",
                self.tr("Format"),
                self.tr("MP4 has the background and plays everywhere. WebM is transparent around the character."),
                {"mp4": self.tr("MP4 (H.264, AAC)"), "webm": self.tr("WebM, transparent (VP9, Opus)")},
            )
        )
        yield
        section.add(
            SwitchField(
                studio,
                "recording.replay",
                self.tr("Instant replay"),
                self.tr(
                    "Holds the last seconds all the time, to keep them afterwards. Takes as much work as recording."
                ),
            )
        )
        yield
        section.add(
            NumberField(
                studio,
                "recording.replay_s",
                self.tr("Length of a replay"),
                self.tr("So much is held in memory."),
                step=5,
                unit=self.tr(" s"),
                with_slider=False,
            ),
            lambda: bool(studio.value("recording.replay")),
        )
        yield

    def _build_obs(self) -> Iterator[None]:
        studio = self.studio
        section = self.section(self.tr("OBS Studio"))
        self.obs = ObsBar(studio)
        section.add_widget(self.obs)
        yield
        section.add(
            ChoiceField(
                studio,
                "obs.way",
                self.tr("Way"),
                self.tr("How OBS shows the character. It counts when OBS is set up the next time."),
                {
                    "auto": self.tr("The first that works here"),
                    "browser": self.tr("Browser source, transparent"),
                    "stream": self.tr("Media source, transparent"),
                    "camera": self.tr("Virtual camera"),
                    "window": self.tr("This window"),
                },
            )
        )
        yield
        section.add(
            SwitchField(
                studio,
                "obs.captions",
                self.tr("Captions"),
                self.tr("Sets captions up along with it: what the character says, word by word as it is heard."),
            )
        )
        yield
        section.add(
            SwitchField(
                studio,
                "obs.on",
                self.tr("Stay connected"),
                self.tr(
                    "Finds OBS again by itself and keeps what was set up there working, whichever is started anew."
                ),
            )
        )
        yield
        section.add(
            NumberField(
                studio,
                "obs.port",
                self.tr("Port"),
                self.tr("Of OBS's WebSocket server. Left at 4455, the one in OBS's own settings counts."),
                step=1,
                with_slider=False,
            )
        )
        yield
        section.add(
            SecretRow(
                studio,
                "obs",
                "KUCHIPAKU_OBS_PASSWORD",
                self.tr("Password"),
                self.tr("Of OBS's WebSocket server; asked for only where OBS's own settings cannot be read."),
            ),
            lambda: bool(studio.bridge.obs.get("needs_password")),
        )
        yield
        studio.bridge.obs_status.connect(lambda _status: section.refresh())

    def _build_browser(self) -> Iterator[None]:
        studio = self.studio

        def is_on() -> bool:
            return bool(studio.value("browser.on"))

        def address(path: str, label: str, help_text: str) -> TokenRow:
            row = TokenRow(
                label,
                help_text,
                browser_token_file(),
                lambda token: browser_url(int(studio.value("browser.port")), token, path),
                renews=path == PAGE_PATH,
            )
            browser.add(row, applies=is_on)
            return row

        browser = self.section(self.tr("Browser source"))
        browser.add(
            SwitchField(
                studio,
                "browser.on",
                self.tr("Page and stream for OBS"),
                self.tr(
                    "Shows the character without a background, over whatever lies below it in OBS. Only programs of "
                    "this computer that have the address get it."
                ),
            )
        )
        yield
        self.address = address(
            PAGE_PATH,
            self.tr("Address"),
            self.tr("In OBS, add a source of the kind Browser, put this into its field URL, and set 512 × 512 there."),
        )
        self.address.renew.setText(self.tr("New address"))
        yield
        self.alpha_address = address(
            ALPHA_PATH,
            self.tr("Media source"),
            self.tr(
                "For OBS without Browser: add a Media Source, switch Local File off there, put this into its field "
                "Input, and set Network Buffering to 0. Transparent too."
            ),
        )
        yield
        self.jpeg_address = address(
            JPEG_PATH,
            self.tr("Media source, with background"),
            self.tr("The camera's picture as Motion JPEG, for programs that understand nothing else."),
        )
        self.address.renewed.connect(self.alpha_address.look)
        self.address.renewed.connect(self.jpeg_address.look)
        yield
        browser.add(
            SwitchField(
                studio,
                "browser.captions",
                self.tr("Captions"),
                self.tr("Shows on the page what the character says, word by word as it is heard."),
            ),
            applies=is_on,
        )
        yield
        browser.add(
            NumberField(
                studio,
                "browser.port",
                self.tr("Port"),
                self.tr("Of 127.0.0.1. It is part of the address; change it only where another program has taken it."),
                step=1,
                with_slider=False,
            ),
            applies=is_on,
        )
        yield
        self.browser_note = Note()
        browser.add_widget(self.browser_note)
        yield
        captions = self.section(self.tr("Captions"))
        captions.add(
            SwitchField(
                studio,
                "captions.picture",
                self.tr("On the picture"),
                self.tr("Viewers of the camera and of recordings read what the character says, word by word."),
            )
        )
        yield
        captions.add(
            TextField(
                studio,
                "captions.file",
                self.tr("Text file"),
                self.tr(
                    "Holds the words that are being said, and nothing in silence: for a text source of OBS with "
                    "“Read from file”. Leave it empty for none."
                ),
                self.tr("such as /home/me/captions.txt"),
            )
        )
        yield
        studio.bridge.browser_status.connect(self._show_browser_status)
        if studio.bridge.browser:
            self._show_browser_status(studio.bridge.browser)

    def _build_sharing(self) -> Iterator[None]:
        """Only where the system has it and its library is there."""
        way = offered()
        if way is None:
            return
        studio = self.studio
        section = self.section(self.tr("Other programs of this computer"))
        section.add(
            SwitchField(
                studio,
                "sharing.on",
                self.tr("Share the picture by {way}").format(way=way.name),
                self.tr(
                    "OBS with its Spout2 plugin then finds “Kuchipaku” as a Spout2 Capture; choose the composite mode "
                    "Default there, and the character has no background."
                )
                if way.name == "Spout"
                else self.tr(
                    "OBS then finds “Kuchipaku” as a Syphon Client; switch on Allow Transparency there, and the "
                    "character has no background."
                ),
            )
        )
        yield
        self.sharing_note = Note()
        section.add_widget(self.sharing_note)
        yield
        studio.bridge.sharing_status.connect(self._show_sharing_status)
        if studio.bridge.sharing:
            self._show_sharing_status(studio.bridge.sharing)

    def _show_sharing_status(self, status: dict[str, Any]) -> None:
        if status.get("problem"):
            self.sharing_note.say(f"{status['problem']} {status.get('remedy', '')}".strip(), "problem")
        else:
            self.sharing_note.say(self.tr("Other programs can see the character.") if status.get("on") else "", "good")

    def _show_browser_status(self, status: dict[str, Any]) -> None:
        if status.get("problem"):
            self.browser_note.say(f"{status['problem']} {status.get('remedy', '')}".strip(), "problem")
        elif status.get("on"):
            self.browser_note.say(self.tr("The page is there; it costs nothing while nobody shows it."), "good")
        else:
            self.browser_note.say("")

    def _show_parts(self) -> None:
        self.heard.setVisible(bool(self.studio.value("sound.headphones")))
        self.streamed.setVisible(bool(self.studio.value("sound.stream")))

    def refresh(self) -> None:
        """Show what applies to the settings in force."""
        super().refresh()
        if hasattr(self, "streamed"):
            self._show_parts()
        if hasattr(self, "jpeg_address"):
            for row in self._addresses():
                row.show_words()
                if self.studio.value("browser.on") and not row.line.text() and self.isVisible():
                    row.look()

    def look(self) -> None:
        """Look which devices there are now, and read the address, where it is to be seen."""
        self.studio.put(ListDevices())
        if self.studio.value("browser.on"):
            for row in self._addresses():
                row.look()

    def _addresses(self) -> tuple[TokenRow, ...]:
        return self.address, self.alpha_address, self.jpeg_address

    def _show_devices(self, _microphones: list[str], speakers: list[str], cameras: list[str]) -> None:
        self._speakers = speakers  # shown with the cables among them, which are told right after
        self.device.set_devices(cameras)

    def _show_cables(self, cables: list[str]) -> None:
        """For the stream, cables come first and say what they are."""
        words = {name: self.tr("{name} (virtual cable)").format(name=name) for name in cables}
        self.stream_device.set_devices([*cables, *self._speakers], words)
        self.speaker.set_devices(self._speakers, words)
