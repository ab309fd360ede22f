"""Memory and cores of a process that draws small pictures and exchanges large parts."""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2

_M_ARENA_MAX = -8
_M_MMAP_THRESHOLD = -3
"""`mallopt`'s numbers for them, from glibc's malloc.h."""
_LARGE_BYTES = 8 << 20
"""A block of this size or more is the system's own again as soon as it is freed; left alone, glibc raises the border to
32 MB. Pictures of a camera are smaller: for them the system would fill pages with zeros thirty times a second."""


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
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def give_back() -> None:
    """Return to the system what a large part, such as a model or a character, has left behind. Any thread.

    A face that went through 20 characters held 390 MB without this, of which it used 160. What is not glibc gives it
    back by itself, or cannot be asked. It takes 1 to 10 ms where 200 MB are in use and 60 to 130 where 600 are, and who
    wants memory meanwhile waits: see `Leftovers`.
    """
    trim = _glibc("malloc_trim")
    if trim is not None:
        trim(0)


class Leftovers:
    """Gives back once enough has been left behind: nothing else is worth the moment in which nobody gets memory."""

    def __init__(
        self,
        least_bytes: int = 32 << 20,
        *,
        unused_bytes: Callable[[], int] | None = None,
        trim: Callable[[], None] = give_back,
    ) -> None:
        """Give back from `least_bytes` on.

        Args:
            least_bytes: More than the last giving back has left.
            unused_bytes: What the process holds beyond what it uses; None asks the system.
            trim: Gives back.
        """
        self._least_bytes = least_bytes
        self._unused_bytes = unused_bytes or held_beyond_use_bytes
        self._trim = trim
        self._lock = threading.Lock()
        self._floor_bytes = -math.inf
        """What the last giving back has left, or less since."""

    def give_back(self) -> None:
        """Give back where it is worth it. Any thread."""
        with self._lock:
            unused_bytes = self._unused_bytes()
            if unused_bytes - self._floor_bytes >= self._least_bytes:
                self._trim()
                self._floor_bytes = self._unused_bytes()
            else:  # lent memory that nobody has touched yet makes it less than it was
                self._floor_bytes = min(self._floor_bytes, unused_bytes)


def held_beyond_use_bytes() -> int:
    """The memory of this process that no file backs, less what glibc has lent out; 0 where it cannot be known."""
    mallinfo = _glibc("mallinfo2")
    if mallinfo is None:
        return 0
    mallinfo.restype = _Mallinfo
    found = mallinfo()
    resident, shared = (int(word) for word in Path("/proc/self/statm").read_text().split()[1:3])
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") - int(found.uordblks) - int(found.hblkhd)


class _Mallinfo(ctypes.Structure):
    """glibc's `struct mallinfo2`."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def _glibc(name: str) -> Any:
    """Glibc's function of this name; None where there is none."""
    return getattr(ctypes.CDLL(None), name, None) if sys.platform.startswith("linux") else None
