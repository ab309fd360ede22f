"""The window itself: colours, language, size of the text, and how it starts."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.gui.fields import ChoiceField, NumberField, SwitchField, make_button
from app.gui.form_page import FormPage


class WindowPage(FormPage):
    """Every setting of the window."""

    icon = "window"

    @property
    def title(self) -> str:
        """The page's name."""
        return self.tr("Window")

    def build(self) -> Iterator[None]:
        """Make the panels."""
        studio = self.studio
        looks = self.section(self.tr("Looks"))
        looks.add(
            ChoiceField(
                studio,
                "window.theme",
                self.tr("Colours"),
                "",
                {"auto": self.tr("As the system"), "light": self.tr("Light"), "dark": self.tr("Dark")},
            )
        )
        yield
        looks.add(
            NumberField(
                studio,
                "window.text_scale",
                self.tr("Size of the text"),
                self.tr("1.5 is half as large again."),
                step=0.1,
            )
        )
        yield
        looks.add(
            ChoiceField(
                studio,
                "window.language",
                self.tr("Language"),
                self.tr("Of this window, from its next start on."),
                # Languages are called by their own names, so that they are found again.
                {"auto": self.tr("As the system"), "en": "English", "ja": "日本語"},
            )
        )
        yield
        place = self.section(self.tr("Place and start"))
        place.add(
            SwitchField(
                studio,
                "window.always_on_top",
                self.tr("Always on top"),
                self.tr("Keep this window above those of other programs."),
            )
        )
        yield
        place.add(
            SwitchField(
                studio,
                "window.start_minimised",
                self.tr("Start minimised"),
                self.tr("Start as an icon in the tray, or in the task bar where there is no tray."),
            )
        )
        yield
        again = QWidget()
        row = QHBoxLayout(again)
        row.setContentsMargins(0, 0, 0, 0)
        self.first_steps = make_button(self.tr("Show the first steps again"))
        self.first_steps.clicked.connect(studio.first_steps_wanted)
        row.addWidget(self.first_steps)
        row.addStretch(1)
        place.add_widget(again)
        yield
