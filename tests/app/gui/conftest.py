"""A window over a bus of its own, with frames that the test hands out."""

from __future__ import annotations

import os

if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import itertools
import queue
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import PySide6
import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.bus import Bus
from app.gui.main_window import MainWindow
from app.gui.pages.stage_page import StagePage
from app.gui.window_info import WindowInfo
from app.messages import Command, Frame, StageColours
from app.settings import Settings, WindowSettings

EXPRESSIONS = ["neutral", "happy", "sad", "angry", "surprised", "relaxed", "shy", "wink"]


@dataclass
class Frames:
    """The newest frame, as the test wants it."""

    newest: Frame | None = None
    asked: int = 0

    def show(self, seq: int, colour: tuple[int, int, int, int] = (200, 40, 40, 255)) -> None:
        pixels = np.empty((512, 512, 4), dtype=np.uint8)
        pixels[:] = colour
        self.newest = Frame(seq, pixels, 0)

    def latest(self) -> Frame | None:
        self.asked += 1
        return self.newest


@dataclass
class Rig:
    """A window with both ends of its bus."""

    bus: Bus
    window: MainWindow
    frames: Frames
    qtbot: QtBot
    info: WindowInfo = field(repr=False)

    @property
    def page(self) -> StagePage:
        """The page that the window opens with."""
        return self.window.stage_page

    def tell(self, stage: str, event: str, **data: object) -> None:
        """Emit a fact and let the window read it."""
        self.bus.emit(stage, event, **data)
        # On a busy machine one drain may stop at its budget; this fact is the last one, so it ends the backlog.
        self.window.bridge.drain()
        while self.window.bridge.backlog:
            self.window.bridge.drain()

    def commands(self) -> list[Command]:
        """Every command since the last call."""
        taken: list[Command] = []
        while True:
            try:
                taken.append(self.bus.gate.get_nowait())
            except queue.Empty:
                return taken

    def key(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key in whatever has the focus."""
        target = self.window.focusWidget() or self.window
        self.qtbot.keyClick(target, key, modifier)


class Bell(QObject):
    """A signal and nothing else."""

    rang = Signal()


@pytest.fixture(scope="session")
def sound_binding(qapp: QApplication) -> None:
    """PySide6 6.12.0 drops a reference to True with every emit, which before Python 3.12 soon ends the process.

    Said here as a failure, because the crash would take the whole test run with it.
    """
    bell = Bell()
    before = sys.getrefcount(True)
    for _ in range(50):
        bell.rang.emit()
    lost = before - sys.getrefcount(True)
    if sys.version_info < (3, 12) and lost >= 40:
        pytest.fail(
            f"PySide6 {PySide6.__version__} loses references on this Python. "
            "Run: pip install 'pyside6-essentials>=6.8,<6.12'"
        )


@pytest.fixture
def make_rig(sound_binding: None, qtbot: QtBot) -> Iterator[Callable[..., Rig]]:
    made: list[Rig] = []

    def make(before: Callable[[Bus], None] | None = None, **changes: object) -> Rig:
        ticks = itertools.count()
        bus = Bus(lambda: next(ticks))
        if before is not None:
            before(bus)
        frames = Frames()
        values: dict[str, object] = {
            "title": "Kuchipaku",
            "version": "0.0",
            "characters": [("Haru", "characters/haru"), ("Mina", "characters/mina")],
            "character": "Haru",
            "expressions": EXPRESSIONS,
            "camera_on": False,
            "microphone_on": True,
            "settings": Settings(window=WindowSettings(first_steps=False)),
        }
        info = WindowInfo(**(values | changes))  # type: ignore[arg-type]
        window = MainWindow(bus, frames.latest, info)
        qtbot.addWidget(window)
        window.show()
        qtbot.waitExposed(window)
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow, timeout=5000)
        rig = Rig(bus, window, frames, qtbot, info)
        made.append(rig)
        for command in rig.commands():
            if not isinstance(command, StageColours):  # told at once, by every window
                bus.gate.put(command)
        return rig

    yield make
    for rig in made:
        rig.window.close()


@pytest.fixture
def rig(make_rig: Callable[..., Rig]) -> Rig:
    return make_rig()
