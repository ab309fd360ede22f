"""Learns from a few network runs how the picture follows from the pose: Gaussian-process regression. Pure.

A run's answer (its flow, its correction) is a vector of a hundred thousand numbers. Over poses those vectors move
in a few dozen directions, found by principal components; how far along each is regressed on the pose. What the
networks see of an expression is the face itself, so the regression takes the change in the face crop, small, and not
the 39 parameters it came from: a wink then counts by how much of the eye it covers.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from animator.messages import Pose
from animator.tha3.pose import INDEX

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

BODY_PER_HEAD = 0.4
"""The body follows the head by this much in the app's own motion (`idle.BODY_PER_HEAD`); the rest is a small extra."""
LOOK_PX = 24
"""The face's change is seen at this size."""
_LOOK_SCALE = 64.0 * 6.0
"""Brings the looks of drawn and painted characters to a length of about 1."""

# Found by coordinate descent on the leave-one-out error of the flow, together for three characters of 160 runs each.
_HEAD_SCALE = np.array([1.04, 0.81, 1.62]) / 0.5
_EXTRA_SCALE = np.array([1 / 0.1, 1 / 0.1, 1.0])
_NEAR, _LINEAR, _SQUARE = 0.20, 78.0, 0.067
_BODY, _BREATH, _EXTRA_TURNED = 0.030, 0.15, 0.021
_LOOK, _LOOK_TURNED, _LOOK_SQUARE = 0.0011, 0.0038, 7e-5
_LIKE, _LIKE_WIDTH, _LIKE_STILL, _LIKE_HEAD_WIDTH = 0.0044, 0.71, 0.09, 2.8
NOISE = 0.003
"""How much of a run is its own and does not follow from the pose."""
_ROW_WEIGHTS = np.ones((LOOK_PX, 1, 1), np.float32)
_ROW_WEIGHTS[:11] = 1.4  # brows
_ROW_WEIGHTS[15:] = 2.0  # mouth


def turns_of(pose: Pose) -> Floats:
    """What rotator and editor are told: float32 (6,): head_x, head_y, neck_z, body's extra turn and lean, breath."""
    x, y, z, body_y, body_z, breath = (float(pose[INDEX[name]]) for name in _NAMES)
    return np.array([x, y, z, body_y - BODY_PER_HEAD * y, body_z - BODY_PER_HEAD * z, breath], np.float32)


_NAMES = ("head_x", "head_y", "neck_z", "body_y", "body_z", "breathing")


def look_of(change: Floats) -> Floats:
    """What the networks see of an expression: float32 (1728,).

    Args:
        change: float32 (192,192,4), the face crop less the neutral one, in 8-bit sRGB steps.
    """
    small = cv2.resize(change, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_AREA)[:, :, :3]
    return np.asarray(small * (_ROW_WEIGHTS / np.float32(_LOOK_SCALE)), np.float32).ravel()


def likeness(
    turns: Floats, looks: Floats, other_turns: Floats, other_looks: Floats, other_squares: Floats | None = None
) -> Doubles:
    """How much runs have in common (the kernel): (n,6) and (n,1728) against (m,6) and (m,1728) gives (n,m).

    `other_squares`, (m,), are the squared lengths of `other_looks`, where they are known already.
    """
    squares = (other_looks**2).sum(axis=1) if other_squares is None else other_squares
    head = turns[:, :3].astype(np.float64) * _HEAD_SCALE
    other_head = other_turns[:, :3].astype(np.float64) * _HEAD_SCALE
    turned = head @ other_head.T
    apart = (head**2).sum(1)[:, None] + (other_head**2).sum(1)[None] - 2.0 * turned
    extra = turns[:, 3:] * _EXTRA_SCALE * np.sqrt([_BODY, _BODY, _BREATH])
    other_extra = other_turns[:, 3:] * _EXTRA_SCALE * np.sqrt([_BODY, _BODY, _BREATH])
    look = (looks @ other_looks.T).astype(np.float64)
    unlike = (looks**2).sum(1)[:, None] + squares[None] - 2.0 * look
    alike = np.exp(-np.maximum(unlike, 0.0) / (2 * _LIKE_WIDTH**2) - apart / (2 * _LIKE_HEAD_WIDTH**2))
    return np.asarray(
        _LINEAR * (1.0 + turned)
        + _SQUARE * turned**2
        + _NEAR * np.exp(-apart / 2)
        + (extra @ other_extra.T) * (1.0 + _EXTRA_TURNED * turned)
        + look * (_LOOK + _LOOK_TURNED * turned + _LOOK_SQUARE * turned**2)
        + _LIKE * alike * (_LIKE_STILL + turned)
    )


@dataclass(frozen=True, slots=True)
class Basis:
    """Vectors that depend on the pose: a mean, and directions with what each run says about the way along them."""

    mean: Floats
    """(size,)"""
    directions: Floats
    """(count, size)"""
    votes: Floats
    """(runs, count): multiplied by a pose's likeness to the runs, the way along each direction."""

    def at(self, alike: Floats) -> Floats:
        """The vector where the pose's likeness to the runs is `alike` (runs,)."""
        if not len(self.directions):
            return self.mean
        return np.asarray((alike @ self.votes) @ self.directions + self.mean, np.float32)


def fit(turns: Floats, looks: Floats, vectors: npt.NDArray[np.floating], count: int, noise: float = NOISE) -> Basis:
    """Learn `vectors` (runs, size) from `turns` (runs,6) and `looks` (runs,1728), along at most `count` directions."""
    mean = vectors.mean(axis=0, dtype=np.float32)
    centred = vectors - mean
    strength, axes = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    kept = [int(i) for i in np.argsort(-strength)[:count] if strength[i] > 1e-6 * max(strength.max(), 1e-12)]
    along = axes[:, kept]
    common = likeness(turns, looks, turns, looks)
    votes = np.linalg.solve(common + noise * np.eye(len(common)), along)
    directions = along.T.astype(np.float32) @ centred
    return Basis(mean, np.asarray(directions, np.float32), votes.astype(np.float32))
