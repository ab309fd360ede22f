"""Captions for viewers: from the facts of the line to whoever shows them, and into a text file."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

from app.bus import Bus
from app.errors import AppError
from app.messages import Fact

STAGE = "captions"
HOLD_S = 2.5
"""So long the last sentence of an answer stays."""

Show = Callable[[str, int], None]
"""Is given a sentence, and how many of its characters have begun to sound; "" for none."""


class CaptionFile:
    """A text file that holds the words of the sentence that have begun to sound, and nothing in silence.

    It is exchanged as a whole, so that whoever reads it never sees a part.
    """

    def __init__(self, path: Path) -> None:
        """Empty the file. Raises AppError where it cannot be written."""
        self._path = path
        self._written: str | None = None
        try:
            self._write("")
        except OSError as error:
            problem = f"The captions cannot be written to {path}: {error.strerror}."
            raise AppError(problem, "Name a file in a folder of your own.") from error

    def show(self, text: str, heard: int) -> None:
        """Write it; what cannot be written now is written with the next word."""
        with contextlib.suppress(OSError):
            self._write(text[:heard])

    def _write(self, text: str) -> None:
        if text == self._written:
            return
        partial = self._path.with_name(self._path.name + ".part")
        partial.write_text(text + "\n" if text else "", encoding="utf-8")
        os.replace(partial, self._path)
        self._written = text


class CaptionRuntime:
    """Follows what is heard and tells it on, on a thread of its own. The text goes when it is old, or broken off."""

    def __init__(self, bus: Bus, *, hold_s: float = HOLD_S) -> None:
        self._hold_s = hold_s
        self._facts: queue.SimpleQueue[Fact | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._shows: list[Show] = []
        self._file: CaptionFile | None = None
        self._thread: threading.Thread | None = None
        bus.listen(self._listen)

    def add(self, show: Show) -> None:
        """Tell `show` from now on, one call at a time; it must not wait."""
        with self._lock:
            self._shows.append(show)

    def write_to(self, path: str) -> None:
        """Write them to this file from now on, or to none (""). Raises AppError where that cannot be."""
        file = CaptionFile(Path(path).expanduser()) if path else None
        with self._lock:
            old, self._file = self._file, file
            if old is not None and path == "":
                old.show("", 0)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name=STAGE, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """Take the captions away and end; safe to call twice."""
        self._facts.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _listen(self, fact: Fact) -> None:
        if fact.stage == "playback" and fact.event in ("caption", "turn_finished", "stopped"):
            self._facts.put(fact)

    def _run(self) -> None:
        is_old = False
        while True:
            try:
                fact = self._facts.get(timeout=self._hold_s if is_old else None)
            except queue.Empty:
                is_old = False
                self._tell("", 0)
                continue
            if fact is None or fact.event == "stopped":
                is_old = False
                self._tell("", 0)
            elif fact.event == "turn_finished":
                is_old = True
            else:
                is_old = False
                self._tell(str(fact.data["text"]), int(fact.data["heard"]))
            if fact is None:
                return

    def _tell(self, text: str, heard: int) -> None:
        with self._lock:
            shows = list(self._shows)
            if self._file is not None:
                self._file.show(text, heard)
        for show in shows:
            show(text, heard)
