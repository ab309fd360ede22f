"""Turns a pose into weights over baked nodes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from animator.tha3.live_nodes import MOUTH_STEPS

Floats = npt.NDArray[np.float32]

_HIT = 900.0
"""How much more hitting the point counts than being near it."""


def between(levels: Sequence[float], value: float) -> tuple[int, float]:
    """Index i and share t in [0, 1] such that `value` lies at (1-t)·levels[i] + t·levels[i+1]; clamped to the ends."""
    last = len(levels) - 2
    index = 0
    while index < last and value > levels[index + 1]:
        index += 1
    low, high = levels[index], levels[index + 1]
    return index, min(max((value - low) / (high - low), 0.0), 1.0)


def curve(levels: Sequence[float], value: float) -> list[tuple[int, float]]:
    """Weights of the levels around `value` in the cubic through four of them (Lagrange); they sum to 1.

    On a level it counts alone; beyond the ends the end does. Something that moves across pixels, as an iris does, is
    neither a sharp copy of one place nor the other halfway between them: straight lines blur it by a third more.
    """
    value = min(max(value, levels[0]), levels[-1])
    index, share = between(levels, value)
    if share in (0.0, 1.0):
        return [(index + int(share), 1.0)]
    count = min(len(levels), 4)
    first = min(max(index - 1, 0), len(levels) - count)
    out: list[tuple[int, float]] = []
    for k in range(first, first + count):
        weight = 1.0
        for other in range(first, first + count):
            if other != k:
                weight *= (value - levels[other]) / (levels[k] - levels[other])
        out.append((k, weight))
    return out


class Scatter:
    """Interpolates between nodes scattered in a space of several dimensions.

    Weights are convex, few, continuous and exact at the nodes: those of the Delaunay cell around the point, found as
    the convex mix that gives the point with the nearest nodes (the point nearest to it, outside the nodes' hull).
    """

    def __init__(self, nodes: Floats) -> None:
        self._nodes = nodes.astype(np.float64)
        self._gram = _HIT * (self._nodes @ self._nodes.T + 1.0)
        self._cached = lru_cache(maxsize=4096)(self._solve)

    def weights(self, point: Floats) -> list[tuple[int, float]]:
        """Node indices and their weights, which sum to 1."""
        return self._cached(tuple(round(float(v) * MOUTH_STEPS) for v in point))

    def _solve(self, steps: tuple[int, ...]) -> list[tuple[int, float]]:
        point = np.array(steps, np.float64) / MOUTH_STEPS
        distances = ((self._nodes - point) ** 2).sum(axis=1)
        nearest = int(distances.argmin())
        if distances[nearest] < (0.5 / MOUTH_STEPS) ** 2:
            return [(nearest, 1.0)]
        # Hitting the point and summing to 1 weigh heavily; among the mixes that do, the sum of squared distances
        # decides, which by the lifting theorem is the Delaunay cell.
        gram = self._gram + np.outer(distances, distances)
        towards = _HIT * (self._nodes @ point + 1.0)
        solved = nonnegative_least_squares(gram, towards)
        solved /= solved.sum()
        return [(int(i), float(solved[i])) for i in np.flatnonzero(solved > 1e-4)]


def nonnegative_least_squares(
    gram: npt.NDArray[np.float64], towards: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Find x >= 0 that minimises |a x - b|, given gram = aᵀa and towards = aᵀb (Lawson and Hanson, 1974)."""
    size = len(gram)
    x = np.zeros(size)
    free: list[int] = []
    for _ in range(3 * size):
        gradient = towards - gram[:, free] @ x[free]
        gradient[free] = -np.inf
        enter = int(gradient.argmax())
        if gradient[enter] <= 1e-6:
            break
        free.append(enter)
        while free:
            block = gram[np.ix_(free, free)]
            trial = np.linalg.solve(block + 1e-9 * np.eye(len(free)), towards[free])
            if trial.min() > 0.0:
                x[:] = 0.0
                x[free] = trial
                break
            now = x[free]
            shrinking = trial <= 0.0
            step = float((now[shrinking] / np.maximum(now[shrinking] - trial[shrinking], 1e-12)).min())
            now = now + step * (trial - now)
            free = [index for index, value in zip(free, now, strict=True) if value > 1e-10]
            kept = now[now > 1e-10]
            x[:] = 0.0
            x[free] = kept
    return x
