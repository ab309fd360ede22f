"""A new character of a picture: cut out where it has a background, its head laid into the box, its mouth looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from animator.character import CharacterError, check_image
from animator.messages import Pixels
from app.characters.art import (
    Art,
    Cutout,
    Mouth,
    Placement,
    guess_placement,
    large_of,
    mouth_of,
    placed,
    read_art,
    remove_background,
    whole,
)
from app.characters.library import MAX_NAME, Draft, Entry, create
from app.gui.characters.look import Note, Tick, button, heading, image_of, lay_out, panel_of
from app.gui.characters.placement_view import ZOOM, PlacementView
from app.gui.characters.work import Work
from app.gui.theme import Theme

CHECK_MS = 300
"""The picture is looked at when it has stood still for so long."""
SHOWN_PX = 1100
"""The art is shown at this size while it is moved; the character is made of all of it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Prepared:
    """The art as it will be used, where its head belongs, and how it was cut out (None: it was not)."""

    pixels: Pixels
    placement: Placement | None
    cutout: Cutout | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _Check:
    """What THA3 would make of it."""

    problem: str
    remedy: str
    mouth: Mouth


def prepare(art: Art, cut: bool, by_colour: bool) -> _Prepared:
    """Cut out and place; a background that cannot be removed stays, and is said."""
    pixels, cutout, problem = art.pixels, None, ""
    if cut:
        try:
            cutout = remove_background(pixels, by_colour=by_colour)
            pixels = cutout.pixels
        except CharacterError as error:
            problem = f"{error.problem} {error.remedy}"
    return _Prepared(pixels, guess_placement(pixels) if cut or not art.has_background else None, cutout, problem)


def check(pixels: Pixels, placement: Placement) -> _Check:
    """Whether the art can be used where it lies."""
    image = placed(pixels, placement)
    try:
        check_image(image)
    except CharacterError as error:
        return _Check(error.problem, error.remedy, "unknown")
    return _Check("", "", mouth_of(image))


def draft_of(name: str, pixels: Pixels, placement: Placement) -> Draft:
    """What the character is made of."""
    return Draft(name, placed(pixels, placement), large_of(pixels, placement))


class NewCharacter(QWidget):
    """From a file to a character in one look and one click. `made` tells the entry, `left` that nothing was made."""

    made = Signal(object)
    left = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._art: Art | None = None
        self._prepared: _Prepared | None = None
        self._by_colour = True
        self._reading = Work(self)
        self._preparing = Work(self)
        self._checking = Work(self)
        self._making = Work(self)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(CHECK_MS)
        self._settle.timeout.connect(self._check)
        self._build(theme)

    def _build(self, theme: Theme) -> None:
        self.view = PlacementView(theme)
        self.name = QLineEdit()
        self.name.setMaxLength(MAX_NAME)
        self.name.setAccessibleName(self.tr("Name"))
        self.cut = Tick(self.tr("Remove the background"), theme)
        self.other_way = button(self.tr("Cut it out another way"), "quiet")
        self.background = Note()
        self.place_again = button(self.tr("Find the head again"), "quiet")
        self.smaller = button("−", "quiet", self.tr("Smaller"))
        self.larger = button("+", "quiet", self.tr("Larger"))
        self.smaller.setAccessibleName(self.tr("Smaller"))
        self.larger.setAccessibleName(self.tr("Larger"))
        self.head = Note()
        self.mouth = Note()
        self.trouble = Note()
        self.cancel = button(self.tr("Cancel"))
        self.create_button = button(self.tr("Create"), "primary")
        side = QWidget()
        side.setObjectName("log")
        column = QVBoxLayout(side)
        column.setContentsMargins(18, 16, 18, 16)
        column.setSpacing(8)
        column.addWidget(heading(self.tr("Name"), "section"))
        column.addWidget(self.name)
        column.addSpacing(8)
        column.addWidget(heading(self.tr("Background"), "section"))
        column.addWidget(self.cut)
        column.addWidget(self.background)
        column.addWidget(self.other_way, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(8)
        column.addWidget(heading(self.tr("Head"), "section"))
        how = Note()
        how.say(
            self.tr("The head belongs into the box, the eyes onto its dashed line. Drag the picture, turn the wheel.")
        )
        column.addWidget(how)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.place_again)
        row.addWidget(self.smaller)
        row.addWidget(self.larger)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.head)
        column.addSpacing(8)
        column.addWidget(heading(self.tr("Mouth"), "section"))
        column.addWidget(self.mouth)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(side)
        panel = panel_of(scroll, self.trouble, self.cancel, self.create_button)
        panel.setMinimumWidth(340)
        lay_out(self, (heading(self.tr("New character")),), self.view, panel, (3, 2))
        self.view.changed.connect(lambda placement: self._moved())
        self.cut.toggled.connect(lambda on: self._prepare())
        self.other_way.clicked.connect(self._cut_another_way)
        self.place_again.clicked.connect(self._place)
        self.smaller.clicked.connect(lambda: self.view.zoom(1 / ZOOM))
        self.larger.clicked.connect(lambda: self.view.zoom(ZOOM))
        self.name.textChanged.connect(lambda text: self._refresh())
        self.name.returnPressed.connect(lambda: self.create_button.click())
        self.cancel.clicked.connect(self.leave)
        self.create_button.clicked.connect(self._create)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self.view.set_theme(theme)
        self.cut.set_theme(theme)

    def sizeHint(self) -> QSize:
        """Room for the face at its own size and the words beside it."""
        return QSize(960, 600)

    # From the file on.

    def open(self, file: Path) -> None:
        """Begin with the picture in `file`."""
        self._art = self._prepared = None
        self._by_colour = True
        for note in (self.background, self.head, self.mouth, self.trouble):
            note.say("")
        self.name.setText(" ".join(file.stem.replace("_", " ").split())[:MAX_NAME])
        self.head.say(self.tr("Looking at the picture…"))
        self._refresh()
        self._reading.begin(lambda: read_art(file), self._take_art, self._refuse)

    def _take_art(self, art: Art) -> None:
        self._art = art
        self.cut.blockSignals(True)
        self.cut.setChecked(art.has_background)
        self.cut.blockSignals(False)
        self._show(art.pixels)
        self.view.place(whole(art.pixels))
        self._prepare()

    def _refuse(self, problem: str, remedy: str) -> None:
        for note in (self.background, self.head, self.mouth):
            note.say("")
        self.trouble.say(f"{problem} {remedy}", "trouble")
        self._refresh()

    def _prepare(self) -> None:
        art = self._art
        if art is None:
            return
        self._checking.forget()
        self._prepared, self._is_usable = None, False
        cut, by_colour = self.cut.isChecked(), self._by_colour
        self.trouble.say("")
        self.mouth.say("")
        self.head.say(self.tr("Looking for the head…"))
        self.background.say(self.tr("Cutting the character out…") if cut else "")
        self._preparing.begin(lambda: prepare(art, cut, by_colour), self._take_prepared, self._refuse)
        self._refresh()

    def _take_prepared(self, prepared: _Prepared) -> None:
        self._prepared = prepared
        self._show(prepared.pixels)
        if prepared.problem:
            self.background.say(prepared.problem, "trouble")
        elif prepared.cutout is None:
            is_bare = self._art is not None and not self._art.has_background
            self.background.say(self.tr("There is none: the picture is cut out already.") if is_bare else "", "fine")
        elif prepared.cutout.method == "guess":
            self.background.say(
                self.tr("The background is busy, so this is a guess. Look at the edges before you go on."), "caution"
            )
        else:
            self.background.say(self.tr("Removed. It was one colour, or a soft fall of colours."), "fine")
        self._place()

    def _show(self, pixels: Pixels) -> None:
        picture = image_of(pixels)
        scale = min(1.0, SHOWN_PX / max(picture.width(), picture.height()))
        if scale < 1.0:
            picture = picture.scaled(
                round(picture.width() * scale),
                round(picture.height() * scale),
                Qt.AspectRatioMode.IgnoreAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        self.view.set_art(picture, picture.width() / pixels.shape[1])

    def _place(self) -> None:
        prepared = self._prepared
        if prepared is None:
            return
        self.view.place(prepared.placement or whole(prepared.pixels))
        self._check()

    def _cut_another_way(self) -> None:
        self._by_colour = not self._by_colour
        self._prepare()

    # Whether it will do.

    def _moved(self) -> None:
        self._checking.forget()
        self.head.say(self.tr("Looking…"))
        self._settle.start()
        self._refresh()

    def _check(self) -> None:
        prepared, placement = self._prepared, self.view.placement
        if prepared is None:
            return
        self.head.say(self.tr("Looking…"))
        self._checking.begin(lambda: check(prepared.pixels, placement), self._take_check, self._refuse)
        self._refresh()

    def _take_check(self, found: _Check) -> None:
        self._is_usable = not found.problem
        if found.problem:
            self.head.say(f"{found.problem} {found.remedy}", "trouble")
            self.mouth.say("")
        else:
            self.head.say(self.tr("The head is where it belongs."), "fine")
            self._say_mouth(found.mouth)
        self._refresh()

    def _say_mouth(self, mouth: Mouth) -> None:
        if mouth == "open":
            self.mouth.say(self.tr("It is drawn open, so it can speak."), "fine")
        elif mouth == "closed":
            self.mouth.say(
                self.tr(
                    "Your art needs an open mouth: this one looks shut. The face opens it to what is drawn inside, so "
                    "draw it open, with teeth and tongue. You may go on; its lips will hardly move."
                ),
                "caution",
            )
        else:
            self.mouth.say(
                self.tr("It could not be seen. It has to be drawn open, with teeth and tongue, to speak."), "caution"
            )

    _is_usable = False

    @property
    def is_ready(self) -> bool:
        """Whether a character can be made of it as it is."""
        is_still = not (self._reading.is_busy or self._preparing.is_busy or self._checking.is_busy)
        is_idle = not self._settle.isActive() and not self._making.is_busy
        return self._prepared is not None and is_still and is_idle and self._is_usable

    def _refresh(self) -> None:
        has_art = self._art is not None
        self.cut.setEnabled(has_art)
        self.other_way.setVisible(has_art and self.cut.isChecked())
        self.other_way.setEnabled(not self._preparing.is_busy)
        for pushed in (self.place_again, self.smaller, self.larger):
            pushed.setEnabled(self._prepared is not None)
        self.create_button.setEnabled(self.is_ready and bool(self.name.text().strip()))

    def _create(self) -> None:
        prepared, placement, name = self._prepared, self.view.placement, self.name.text()
        if prepared is None or not self.is_ready:
            return
        pixels = prepared.pixels
        self._making.begin(
            lambda: create(draft_of(name, pixels, placement)), self._take_made, partial(self._refuse_making)
        )
        self.trouble.say(self.tr("Making the character…"))
        self._refresh()

    def _take_made(self, entry: Entry) -> None:
        self._forget()
        self.made.emit(replace(entry))

    def _refuse_making(self, problem: str, remedy: str) -> None:
        self.trouble.say(f"{problem} {remedy}", "trouble")
        self._refresh()

    def leave(self) -> None:
        """Nothing is made."""
        self._forget()
        self.left.emit()

    def _forget(self) -> None:
        for work in (self._reading, self._preparing, self._checking, self._making):
            work.forget()
        self._settle.stop()
        self._art = self._prepared = None
        self._is_usable = False
        self.trouble.say("")
