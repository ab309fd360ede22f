"""Face: what draws it, how fine, how often, and how the mouth follows the voice."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from app.characters.library import Entry, photos
from app.gui.characters.work import Work
from app.gui.fields import ChoiceField, FolderChoiceField, Note, NumberField, make_button
from app.gui.form_page import FormPage
from app.gui.studio import Studio
from app.messages import TestFace


class FaceTest(QWidget):
    """How many frames a second each tier draws on this computer, measured when asked."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._studio = studio
        self.buttons: dict[str, QPushButton] = {}
        self.notes: dict[str, Note] = {}
        names = {"live": self.tr("Live"), "exact": self.tr("Exact")}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(2, 1)
        for row, (tier, name) in enumerate(names.items()):
            label = QLabel(name)
            label.setProperty("weight", "strong")
            button = self.buttons[tier] = make_button(self.tr("Try this"))
            button.setAccessibleName(self.tr("Try this: {tier}").format(tier=name))
            button.clicked.connect(lambda _checked=False, tier=tier: self._begin(tier))
            note = self.notes[tier] = Note()
            grid.addWidget(label, row, 0)
            grid.addWidget(button, row, 1)
            grid.addWidget(note, row, 2, Qt.AlignmentFlag.AlignVCenter)
        studio.bridge.face_tested.connect(self._show)

    def _begin(self, tier: str) -> None:
        for button in self.buttons.values():
            button.setEnabled(False)  # two measurements at once would slow each other
        self.notes[tier].say(self.tr("Measuring…"), "dim")
        self._studio.put(TestFace(tier))

    def _show(self, found: dict[str, object]) -> None:
        for button in self.buttons.values():
            button.setEnabled(True)
        note = self.notes.get(str(found.get("tier")))
        if note is None:
            return
        fps = found.get("fps")
        if not isinstance(fps, int | float):
            note.say(str(found.get("problem") or self.tr("It cannot run here.")), "problem")
            return
        words = self.tr("{fps:.0f} fps here").format(fps=fps)
        device = str(found.get("device") or "")
        wanted = float(self._studio.value("face.fps"))
        if fps < wanted:
            words += self.tr(", fewer than the {wanted:.0f} of the settings").format(wanted=wanted)
        note.say(f"{words} ({device})" if device else words, "good" if fps >= wanted else "dim")


class PhotoField(ChoiceField):
    """Which of the characters that are photos."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(
            studio,
            "face.human",
            self.tr("Photo"),
            self.tr("Photos are added on the page Characters."),
            {"": self.tr("The first there is")},
            [""],
        )
        self._listing = Work(self)
        studio.bridge.characters.connect(lambda names: self.look_again())
        self.look_again()

    def look_again(self) -> None:
        """See which there are."""
        self._listing.begin(photos, self._take, lambda problem, remedy: None)

    def _take(self, found: list[Entry]) -> None:
        self._words |= {each.key: each.name for each in found}
        self.set_choices(["", *(each.key for each in found)])


class OnAir(Note):
    """Which engine draws the face that is seen now, as it says itself."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self._engine = ""
        studio.bridge.frames.connect(lambda _fps, _missed, tier: self.show_engine(tier))

    def show_engine(self, tier: str) -> None:
        """Say that `tier` draws."""
        if tier == self._engine:
            return
        self._engine = tier
        names = {
            "live": self.tr("THA3, live"),
            "exact": self.tr("THA3, exact"),
            "photo puppet": self.tr("photo puppet"),
            "picture": self.tr("the still picture"),
        }
        self.say(self.tr("Draws now: {engine}").format(engine=names.get(tier, tier)), "dim")


class FacePage(FormPage):
    """Every setting of the face and the lips, with the speed of each tier on this computer."""

    icon = "face"

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Face")

    def build(self) -> Iterator[None]:
        """Make the panels."""
        studio = self.studio
        mode = self.section(self.tr("Whose face is seen"))
        mode.add(
            ChoiceField(
                studio,
                "face.mode",
                self.tr("Face"),
                self.tr(
                    "A photo of a person can stand in for the character's own face. Persona, voice and talk stay; it "
                    "can be changed in mid-sentence, also by hotkey."
                ),
                {"anime": self.tr("The character's own"), "human": self.tr("A photo of a person")},
            )
        )
        yield
        mode.add(PhotoField(studio))
        yield
        photos = self.section(self.tr("What moves a photo"))
        photos.add(
            ChoiceField(
                studio,
                "face.human_engine",
                self.tr("Engine"),
                self.tr(
                    "The photo puppet bends the photo, on any computer. MuseTalk paints the mouth anew; it wants an "
                    "NVIDIA card and its files. Where it stops, the photo puppet goes on."
                ),
                {"puppet": self.tr("Photo puppet"), "musetalk": "MuseTalk"},
            )
        )
        yield
        self.drawing = OnAir(studio)
        photos.add_widget(self.drawing)
        yield
        photos.add(
            ChoiceField(
                studio,
                "face.musetalk_quality",
                self.tr("Quality"),
                self.tr("“Fast” has a smaller decoder for cards that are late: the skin is slightly smoother."),
                {"best": self.tr("Best"), "fast": self.tr("Fast")},
            ),
            lambda: studio.value("face.human_engine") == "musetalk",
        )
        yield
        photos.add(
            FolderChoiceField(
                studio,
                "face.musetalk_weights",
                self.tr("MuseTalk's files"),
                self.tr(
                    "A folder with musetalkV15, sd-vae and whisper in it (for “Fast” also taesd). Nothing is "
                    "downloaded by itself; docs/engines.md says where they are, and their licences."
                ),
                {"": self.tr("In the models folder")},
                [""],
            )
        )
        yield
        face = self.section(self.tr("How it is drawn"))
        face.add(
            ChoiceField(
                studio,
                "face.tier",
                self.tr("Tier"),
                self.tr(
                    "Live plays what was prepared for the character and runs on any computer. Exact draws every frame "
                    "with the full networks and wants a graphics card."
                ),
                {
                    "auto": self.tr("Exact on a suitable card, else live"),
                    "live": self.tr("Live"),
                    "exact": self.tr("Exact"),
                },
            )
        )
        yield
        self.test = FaceTest(studio)
        face.add_widget(self.test)
        yield
        face.add(
            NumberField(
                studio,
                "face.fps",
                self.tr("Frames per second"),
                self.tr("30 is what streams and calls use. Fewer spare the computer."),
                step=5,
            )
        )
        yield
        face.add(
            ChoiceField(
                studio,
                "face.detail",
                self.tr("Detail"),
                self.tr("Art larger than 512 pixels can be drawn at its own size."),
                {
                    "auto": self.tr("Fine, where that is quick enough"),
                    "high": self.tr("Fine"),
                    "plain": self.tr("Plain"),
                },
            )
        )
        yield
        face.add(
            FolderChoiceField(
                studio,
                "face.weights",
                self.tr("Networks"),
                self.tr("The THA3 weights: those that come with the app, or others of yours. The face starts anew."),
                {"": self.tr("Those that come with the app")},
                ["", *studio.info.weights],
            )
        )
        yield
        lips = self.section(self.tr("Lips"))
        sounds = {
            "auto": self.tr("The best that runs here"),
            "own": self.tr("Our own model"),
            "hama": "hama",
            "wav2vec2": "wav2vec2",
        }
        lips.add(
            FolderChoiceField(
                studio,
                "lips.phonemes",
                self.tr("Who tells the sounds"),
                self.tr("Of voices that do not say themselves when each of their sounds falls. Piper does."),
                sounds,
                list(sounds),
            )
        )
        yield
        lips.add(
            NumberField(
                studio,
                "lips.mouth_offset_ms",
                self.tr("Mouth later than the sound"),
                self.tr(
                    "For loudspeakers or screens that are late; below zero is earlier. “Lips” on the stage has a test."
                ),
                step=5,
                unit=self.tr(" ms"),
            )
        )
        yield
