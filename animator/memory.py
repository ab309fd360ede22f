"""Memory and cores of a process that draws small pictures and exchanges large parts."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable

import cv2

_M_ARENA_MAX = -8
"""`mallopt`'s number for it, from glibc's malloc.h."""


def begin() -> None:
    """Set a process up, before it has threads.

    OpenCV works on the thread that asks it: its helpers cost more than they save for pictures as small as ours. With
    them a face of 512 x 512 px took 34 % of a core at 30 fps and the window 11 %, without them 27 % and 8 %
    (`benchmarks/window.py`, two cores).

    All threads share one heap: glibc gives each its own, where models that are loaded by a thread that ends leave what
    is never used again. Ten Whispers after each other held 60 to 90 MB, with one heap 38; the same app as a whole
    375 MB in place of 474 after 20 exchanges. Other C libraries cannot be asked.
    """
    cv2.setNumThreads(1)
    mallopt = _glibc("mallopt")
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Return to the system what a large part, such as a model or a character, has left behind. Any thread; 1 to 10 ms.

    A face that went through 20 characters held 390 MB without this, of which it used 160. What is not glibc gives it
    back by itself, or cannot be asked.
    """
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


def _glibc(name: str) -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
