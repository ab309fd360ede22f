"""Without a display the user gets a sentence, not an abort."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import AppError
from app.gui.display import require_display

pytestmark = [
    pytest.mark.gui,
    pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="only Linux and BSD can lack a display"),
]

ROOT = Path(__file__).resolve().parents[3]

OPEN = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background hands on that it is ignored
from app.bus import Bus
from app.errors import AppError
from app.gui.main_window import WindowInfo, run_window
from app.settings import Settings, WindowSettings
bus = Bus(time.perf_counter_ns)
info = WindowInfo("Kuchipaku", "0.0", [("Haru", "haru")], "Haru", ["neutral"], False, True,
                  settings=Settings(window=WindowSettings(first_steps=False)))
if "--close" in sys.argv:
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication
    application = QApplication([])
    def opened():
        if any(widget.isVisible() for widget in application.topLevelWidgets()):  # in no order; a popup is among them
            print("open", flush=True)
        else:
            QTimer.singleShot(50, opened)
    QTimer.singleShot(50, opened)
    QTimer.singleShot(20000, lambda: application.exit(4))  # never leave the test waiting
try:
    code = run_window(bus, lambda: None, info)
except AppError as error:
    print("AppError:", error.problem, "|", error.remedy)
    sys.exit(3)
bus.gate.get_nowait()  # the window's colours
print("closed", bus.gate.get_nowait(), bus.gate.empty())
sys.exit(code)
"""


def child_environment(**changes: str) -> dict[str, str]:
    dropped = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"PYTHONPATH": str(ROOT)} | changes


@pytest.mark.parametrize(
    "environment", [{}, {"QT_QPA_PLATFORM": "xcb"}, {"QT_QPA_PLATFORM": "xcb", "WAYLAND_DISPLAY": "w"}]
)
def test_no_display_is_an_error_with_a_remedy(environment: dict[str, str]) -> None:
    with pytest.raises(AppError) as caught:
        require_display(environment)

    assert "no display" in caught.value.problem
    assert "kuchipaku reply" in caught.value.remedy


def test_a_display_that_nobody_serves_is_an_error() -> None:
    with pytest.raises(AppError, match="No display answers at DISPLAY=:4711"):
        require_display({"DISPLAY": ":4711"})


def test_offscreen_needs_no_display() -> None:
    assert require_display({"QT_QPA_PLATFORM": "offscreen"}) is None


def test_run_window_without_a_display_raises_before_qt_aborts() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN], env=child_environment(), capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 3, done.stderr
    assert "AppError: There is no display" in done.stdout


def test_ctrl_c_closes_the_window_and_ends_the_line(sound_binding: None) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", OPEN, "--close"],
        env=child_environment(QT_QPA_PLATFORM="offscreen"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            assert child.stdout is not None
            first = child.stdout.readline().strip()
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=20)
        finally:
            child.kill()

    assert first == "open", err
    assert child.returncode == 0, err
    assert "closed Quit() True" in out
    assert "Traceback" not in err
