"""What microphone and loudspeaker share: PortAudio's late import, and a ring between its callback and a thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Literal, Protocol

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


def chosen(sd: Any, device: str | int | None, kind: Literal["input", "output"]) -> str | int | None:
    """The number of the device of this name, or of the first with it in its name; anything else as it is.

    The same card is listed once by each of a system's sound interfaces: the one of the default interface comes first.
    sounddevice itself refuses a name that occurs twice. Raises ValueError where there is no such device.
    """
    if not isinstance(device, str):
        return device
    wanted = " ".join(device.split()).casefold()
    found: list[tuple[bool, bool, int]] = []
    for number, info in enumerate(sd.query_devices()):
        name = " ".join(str(info["name"]).split()).casefold()
        if info[f"max_{kind}_channels"] > 0 and wanted in name:
            found.append((name != wanted, info.get("hostapi") != sd.default.hostapi, number))
    if not found:
        raise ValueError(f"there is no {kind} device of this name now")
    return min(found)[2]


class Pausable(Protocol):
    """A stream that may be closed and opened again by `Registry`."""

    def may_pause(self) -> bool:
        """Whether nobody would notice."""
        ...

    def pause(self) -> None:
        """Let go of the device; whoever uses the stream waits until `go_on`."""
        ...

    def go_on(self) -> None:
        """Open the device again. Never raises: a device that is gone is lost."""
        ...


class Registry:
    """The open streams of this process, and PortAudio's list of devices, which is as old as its start.

    What was plugged in since is seen only after PortAudio was started anew, and that ends every open stream. So those
    are closed for that moment, where nothing sounds. Thread-safe.
    """

    FIRST_S, LONGEST_S = 4.0, 60.0

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._open: list[Pausable] = []
        self._tries: dict[object, tuple[float, float]] = {}
        """Device → when it was looked for, and after how many s it may be again."""

    def opened(self, stream: Pausable, device: object) -> None:
        """`stream` has `device` open."""
        with self._lock:
            self._tries.pop(device, None)
            if stream not in self._open:
                self._open.append(stream)

    def closed(self, stream: Pausable) -> None:
        """`stream` has let go."""
        with self._lock:
            if stream in self._open:
                self._open.remove(stream)

    def look_again(self, sd: Any, device: object) -> bool:
        """Read the list of devices anew, to find `device`; whether that was done.

        A device that stays away is looked for after 4 s, then ever more rarely, down to once a minute.
        """
        if not hasattr(sd, "_initialize"):
            return False
        with self._lock:
            now_s = self._clock_s()
            at_s, wait_s = self._tries.get(device, (now_s, 0.0))
            if now_s - at_s < wait_s or not all(stream.may_pause() for stream in self._open):
                return False
            self._tries[device] = (now_s, min(self.LONGEST_S, max(self.FIRST_S, 2 * wait_s)))
            for stream in self._open:
                stream.pause()
            try:
                # Named as private, and the only way: sounddevice starts PortAudio while it is imported, once.
                sd._terminate()  # noqa: SLF001
                sd._initialize()  # noqa: SLF001
            finally:
                for stream in self._open:
                    stream.go_on()
        return True


STREAMS = Registry()
"""PortAudio is one per process, and so is this."""


_CODES = {
    "-9997": (
        "takes none of the sample rates that the voice can be played at (its own, 48000 and 44100 Hz).",
        "Set another rate in the system's sound settings, or choose another device.",
    ),
    "-9994": (
        "does not take samples of this format (32 bit floating point).",
        "Choose the same device of another interface in the list, such as WASAPI or MME.",
    ),
    "-9998": ("has no output with one or two channels.", "Choose another device."),
    "-9985": (
        "cannot be opened: it is gone, or another program has it for itself alone.",
        "Plug it in, end that program or its exclusive mode, or choose another device.",
    ),
}
"""What PortAudio's codes mean: invalid sample rate, sample format and channel count, device unavailable."""


def device_error(what: str, device: str | int | None, error: Exception) -> AppError:
    """Why a device cannot be opened, in the user's words."""
    if device in (None, "") and "device -1" in str(error):  # PortAudio's words for an empty list
        return AppError(f"No {what} was found.", f"Plug a {what} in; the show goes on without one.")
    words = str(error).splitlines()[0] if str(error) else type(error).__name__
    for code, (problem, remedy) in _CODES.items():
        if code in words:
            which = f"The {what} {device!r}" if device not in (None, "") else f"The default {what}"
            return AppError(f"{which} {problem}", remedy)
    which = f"The {what} {device!r}" if device not in (None, "") else f"The default {what}"
    return AppError(
        f"{which} cannot be opened: {words}.",
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
