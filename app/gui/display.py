"""Finds out whether a window can open before Qt is asked: Qt ends the whole process where it cannot."""

from __future__ import annotations

import ctypes
import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QLibraryInfo

from app.errors import AppError

_WITHOUT = "The commands `kuchipaku reply` and `kuchipaku say` work without a display."


def require_display(environment: Mapping[str, str] | None = None) -> None:
    """Raise AppError where no window can open. Only Linux and BSD can lack a display.

    Args:
        environment: What to read instead of the process's own variables.
    """
    env = os.environ if environment is None else environment
    if sys.platform in ("win32", "darwin"):
        return
    asked = re.split(r"[:;]", env.get("QT_QPA_PLATFORM", ""))[0].lower()
    if asked and not asked.startswith(("xcb", "wayland")):
        return
    x11, wayland = env.get("DISPLAY", ""), env.get("WAYLAND_DISPLAY", "")
    usable = {"xcb": x11, "wayland": wayland}.get(asked.split("-")[0], x11 or wayland)
    if not usable:
        raise AppError(
            problem="There is no display to open a window on.",
            remedy=f"{_WITHOUT} For the window, start it in a desktop session or set DISPLAY.",
        )
    if wayland and not asked.startswith("xcb"):
        return
    if not _x11_answers(x11):
        raise AppError(
            problem=f"No display answers at DISPLAY={x11}.",
            remedy=f"{_WITHOUT} For the window, set DISPLAY to a running display or start a desktop session.",
        )
    _require_x11_plugin()


def _x11_answers(display: str) -> bool:
    """Whether something listens at a local X11 display; displays of other machines are believed."""
    local = re.fullmatch(r"(?:unix)?:(\d+)(?:\.\d+)?", display)
    if local is None:
        return True
    path = f"/tmp/.X11-unix/X{local[1]}"
    for address in (path, f"\0{path}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(address)
            except OSError:
                continue
            return True
    return False


def _require_x11_plugin() -> None:
    """Load Qt's X11 plugin by hand: the loader then names the library that is missing, instead of an abort."""
    plugin = Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.PluginsPath)) / "platforms" / "libqxcb.so"
    if not plugin.exists():
        return
    try:
        ctypes.CDLL(str(plugin))
    except OSError as error:
        raise AppError(
            problem=f"Qt cannot use this display: {error}.",
            remedy="Install the missing library; on Debian and Ubuntu: sudo apt install libxcb-cursor0 "
            "libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libegl1. " + _WITHOUT,
        ) from error
