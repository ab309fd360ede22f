"""What microphone and loudspeaker share: PortAudio's late import, and a ring between its callback and a thread."""

from __future__ import annotations

from typing import Any

import numpy as np

from animator.messages import Samples
from app.errors import AppError


def import_sounddevice() -> Any:
    """The module, imported late: where PortAudio is missing the import itself raises.

    Raises:
        AppError: If the PortAudio library is not installed.
    """
    try:
        import sounddevice
    except OSError as error:
        raise AppError(
            "The sound library PortAudio is not installed.",
            "Install it (`sudo apt-get install libportaudio2`), then start the app again.",
        ) from error
    return sounddevice


def device_error(what: str, device: str | int | None, error: Exception) -> AppError:
    """Why a device cannot be opened, in the user's words."""
    if device in (None, "") and "device -1" in str(error):  # PortAudio's words for an empty list
        return AppError(f"No {what} was found.", f"Plug a {what} in; the show goes on without one.")
    which = f"The {what} {device!r}" if device not in (None, "") else f"The default {what}"
    return AppError(
        f"{which} cannot be opened: {str(error).splitlines()[0]}.",
        "Plug it in, check that no other program holds it, or choose another one in the settings.",
    )


class Ring:
    """Sound between one writer (a device callback) and one reader; neither waits, nothing is allocated.

    The counters only grow. Each has one writer, so no lock is needed. A writer that laps the reader overwrites the
    oldest sound; the reader notices and counts it in `dropped`.
    """

    def __init__(self, capacity: int) -> None:
        self._samples = np.zeros(capacity, np.float32)
        self._written = 0
        self._read = 0
        self.dropped = 0

    def write(self, samples: Samples) -> None:
        """Copy `samples` in (fewer than the capacity). For the callback."""
        capacity = len(self._samples)
        start = self._written % capacity
        first = min(len(samples), capacity - start)
        self._samples[start : start + first] = samples[:first]
        self._samples[: len(samples) - first] = samples[first:]
        self._written += len(samples)

    def read(self) -> Samples:
        """A copy of everything that is new. For the reader."""
        written, capacity = self._written, len(self._samples)
        lost = written - self._read - capacity
        if lost > 0:
            self.dropped += lost
            self._read += lost
        start, count = self._read % capacity, written - self._read
        out = np.concatenate([self._samples[start : start + count], self._samples[: max(0, start + count - capacity)]])
        self._read = written
        return out

    def __len__(self) -> int:
        return self._written - self._read
