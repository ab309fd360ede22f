"""The buttons that set OBS up and take it back, and what became of it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.gui.fields import Note, make_button
from app.gui.studio import Studio
from app.messages import SetUpObs, UndoObs


class ObsBar(QWidget):
    """Set up, undo, a line that says how OBS is, and one for each loop that may come."""

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.set_up = make_button(self.tr("Set up OBS"))
        self.set_up.setToolTip(self.tr("Makes a scene with the character in it; nothing of yours is changed"))
        self.set_up.clicked.connect(lambda: studio.put(SetUpObs()))
        self.undo = make_button(self.tr("Undo"))
        self.undo.setAccessibleName(self.tr("Undo what was set up in OBS"))
        self.undo.setToolTip(self.tr("Takes away what was made in OBS, and nothing else"))
        self.undo.clicked.connect(lambda: studio.put(UndoObs()))
        self.note = Note()
        self.warning = Note()
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.set_up)
        buttons.addWidget(self.undo)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(buttons)
        column.addWidget(self.note)
        column.addWidget(self.warning)
        studio.bridge.obs_status.connect(self._show)
        self._show(studio.bridge.obs)

    def _show(self, status: dict[str, object]) -> None:
        state = str(status.get("state", "off"))
        is_working = state == "working"
        self.set_up.setEnabled(not is_working)
        self.undo.setEnabled(not is_working)
        if state == "failed":
            self.note.say(f"{status.get('problem', '')} {status.get('remedy', '')}".strip(), "problem")
        elif state == "ready":
            words = self.tr("OBS {version} shows the character in the scene Kuchipaku: {way}, {sources}.")
            made = status.get("made")
            sources = ", ".join(map(str, made)) if isinstance(made, list) else ""
            way = self._way(str(status.get("way", "")))
            self.note.say(words.format(version=status.get("version", ""), way=way, sources=sources), "good")
        else:
            words = {
                "working": self.tr("Setting up…"),
                "searching": self.tr("OBS is not there; it is found again by itself when it starts."),
                "connected": self.tr("OBS {version} is there; nothing of this app is in its scene collection."),
                "undone": self.tr("What was made in OBS is gone again."),
                "nothing": self.tr("There was nothing of this app in OBS."),
            }.get(state, self.tr("OBS 28 or newer has to run, with its WebSocket server switched on."))
            self.note.say(words.format(version=status.get("version", "")), "dim")
        self._warn(status)

    def _warn(self, status: dict[str, object]) -> None:
        sentences = {
            "display": self.tr(
                "“{source}” captures a screen in the same scene: keep this window away from it, or the character is "
                "seen twice."
            ),
            "obs_camera": self.tr(
                "“{source}” is OBS's own camera: do not start the virtual camera in OBS while it is shown."
            ),
        }
        warnings, notes = status.get("warnings"), status.get("notes")
        said = (
            [sentences[code].format(source=source) for code, source in warnings] if isinstance(warnings, list) else []
        )
        said += map(str, notes) if isinstance(notes, list) else []
        self.warning.say(" ".join(said), "problem" if said else "dim")
        self.warning.setVisible(bool(said))

    def _way(self, way: str) -> str:
        return {
            "browser": self.tr("browser source"),
            "stream": self.tr("media source"),
            "camera": self.tr("virtual camera"),
            "window": self.tr("window capture"),
        }.get(way, way)
