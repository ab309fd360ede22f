"""A recording played to the line as if somebody spoke it into a microphone now.

It begins when the line is ready to listen, as a user would, and is followed by the silence that a listener needs to
know that the speaker has finished: latencies measured from the end of speech are then those of a live talk.
"""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from animator.timebase import Clock
from app.messages import HEARING_RATE, AudioBlock
from app.ports import Microphone

BLOCK = HEARING_RATE * 32 // 1000


class RehearsalMicrophone:
    """Wraps a paced file microphone. `begin` is called from any thread, the rest on the capture thread."""

    def __init__(self, recording: Microphone, clock: Clock, silence_s: float) -> None:
        self.name = str(getattr(recording, "name", "recording"))
        self._recording = recording
        self._clock = clock
        self._silence = round(silence_s * HEARING_RATE)
        self._begun = threading.Event()
        self._is_open = False
        self._ended: AudioBlock | None = None
        self._ended_ns = 0
        self._given = 0

    def begin(self) -> None:
        """The line listens: start to speak."""
        self._begun.set()

    def open(self) -> None:
        """Check the file at once, so that a bad one is said before anything loads."""
        self._recording.open()
        self._recording.close()

    def read(self, timeout_s: float) -> AudioBlock | None:
        """The next block once it is due: the recording, then silence, the last of which ends the stream."""
        if not self._begun.wait(timeout_s):
            return None
        if not self._is_open:
            self._recording.open()
            self._is_open = True
        if self._ended is None:
            block = self._recording.read(timeout_s)
            if block is None or not block.end_of_stream:
                return block
            self._ended = block
            self._ended_ns = self._clock.now_ns()
            return replace(block, end_of_stream=False)
        count = min(BLOCK, self._silence - self._given)
        self._given += count
        self._clock.sleep_until(self._ended_ns + self._given * 1_000_000_000 // HEARING_RATE)
        first = self._ended.first_sample + len(self._ended.samples) + self._given - count
        return AudioBlock(np.zeros(count, np.float32), first, end_of_stream=self._given >= self._silence)

    def close(self) -> None:
        """Release the file; safe to call twice."""
        self._recording.close()
        self._is_open = False
