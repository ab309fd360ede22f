"""What the puppet does with a pose: THA3's 45 parameters as sizes of a photographed face. Pure.

The same pose moves the anime face; the mouth's six values come from the mouth track (`assets/visemes.toml`).
"""

from __future__ import annotations

from dataclasses import dataclass

from animator.messages import Pose
from animator.tha3 import pose as p

# By mouth_aaa, iii, uuu, eee, ooo, delta: how far the lips part, in parts of the widest; how wide the mouth is; how
# round.
_GAP = (1.0, 0.28, 0.26, 0.52, 0.62, 0.50)
_WIDTH = (-0.07, 0.09, -0.30, 0.04, -0.20, 0.0)
_ROUND = (0.0, 0.0, 1.0, 0.0, 0.75, 0.1)
_TONGUE = (0.0, 0.6, 0.1, 0.7, 0.1, 0.5)
"""Vowels that are made with the tongue in front show it."""
WIDTHS = (0.70, 1.12)
LOOK = 0.30
"""Reach of the irises, in parts of the eye's half width, at a rotation of 1. More, and the white of the eye would be
made up."""


@dataclass(frozen=True, slots=True)
class Mouth:
    """`gap` 0 is shut, 1 the widest; `width` 1 as in the photo; `round`, `tongue` 0 to 1; `corners` up -1 to 1."""

    gap: float
    width: float
    round: float
    tongue: float
    corners: float


@dataclass(frozen=True, slots=True)
class Eye:
    """`shut` 0 as in the photo, 1 closed, below 0 wider; `lower` the lower lid's rise; brows up, in eye widths."""

    shut: float
    lower: float
    look_x: float
    look_y: float
    brow_inner: float
    brow_outer: float


@dataclass(frozen=True, slots=True)
class Head:
    """Parts of the largest turn, -1 to 1: `pitch` up, `yaw` to the viewer's left, `roll` clockwise; `breath` 0 to 1."""

    pitch: float
    yaw: float
    roll: float
    lean: float
    turn: float
    breath: float


def mouth_of(pose: Pose) -> Mouth:
    """What the six mouth parameters and the corners ask of the lips. No opening is no opening: p, b and m stay shut."""
    weights = [float(v) for v in pose[p.MOUTH]]
    total = sum(weights)
    scale = 1.0 / total if total > 1.0 else 1.0  # shapes that overlap share one mouth
    gap = sum(w * g for w, g in zip(weights, _GAP, strict=True)) * scale
    width = 1.0 + sum(w * g for w, g in zip(weights, _WIDTH, strict=True)) * scale
    corners = 0.5 * float(pose[34] + pose[35] - pose[32] - pose[33])
    gap *= 1.0 - 0.4 * max(corners, 0.0)  # a drawn laugh is wider open than a face's
    return Mouth(
        min(gap, 1.0),
        min(max(width + 0.05 * max(corners, 0.0), WIDTHS[0]), WIDTHS[1]),
        min(sum(w * g for w, g in zip(weights, _ROUND, strict=True)) * scale, 1.0),
        min(sum(w * g for w, g in zip(weights, _TONGUE, strict=True)) * scale, 1.0),
        corners,
    )


def eye_of(pose: Pose, side: str) -> Eye:
    """The eye on the person's `side`, "left" or "right". Expressions are smaller than a drawing's."""

    def value(name: str) -> float:
        return float(pose[p.INDEX[f"{name}_{side}"]])

    happy, relaxed, unimpressed = value("eye_happy_wink"), value("eye_relaxed"), value("eye_unimpressed")
    calm = max(0.45 * relaxed, 0.35 * unimpressed, 0.25 * happy)
    wink = value("eye_wink")
    wide = 0.18 * value("eye_surprised")
    shut = max(wink, calm + (1.0 - calm) * wink) - wide * (1.0 - wink)
    lower = min(0.5 * value("eye_raised_lower_eyelid") + 0.45 * happy, 0.6)
    raised, lowered = value("eyebrow_raised"), value("eyebrow_lowered")
    troubled, angry = value("eyebrow_troubled"), value("eyebrow_angry")
    happy_brow, serious = value("eyebrow_happy"), value("eyebrow_serious")
    inner = 0.16 * raised - 0.10 * lowered + 0.12 * troubled - 0.12 * angry + 0.05 * happy_brow - 0.08 * serious
    outer = 0.15 * raised - 0.08 * lowered - 0.03 * troubled + 0.03 * angry + 0.07 * happy_brow - 0.04 * serious
    return Eye(
        shut,
        lower,
        # iris_rotation_y above 0 looks to the viewer's left in THA3, iris_rotation_x above 0 up.
        -LOOK * float(pose[p.INDEX["iris_rotation_y"]]),
        -0.6 * LOOK * float(pose[p.INDEX["iris_rotation_x"]]),
        inner,
        outer,
    )


def head_of(pose: Pose) -> Head:
    """Head, body and breath."""
    x, y, z, body_y, body_z, breath = (float(v) for v in pose[p.BODY])
    return Head(x, y, z, body_z, body_y, breath)
