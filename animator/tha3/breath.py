"""Breath: a slow swing at rest; while speaking, air is taken in the pauses and spent on the words. Pure.

Levels are THA3's `breathing`: 0 breathed out, 1 breathed in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from animator.messages import Phone

BREATH_S = 4.0
"""15 breaths a minute."""
INHALE_S = 0.45
"""A speaker snatches air this fast before the first word."""
SETTLE_S = 0.8
"""Going over from speech to calm breathing."""
PAUSE_S = 0.25
"""A pause shorter than this is no time to breathe."""
FULL_PAUSE_S = 0.7
"""A pause of this length fills the chest again, a shorter one in proportion."""
SPENT_S = 5.0
"""Speech that empties the chest from full."""
LOW = 0.08
"""What is left then."""


def rest_breath(time_s: float, exhaled_at_s: float = 0.0) -> float:
    """Calm breathing in [0, 1]; breathed out at `exhaled_at_s` and every BREATH_S from there."""
    return math.sin(math.pi * (time_s - exhaled_at_s) / BREATH_S) ** 2


class SpokenBreath:
    """The chest over one clip: full at the first sound, sinking while words sound, rising in pauses.

    `phones` with times in s from the clip's start; where there are none the clip is one breath of `duration_s`.
    """

    def __init__(self, phones: Sequence[Phone], duration_s: float) -> None:
        times: list[float] = []
        levels: list[float] = []
        level = 1.0
        for start_s, end_s in _breath_groups(phones, duration_s):
            if times:
                level += (1.0 - level) * min((start_s - times[-1]) / FULL_PAUSE_S, 1.0)
            times.append(start_s)
            levels.append(level)
            level = max(level - (end_s - start_s) / SPENT_S, LOW)
            times.append(end_s)
            levels.append(level)
        self._times = np.array(times)
        self._levels = np.array(levels)

    def at(self, time_s: float) -> float:
        """The level at `time_s` from the clip's first sample; held before the first sound and after the last."""
        k = int(np.searchsorted(self._times, time_s))
        if k == 0 or k == len(self._times):
            return float(self._levels[min(k, len(self._times) - 1)])
        begin_s, end_s = self._times[k - 1], self._times[k]
        x = (time_s - begin_s) / (end_s - begin_s)
        share = x * x * (3.0 - 2.0 * x)
        return float(self._levels[k - 1] + share * (self._levels[k] - self._levels[k - 1]))


def _breath_groups(phones: Sequence[Phone], duration_s: float) -> list[tuple[float, float]]:
    """Spans of sound between which there is time to breathe; in order, never empty."""
    groups: list[tuple[float, float]] = []
    for phone in sorted((p for p in phones if p.ipa.strip() and p.end_s > p.start_s), key=lambda p: p.start_s):
        if groups and phone.start_s - groups[-1][1] < PAUSE_S:
            groups[-1] = (groups[-1][0], max(groups[-1][1], phone.end_s))
        else:
            groups.append((phone.start_s, phone.end_s))
    return groups or [(0.0, max(duration_s, 0.01))]
