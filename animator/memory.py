"""Memory and cores of a process that draws small pictures and exchanges large parts."""

from __future__ import annotations

import ctypes
import sys

import cv2


def one_core() -> None:
    """Have OpenCV work on the thread that asks it, in this process.

    Its helpers cost more than they save for pictures as small as ours: with them a face of 512 x 512 px took 34 % of a
    core at 30 fps and the window 11 %, without them 27 % and 8 % (`benchmarks/window.py`, two cores). Each of them also
    keeps memory of its own.
    """
    cv2.setNumThreads(1)


def give_back() -> None:
    """Return to the system what a large part, such as a model or a character, has left behind. Any thread; 1 to 10 ms.

    glibc keeps what was freed, for each thread apart: a face that went through 20 characters held 390 MB, of which it
    used 160. Other C libraries give it back by themselves, or cannot be asked.
    """
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
