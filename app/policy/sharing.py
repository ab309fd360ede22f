"""Which library hands pictures to other programs of a computer, by its system. Pure but for looking for it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Way:
    """How programs of one system give each other pictures that stay on the graphics card."""

    name: str
    module: str
    package: str


WAYS = {"win32": Way("Spout", "SpoutGL", "SpoutGL"), "darwin": Way("Syphon", "syphon", "syphon-python")}
"""By `sys.platform`."""


def way_here(platform: str = "") -> Way | None:
    """What this system (or `platform`) has; None where there is nothing of the kind."""
    return WAYS.get(platform or sys.platform)


def how_to_install(way: Way) -> str:
    """What to do where its library is missing."""
    return f'Run: "{sys.executable}" -m pip install {way.package}   Then start the app again.'


def is_installed(way: Way, find: Callable[[str], object | None] = importlib.util.find_spec) -> bool:
    """Whether its library is there. It is not loaded."""
    return find(way.module) is not None


def offered() -> Way | None:
    """What can be switched on here and now; None where the system or the library is missing."""
    way = way_here()
    return way if way is not None and is_installed(way) else None
