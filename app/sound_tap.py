"""What the loudspeaker plays, for whoever records it: copies that wait for one reader."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from animator.messages import Samples

BLOCKS = 4096
"""Kept for a reader that is late: 40 s of a device's 10 ms."""


@dataclass(frozen=True, slots=True, eq=False)
class PlayedSound:
    """A block of mono float32 at `sample_rate` Hz; its first sample is heard at host time `heard_ns`."""

    samples: Samples
    sample_rate: int
    heard_ns: int


class SoundTap:
    """Between a loudspeaker and one reader; neither waits. While it is off, nothing is kept."""

    def __init__(self) -> None:
        self.on = False
        """Whether the loudspeaker is to hand over what it plays. Any thread."""
        self._blocks: deque[PlayedSound] = deque(maxlen=BLOCKS)

    def put(self, samples: Samples, sample_rate: int, heard_ns: int) -> None:
        """Hand over a block that nobody changes any more. Also for a device's callback: it never waits."""
        if self.on:
            self._blocks.append(PlayedSound(samples, sample_rate, heard_ns))

    def take(self) -> list[PlayedSound]:
        """Everything that has come since the last call, in order."""
        blocks: list[PlayedSound] = []
        while True:
            try:
                blocks.append(self._blocks.popleft())
            except IndexError:
                return blocks
