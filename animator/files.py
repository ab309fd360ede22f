"""Files from anywhere, and files that are there as a whole or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, BinaryIO


class NotPlain(Exception):
    """A folder, a pipe or a device lies where a plain file should."""


def open_plain(file: Path) -> BinaryIO:
    """`file`, open for reading.

    Raises:
        OSError: If it cannot be opened.
        NotPlain: If it is no plain file.
    """
    # Not blocking: a pipe in place of a file must not hang the app.
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # asked first: `fdopen` refuses a folder in its own words
        os.close(descriptor)
        raise NotPlain(file)
    return os.fdopen(descriptor, "rb")


def write_whole(file: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """Have `fill` write `file`, which takes the place of what was there once it is whole; makes the folder.

    Whatever `fill` raises is raised, and nothing is left behind.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            fill(stream)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
