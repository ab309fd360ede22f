"""What is to be said, sample by sample: clips one after another, faded out or lowered without a click. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from animator.messages import Samples

FADE_MS = 25
DUCK_DB = -12.0
DUCK_MS = 25
ANCHOR_EVERY_S = 0.1


@dataclass(slots=True, eq=False)
class _Queued:
    turn: int
    index: int
    samples: Samples
    number: int
    at: int = 0


class VoiceQueue:
    """Clips at `rate` Hz. `render` belongs to one thread at a time and never waits; the rest may be called by any."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.starts: deque[tuple[int, int, int, int]] = deque(maxlen=512)
        """(turn, index, sample, host time in ns at which it is heard), to be taken out by whoever tells them."""
        self.ends: deque[tuple[int, int, int]] = deque(maxlen=512)
        """(turn, index, host time in ns at which the clip has been heard)."""
        self._queue: deque[_Queued] = deque()
        self._number = 0
        self._clear_to = 0
        """Clips up to this number are faded out and dropped. Written by `clear`, read by `render`."""
        self._fade_at = 0
        self._fade = np.linspace(1.0, 0.0, rate * FADE_MS // 1000, dtype=np.float32)
        self._ramp = np.arange(1, rate + 1, dtype=np.float32)
        self._gain = self._wanted_gain = 1.0
        self._next_anchor_ns = 0

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, turn: int, index: int, samples: Samples) -> None:
        """Queue a clip."""
        self._number += 1
        self._queue.append(_Queued(turn, index, samples, self._number))

    def seconds(self) -> float:
        """Still to be rendered."""
        return sum(len(queued.samples) - queued.at for queued in list(self._queue)) / self.rate

    def clear(self) -> None:
        """Fade out within FADE_MS and drop what is queued."""
        self._clear_to = self._number

    def empty(self) -> None:
        """Drop everything at once."""
        self._queue.clear()

    def duck(self, on: bool) -> None:
        """Lower the voice by DUCK_DB within DUCK_MS, or bring it back."""
        self._wanted_gain = 10.0 ** (DUCK_DB / 20.0) if on else 1.0

    def say_again(self) -> None:
        """What follows is heard at other times than was thought: say so with the next block."""
        self._next_anchor_ns = 0

    def render(self, out: Samples, heard_ns: int) -> None:
        """Fill `out`, of which the first sample is heard at `heard_ns`; silence where nothing is queued."""
        frames, done = len(out), 0
        while done < frames and self._queue:
            head = self._queue[0]
            fading = head.number <= self._clear_to
            if fading and head.at == 0 and self._fade_at == 0:
                self._queue.popleft()
                continue
            count = min(frames - done, len(head.samples) - head.at)
            if fading:
                count = min(count, len(self._fade) - self._fade_at)
            else:
                self._note(head, heard_ns + done * 1_000_000_000 // self.rate)
            piece = head.samples[head.at : head.at + count]
            if fading:
                piece = piece * self._fade[self._fade_at : self._fade_at + count]
                self._fade_at += count
            out[done : done + count] = piece
            head.at += count
            done += count
            if fading and (self._fade_at >= len(self._fade) or head.at >= len(head.samples)):
                while self._queue and self._queue[0].number <= self._clear_to:
                    self._queue.popleft()
                self._fade_at = 0
            elif head.at >= len(head.samples):
                self._queue.popleft()
                if not fading:
                    self.ends.append((head.turn, head.index, heard_ns + done * 1_000_000_000 // self.rate))
        out[done:] = 0.0
        if self._gain != self._wanted_gain or self._gain != 1.0:
            self._apply_gain(out)

    def _apply_gain(self, out: Samples) -> None:
        step = (1.0 - 10.0 ** (DUCK_DB / 20.0)) / (self.rate * DUCK_MS / 1000)
        low, high = min(self._gain, self._wanted_gain), max(self._gain, self._wanted_gain)
        sign = 1.0 if self._wanted_gain > self._gain else -1.0
        gains = np.clip(self._gain + sign * step * self._ramp[: len(out)], low, high)
        out *= gains
        self._gain = float(gains[-1])

    def _note(self, head: _Queued, heard_ns: int) -> None:
        if head.at == 0 or heard_ns >= self._next_anchor_ns:
            self.starts.append((head.turn, head.index, head.at, heard_ns))
            self._next_anchor_ns = heard_ns + int(ANCHOR_EVERY_S * 1e9)
