"""A sound device's clock against the host's: which of its samples is heard when, without the jitter of its driver."""

from __future__ import annotations

import math
from dataclasses import dataclass

JUMP_NS = 30_000_000
"""Further than any driver jitters: the device ran dry, or was opened anew."""
FAST_HZ, SLOW_HZ = 1.0, 0.05
"""Bandwidth of the loop at its start and once it has settled. At 0.05 Hz a jitter of 5 ms is down to 0.4 ms, and a
change of the clock is followed within some seconds."""
SETTLE_S = 4.0
FURTHEST = 0.02
"""No clock is off by more; what looks so is a wrong time."""
DRIFT_FROM_S = 20.0
"""Over less time a drift is not told: the jitter of the two ends would be 50 ppm and more of it."""


@dataclass(frozen=True, slots=True)
class _Line:
    """Sample `count` is heard at host time `ns`; the next ones `ns_per_sample` apart."""

    count: float
    ns: float
    ns_per_sample: float


class SampleClock:
    """A delay-locked loop of second order over (sample, host time).

    The method is that of F. Adriaensen, "Using a DLL to filter time" (Linux Audio Conference 2005): the time of the
    next block is predicted, and place and pace are put right by a share of what the prediction was off. Written by one
    thread; others may read at the same time, since place and pace are exchanged as one.
    """

    def __init__(self, sample_rate: float) -> None:
        self._nominal = 1e9 / sample_rate
        self._line: _Line | None = None
        self._age_s = 0.0
        self._base: tuple[float, float] | None = None
        """(sample, ns) from which the drift is counted."""

    def note(self, count: int, host_ns: int) -> None:
        """The driver says that sample `count` is heard at `host_ns`. Counts only grow."""
        line = self._line
        if line is None or count < line.count:
            self._begin(count, host_ns, self._nominal)
            return
        step = count - line.count
        if step == 0:
            return
        expected_ns = line.ns + step * line.ns_per_sample
        off_ns = host_ns - expected_ns
        if abs(off_ns) > JUMP_NS:
            self._begin(count, host_ns, line.ns_per_sample)
            return
        block_s = step * self._nominal / 1e9
        self._age_s += block_s
        share = min(1.0, self._age_s / SETTLE_S)
        omega = min(0.7, 2.0 * math.pi * (FAST_HZ + (SLOW_HZ - FAST_HZ) * share) * block_s)
        pace = line.ns_per_sample + omega * omega * off_ns / step
        pace = min(self._nominal * (1.0 + FURTHEST), max(self._nominal * (1.0 - FURTHEST), pace))
        now = _Line(count, expected_ns + math.sqrt(2.0) * omega * off_ns, pace)
        self._line = now
        if self._base is None and self._age_s >= 2 * SETTLE_S:
            self._base = (now.count, now.ns)

    def _begin(self, count: int, host_ns: int, ns_per_sample: float) -> None:
        self._line = _Line(count, float(host_ns), ns_per_sample)
        self._age_s = 0.0
        self._base = None

    def count_at(self, host_ns: float) -> float | None:
        """The sample, with its fraction, that is heard at `host_ns`; None before the first note."""
        line = self._line
        return None if line is None else line.count + (host_ns - line.ns) / line.ns_per_sample

    def host_ns(self, count: float) -> float | None:
        """When sample `count` is heard; None before the first note."""
        line = self._line
        return None if line is None else line.ns + (count - line.count) * line.ns_per_sample

    def drift_ppm(self) -> float | None:
        """How much faster than the host's clock the device runs, in millionths; None before that can be told."""
        line, base = self._line, self._base
        if line is None or base is None:
            return None
        span_ns = line.ns - base[1]
        if span_ns < DRIFT_FROM_S * 1e9:
            return None
        return ((line.count - base[0]) * self._nominal / span_ns - 1.0) * 1e6
