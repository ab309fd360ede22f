"""One setting as people meet it: its name, the control, a sentence of help, and beside it why a value was refused.

What can be chosen and within which bounds comes from `CHOICES` and `RANGES` of the settings; a page adds the words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.gui import icons
from app.gui.picker import Picker
from app.gui.studio import Studio
from app.gui.switch import Switch
from app.gui.theme import Theme
from app.settings import CHOICES, RANGES, Value

SETTLE_MS = 200
"""A slider that has stood so long is asked for: not each of its places on the way."""

EDITOR_CHARS = 46
"""Width of a control in letters, so that it grows with the text."""


class _CalmWheel(QObject):
    """Scrolling a page over a control does not change it: only one that has the focus takes the wheel."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QWidget) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)


def calm(widget: QWidget) -> None:
    """Have the wheel scroll the page, not the control under it."""
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    widget.installEventFilter(_CalmWheel(widget))


def plain(text: str) -> str:
    """Text of elsewhere for a label: what looks like markup would be shown as markup."""
    return text.replace("<", "‹")


def make_button(text: str) -> QPushButton:
    """A button beside or below a field: as wide as its words."""
    button = QPushButton(text)
    button.setProperty("role", "field")
    button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return button


class Note(QLabel):
    """A wrapped line below a control: what went wrong ("problem"), what went well ("good"), or a remark ("dim")."""

    def __init__(self, role: str = "dim", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setProperty("role", role)
        self.hide()

    def say(self, text: str, role: str | None = None) -> None:
        """Show `text`, or nothing where it is empty."""
        if role is not None and role != self.property("role"):
            self.setProperty("role", role)
            self.style().unpolish(self)
            self.style().polish(self)
        self.setText(plain(text))
        self.setVisible(bool(text))


class Row(QWidget):
    """Name and help at the left, a control at the right, notes below. `applies` says whether it is to be seen now."""

    def __init__(self, label: str, help_text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = QLabel(label)
        self.label.setProperty("weight", "strong")
        self.label.setWordWrap(True)
        self.help = QLabel(help_text)
        self.help.setProperty("role", "dim")
        self.help.setWordWrap(True)
        self.help.setVisible(bool(help_text))
        self.problem = Note("problem")
        self.applies: Callable[[], bool] = lambda: True
        self._editor: QWidget | None = None
        self._fitted: tuple[bool, int] | None = None
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self.label)
        words.addWidget(self.help)
        words.addStretch(1)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(0, 1)
        self._grid.addLayout(words, 0, 0)
        self._grid.addWidget(self.problem, 2, 0, 1, 2)

    def put_editor(self, editor: QWidget, wide: bool = False) -> None:
        """Place the control beside the words, or with `wide` below them."""
        if wide:
            self._grid.setRowMinimumHeight(3, 4)
            self._grid.addWidget(editor, 4, 0, 1, 2)
            return
        top = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight
        self._grid.addWidget(editor, 0, 1, top)
        if editor.sizePolicy().horizontalPolicy() != QSizePolicy.Policy.Fixed:
            self._editor = editor
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Controls are as wide as so many letters, whatever the size of the text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is no room for both side by side, the control goes below the words."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._editor is None:
            return
        width_px = EDITOR_CHARS * self.fontMetrics().averageCharWidth()
        is_below = self.width() < 1.6 * width_px
        if (is_below, width_px) == self._fitted:
            return
        self._fitted = (is_below, width_px)
        self._editor.setMinimumWidth(0 if is_below else width_px)
        self._editor.setMaximumWidth(width_px)
        self._grid.removeWidget(self._editor)
        if is_below:
            self._grid.addWidget(self._editor, 1, 0, 1, 2)
        else:
            self._grid.addWidget(self._editor, 0, 1, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)


class Field(Row):
    """A setting. `commit` asks for a value; the control shows what is in force, and says why another is not."""

    def __init__(self, studio: Studio, name: str, label: str, help_text: str, parent: QWidget | None = None) -> None:
        super().__init__(label, help_text, parent)
        self.studio = studio
        self.name = name
        studio.setting_changed.connect(self._note_changed)
        studio.setting_refused.connect(self._note_refused)
        studio.theme_changed.connect(self.set_theme)

    def commit(self, value: Value) -> None:
        """Ask for `value`."""
        self.problem.say("")
        self.studio.set(self.name, value)

    def show_value(self, value: Value) -> None:
        """Show what is in force, without asking for it."""
        raise NotImplementedError

    def show_refused(self) -> None:
        """The value was refused: the control goes back to the one in force."""
        self.show_value(self.studio.value(self.name))

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""

    def _note_changed(self, name: str, value: object) -> None:
        if name == self.name:
            self.problem.say("")
            self.show_value(self.studio.value(name))

    def _note_refused(self, name: str, problem: str, remedy: str) -> None:
        if name == self.name:
            self.problem.say(f"{problem} {remedy}".strip())
            self.show_refused()

    def _name_control(self, control: QWidget) -> None:
        control.setAccessibleName(self.label.text())
        control.setAccessibleDescription(self.help.text())


class SwitchField(Field):
    """On or off."""

    def __init__(self, studio: Studio, name: str, label: str, help_text: str) -> None:
        super().__init__(studio, name, label, help_text)
        self.switch = Switch("", "", studio.theme)
        self._name_control(self.switch)
        self.switch.clicked.connect(lambda on: self.commit(bool(on)))
        self.put_editor(self.switch)
        self.show_value(studio.value(name))

    def show_value(self, value: Value) -> None:
        """Move the switch."""
        self.switch.setChecked(bool(value))

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.switch.set_theme(theme)


def make_picker(theme: Theme) -> Picker:
    """A combo box as fields have it: it may be narrower than its longest entry, and leaves the wheel to the page."""
    picker = Picker()
    picker.arrow = theme.dim
    picker.setProperty("role", "field")
    picker.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    picker.setMinimumContentsLength(8)
    picker.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    calm(picker)
    return picker


class ChoiceField(Field):
    """One of several. `words` gives each value its words, in the order of the settings' CHOICES."""

    def __init__(
        self,
        studio: Studio,
        name: str,
        label: str,
        help_text: str,
        words: Mapping[str, str],
        choices: Sequence[str] | None = None,
    ) -> None:
        super().__init__(studio, name, label, help_text)
        self.picker = make_picker(studio.theme)
        self._name_control(self.picker)
        self._words = dict(words)
        self.set_choices(CHOICES[name] if choices is None else choices)
        self.picker.activated.connect(self._choose)
        self.put_editor(self.picker)

    def set_choices(self, choices: Sequence[str]) -> None:
        """Offer these values; the one in force is offered too, whatever it is."""
        self.picker.clear()
        for value in choices:
            self.picker.addItem(plain(self._words.get(value, value)), value)
        self.show_value(self.studio.value(self.name))

    def words_of_unknown(self, value: str) -> str:
        """How a value in force is called that is not among the choices."""
        return value

    def show_value(self, value: Value) -> None:
        """Select the entry of `value`."""
        index = self.picker.findData(str(value))
        if index < 0:
            self.picker.addItem(plain(self.words_of_unknown(str(value))), str(value))
            index = self.picker.count() - 1
        self.picker.setCurrentIndex(index)
        self.picker.setToolTip(self.picker.currentText())

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        self.picker.arrow = theme.dim
        self.picker.update()

    def _choose(self, index: int) -> None:
        self.commit(str(self.picker.itemData(index)))


class DeviceField(ChoiceField):
    """A device, remembered by its name: one that is not connected now stays chosen and says so."""

    def __init__(self, studio: Studio, name: str, label: str, help_text: str, default: str) -> None:
        self._devices: list[str] = []
        super().__init__(studio, name, label, help_text, {"": default}, [""])

    def set_devices(self, devices: Sequence[str], words: Mapping[str, str] | None = None) -> None:
        """What is connected now; `words` are what some of them are called by."""
        self._devices = list(devices)
        self._words = {"": self._words[""], **(words or {})}
        self.set_choices(["", *dict.fromkeys(devices)])

    def words_of_unknown(self, value: str) -> str:
        """A part of a name is enough to choose a device; else it is not connected."""
        if any(value.casefold() in device.casefold() for device in self._devices):
            return value
        return self.tr("{name} (not connected)").format(name=value)


class FolderChoiceField(ChoiceField):
    """One of several names, or a folder of the user's own."""

    _BROWSE = "\0browse"

    def __init__(
        self,
        studio: Studio,
        name: str,
        label: str,
        help_text: str,
        words: Mapping[str, str],
        choices: Sequence[str],
    ) -> None:
        super().__init__(studio, name, label, help_text, words, choices)

    def set_choices(self, choices: Sequence[str]) -> None:
        """Offer these values and the way to a folder."""
        super().set_choices(choices)
        self.picker.insertSeparator(self.picker.count())
        self.picker.addItem(self.tr("Choose a folder…"), self._BROWSE)

    def _choose(self, index: int) -> None:
        value = str(self.picker.itemData(index))
        if value != self._BROWSE:
            self.commit(value)
            return
        folder = QFileDialog.getExistingDirectory(self, self.label.text())
        if folder:
            self.commit(folder)
        self.show_value(self.studio.value(self.name))


class NumberField(Field):
    """A number within the settings' RANGES: a slider to feel it, and a box to type it.

    Args:
        step: Of the slider and of the keys.
        unit: Written behind the number, such as " ms".
        with_slider: False where the range is too wide to feel.
        at_least: Words in place of the lowest number, such as "never".
    """

    def __init__(
        self,
        studio: Studio,
        name: str,
        label: str,
        help_text: str,
        *,
        step: float,
        unit: str = "",
        with_slider: bool = True,
        at_least: str = "",
    ) -> None:
        super().__init__(studio, name, label, help_text)
        self._low, self._high = RANGES[name]
        self._step = step
        self._is_whole = isinstance(studio.value(name), int)
        self.box: QSpinBox | QDoubleSpinBox
        if self._is_whole:
            self.box = QSpinBox()
            self.box.setRange(int(self._low), int(self._high))
            self.box.setSingleStep(int(step))
        else:
            self.box = QDoubleSpinBox()
            self.box.setDecimals(2 if step < 0.1 else 1 if step < 1 else 0)
            self.box.setRange(self._low, self._high)
            self.box.setSingleStep(step)
        self.box.setSuffix(unit)
        self.box.setSpecialValueText(at_least)
        self.box.setKeyboardTracking(False)
        self.box.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        calm(self.box)
        self._name_control(self.box)
        self._name_control(self.box.lineEdit())
        self.slider: QSlider | None = None
        editor = QWidget()
        row = QHBoxLayout(editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        if with_slider:
            self.slider = QSlider(Qt.Orientation.Horizontal)
            self.slider.setProperty("role", "field")
            self.slider.setRange(0, round((self._high - self._low) / step))
            self.slider.setPageStep(max(1, self.slider.maximum() // 10))
            calm(self.slider)
            self._name_control(self.slider)
            self.slider.valueChanged.connect(self._slide)
            row.addWidget(self.slider, 1)
        else:
            row.addStretch(1)
        row.addWidget(self.box)
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLE_MS)
        self._settle.timeout.connect(self._ask)
        self.box.valueChanged.connect(self._type)
        self.put_editor(editor)
        self.show_value(studio.value(name))

    def show_value(self, value: Value) -> None:
        """Move slider and box."""
        if self._settle.isActive():
            return  # the hand is still on it
        self._place(float(value))

    def show_refused(self) -> None:
        """Back to what is in force."""
        self._settle.stop()
        super().show_refused()

    def _place(self, value: float) -> None:
        for control in (self.box, self.slider):
            if control is not None:
                control.blockSignals(True)
        if isinstance(self.box, QSpinBox):
            self.box.setValue(round(value))
        else:
            self.box.setValue(value)
        if self.slider is not None:
            self.slider.setValue(round((value - self._low) / self._step))
        for control in (self.box, self.slider):
            if control is not None:
                control.blockSignals(False)

    def _slide(self, place: int) -> None:
        self._place(min(self._high, self._low + place * self._step))
        self._settle.start()

    def _type(self, value: float) -> None:
        self._place(value)
        self._settle.start()

    def _ask(self) -> None:
        value = self.box.value()
        self.commit(int(value) if self._is_whole else round(float(value), 4))


class TextField(Field):
    """Words: an address, a name. Asked for with Enter or on leaving; what was refused stays, to be mended."""

    def __init__(
        self, studio: Studio, name: str, label: str, help_text: str, placeholder: str = "", *, folder: bool = False
    ) -> None:
        super().__init__(studio, name, label, help_text)
        self.line = QLineEdit()
        self.line.setProperty("role", "field")
        self.line.setPlaceholderText(placeholder)
        self.line.setMaxLength(1000)
        self._name_control(self.line)
        self.line.editingFinished.connect(self._finish)
        editor = QWidget()
        row = QHBoxLayout(editor)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.line, 1)
        if folder:
            self.browse = make_button("")
            self.browse.setIcon(icons.icon("folder", studio.theme.text, 18))
            self.browse.setToolTip(self.tr("Choose a folder…"))
            self.browse.setAccessibleName(self.tr("Choose a folder for: {label}").format(label=label))
            self.browse.clicked.connect(self._browse)
            row.addWidget(self.browse)
        self.put_editor(editor)
        self.show_value(studio.value(name))

    def show_value(self, value: Value) -> None:
        """Write what is in force."""
        if not self.line.hasFocus() or not self.line.isModified():
            self.line.setText(str(value))
            self.line.setModified(False)

    def show_refused(self) -> None:
        """What was typed stays, to be mended; below stands what counts meanwhile."""
        in_force = str(self.studio.value(self.name))
        still = self.tr("In force is still “{value}”.") if in_force else self.tr("It is still empty.")
        self.problem.say(f"{self.problem.text()} {still.format(value=in_force)}")

    def set_theme(self, theme: Theme) -> None:
        """Other colours."""
        if hasattr(self, "browse"):
            self.browse.setIcon(icons.icon("folder", theme.text, 18))

    def _finish(self) -> None:
        if self.line.isModified():
            self.line.setModified(False)
            self.commit(self.line.text().strip())

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.label.text(), self.line.text())
        if folder:
            self.line.setText(folder)
            self.commit(folder)
