"""What every page of the window works with: facts in, commands out, and the settings as they are now."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTime, Signal
from PySide6.QtWidgets import QWidget

from app.bus import Bus
from app.gui.bridge import Bridge
from app.gui.journal import Journal
from app.gui.theme import Look, Theme
from app.gui.window_info import WindowInfo
from app.messages import Command, Configure, Frame
from app.settings import Value, value_of, with_value


class Studio(QObject):
    """One per window, on the GUI thread. Pages read `settings`, call `set`, `put`, and connect to the signals."""

    setting_changed = Signal(str, object)
    """Dotted name, value that is in force now."""
    setting_refused = Signal(str, str, str)
    """Dotted name, problem, remedy; what was in force stays."""
    theme_changed = Signal(object)
    """The new Theme."""
    journal_grew = Signal()
    first_steps_wanted = Signal()
    page_wanted = Signal(str)
    """Show the page of this name."""
    retried = Signal(object)
    """A tuple of stages that the user has asked something of again: what went wrong before is news if it comes back."""

    def __init__(
        self,
        bus: Bus,
        bridge: Bridge,
        info: WindowInfo,
        look: Look,
        latest_frame: Callable[[], Frame | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.bridge = bridge
        self.info = info
        self.settings = info.settings
        self.look = look
        self.latest_frame = latest_frame
        self.journal = Journal(lambda: QTime.currentTime().toString("HH:mm:ss"))
        self._gate = bus.gate
        self._asked: set[str] = set()
        bridge.state.connect(self._note_state)
        bridge.failed.connect(self._note_problem)
        bridge.setting_changed.connect(self._note_change)
        bridge.setting_refused.connect(self._note_refusal)

    def put(self, command: Command) -> None:
        """Put a command on the gate; returns at once."""
        self._gate.put(command)

    def value(self, name: str) -> Value:
        """The setting of this dotted name, such as "voice.speed", as it is in force."""
        return value_of(self.settings, name)

    def set(self, name: str, value: Value) -> None:
        """Ask for a setting. It holds once `setting_changed` says so; `setting_refused` says why it does not."""
        # While an answer is awaited the newest wish is always told, also back to what is in force still.
        if name in self._asked or value != self.value(name):
            self._asked.add(name)
            self.put(Configure(name, value))

    @property
    def theme(self) -> Theme:
        """The colours in use."""
        return self.look.theme

    def set_look(self, look: Look) -> None:
        """Other colours, or a text of another size, from now on."""
        self.look = look
        self.theme_changed.emit(look.theme)

    def _note_change(self, name: str, value: Value) -> None:
        self._asked.discard(name)
        self.settings = with_value(self.settings, name, value)
        self.setting_changed.emit(name, value)

    def _note_refusal(self, name: str, problem: str, remedy: str) -> None:
        self._asked.discard(name)
        if self.journal.note_problem("settings", problem, remedy):
            self.journal_grew.emit()
        self.setting_refused.emit(name, problem, remedy)

    def _note_state(self, stage: str, state: str, label: str) -> None:
        if self.journal.note_state(stage, state, label):
            self.journal_grew.emit()

    def _note_problem(self, stage: str, problem: str, remedy: str) -> None:
        if self.journal.note_problem(stage, problem, remedy):
            self.journal_grew.emit()


class Page(QWidget):
    """One page of the window. `title` is shown (translated) beside the icon called `icon`."""

    icon = ""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.studio = studio

    @property
    def title(self) -> str:
        """The page's name, translated."""
        raise NotImplementedError

    def own_rules(self) -> str:
        """Style rules that the page needs besides the window's."""
        return ""

    def enter(self) -> None:
        """The page is shown from now on."""

    def leave(self) -> None:
        """The page is hidden, or the window closes: end what costs time, and what was only tried."""

    def close_down(self) -> None:
        """The window closes, after `leave`: no timer goes on."""
