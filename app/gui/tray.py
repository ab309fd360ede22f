"""The icon in the tray: what is wanted while another program has the screen."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon, QWidget

from app.gui.studio import Studio
from app.messages import Mute, Panic, StopTalking, SwitchCamera


class Tray(QObject):
    """Shows and hides `window`, and switches what is switched in a hurry; nothing is seen where there is no tray."""

    def __init__(self, window: QWidget, studio: Studio, icon: QIcon) -> None:
        super().__init__(window)
        self._window = window
        self._studio = studio
        self.menu = QMenu(window)
        self.show_action = self._add(self.tr("Show the window"), self._toggle_window)
        self.menu.addSeparator()
        self.microphone = self._add(self.tr("Microphone"), self._switch_microphone, studio.info.microphone_on)
        self.camera = self._add(self.tr("Camera"), self._switch_camera, False)
        self.stop = self._add(self.tr("Stop talking"), lambda: studio.put(StopTalking()))
        self.panic = self._add(self.tr("Panic: silence and “be right back”"), self._panic, False)
        self.menu.addSeparator()
        self.quit = self._add(self.tr("Quit"), window.close)
        self.menu.aboutToShow.connect(self._name_window)
        self.icon = QSystemTrayIcon(icon, self)
        self.icon.setToolTip(studio.info.title)
        self.icon.setContextMenu(self.menu)
        self.icon.activated.connect(self._activate)
        studio.bridge.state.connect(self._note_state)
        studio.bridge.panic.connect(self.panic.setChecked)
        if self.is_there:
            self.icon.show()

    @property
    def is_there(self) -> bool:
        """Whether this desktop has a tray."""
        return QSystemTrayIcon.isSystemTrayAvailable()

    def close_down(self) -> None:
        """Take the icon away."""
        self.icon.hide()

    def _add(self, text: str, act: object, checked: bool | None = None) -> QAction:
        action = QAction(text, self.menu)
        if checked is not None:
            action.setCheckable(True)
            action.setChecked(checked)
        action.triggered.connect(act)
        self.menu.addAction(action)
        return action

    def _is_seen(self) -> bool:
        return self._window.isVisible() and not self._window.isMinimized()

    def _name_window(self) -> None:
        self.show_action.setText(self.tr("Hide the window") if self._is_seen() else self.tr("Show the window"))

    def _toggle_window(self) -> None:
        if self._is_seen():
            self._window.hide()
            return
        self._window.showNormal() if self._window.isMinimized() else self._window.show()
        self._window.raise_()
        self._window.activateWindow()

    def _activate(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self._toggle_window()

    def _switch_microphone(self) -> None:
        self._studio.put(Mute(not self.microphone.isChecked()))

    def _switch_camera(self) -> None:
        self._studio.put(SwitchCamera(self.camera.isChecked()))

    def _panic(self) -> None:
        self._studio.put(Panic(self.panic.isChecked()))

    def _note_state(self, stage: str, state: str, _label: str) -> None:
        # The parts' own word counts, whoever switched them.
        if stage == "capture":
            self.microphone.setChecked(state not in ("off", "failed"))
        elif stage == "camera" and state != "busy":
            self.camera.setChecked(state in ("ready", "starting"))
