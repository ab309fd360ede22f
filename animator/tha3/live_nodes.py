"""Which poses are baked. Pure, but for the file that names those of all networks.

Counted in network runs, because those are what a bake costs: about 350 of the face morpher, 24 of brows and morpher,
and `RUNS` of all networks.
"""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from animator.character import DEFAULT_EXPRESSIONS
from animator.messages import Pose
from animator.tha3.emotions import EMOTIONS
from animator.tha3.live_fit import BODY_PER_HEAD
from animator.tha3.pose import INDEX, MOUTH_NAMES, REST_SMIRK, clamp, pose_of

CHOSEN = Path(__file__).parents[2] / "assets" / "face" / "runs.npz"

STAGES = ("first", "talk", "mouth", "eyes", "faces", "motion", "fine")
"""In the order in which they are baked; each one makes the face better, the first alone makes it drawable."""
COMPLETE = frozenset(STAGES[:6])
"""What a good live face needs; "fine" makes movements exact."""
MOTION_STAGES = ("talk", "motion", "fine")
"""Stages that say how the picture moves, each better than the one before."""
RUNS = {"talk": 12, "motion": 60, "fine": 240}
"""How many of `run_poses` each of them has learned from."""
REACH = {"talk": 0.25, "motion": 0.5, "fine": 0.5}
"""Head and body are held within this; 0.5 is about 7.5 degrees."""
BODY_EXTRA = 0.3
"""How far the body may be from where the head takes it."""

IRIS_LEVELS = (-1.0, -0.5, -0.27, -0.12, 0.0, 0.12, 0.27, 0.5, 1.0)
WINK_LEVELS = (0.0, 0.1, 0.17, 0.25, 0.37, 0.5, 0.75, 1.0)
"""Dense near 0: 0.25 already shuts the eye by two thirds."""
HAPPY_WINK_LEVELS = (0.0, 0.06, 0.1, 0.17, 0.25, 0.32, 0.4, 0.5, 0.75, 1.0)
"""Dense up to 0.5, where smiling lids fall shut: with 0.25 and 0.5 alone a lid in between is a grey smear."""
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
LID_NAMES = (*BROWS, "eye_wink", "eye_happy_wink", *EYE_EXTRAS)
"""What whole expressions are told apart by, on each side of the face."""
FACE_LEVELS = (0.5, 0.8, 1.0)
"""How strongly each expression is baked."""
BLINKING = 0.2
"""eye_wink that shuts an eye by half."""
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


TALK_MOUTHS = (
    {"a": 0.25}, {"a": 0.5}, {"a": 1.0}, {"i": 0.55}, {"i": 1.0}, {"u": 0.35}, {"u": 0.6}, {"u": 1.0},
    {"e": 0.3}, {"e": 0.5}, {"e": 1.0}, {"o": 0.25}, {"o": 0.5}, {"o": 1.0}, {"d": 0.4}, {"d": 1.0},
    {"a": 0.6, "e": 0.4}, {"i": 0.6, "e": 0.4}, {"o": 0.7, "a": 0.35}, {"u": 0.6, "i": 0.3},
)  # fmt: skip
"""With these a new character begins to talk."""


def talk_nodes() -> npt.NDArray[np.float32]:
    """The few mouths of the "talk" stage, in the form of `mouth_nodes`."""
    letters = [name[6] for name in MOUTH_NAMES]
    rows = [[round(mouth.get(letter, 0.0) * MOUTH_STEPS) / MOUTH_STEPS for letter in letters] for mouth in TALK_MOUTHS]
    return np.array([[0.0] * 6, *rows], np.float32)


def face_poses() -> list[Pose]:
    """Whole expressions above a resting mouth: each at `FACE_LEVELS`, in a blink, and with its eyes shut."""
    found: list[Pose] = []
    for pose in _expressions(("eye", "iris_small")):
        shut, blinking = pose.copy(), pose.copy()
        shut[12:26] = 0.0
        shut[12:14] = 1.0
        blinking[14:26] *= np.float32(1.0 - BLINKING)
        blinking[12:14] = BLINKING
        smiling = pose[INDEX["eye_happy_wink_left"]] > 0.0  # such lids are shut already
        _add_new(found, [*(pose * np.float32(level) for level in FACE_LEVELS), shut, *([] if smiling else [blinking])])
    return found


def browed_poses() -> list[Pose]:
    """Every two brow changes at once, above resting eyes."""
    pairs = itertools.combinations(BROWS, 2)
    return [pose_of(**{one: level, two: level}) for one, two in pairs for level in FACE_LEVELS]


def _expressions(prefixes: tuple[str, ...]) -> list[Pose]:
    faces = (*EMOTIONS.values(), *DEFAULT_EXPRESSIONS.values())
    poses = [pose_of(**{name: value for name, value in face.items() if name.startswith(prefixes)}) for face in faces]
    return [pose for pose in poses if np.count_nonzero(pose) > 2]


def _add_new(found: list[Pose], poses: list[Pose]) -> None:
    found += [pose for pose in poses if not any(np.array_equal(pose, other) for other in found)]


def plain_poses(names: Sequence[str]) -> list[Pose]:
    """Faces that are the sum of their parts: at rest, or with one of `names` moved."""
    return [pose_of(), *(pose_of(**{name: level}) for name in names for level in FACE_LEVELS)]


def run_poses() -> list[Pose]:
    """The poses that all networks run over, in baking order; the same ones every time.

    The first twelve are `first_poses`. The rest were chosen one by one, each the one that tells most about how the app
    moves a face once those before it are known (`animator.tha3.training.choose`).

    Raises:
        ValueError: If the file that comes along is missing or damaged.
    """
    return list(_chosen())


@lru_cache(maxsize=1)
def _chosen() -> tuple[Pose, ...]:
    try:
        with np.load(io.BytesIO(CHOSEN.read_bytes()), allow_pickle=False) as archive:
            poses = archive["poses"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"The poses to bake cannot be read from {CHOSEN}. Reinstall the program.") from error
    if poses.dtype != np.float32 or poses.ndim != 2 or poses.shape[1] != len(INDEX) or len(poses) < RUNS["fine"]:
        raise ValueError(f"{CHOSEN} holds {poses.dtype} {poses.shape}, not the poses to bake. Reinstall the program.")
    return tuple(clamp(pose)[0] for pose in poses[: RUNS["fine"]])


def first_poses() -> list[Pose]:
    """Small movements: a step from the middle along each axis of head and body, with a shut and an open mouth."""
    poses = []
    for k, (name, value) in enumerate((axis, way) for way in (-0.25, 0.25) for axis in ("head_x", "head_y", "neck_z")):
        poses.append(tied(**{name: value}, breathing=0.5 * (k % 2), mouth_aaa=0.6 * (k in (1, 4))))
    poses.append(tied(breathing=1.0, mouth_smirk=REST_SMIRK))
    poses.append(tied(eye_wink=1.0, mouth_eee=0.6))
    for x, y, z in ((0.2, 0.2, 0.15), (-0.2, 0.2, -0.15), (0.2, -0.2, -0.15), (-0.2, -0.2, 0.15)):
        poses.append(tied(head_x=x, head_y=y, neck_z=z, mouth_ooo=0.5 * (x > 0), mouth_smirk=REST_SMIRK))
    return poses


def tied(**values: float) -> Pose:
    """A pose whose body follows its head."""
    pose = pose_of(**values)
    pose[INDEX["body_y"]] = BODY_PER_HEAD * pose[INDEX["head_y"]]
    pose[INDEX["body_z"]] = BODY_PER_HEAD * pose[INDEX["neck_z"]]
    return pose
