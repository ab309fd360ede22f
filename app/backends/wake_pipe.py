"""Wakes a thread that waits in `select`, from any other thread."""

from __future__ import annotations

import contextlib
import os


class WakePipe:
    """Stands in the list of what `select` waits for: it has a `fileno`."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()

    def fileno(self) -> int:
        """The end that becomes readable."""
        return self._read

    def wake(self) -> None:
        """Let the waiting thread go on; nothing happens after `close`. Any thread."""
        with contextlib.suppress(OSError):
            os.write(self._write, b"x")

    def drain(self) -> None:
        """It has woken: wait anew from now on. The waiting thread, when the pipe is readable."""
        os.read(self._read, 64)

    def close(self) -> None:
        """Give both ends back; safe to call twice."""
        for end in (self._read, self._write):
            with contextlib.suppress(OSError):
                os.close(end)
