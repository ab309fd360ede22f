"""The core runs without a window: Qt is not there, no display is, and the show works."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

WITHOUT_QT = """
import importlib.abc, sys

class NoQt(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("PySide6", "shiboken6"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, NoQt())
"""

EVERY_MODULE = """
import importlib, pkgutil, app

for module in pkgutil.walk_packages(app.__path__, "app."):
    if not module.name.startswith("app.gui") and module.name != "app.__main__":
        if module.name.startswith("app.backends.keys_"):
            continue  # each belongs to one system
        importlib.import_module(module.name)
        print(module.name)
"""

A_SHOW = """
import threading
from animator.clock import SystemClock
from app import compose
from app.bus import Bus
from app.messages import Configure
from app.settings import Settings
from app.show import Show

clock = SystemClock()
bus = Bus(clock.now_ns)
told = threading.Event()
bus.listen(lambda fact: told.set() if (fact.stage, fact.event) == ("settings", "changed") else None)
show = Show(bus, clock, Settings(), compose.find_character("haru"), speaker=compose.null_speaker(clock), greet=False,
            face=False, keys=False)
show.start(muted=False)
bus.gate.put(Configure("hearing.patience", 1.4))
assert told.wait(30)
assert show.settings.hearing.patience == 1.4
show.stop()
print("works")
"""


def run(tmp_path: Path, code: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    environment |= {"KUCHIPAKU_CONFIG": str(tmp_path), "KUCHIPAKU_DATA": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_QT + code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_qt_is_kept_from_these_processes(tmp_path: Path) -> None:
    """The measure itself must be able to fail."""
    assert "no Qt" in run(tmp_path, "try:\n    import PySide6\nexcept ModuleNotFoundError:\n    print('no Qt')")


def test_everything_but_the_window_can_be_imported_without_qt(tmp_path: Path) -> None:
    imported = run(tmp_path, EVERY_MODULE).split()

    assert {"app.show", "app.line", "app.compose", "app.cli", "app.doctor", "app.keys", "app.control"} <= set(imported)


def test_the_show_runs_and_takes_settings_without_qt_and_without_a_display(tmp_path: Path) -> None:
    """No model is there either: what is missing is said, and the rest goes on."""
    assert "works" in run(tmp_path, A_SHOW)
    assert "patience = 1.4" in (tmp_path / "settings.toml").read_text(encoding="utf-8")
