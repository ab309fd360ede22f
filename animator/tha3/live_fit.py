"""Learns from a few network runs how the picture follows from the pose: Gaussian-process regression. Pure.

A run's answer (its flow, its correction) is a vector of a hundred thousand numbers. Over poses those vectors move
in a few dozen directions, found by principal components; how far along each is regressed on the pose. What the
networks see of an expression is the face itself, so the regression takes the change in the face crop, small, and not
the 39 parameters it came from: a wink then counts by how much of the eye it covers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from animator.messages import Pose
from animator.tha3.pose import INDEX

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

BODY_PER_HEAD = 0.4
"""The body follows the head by this much in the app's own motion (`idle.BODY_PER_HEAD`); the rest is a small extra."""


def turns_of(pose: Pose) -> Floats:
    """What rotator and editor are told: float32 (6,): head_x, head_y, neck_z, body's extra turn and lean, breath."""
    x, y, z, body_y, body_z, breath = (float(pose[INDEX[name]]) for name in _NAMES)
    return np.array([x, y, z, body_y - BODY_PER_HEAD * y, body_z - BODY_PER_HEAD * z, breath], np.float32)


_NAMES = ("head_x", "head_y", "neck_z", "body_y", "body_z", "breathing")


@dataclass(frozen=True, slots=True)
class Basis:
    """Vectors that depend on the pose: a mean, and directions with what each run says about the way along them."""

    mean: Floats
    """(size,)"""
    directions: Floats
    """(count, size)"""
    votes: Floats
    """(runs, count): multiplied by a pose's likeness to the runs, the way along each direction."""

    def at(self, alike: Doubles) -> Floats:
        """The vector where the pose's likeness to the runs is `alike` (runs,)."""
        if not len(self.directions):
            return self.mean
        along = (alike @ self.votes).astype(np.float32)
        return np.asarray(along @ self.directions + self.mean, np.float32)


def fit(common: Doubles, vectors: npt.NDArray[np.floating], count: int, noise: float) -> Basis:
    """Learn `vectors` (runs, size), along at most `count` directions.

    Args:
        common: How much the runs have in common, (runs, runs), as `Likeness.between` says.
        vectors: What the runs answered.
        count: The most directions that are kept.
        noise: How much of a run is its own and does not follow from the pose, on the scale of `common`.
    """
    mean = vectors.mean(axis=0, dtype=np.float32)
    centred = vectors - mean
    strength, axes = np.linalg.eigh((centred @ centred.T).astype(np.float64))
    kept = [int(i) for i in np.argsort(-strength)[:count] if strength[i] > 1e-6 * max(strength.max(), 1e-12)]
    along = axes[:, kept]
    votes = np.linalg.solve(common + noise * np.eye(len(common)), along)
    directions = along.T.astype(np.float32) @ centred
    return Basis(mean, np.asarray(directions, np.float32), votes.astype(np.float32))
