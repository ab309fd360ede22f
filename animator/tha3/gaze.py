"""Where the eyes go: to the viewer, and away while thinking. Pure functions of time and seed.

People look away while they work out an answer and back when they begin to speak. Eyes jump, the head follows.
"""

from __future__ import annotations

import math

import numpy as np

from animator.tha3.crossfade import Crossfade, Values, smoothstep
from animator.tha3.idle import random_at

EYES_S = 0.070
"""A large jump of the eyes takes 60-80 ms."""
HEAD_LAG_S, HEAD_S = 0.110, 0.55
"""The head starts this much after the eyes and takes this long."""
REACT_S = 0.25
"""From the question to the first look away."""
SLOT_S, JITTER_S = 1.9, 0.9
"""A look is held for 1.0 to 2.8 s, long enough for the head to arrive."""
AWAY_X, AWAY_Y = (0.25, 0.50), (0.40, 0.55)
"""Reach of iris_rotation_x (up) and iris_rotation_y (either side) of a look into the distance. The live face draws
irises well up to 0.5."""
DOWN_SHARE = 0.25
"""Share of looks that go down instead of up, as people do who count or remember."""
HEAD_PER_EYE_X, HEAD_PER_EYE_Y = 0.35, 0.45
"""head_x and head_y per iris rotation."""
TILT_PER_EYE_Y = -0.20
"""neck_z: the head tilts against the turn."""

STEADY = 0.6
"""Eyes turn back by this share of what the head sways and nods, so that the look stays on the viewer (the reflex
that steadies ours)."""
STEADY_STEPS = 32
"""Per unit: a tenth of a pixel of the iris. In between the face is unchanged and need not be drawn again."""

_STARTS, _UP, _SIDES, _SIDE_REACH, _DOWN = range(40, 45)

VALUES = 6
"""iris_rotation_x, iris_rotation_y, head_x, head_y, neck_z, and how far this look replaces all others, in [0, 1]."""

_FADE_S = np.array([EYES_S, EYES_S, HEAD_S, HEAD_S, HEAD_S, EYES_S], dtype=np.float32)
_LAG_S = np.array([0.0, 0.0, HEAD_LAG_S, HEAD_LAG_S, HEAD_LAG_S, 0.0])


def _target(seed: int, k: int) -> Values:
    """Look number `k` into the distance."""
    # To the other side every time but now and then: eyes that wander over one spot look stuck.
    side = 1.0 if (k + int(random_at(seed, _SIDES, 0) < 0.5)) % 2 else -1.0
    if random_at(seed, _SIDES, k + 1) < 0.2:
        side = -side
    y = side * (AWAY_Y[0] + (AWAY_Y[1] - AWAY_Y[0]) * random_at(seed, _SIDE_REACH, k))
    x = AWAY_X[0] + (AWAY_X[1] - AWAY_X[0]) * random_at(seed, _UP, k)
    if k > 0 and random_at(seed, _DOWN, k) < DOWN_SHARE:
        x = -0.7 * x
    return np.array([x, y, HEAD_PER_EYE_X * x, HEAD_PER_EYE_Y * y, TILT_PER_EYE_Y * y, 1.0], dtype=np.float32)


def looking_away(since_s: float, seed: int) -> Values:
    """The look of somebody who has been thinking for `since_s`: float32 (VALUES,).

    One look into the distance after the other; the first is the one at `since_s` <= 0 too.
    """
    k = max(math.floor(since_s / SLOT_S), 0)
    begin_s = k * SLOT_S + JITTER_S * random_at(seed, _STARTS, k)
    if k > 0 and since_s < begin_s:
        k -= 1
        begin_s = k * SLOT_S + JITTER_S * random_at(seed, _STARTS, k)
    if k == 0:
        return _target(seed, 0)
    before = _target(seed, k - 1)
    share = smoothstep((since_s - begin_s - _LAG_S) / _FADE_S)
    return np.asarray(before + share * (_target(seed, k) - before), dtype=np.float32)


def at_viewer(time_s: float) -> Values:
    """The look at rest: nothing is added, nothing replaced."""
    return np.zeros(VALUES, dtype=np.float32)


class Gaze:
    """At the viewer, away while thinking, and the way between; one thread sets it, any reads it."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._fades = Crossfade(at_viewer)
        self._looks = 0

    def away(self, since_s: float) -> None:
        """Look away from REACT_S after host time `since_s` on, each time to other places."""
        self._looks += 1
        seed, begin_s = self._seed + 7919 * self._looks, since_s + REACT_S
        self._fades.to(lambda time_s: looking_away(time_s - begin_s, seed), begin_s, _FADE_S, _LAG_S)

    def back(self, since_s: float) -> None:
        """Look at the viewer from host time `since_s` on."""
        self._fades.to(at_viewer, since_s, _FADE_S, _LAG_S)

    def at(self, time_s: float) -> Values:
        """The look at host time `time_s`: float32 (VALUES,)."""
        return self._fades.at(time_s)


def steadied(head: float) -> float:
    """How far the eyes turn against a head that has turned by `head`, in steps of 1/STEADY_STEPS."""
    return -round(STEADY * head * STEADY_STEPS) / STEADY_STEPS
