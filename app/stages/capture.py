"""Microphone → blocks of sound."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from animator.messages import Samples
from animator.timebase import Clock
from app.bus import Bus
from app.errors import AppError
from app.messages import HEARING_RATE, AudioBlock
from app.policy.levels import dbfs
from app.ports import Microphone
from app.stage import Channel, Stage

LEVEL_EVERY_S = 0.05
REOPEN_AFTER_S = 2.0
LONGEST_RECORDING_S = 10.0
CHANGE_WITHIN_S = 10.0
"""Opening a device takes some tenths of a second; a driver that takes longer hangs."""

Clean = Callable[[AudioBlock], AudioBlock]


class Recording:
    """Sound that is kept for the user's own ears, until there is enough of it."""

    def __init__(self, seconds: float) -> None:
        self._wanted = round(min(LONGEST_RECORDING_S, max(0.5, seconds)) * HEARING_RATE)
        self._pieces: list[Samples] = []
        self._have = 0

    def take(self, samples: Samples) -> bool:
        """Add `samples`; whether it is enough now."""
        self._pieces.append(samples)
        self._have += len(samples)
        return self._have >= self._wanted

    def samples(self) -> Samples:
        """What was heard."""
        return np.concatenate(self._pieces)[: self._wanted]


@dataclass(slots=True, eq=False)
class _Change:
    """The wish for another microphone: `done` is set once it is open, or `error` says why it is not."""

    microphone: Microphone
    clean: Clean | None
    done: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def end(self, error: Exception | None) -> None:
        self.error = error
        self.done.set()


class CaptureStage(Stage[None]):
    """Reads the microphone, stamps each block and reports the level; with `reopen` a lost device is opened again.

    `clean` takes the echo of the character's own voice out.
    """

    name = "capture"

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        microphone: Microphone,
        outbox: Channel[AudioBlock],
        is_muted: Callable[[], bool],
        on_end: Callable[[], None],
        *,
        reopen: bool,
        clean: Clean | None = None,
    ) -> None:
        super().__init__(bus, Channel(1, "drop oldest"))
        self._clock = clock
        self._microphone = microphone
        self._outbox = outbox
        self._is_muted = is_muted
        self._on_end = on_end
        self._reopen = reopen
        self._clean = clean
        self._unheard_s = 0.0
        self._ended = threading.Event()
        self._is_open = False
        self._recording: tuple[Recording, Callable[[Samples | None], None]] | None = None
        self._wanted: _Change | None = None
        self._wake = threading.Event()

    def load(self) -> str:
        """Nothing to load: the device is opened by the loop, which can do it again."""
        return ""

    def say_ready(self) -> None:
        """Ready is said when the device is open."""

    def replace(self, microphone: Microphone, clean: Clean | None) -> None:
        """Listen to `microphone` from now on, through `clean`; returns once it is open. Not on the capture thread.

        Raises what its `open` raises; then the one before is opened again and goes on. The one before is closed first,
        because many drivers give a device away only once.
        """
        change = _Change(microphone, clean)
        former, self._wanted = self._wanted, change
        if former is not None:
            former.end(AppError("Another microphone was chosen meanwhile.", "Nothing needs to be done."))
        self._wake.set()
        if not change.done.wait(CHANGE_WITHIN_S):
            raise AppError(
                f"The microphone did not open within {CHANGE_WITHIN_S:.0f} s.",
                "Unplug it and plug it in again, or choose another one.",
            )
        if change.error is not None:
            raise change.error

    def clean_by(self, clean: Clean | None) -> None:
        """Take the echo out by `clean` from the next block on. Any thread."""
        self._clean = clean

    def run_loop(self) -> None:
        """Open, read until the stream ends or fails, and open again."""
        said = ""
        while not self.stopping.is_set() and not self._ended.is_set():
            try:
                self._open()
                said = ""
                self._is_open = True
                self.label = str(getattr(self._microphone, "name", ""))
                self.say_state("off" if self._is_muted() else "ready")
                self._read()
            except Exception as error:
                if str(error) != said:  # it is tried every 2 s, and said once
                    self.say_failed(error)
                said = str(error)
            self._is_open = False
            self._end_recording(None)
            self._microphone.close()
            if self._ended.is_set() or self.stopping.is_set():
                break
            if not self._reopen:
                self._on_end()
                break
            self._outbox.put(AudioBlock(np.zeros(0, np.float32), 0, is_lost=True))
            if self._wanted is None:
                self._wake.wait(REOPEN_AFTER_S)
            self._wake.clear()
        if self._wanted is not None:
            self._wanted.end(AppError("The microphone is not listened to any more.", "Start the app again."))

    def record(self, seconds: float, done: Callable[[Samples | None], None]) -> None:
        """Keep what is heard for `seconds` s, then call `done` with it, or with None where the device was lost.

        Called on the gate's thread; `done` comes on this stage's. Raises AppError where no microphone is open.
        """
        if not self._is_open:
            raise AppError(
                "There is no microphone to record from.", "Connect one, or choose another on the page Hearing."
            )
        self._recording = (Recording(seconds), done)

    def request_stop(self) -> None:
        """Ask the loop to end; it notices within one read."""
        super().request_stop()
        self._wake.set()
        self._outbox.close()

    def _open(self) -> None:
        change, self._wanted = self._wanted, None
        if change is None:
            self._microphone.open()
            return
        try:
            change.microphone.open()
        except Exception as error:
            change.microphone.close()
            change.end(error)
            self._microphone.open()
        else:
            self._microphone, self._clean = change.microphone, change.clean
            change.end(None)

    def _read(self) -> None:
        while not self.stopping.is_set() and self._wanted is None:
            block = self._microphone.read(0.2)
            if block is None:
                continue
            if not block.heard_ns:
                block = replace(block, heard_ns=self._clock.now_ns())
            clean = self._clean
            if clean is not None:
                block = clean(block)
            if not self._is_muted():
                self._say_level(block)
            recording = self._recording
            if recording is not None and recording[0].take(block.samples):
                self._end_recording(recording[0].samples())
            self._outbox.put(block)
            if block.end_of_stream:
                self._ended.set()
                self.say_state("off")
                return

    def _end_recording(self, samples: Samples | None) -> None:
        recording, self._recording = self._recording, None
        if recording is not None:
            recording[1](samples)

    def _say_level(self, block: AudioBlock) -> None:
        self._unheard_s += len(block.samples) / HEARING_RATE
        if self._unheard_s >= LEVEL_EVERY_S:
            self._unheard_s = 0.0
            self.bus.emit(self.name, "level", dbfs=round(dbfs(block.samples), 1))
