"""Time without a clock: what is heard now, and when each frame is due. Pure."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from animator.messages import PlayoutAnchor, SpeechTime

LEAD_S = 0.20
"""How far before a clip's first sample its lips may already move (JALI: lip-heavy sounds start 120-150 ms early)."""
TAIL_S = 0.40
"""How far past its last sample they may still be closing."""


class Clock(Protocol):
    """Host time, passed in everywhere so that tests own it."""

    def now_ns(self) -> int:
        """Host time in ns, monotonic."""
        ...

    def sleep_until(self, host_ns: int) -> None:
        """Wait until `host_ns`."""
        ...


class Playout:
    """Knows which moment of speech is heard at a host time, from anchors and clip lengths.

    Not thread-safe: give each thread its own, or hold a lock around it.
    """

    def __init__(self) -> None:
        self._durations_s: dict[tuple[int, int], float] = {}
        self._anchors: deque[PlayoutAnchor] = deque(maxlen=64)

    def add_clip(self, turn: int, index: int, duration_s: float) -> None:
        """Remember how long clip `index` of `turn` lasts."""
        self._durations_s[turn, index] = duration_s

    def anchor(self, anchor: PlayoutAnchor) -> None:
        """Take a fresh fact about what is heard when."""
        self._anchors.append(anchor)

    def clear(self, before_turn: int) -> None:
        """Forget every clip and anchor of turns older than `before_turn`."""
        self._durations_s = {key: value for key, value in self._durations_s.items() if key[0] >= before_turn}
        self._anchors = deque((a for a in self._anchors if a.turn >= before_turn), maxlen=self._anchors.maxlen)

    def speech_time(self, host_ns: int) -> SpeechTime | None:
        """What is heard at `host_ns`; None in silence.

        The newest anchor of each clip wins. Where two clips are near, the one that sounds wins over a lead-in
        or a tail, and the nearer of those otherwise.
        """
        best: tuple[float, SpeechTime] | None = None
        seen: set[tuple[int, int]] = set()
        for anchor in reversed(self._anchors):
            key = (anchor.turn, anchor.index)
            if key in seen:
                continue
            seen.add(key)
            time_s = anchor.sample / anchor.sample_rate + (host_ns - anchor.host_ns) / 1e9
            duration_s = self._durations_s.get(key)
            if duration_s is None or not -LEAD_S <= time_s <= duration_s + TAIL_S:
                continue
            outside_s = max(-time_s, time_s - duration_s, 0.0)
            if best is None or outside_s < best[0]:
                best = (outside_s, SpeechTime(anchor.turn, anchor.index, time_s))
        return best[1] if best else None


class FrameClock:
    """Absolute frame deadlines: frame k is due at start + k / fps. Late frames are skipped, never made up."""

    def __init__(self, start_ns: int, fps: float) -> None:
        if fps <= 0:
            raise ValueError(f"fps must be positive, got {fps!r}")
        self._start_ns = start_ns
        self._fps = fps
        self._k = 0
        self.due = 0
        self.missed = 0

    def next_due_ns(self, now_ns: int) -> int:
        """Deadline of the next frame that can still be met; counts those that cannot in `missed`."""
        self._k += 1
        earliest = int((now_ns - self._start_ns) * self._fps / 1e9)
        if earliest > self._k:
            self.missed += earliest - self._k
            self.due += earliest - self._k
            self._k = earliest
        self.due += 1
        return self._start_ns + int(self._k * 1e9 / self._fps)
