"""The points of a face over time: gaps bridged, trembling taken out, the best frame. Pure: NumPy alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from animator.human.face_choice import roll_of, turn_of
from animator.human.landmarks import Points

HALF_WINDOW = 5
"""Frames on either side that a point's place is judged by, 0.44 s in all."""
_EYES = ((159, 145, 33, 133, 468), (386, 374, 263, 362, 473))
"""Of each eye: upper lid, lower lid, outer and inner corner, middle of the iris."""


def bridged(points: Points, seen: npt.NDArray[np.bool_]) -> Points:
    """`points` (n, 478, 3) with those frames that are not `seen` (n,) put between their neighbours; held at ends."""
    there = np.flatnonzero(seen)
    if len(there) in (0, len(seen)):
        return points
    after = np.searchsorted(there, np.arange(len(seen)))
    right = there[np.minimum(after, len(there) - 1)]
    left = there[np.maximum(np.where(right == np.arange(len(seen)), after, after - 1), 0)]
    left = np.minimum(left, right)
    span = np.maximum(right - left, 1)
    share = np.clip((np.arange(len(seen)) - left) / span, 0.0, 1.0).astype(np.float32)[:, None, None]
    return np.asarray(points[left] * (1 - share) + points[right] * share, dtype=np.float32)


def smoothed(points: Points) -> Points:
    """`points` (n, ...) over time without their trembling, and without lag.

    A parabola is laid through each point's places in 0.44 s (Savitzky and Golay, 1964): a head that nods twice a second
    keeps its way, which a mean would shorten. The ends go on mirrored, as a loop that runs forth and back does.
    """
    half = min(HALF_WINDOW, len(points) - 1)
    if half < 2:
        return points
    at = np.arange(-half, half + 1, dtype=np.float64)
    weights = np.linalg.pinv(np.stack([at**0, at, at**2], axis=1))[0]
    wide = np.concatenate([points[half:0:-1], points, points[-2 : -2 - half : -1]])
    out = np.zeros(points.shape, np.float64)
    for k, weight in enumerate(weights):
        out += weight * wide[k : k + len(points)]
    return out.astype(np.float32)


def best_frame(points: Points, seen: npt.NDArray[np.bool_], sharpness: npt.NDArray[np.float64]) -> int:
    """The frame of those `seen` that would make the best photo: into the camera, level, lips shut, eyes open, sharp."""
    sharpest = max(float(np.percentile(sharpness[seen], 90)), 1e-9)
    widest = max(float(np.median([_open_eyes(each) for each in points[seen]])), 1e-9)
    faults = np.full(len(points), np.inf)
    for k in np.flatnonzero(seen):
        yaw, pitch = turn_of(points[k])
        faults[k] = (
            abs(yaw) / np.radians(10.0)
            + abs(pitch) / np.radians(15.0)
            + abs(roll_of(points[k])) / np.radians(10.0)
            + _open_mouth(points[k]) / 0.06
            + _aside(points[k]) / 0.25
            + 4.0 * max(0.0, 0.9 - _open_eyes(points[k]) / widest)
            + max(0.0, 1.0 - sharpness[k] / sharpest)
        )
    return int(np.argmin(faults))


def _apart(points: Points, one: int, other: int) -> float:
    return float(np.hypot(*(points[one, :2] - points[other, :2])))


def _open_mouth(points: Points) -> float:
    return _apart(points, 13, 14) / max(_apart(points, 61, 291), 1.0)


def _open_eyes(points: Points) -> float:
    shares = [_apart(points, up, low) / max(_apart(points, a, b), 1.0) for up, low, a, b, _ in _EYES]
    return sum(shares) / len(shares)


def _aside(points: Points) -> float:
    """How far the irises are from the eyes' middles, in parts of the eyes' width."""
    shares = []
    for *_, a, b, iris in _EYES:
        middle = (points[a, :2] + points[b, :2]) / 2
        shares.append(float(np.hypot(*(points[iris, :2] - middle))) / max(_apart(points, a, b), 1.0))
    return sum(shares) / len(shares)
