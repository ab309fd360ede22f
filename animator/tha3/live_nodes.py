"""Which poses are baked. Pure.

Counted in network runs, because those are what a bake costs: about 220 of the face morpher, 24 of brows and morpher,
62 of rotator and editor.
"""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from animator.messages import Pose
from animator.tha3.pose import MOUTH_NAMES, REST_SMIRK, pose_of

STAGES = ("first", "mouth", "eyes", "motion", "fine")
"""In the order in which they are baked; each one makes the face better, the first alone makes it drawable."""
COMPLETE = frozenset(STAGES[:4])
"""What a good live face needs; "fine" sharpens small head turns."""

HEAD_REACH = 0.5
"""head_x, head_y and neck_z are baked within ±0.5, about 7.5 degrees."""
HEAD_LEVELS = (-0.5, -0.25, 0.0, 0.25, 0.5)
BODY_LEVELS = (-0.5, -0.25, 0.25, 0.5)
BODY_NAMES = ("body_y", "body_z")

Head = tuple[float, float, float]
"""head_x, head_y, neck_z."""


def _cube(reach: float) -> tuple[Head, ...]:
    levels = (-reach, 0.0, reach)
    return tuple((x, y, z) for x in levels for y in levels for z in levels)


COARSE = _cube(0.5)
"""Head nodes with a texture."""
AXIS = tuple(head for head in _cube(0.25) if head.count(0.0) == 2)
INNER = tuple(head for head in _cube(0.25) if head.count(0.0) < 2)

IRIS_LEVELS = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)
WINK_LEVELS = (0.0, 0.1, 0.17, 0.25, 0.37, 0.5, 0.75, 1.0)
"""Dense near 0: 0.25 already shuts the eye by two thirds."""
HAPPY_WINK_LEVELS = (0.0, 0.1, 0.25, 0.5, 1.0)
LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Of brows and of what eyes do besides winking: with fewer, a moving brow shows twice in between."""
EYE_EXTRAS = ("eye_surprised", "eye_relaxed", "eye_unimpressed", "eye_raised_lower_eyelid", "iris_small")
IRIS_PROBES = ((-0.5, 0.0), (0.5, 0.0), (0.0, -0.5), (0.0, 0.5))
"""Iris places at which each wink level is asked how much of the eye is still to be seen."""

BROWS = (
    "eyebrow_troubled",
    "eyebrow_angry",
    "eyebrow_lowered",
    "eyebrow_raised",
    "eyebrow_happy",
    "eyebrow_serious",
)
CORNERS = ("mouth_lowered_corner", "mouth_raised_corner")
OPEN_AT = 0.5
"""mouth_aaa of the open mouth on which the corners are baked a second time."""

_SINGLES: dict[str, tuple[float, ...]] = {
    # The first level of each is the last that still looks shut: below it the mouth must not begin to open.
    "mouth_aaa": (0.12, 0.25, 0.5, 0.75, 1.0),
    "mouth_iii": (0.35, 0.55, 0.75, 1.0),
    "mouth_uuu": (0.2, 0.35, 0.6, 1.0),
    "mouth_eee": (0.18, 0.3, 0.5, 0.75, 1.0),
    "mouth_ooo": (0.12, 0.25, 0.5, 0.75, 1.0),
    "mouth_delta": (0.18, 0.4, 0.7, 1.0),
}
_MIXES: tuple[dict[str, float], ...] = (
    # The mixed visemes of the lip-sync table; each is baked whole and at a few strengths below.
    {"i": 0.35, "u": 0.35},
    {"e": 0.30, "i": 0.20},
    {"i": 0.75, "e": 0.12},
    {"u": 0.55, "e": 0.15},
    {"a": 0.25, "e": 0.10},
    {"u": 0.40, "e": 0.20},
    {"i": 0.70, "e": 0.20},
    {"a": 0.60, "e": 0.40},
    {"a": 0.30, "d": 0.20},
    {"i": 0.60, "e": 0.40},
    {"i": 1.00, "e": 0.25},
    {"o": 0.70, "a": 0.35},
    {"u": 0.70, "o": 0.15},
    {"u": 0.60, "i": 0.30},
    {"o": 0.30, "d": 0.35},
    {"u": 0.80, "i": 0.20},
    {"o": 0.50, "e": 0.30},
)
MOUTH_STEPS = 128
"""Per unit: mouth poses are rounded to 1/128 so that they repeat; that moves no lip by a tenth of a pixel. Nodes lie
on the same grid, so that a mouth that was baked is drawn from itself alone."""
_MIX_GAINS = (0.3, 0.55, 0.8, 1.0)
"""Four and not two: 43 instead of 40 dB (median) of the mouth's box over speech, for 34 runs more."""


def mouth_nodes() -> npt.NDArray[np.float32]:
    """Baked mouths: float32 (n,6) in the order of `MOUTH_NAMES`; the first is shut."""
    letters = {name[6]: i for i, name in enumerate(MOUTH_NAMES)}
    nodes: list[list[float]] = [[0.0] * 6]

    def add(values: dict[str, float]) -> None:
        row = [0.0] * 6
        for letter, value in values.items():
            row[letters[letter]] = round(value * MOUTH_STEPS) / MOUTH_STEPS
        if row not in nodes:
            nodes.append(row)

    for name, levels in _SINGLES.items():
        for level in levels:
            add({name[6]: level})
    for mix in _MIXES:
        for gain in _MIX_GAINS:
            add({letter: value * gain for letter, value in mix.items()})
    for one, two in itertools.combinations(letters, 2):
        for level in (0.5, 1.0):
            add({one: level, two: level})
    add(dict.fromkeys(letters, 1.0))
    return np.array(nodes, np.float32)


def corner_changes() -> tuple[dict[str, float], ...]:
    """What is baked on a shut and on an open mouth besides its shape: each corner, then no smirk, then a full one."""
    corners = tuple({name: 1.0, "mouth_smirk": REST_SMIRK} for name in CORNERS)
    return (*corners, {"mouth_smirk": 0.0}, {"mouth_smirk": 1.0})


def body_pose(head: Head) -> Pose:
    """A pose that turns the head alone."""
    return pose_of(head_x=head[0], head_y=head[1], neck_z=head[2])
