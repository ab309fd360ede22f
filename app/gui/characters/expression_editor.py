"""Expressions: a slider for each of the 45 parameters, and the face on stage showing them as they are moved."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from animator.character import Character
from app.characters.character_file import add_emotions, save_expression
from app.characters.library import Entry, character_at, own_copy
from app.characters.parameters import GROUPS, PARAMETERS, Parameter, expression_names, values_of
from app.gui.characters.look import Note, Tick, button, end_with, heading, lay_out
from app.gui.characters.parameter_names import group_name, parameter_name
from app.gui.characters.work import Work
from app.gui.expressions import readable
from app.gui.fields import calm
from app.gui.preview import Preview
from app.gui.studio import Studio
from app.gui.theme import Theme
from app.messages import PreviewPose

PREVIEW_MS = 33
"""A frame: what lies between two of them would not be seen."""
STEPS = 100


class ParameterSlider(QWidget):
    """Name, slider and number of one parameter. `moved` tells that the user changed it."""

    moved = Signal()

    def __init__(self, parameter: Parameter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.parameter = parameter
        label = QLabel(parameter_name(parameter.name))
        label.setToolTip(parameter.name)
        label.setMinimumWidth(130)
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(round(parameter.low * STEPS), round(parameter.high * STEPS))
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(f"{group_name(parameter.group)}: {label.text()}")
        self.slider.setToolTip(parameter.name)
        calm(self.slider)
        self.number = QLabel()
        self.number.setMinimumWidth(self.fontMetrics().horizontalAdvance("−0.00") + 4)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(label, 4)
        row.addWidget(self.slider, 5)
        row.addWidget(self.number)
        self.slider.valueChanged.connect(self._tell)
        self._is_quiet = False
        self._write()

    @property
    def value(self) -> float:
        """As it stands."""
        return self.slider.value() / STEPS

    def set_value(self, value: float) -> None:
        """Move it without telling so."""
        self._is_quiet = True
        self.slider.setValue(round(value * STEPS))
        self._is_quiet = False
        self._write()

    def _write(self) -> None:
        value = self.value
        self.number.setText(f"{value:.2f}".replace("-", "−"))
        self.number.setProperty("role", "" if value else "dim")
        self.number.style().unpolish(self.number)
        self.number.style().polish(self.number)

    def _tell(self) -> None:
        self._write()
        if not self._is_quiet:
            self.moved.emit()


class ExpressionEditor(QWidget):
    """`saved` tells the entry (a new one where a copy was made), `left` that the page is to be left.

    The picture is that of the character on stage, so the page puts there whom it edits.
    """

    saved = Signal(object)
    left = Signal()

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._studio = studio
        self._entry: Entry | None = None
        self._news = ("", "dim")
        """Said when what was changed is shown."""
        self._own: dict[str, dict[str, float]] = {}
        self._loading = Work(self)
        self._saving = Work(self)
        self._send = QTimer(self)
        self._send.setSingleShot(True)
        self._send.setInterval(PREVIEW_MS)
        self._send.timeout.connect(self._preview)
        self._is_previewing = False
        self.sliders: dict[str, ParameterSlider] = {}
        self._is_built = False
        self._build(studio)
        self._building = QTimer(self)
        self._building.setInterval(0)
        self._building.timeout.connect(self._build_slider)
        self._building.start()
        studio.theme_changed.connect(self._apply_theme)

    def _build(self, studio: Studio) -> None:
        self.title = heading("")
        self.copies = Note()
        self.preview = Preview(studio.latest_frame, studio.theme)
        self.preview.setMinimumSize(240, 200)
        self.names = QListWidget()
        self.names.setAccessibleName(self.tr("Expressions"))
        self.new = button(self.tr("New…"), "quiet")
        self.take_in = button(
            self.tr("Import…"), "quiet", self.tr("Emotions of SillyTavern's talkinghead or of raven (JSON)")
        )
        self.sides = Tick(self.tr("Both sides together"), studio.theme)
        self.sides.setChecked(True)
        self.rest = button(self.tr("All to rest"), "quiet")
        self.give_back = button(self.tr("The app's own again"), "quiet", self.tr("Take your changes of this one away"))
        self.trouble = Note()
        self.back = button(self.tr("Back"))
        self.save = button(self.tr("Save"), "primary")
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.preview, 3)
        column.addWidget(self.names, 2)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.new)
        row.addWidget(self.take_in)
        row.addStretch(1)
        column.addLayout(row)
        panel = QFrame()
        panel.setProperty("role", "panel")
        parts = QVBoxLayout(panel)
        parts.setContentsMargins(1, 10, 1, 0)
        parts.setSpacing(8)
        tools = QHBoxLayout()
        tools.setContentsMargins(18, 0, 18, 0)
        tools.setSpacing(6)
        tools.addWidget(self.sides)
        tools.addStretch(1)
        tools.addWidget(self.rest)
        tools.addWidget(self.give_back)
        parts.addLayout(tools)
        parts.addWidget(self._build_sliders(), 1)
        end_with(parts, self.trouble, self.back, self.save)
        lay_out(self, (self.title, self.copies), left, panel, (2, 3))
        self.names.currentItemChanged.connect(lambda now, before: self._choose())
        self.new.clicked.connect(self._ask_for_name)
        self.take_in.clicked.connect(self._ask_for_file)
        self.rest.clicked.connect(self._all_to_rest)
        self.give_back.clicked.connect(partial(self._save, None))
        self.back.clicked.connect(self.leave)
        self.save.clicked.connect(lambda: self._save(self.values))

    def _build_sliders(self) -> QScrollArea:
        inner = QWidget()
        inner.setObjectName("log")
        grid = QGridLayout(inner)
        grid.setContentsMargins(18, 4, 18, 8)
        grid.setVerticalSpacing(4)
        grid.setRowStretch(len(PARAMETERS) + 2 * len(GROUPS) + 1, 1)
        self._steps = self._slider_steps(grid)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inner)
        # Painted once it is whole: otherwise every new row would have all others painted again.
        scroll.setUpdatesEnabled(False)
        self._scroll = scroll
        return scroll

    def _slider_steps(self, grid: QGridLayout) -> Iterator[None]:
        at = 0
        for group in GROUPS:
            grid.addWidget(heading(group_name(group), "section"), at, 0)
            at += 1
            for parameter in PARAMETERS:
                if parameter.group == group:
                    slider = ParameterSlider(parameter)
                    slider.moved.connect(partial(self._moved, parameter))
                    self.sliders[parameter.name] = slider
                    grid.addWidget(slider, at, 0)
                    at += 1
                    yield
            grid.setRowMinimumHeight(at, 8)
            at += 1

    def _build_slider(self) -> None:
        """One row a turn of the event loop: all of them at once would hold the window up for 50 ms."""
        if next(self._steps, "end") == "end":
            self._building.stop()
            self._is_built = True
            self._scroll.setUpdatesEnabled(True)
            self._choose()
            self._refresh()

    def _apply_theme(self, theme: Theme) -> None:
        self.preview.set_theme(theme)
        self.sides.set_theme(theme)

    # What is shown.

    def open(self, entry: Entry, name: str = "") -> None:
        """Show the expressions of `entry`, beginning with `name`."""
        self._entry = None
        self.title.setText(self.tr("Expressions of {name}").format(name=entry.name))
        self.copies.say(
            ""
            if entry.is_own
            else self.tr("{name} comes with the app and stays as it is. Saving makes a copy of your own.").format(
                name=entry.name
            )
        )
        self.trouble.say("")
        self._loading.begin(lambda: character_at(entry.path), partial(self._show, entry, name), self._refuse)
        self._refresh()

    def _show(self, entry: Entry, name: str, character: Character) -> None:
        self._entry = entry
        self._own = character.expressions
        wanted = name or self.chosen or "happy"
        self.names.blockSignals(True)
        self.names.clear()
        for each in expression_names(self._own):
            item = QListWidgetItem(readable(each))
            item.setData(Qt.ItemDataRole.UserRole, each)
            self.names.addItem(item)
            if each == wanted:
                self.names.setCurrentItem(item)
        if self.names.currentRow() < 0:
            self.names.setCurrentRow(0)
        self.names.blockSignals(False)
        self._choose()
        self.trouble.say(*self._news)
        self._news = ("", "dim")

    @property
    def chosen(self) -> str:
        """The name of the expression that is edited; "" where there is none."""
        item = self.names.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else ""

    @property
    def values(self) -> dict[str, float]:
        """All 45, as the sliders stand."""
        return {name: slider.value for name, slider in self.sliders.items()}

    @property
    def is_changed(self) -> bool:
        """Whether the sliders stand elsewhere than what is kept."""
        return self._is_built and bool(self.chosen) and self.values != values_of(self.chosen, self._own)

    def _choose(self) -> None:
        if not self.chosen or not self._is_built:
            return
        for name, value in values_of(self.chosen, self._own).items():
            self.sliders[name].set_value(value)
        self.trouble.say("")
        self._changed()

    def _moved(self, parameter: Parameter) -> None:
        if self.sides.isChecked() and parameter.other_side:
            self.sliders[parameter.other_side].set_value(self.sliders[parameter.name].value)
        self._changed()

    def _all_to_rest(self) -> None:
        for slider in self.sliders.values():
            slider.set_value(0.0)
        self._changed()

    def _changed(self) -> None:
        self._refresh()
        if not self._send.isActive():
            self._send.start()

    def _refresh(self) -> None:
        is_ready = self._entry is not None and self._is_built and not self._saving.is_busy
        self.save.setEnabled(is_ready and self.is_changed)
        self.give_back.setEnabled(is_ready and self._entry is not None and self._entry.is_own)
        for widget in (self.names, self.new, self.take_in, self.rest):
            widget.setEnabled(is_ready)

    def _preview(self) -> None:
        if self._entry is not None and self._is_built and self.isVisible():
            self._is_previewing = True
            self._studio.put(PreviewPose(tuple(self.values.items())))

    def end(self) -> None:
        """The page is left or hidden: the face is its own again."""
        self._send.stop()
        if self._is_previewing:
            self._is_previewing = False
            self._studio.put(PreviewPose(None))

    def resume(self) -> None:
        """The page is seen again."""
        if self._entry is not None:
            self._send.start()

    # What is changed.

    def _save(self, values: dict[str, float] | None) -> None:
        entry, name = self._entry, self.chosen
        if entry is None or not name:
            return

        def act() -> Entry:
            own = own_copy(entry)
            save_expression(own.path, name, values)
            return own

        self._saving.begin(act, self._take_saved, self._refuse)
        self._refresh()

    def _take_saved(self, entry: Entry) -> None:
        name = self.chosen
        self.saved.emit(entry)
        self.open(entry, name)

    def _refuse(self, problem: str, remedy: str) -> None:
        self._refresh()
        self.trouble.say(f"{problem} {remedy}", "trouble")

    def _ask_for_name(self) -> None:
        text, is_given = QInputDialog.getText(
            self, self.tr("New expression"), self.tr("Its name, in small letters such as “victory”:")
        )
        if is_given:
            self.add(text)

    def add(self, text: str) -> None:
        """A new expression that begins as the one that is shown; it is there once it is saved."""
        name = "_".join(text.strip().lower().split())
        known = [str(self.names.item(at).data(Qt.ItemDataRole.UserRole)) for at in range(self.names.count())]
        is_word = name.isascii() and name.replace("_", "").isalnum() and name[:1].isalpha() and len(name) <= 31
        if not is_word:
            self.trouble.say(
                self.tr("“{name}” cannot be used: write letters a to z, digits and spaces.").format(name=text[:40]),
                "trouble",
            )
            return
        if name not in known:
            self._own = {**self._own, name: {}}
            values = self.values
            item = QListWidgetItem(readable(name))
            item.setData(Qt.ItemDataRole.UserRole, name)
            self.names.addItem(item)
            self.names.setCurrentItem(item)
            for each, value in values.items():
                self.sliders[each].set_value(value)
            self._changed()
        else:
            self.names.setCurrentRow(known.index(name))

    def _ask_for_file(self) -> None:
        file, _ = QFileDialog.getOpenFileName(
            self, self.tr("Import emotions"), "", self.tr("Emotions (*.json);;All files (*)")
        )
        if file:
            self.import_file(Path(file))

    def import_file(self, file: Path) -> None:
        """Take the emotions of another program in."""
        entry = self._entry
        if entry is None:
            return

        def act() -> tuple[Entry, tuple[str, ...]]:
            own = own_copy(entry)
            _, notes = add_emotions(own.path, file)
            return own, notes

        self._saving.begin(act, self._take_imported, self._refuse)
        self._refresh()

    def _take_imported(self, outcome: tuple[Entry, tuple[str, ...]]) -> None:
        entry, notes = outcome
        words = " ".join([self.tr("The emotions are there."), *notes])
        self._news = (words, "caution" if notes else "fine")
        self._take_saved(entry)

    def leave(self) -> None:
        """Back to the gallery; what was not saved is gone."""
        self.end()
        self.left.emit()
