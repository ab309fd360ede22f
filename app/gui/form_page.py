"""A page of settings: a title, then panels of rows. What does not apply now is not shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.gui.fields import Field, Row
from app.gui.studio import Page, Studio

WIDEST_CHARS = 150
"""Lines longer than this are hard to read."""


class Section(QFrame):
    """A panel of rows under a heading; hidden while none of its rows applies."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "panel")
        self.rows: list[Row] = []
        self._others: list[QWidget] = []
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(18, 14, 18, 18)
        self.column.setSpacing(16)
        heading = QLabel(title)
        heading.setProperty("role", "section")
        self.column.addWidget(heading)

    def add(self, row: Row, applies: Callable[[], bool] | None = None) -> Row:
        """One more row; `applies` says when it is to be seen."""
        if applies is not None:
            row.applies = applies
        self.rows.append(row)
        self.column.addWidget(row)
        return row

    def insert(self, at: int, row: Row, applies: Callable[[], bool]) -> None:
        """One more row at this place of `column`."""
        row.applies = applies
        self.rows.append(row)
        self.column.insertWidget(at, row)

    def add_widget(self, widget: QWidget) -> None:
        """Anything else that belongs here."""
        self._others.append(widget)
        self.column.addWidget(widget)

    def refresh(self) -> None:
        """Show what applies."""
        for row in self.rows:
            row.setVisible(row.applies())
        self.setVisible(bool(self._others) or any(row.applies() for row in self.rows))


class FormPage(Page):
    """A page whose panels scroll. A page of its own kind overrides `build` and, where it needs to, `enter`."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(studio, parent)
        self.sections: list[Section] = []
        self.heading = QLabel(self.title)
        self.heading.setProperty("role", "heading")
        self.intro = QLabel()
        self.intro.setProperty("role", "dim")
        self.intro.setWordWrap(True)
        self.intro.hide()
        body = QWidget()
        body.setObjectName("log")
        self._body = body
        self.column = QVBoxLayout(body)
        self.column.setContentsMargins(0, 0, 8, 8)
        self.column.setSpacing(12)
        frame = QWidget()
        frame.setObjectName("log")
        across = QHBoxLayout(frame)
        across.setContentsMargins(0, 0, 0, 0)
        across.addWidget(body, 1)
        across.addStretch(0)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(frame)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(4, 0, 0, 0)
        whole.setSpacing(8)
        whole.addWidget(self.heading)
        whole.addWidget(self.intro)
        whole.addWidget(self.area, 1)
        self.column.addStretch(1)
        self._fit()
        self._steps: Iterator[None] | None = self.build()
        # Painted once it is whole: otherwise every new row would have all others painted again.
        self.area.setUpdatesEnabled(False)
        self._building = QTimer(self)
        self._building.setInterval(0)
        self._building.timeout.connect(self._build_row)
        studio.setting_changed.connect(lambda _name, _value: self.refresh())

    def changeEvent(self, event: QEvent) -> None:
        """Lines of so many letters, whatever the size of the text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_body"):
            self._fit()

    def _fit(self) -> None:
        self._body.setMaximumWidth(WIDEST_CHARS * self.fontMetrics().averageCharWidth())

    def build(self) -> Iterator[None]:
        """Make the panels, and yield after each row: the window is never held up for a whole page."""
        raise NotImplementedError

    def look(self) -> None:
        """The page is whole, and shown from now on: look at what may have changed meanwhile."""

    def enter(self) -> None:
        """Build what is not there yet, a few rows at a time."""
        if self._steps is None:
            self.look()
        else:
            self._building.start()

    def build_more(self, steps: Iterator[None]) -> None:
        """Take further steps as those of `build`, after them: what the page is to show has grown."""
        is_whole = self._steps is None
        self._steps = steps if self._steps is None else chain(self._steps, steps)
        self.area.setUpdatesEnabled(False)
        if is_whole and self.isVisible():
            self._building.start()

    def leave(self) -> None:
        """A page that nobody sees is not built on."""
        self._building.stop()

    def finish(self) -> None:
        """Build all that is not there yet, at once."""
        while self._steps is not None:
            self._build_row()

    def _build_row(self) -> None:
        """One row a turn of the event loop: with its layout that is up to 12 ms, and a page of them 150."""
        steps = self._steps
        if steps is not None and next(steps, "end") == "end" and self._steps is steps:  # the last step may want more
            self._steps = None
            self._building.stop()
            self.area.setUpdatesEnabled(True)
            self.look()
        self.refresh()

    def section(self, title: str) -> Section:
        """One more panel."""
        section = Section(title)
        self.sections.append(section)
        # Above the stretch that keeps a short page at the top.
        self.column.insertWidget(self.column.count() - 1, section)
        return section

    def say_intro(self, words: str) -> None:
        """A sentence under the title."""
        self.intro.setText(words)
        self.intro.setVisible(bool(words))

    def refresh(self) -> None:
        """Show what applies to the settings in force."""
        for section in self.sections:
            section.refresh()

    def field(self, name: str) -> Field:
        """The field of the setting called `name`. Raises KeyError where the page has none (yet)."""
        for section in self.sections:
            for row in section.rows:
                if isinstance(row, Field) and row.name == name:
                    return row
        raise KeyError(name)
