"""A button for each of the first eight expressions, with the keys 1 to 8, and a list of all others."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QMenu, QPushButton, QSizePolicy, QWidget

from app.gui.theme import Theme

KEYS = 8
BUTTON_PX = 80
"""Narrower than this and names are cut: the row then breaks in two."""


USUAL = (
    QT_TRANSLATE_NOOP("expressions", "Neutral"),
    QT_TRANSLATE_NOOP("expressions", "Happy"),
    QT_TRANSLATE_NOOP("expressions", "Sad"),
    QT_TRANSLATE_NOOP("expressions", "Angry"),
    QT_TRANSLATE_NOOP("expressions", "Surprised"),
    QT_TRANSLATE_NOOP("expressions", "Relaxed"),
    QT_TRANSLATE_NOOP("expressions", "Shy"),
    QT_TRANSLATE_NOOP("expressions", "Wink"),
    QT_TRANSLATE_NOOP("expressions", "Sleepy"),
    QT_TRANSLATE_NOOP("expressions", "Smug"),
    QT_TRANSLATE_NOOP("expressions", "Admiration"),
    QT_TRANSLATE_NOOP("expressions", "Amusement"),
    QT_TRANSLATE_NOOP("expressions", "Anger"),
    QT_TRANSLATE_NOOP("expressions", "Annoyance"),
    QT_TRANSLATE_NOOP("expressions", "Approval"),
    QT_TRANSLATE_NOOP("expressions", "Caring"),
    QT_TRANSLATE_NOOP("expressions", "Confusion"),
    QT_TRANSLATE_NOOP("expressions", "Curiosity"),
    QT_TRANSLATE_NOOP("expressions", "Desire"),
    QT_TRANSLATE_NOOP("expressions", "Disappointment"),
    QT_TRANSLATE_NOOP("expressions", "Disapproval"),
    QT_TRANSLATE_NOOP("expressions", "Disgust"),
    QT_TRANSLATE_NOOP("expressions", "Embarrassment"),
    QT_TRANSLATE_NOOP("expressions", "Excitement"),
    QT_TRANSLATE_NOOP("expressions", "Fear"),
    QT_TRANSLATE_NOOP("expressions", "Gratitude"),
    QT_TRANSLATE_NOOP("expressions", "Grief"),
    QT_TRANSLATE_NOOP("expressions", "Joy"),
    QT_TRANSLATE_NOOP("expressions", "Love"),
    QT_TRANSLATE_NOOP("expressions", "Nervousness"),
    QT_TRANSLATE_NOOP("expressions", "Optimism"),
    QT_TRANSLATE_NOOP("expressions", "Pride"),
    QT_TRANSLATE_NOOP("expressions", "Realization"),
    QT_TRANSLATE_NOOP("expressions", "Relief"),
    QT_TRANSLATE_NOOP("expressions", "Remorse"),
    QT_TRANSLATE_NOOP("expressions", "Sadness"),
    QT_TRANSLATE_NOOP("expressions", "Surprise"),
)
"""What the characters that come with the app can show, and every emotion of the brain's; others are called as their
maker wrote them."""


def readable(name: str) -> str:
    """`eye_wink` as people read it: `Eye wink`, and in their language where it is one of the usual ones."""
    words = name.replace("_", " ").strip()
    words = words[:1].upper() + words[1:]
    return QCoreApplication.translate("expressions", words)


class ExpressionButton(QPushButton):
    """Name below, key above."""

    def __init__(self, name: str, key: int | None, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.expression = name
        self._key = key
        self._theme = theme
        self.setCheckable(True)
        self.setProperty("role", "expression")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        label = readable(name)
        self.setAccessibleName(
            self.tr("Expression {name}, key {key}").format(name=label, key=key)
            if key is not None
            else self.tr("Expression {name}").format(name=label)
        )
        self.setToolTip(self.tr("{name} (key {key})").format(name=label, key=key) if key is not None else label)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Two lines of text."""
        return QSize(max(BUTTON_PX, self.name_px() + 12), self._key_px() + self._name_height_px() + 14)

    def name_px(self) -> int:
        """Width of the whole name."""
        return QFontMetrics(self._name_font()).horizontalAdvance(readable(self.expression))

    def _name_font(self) -> QFont:
        font = self.font()
        font.setPointSizeF(max(font.pointSizeF(), 9.0) * 1.05)
        font.setWeight(font.Weight.DemiBold if self.isChecked() else font.Weight.Normal)
        return font

    def _key_font(self) -> QFont:
        font = self.font()
        font.setPointSizeF(max(font.pointSizeF(), 9.0) * 0.85)
        return font

    def _name_height_px(self) -> int:
        return QFontMetrics(self._name_font()).height()

    def _key_px(self) -> int:
        return QFontMetrics(self._key_font()).height()

    def minimumSizeHint(self) -> QSize:
        """Two lines of text."""
        return QSize(48, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the key and the name onto the button."""
        super().paintEvent(event)
        painter = QPainter(self)
        height_px = self._name_height_px() + (self._key_px() if self._key is not None else 0)
        top = (self.height() - height_px) / 2
        if self._key is not None:
            painter.setFont(self._key_font())
            painter.setPen(QColor(self._theme.accent if self.isChecked() else self._theme.dim))
            where = QRectF(0, top, self.width(), self._key_px())
            painter.drawText(where, Qt.AlignmentFlag.AlignCenter, str(self._key))
            top += self._key_px()
        painter.setFont(self._name_font())
        painter.setPen(QColor(self._theme.text))
        name = painter.fontMetrics().elidedText(
            readable(self.expression), Qt.TextElideMode.ElideRight, max(0, self.width() - 8)
        )
        where = QRectF(0, top, self.width(), self._name_height_px())
        painter.drawText(where, Qt.AlignmentFlag.AlignCenter, name)
        painter.end()


class ExpressionBar(QWidget):
    """The buttons in one row, or in several where the window is narrow. `chosen` tells the name.

    What has no key is in the menu of a last button, so that the stage keeps its room whatever a character can show.
    """

    chosen = Signal(str)

    def __init__(self, names: Sequence[str], theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self._columns = 0
        self._theme = theme
        self._names: list[str] = []
        self._active = ""
        self.buttons: list[ExpressionButton] = []
        self.more = QPushButton()
        self.more.setProperty("role", "expression")
        self.more.setCheckable(True)
        self.more.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.more.setCursor(Qt.CursorShape.PointingHandCursor)
        self.menu = QMenu(self.more)
        self.menu.setAccessibleName(self.tr("More expressions"))
        self.more.clicked.connect(self._open_menu)
        self.more.hide()
        self.set_names(names)

    def set_names(self, names: Sequence[str]) -> None:
        """Offer these from now on; what is highlighted stays so, if it is among them."""
        if list(names) == self._names:
            return
        self._names = list(names)
        for column in range(self._columns):
            self._grid.setColumnStretch(column, 0)
        for old in self.buttons:
            self._grid.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._grid.removeWidget(self.more)
        self._columns = 0
        self.buttons = []
        for number, name in enumerate(self._names[:KEYS], start=1):
            button = ExpressionButton(name, number, self._theme)
            button.clicked.connect(lambda _checked=False, chosen=name: self._choose(chosen))
            self.buttons.append(button)
        self.menu.clear()
        for name in self._names[KEYS:]:
            action = self.menu.addAction(readable(name))
            action.setCheckable(True)
            action.setData(name)
            action.triggered.connect(lambda _checked=False, chosen=name: self._choose(chosen))
        self.more.setVisible(len(self._names) > KEYS)
        self._arrange(max(1, self._fitting()))
        self.setVisible(bool(self.buttons))
        self.set_active(self._active)

    @property
    def active(self) -> str:
        """The expression that is highlighted, or ""."""
        return self._active if self._active in self._names else ""

    def set_active(self, name: str) -> None:
        """Highlight what the face shows; a name that is not offered clears the highlight."""
        self._active = name
        for button in self.buttons:
            button.setChecked(button.expression == name)
        is_other = name in self._names[KEYS:]
        for action in self.menu.actions():
            action.setChecked(action.data() == name)
        self.more.setChecked(is_other)
        self.more.setText(readable(name) if is_other else self.tr("More…"))
        self.more.setToolTip(self.tr("Expressions without a key of 1 to 8"))
        self.more.setAccessibleName(
            self.tr("More expressions, now {name}").format(name=readable(name))
            if is_other
            else self.tr("More expressions")
        )

    def _open_menu(self) -> None:
        self.set_active(self._active)  # the click itself chooses nothing
        self.menu.popup(self.more.mapToGlobal(self.more.rect().topLeft()) - QPoint(0, self.menu.sizeHint().height()))

    def press_key(self, key: int) -> None:
        """Choose the expression of key 1 to 8; a key without one does nothing."""
        if 1 <= key <= min(KEYS, len(self.buttons)):
            self._choose(self.buttons[key - 1].expression)

    def set_theme(self, theme: Theme) -> None:
        """Repaint in other colours."""
        self._theme = theme
        for button in self.buttons:
            button.set_theme(theme)

    def _choose(self, name: str) -> None:
        # Shown at once; the face's own fact confirms or corrects it.
        self.set_active(name)
        self.chosen.emit(name)

    def _arrange(self, columns: int) -> None:
        if columns == self._columns:
            return
        for column in range(self._columns):
            self._grid.setColumnStretch(column, 0)
        self._columns = columns
        for place, button in enumerate(self._shown()):
            self._grid.addWidget(button, place // columns, place % columns)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)

    def minimumSizeHint(self) -> QSize:
        """Four buttons wide: the bar can always break."""
        return QSize(4 * 48 + 3 * 8, self._grid.minimumSize().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break into as many rows as the width asks for, equally full."""
        super().resizeEvent(event)
        if self.buttons:
            self._arrange(self._fitting())

    def _shown(self) -> list[QPushButton]:
        return [*self.buttons, *([self.more] if len(self._names) > KEYS else [])]

    def _fitting(self) -> int:
        """Columns for the width that there is; before it is known, all in one row."""
        count = len(self._shown())
        if not count or not self.testAttribute(Qt.WidgetAttribute.WA_Resized):
            return count
        widest_px = max(BUTTON_PX, max(button.name_px() for button in self.buttons) + 12)
        fits = max(1, (self.width() + 8) // (widest_px + 8))
        rows = -(-count // fits)
        return -(-count // rows)
