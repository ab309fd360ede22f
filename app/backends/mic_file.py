"""A recording in place of a microphone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from animator.messages import Samples
from animator.timebase import Clock
from app.audio_file import AudioFile
from app.messages import HEARING_RATE, AudioBlock


class FileMicrophone:
    """Reads a sound file block by block, as fast as it is asked, or at the pace of `clock` like a real microphone."""

    def __init__(self, path: Path, clock: Clock | None = None, block_ms: int = 32) -> None:
        self.name = path.name
        self._path = path
        self._clock = clock
        self._block = HEARING_RATE * block_ms // 1000
        self._file: AudioFile | None = None
        self._pieces: Iterator[Samples] = iter(())
        self._next: Samples | None = None
        self._first_sample = 0
        self._start_ns = 0

    def open(self) -> None:
        """Open the file; raises AppError in one line where it is not fit."""
        self._file = AudioFile(self._path)
        self._pieces = self._file.pieces(self._block)
        self._next = next(self._pieces, None)
        self._first_sample = 0
        self._start_ns = self._clock.now_ns() if self._clock else 0

    def read(self, timeout_s: float) -> AudioBlock | None:
        """The next block once it is due; the one with `end_of_stream` comes last, and holds the file's last samples."""
        samples = self._next if self._next is not None else np.zeros(0, np.float32)
        if self._clock is not None:
            due_ns = self._start_ns + (self._first_sample + len(samples)) * 1_000_000_000 // HEARING_RATE
            until_ns = self._clock.now_ns() + int(timeout_s * 1e9)
            self._clock.sleep_until(min(due_ns, until_ns))
            if due_ns > until_ns:
                return None
        self._next = next(self._pieces, None)
        block = AudioBlock(samples, self._first_sample, end_of_stream=self._next is None)
        self._first_sample += len(samples)
        return block

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
