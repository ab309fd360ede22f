"""Time without a clock: what is heard now, and when each frame is due. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

from animator.messages import PlayoutAnchor, SpeechTime

LEAD_S = 0.20
"""How far before a clip's first sample its lips may already move (JALI: lip-heavy sounds start 120-150 ms early)."""
TAIL_S = 0.40
"""How far past its last sample they may still be closing."""
JUMP_NS = 20_000_000
"""A place that has changed by more than this has jumped: the device ran dry, or was changed. No driver jitters so much
that speech would look wrong (40 ms)."""
FOLLOW = 0.3
"""Share of a smaller change that each anchor brings in. At ten anchors a second a clock that drifts by 1 % is followed
to 3 ms, and jitter is halved."""
STALE_S = 0.6
"""Six anchors that did not come; frames are drawn for up to 0.2 s later than now, where the mouth is to be early."""
CLIPS_KEPT = 64
NUDGE_NS = 1_000_000
"""So much a deadline is moved at once to stand where another clock's stands: half a frame takes 17 frames."""


class Clock(Protocol):
    """Host time, passed in everywhere so that tests own it."""

    def now_ns(self) -> int:
        """Host time in ns, monotonic."""
        ...

    def sleep_until(self, host_ns: int) -> None:
        """Wait until `host_ns`."""
        ...


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a clip lies on the host clock: the time of its sample 0, and that of its newest anchor."""

    start_ns: float
    told_ns: int


class Playout:
    """Knows which moment of speech is heard at a host time, from anchors and clip lengths.

    The newest anchors of a clip count, so its place follows a device whose clock drifts, and one that ran dry. What
    drivers say jitters by some milliseconds, which would tremble in the lips: small changes come in over several
    anchors. Where the anchors of a clip that has not ended stop for `stale_s`, its sound has stopped too.

    Not thread-safe: give each thread its own, or hold a lock around it.
    """

    def __init__(self, stale_s: float = math.inf) -> None:
        self._stale_ns = stale_s * 1e9
        self._durations_s: dict[tuple[int, int], float] = {}
        self._places: dict[tuple[int, int], _Place] = {}
        """The clip with the newest anchor is the last."""

    def add_clip(self, turn: int, index: int, duration_s: float) -> None:
        """Remember how long clip `index` of `turn` lasts."""
        self._durations_s[turn, index] = duration_s

    def anchor(self, anchor: PlayoutAnchor) -> None:
        """Take a fresh fact about what is heard when."""
        key = (anchor.turn, anchor.index)
        start_ns = anchor.host_ns - anchor.sample / anchor.sample_rate * 1e9
        before = self._places.pop(key, None)
        if before is not None and abs(start_ns - before.start_ns) < JUMP_NS:
            start_ns = before.start_ns + FOLLOW * (start_ns - before.start_ns)
        self._places[key] = _Place(start_ns, anchor.host_ns)
        while len(self._places) > CLIPS_KEPT:
            del self._places[next(iter(self._places))]

    def clear(self, before_turn: int) -> None:
        """Forget every clip and anchor of turns older than `before_turn`."""
        self._durations_s = {key: value for key, value in self._durations_s.items() if key[0] >= before_turn}
        self._places = {key: value for key, value in self._places.items() if key[0] >= before_turn}

    def speech_time(self, host_ns: int) -> SpeechTime | None:
        """What is heard at `host_ns`; None in silence.

        Where two clips are near, the one that sounds wins over a lead-in or a tail, and the nearer of those otherwise.
        """
        best: tuple[float, SpeechTime] | None = None
        for key, place in reversed(self._places.items()):
            time_s = (host_ns - place.start_ns) / 1e9
            duration_s = self._durations_s.get(key)
            if duration_s is None or not -LEAD_S <= time_s <= duration_s + TAIL_S:
                continue
            if time_s < duration_s and host_ns - place.told_ns > self._stale_ns:
                continue
            outside_s = max(-time_s, time_s - duration_s, 0.0)
            if best is None or outside_s < best[0]:
                best = (outside_s, SpeechTime(*key, time_s))
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

    def follow(self, due_ns: int) -> None:
        """Move the deadlines towards those of another clock of the same rate, one of which is `due_ns`.

        By at most NUDGE_NS a call, so that no distance of two deadlines is seen to change.
        """
        period_ns = 1e9 / self._fps
        off_ns = (due_ns - self._start_ns + period_ns / 2) % period_ns - period_ns / 2
        self._start_ns += round(max(-NUDGE_NS, min(NUDGE_NS, off_ns)))
