"""A page of settings: a title, then panels of rows. What does not apply now is not shown."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
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
        self.build()
        self.column.addStretch(1)
        self.refresh()
        self._fit()
        studio.setting_changed.connect(lambda _name, _value: self.refresh())

    def changeEvent(self, event: QEvent) -> None:
        """Lines of so many letters, whatever the size of the text."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange and hasattr(self, "_body"):
            self._fit()

    def _fit(self) -> None:
        self._body.setMaximumWidth(WIDEST_CHARS * self.fontMetrics().averageCharWidth())

    def build(self) -> None:
        """Make the panels."""
        raise NotImplementedError

    def section(self, title: str) -> Section:
        """One more panel."""
        section = Section(title)
        self.sections.append(section)
        self.column.addWidget(section)
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
        """The field of the setting called `name`. Raises KeyError where the page has none."""
        for section in self.sections:
            for row in section.rows:
                if isinstance(row, Field) and row.name == name:
                    return row
        raise KeyError(name)
