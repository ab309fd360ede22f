"""THA3's 45 pose parameters: names, order and ranges. Pure.

Source: `talking-head-anime-3-demo`, `pose_parameters.py`; `left` is the character's left, the viewer's right.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from animator.messages import Pose


def _pair(name: str) -> tuple[str, str]:
    return f"{name}_left", f"{name}_right"


NAMES: tuple[str, ...] = (
    *_pair("eyebrow_troubled"),
    *_pair("eyebrow_angry"),
    *_pair("eyebrow_lowered"),
    *_pair("eyebrow_raised"),
    *_pair("eyebrow_happy"),
    *_pair("eyebrow_serious"),
    *_pair("eye_wink"),
    *_pair("eye_happy_wink"),
    *_pair("eye_surprised"),
    *_pair("eye_relaxed"),
    *_pair("eye_unimpressed"),
    *_pair("eye_raised_lower_eyelid"),
    *_pair("iris_small"),
    "mouth_aaa",
    "mouth_iii",
    "mouth_uuu",
    "mouth_eee",
    "mouth_ooo",
    "mouth_delta",
    *_pair("mouth_lowered_corner"),
    *_pair("mouth_raised_corner"),
    "mouth_smirk",
    "iris_rotation_x",
    "iris_rotation_y",
    "head_x",
    "head_y",
    "neck_z",
    "body_y",
    "body_z",
    "breathing",
)
"""All parameters in THA3's order; the index in this tuple is the index in a pose."""

INDEX: Mapping[str, int] = {name: i for i, name in enumerate(NAMES)}

EYEBROW = slice(0, 12)
"""What the eyebrow combiner reads."""
FACE = slice(12, 39)
"""What the face morpher reads."""
BODY = slice(39, 45)
"""What the rotator and the editor read."""

MOUTH_NAMES = ("mouth_aaa", "mouth_iii", "mouth_uuu", "mouth_eee", "mouth_ooo", "mouth_delta")
MOUTH = slice(26, 32)
"""The six parameters that open the mouth, in the order of MOUTH_NAMES."""

SMIRK = 36
"""mouth_smirk."""
REST_SMIRK = 0.5
"""mouth_smirk of a face at rest and of every spoken mouth.

THA3 fades shut lips to almost nothing, and this much smirk draws their line. The live tier bakes its mouths with it:
baked apart and added to other shapes, a smirk leaves the ghost of a second mouth.
"""

LOW: Pose = np.zeros(45, dtype=np.float32)
LOW[37:44] = -1.0
HIGH: Pose = np.ones(45, dtype=np.float32)


def neutral() -> Pose:
    """A face at rest: every parameter 0, the mouth closed.

    THA3's own table gives mouth_aaa the default 1, which is the source's open mouth.
    """
    return np.zeros(45, dtype=np.float32)


def pose_of(**values: float) -> Pose:
    """A pose from names; a pair's bare name (`eye_wink=1`) sets both sides. Unknown names raise ValueError."""
    pose = neutral()
    for name, value in values.items():
        set_value(pose, name, value)
    return pose


def set_value(pose: Pose, name: str, value: float) -> None:
    """Set one parameter, or both sides of a pair, in place. An unknown name raises ValueError."""
    if name in INDEX:
        pose[INDEX[name]] = value
    elif f"{name}_left" in INDEX:
        pose[INDEX[f"{name}_left"]] = pose[INDEX[f"{name}_right"]] = value
    else:
        raise ValueError(f"no THA3 parameter is called {name!r}")


def clamp(pose: Pose) -> tuple[Pose, int]:
    """The pose inside its ranges, NaN as 0, and how many values had to be changed. float32 (45,)."""
    clean = np.clip(np.nan_to_num(pose.astype(np.float32), nan=0.0, posinf=1.0, neginf=-1.0), LOW, HIGH)
    return clean, int(np.count_nonzero(~(clean == pose)))


def same(known: Pose | None, wanted: Pose) -> bool:
    """Whether a part of a pose is what it was; None is never."""
    return known is not None and np.array_equal(known, wanted)
