"""Gestures of the head: closed forms over their own time, each starting and ending at rest, so that they add up.

A gesture is added to whatever the head does. Starting one in the middle of another, of a fade or of the sway leaves
no kink, because each has value and slope 0 at both ends.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animator.tha3.idle import BODY_LAG_S, BODY_PER_HEAD

Head = tuple[float, float, float]
"""head_x, head_y, neck_z."""
Offsets = npt.NDArray[np.float32]
"""head_x, head_y, neck_z, body_y, body_z: float32, shape (5,)."""


@dataclass(frozen=True, slots=True)
class Gesture:
    """How the head moves over the share of the gesture's length that has passed, in [0, 1]."""

    length_s: float
    head: Callable[[float], Head]
    body_z: float = 0.0
    """How far the body leans with it, per neck_z, beyond what it always does."""


def _bump(u: float) -> float:
    """0 at both ends, 1 in the middle, no slope at the ends."""
    return math.sin(math.pi * u) ** 2


def _hold(u: float, rise: float, fall: float) -> float:
    """0 at both ends and 1 between, with the shares `rise` and `fall` to get there and back, free of jerks."""
    x = min(u / rise, (1.0 - u) / fall, 1.0)
    x = max(x, 0.0)
    return x * x * x * (x * (6.0 * x - 15.0) + 10.0)


def _nod(u: float) -> Head:
    # Two dips, the second smaller; people nod at 2-3 Hz, and less the second time.
    return -0.32 * math.sin(2.0 * math.pi * u) ** 2 * (1.1 - 0.6 * u), 0.0, 0.0


def _shake(u: float) -> Head:
    # Left, right, left, right, dying away; the head drops a little, as it does when the neck turns.
    turn = math.sin(4.0 * math.pi * u) * _bump(u) ** 0.75
    return -0.05 * _bump(u), 0.34 * turn, 0.05 * turn


def _tilt(u: float) -> Head:
    held = _hold(u, 0.24, 0.34)
    # A slight further lean while it is held: a head that stands still looks frozen.
    return 0.05 * held, 0.04 * held, (0.27 + 0.03 * math.sin(math.pi * u)) * held


def _bow(u: float) -> Head:
    return -0.46 * _hold(u, 0.34, 0.42), 0.0, 0.0


def _lean(u: float) -> Head:
    held = _hold(u, 0.3, 0.36)
    return 0.04 * held, -0.1 * held, 0.2 * held


GESTURES: Mapping[str, Gesture] = {
    "nod": Gesture(0.95, _nod),
    "shake": Gesture(1.35, _shake),
    "tilt": Gesture(2.0, _tilt),
    "bow": Gesture(1.7, _bow),
    "lean": Gesture(2.6, _lean, body_z=0.9),
}
"""Peaks stay below 0.5, the head's baked range; the sum of several is held there by the composer."""


def gesture_length_s(name: str) -> float:
    """How long gesture `name` moves anything, the body's lag included. An unknown name raises ValueError."""
    return _known(name).length_s + BODY_LAG_S


def gesture_at(name: str, since_s: float, strength: float = 1.0) -> Offsets:
    """What gesture `name` adds `since_s` after it began; zeros before and after.

    Args:
        name: One of GESTURES.
        since_s: Time since the gesture began, in s.
        strength: In [-1, 1]: how large; below 0 to the other side (a nod stays a nod).

    Raises:
        ValueError: If there is no such gesture; the message lists those there are.
    """
    gesture = _known(name)
    head = _head(gesture, since_s, strength)
    then = _head(gesture, since_s - BODY_LAG_S, strength)
    body_z = (BODY_PER_HEAD + gesture.body_z) * then[2]
    return np.array([*head, BODY_PER_HEAD * then[1], body_z], dtype=np.float32)


def _known(name: str) -> Gesture:
    if name not in GESTURES:
        raise ValueError(f"there is no gesture called {name!r}; there are {', '.join(GESTURES)}")
    return GESTURES[name]


def _head(gesture: Gesture, since_s: float, strength: float) -> Head:
    u = since_s / gesture.length_s
    if not 0.0 < u < 1.0:
        return 0.0, 0.0, 0.0
    x, y, z = gesture.head(u)
    return abs(strength) * x, strength * y, strength * z


@dataclass(frozen=True, slots=True)
class Cue:
    """A gesture that goes with what is said: which, when (in s from the clip's start), how large."""

    name: str
    at_s: float
    strength: float


_OPENINGS = (
    # What a sentence begins with, in English; the first that fits counts.
    (r"(yes|yeah|yep|yup|sure|exactly|absolutely|definitely|of course|indeed|agreed|true|totally|right|okay|ok|got it"
     r"|fair|i see)", "nod", 0.8),
    (r"(no|nope|nah|never|not (really|at all|quite)|i don't think|sadly|unfortunately)", "shake", 0.7),
    (r"(sorry|i'm sorry|forgive me|my apologies|thank you|thanks|welcome|good (evening|morning|night))", "bow", 0.55),
    (r"(hm+|mm+|uh+m*|um+|well|let me think|maybe|perhaps|i wonder|interesting)", "tilt", 0.75),
    (r"(hi|hello|hey)", "nod", 0.55),
)  # fmt: skip
_CUES = tuple((re.compile(rf"\W*{words}\b", re.IGNORECASE), name, strength) for words, name, strength in _OPENINGS)
OPENING_AT_S = 0.05
QUESTION_BEFORE_END_S, QUESTION_STRENGTH = 0.9, 0.6
"""A question's tilt begins this long before its last word is over."""


def cue_of(text: str, duration_s: float) -> Cue | None:
    """The gesture that goes with a sentence of `duration_s`: by its first words, or a tilt for a question; or none.

    Knows English; what it does not know brings no gesture.
    """
    for pattern, name, strength in _CUES:
        if pattern.match(text):
            return Cue(name, OPENING_AT_S, strength)
    if text.rstrip(" \"'”’)").endswith(("?", "？")):
        return Cue("tilt", max(duration_s - QUESTION_BEFORE_END_S, 0.0), QUESTION_STRENGTH)
    return None
