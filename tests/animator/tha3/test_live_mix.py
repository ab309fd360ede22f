"""Weights over baked nodes: exact at the nodes, and without jumps."""

from __future__ import annotations

import numpy as np
import pytest

from animator.tha3 import live_nodes
from animator.tha3.live_mix import Scatter, between, curve

LEVELS = (-0.5, 0.0, 0.5)


@pytest.fixture(scope="module")
def mouths() -> Scatter:
    return Scatter(live_nodes.mouth_nodes())


def dense(scatter: Scatter, point: np.ndarray) -> np.ndarray:
    weights = np.zeros(len(live_nodes.mouth_nodes()))
    for index, weight in scatter.weights(point):
        weights[index] = weight
    return weights


def test_values_outside_the_levels_are_held_at_the_ends():
    assert (0, 0.0) == between(LEVELS, -3.0)
    assert (1, 1.0) == between(LEVELS, 3.0)
    assert (1, 0.5) == between(LEVELS, 0.25)


def test_a_curve_goes_through_its_levels_and_follows_a_cubic_between_them():
    def cubic(x: float) -> float:
        return 2.0 - x + 3.0 * x**2 - 4.0 * x**3

    for value in np.linspace(-1.2, 1.2, 49):
        weights = curve(live_nodes.IRIS_LEVELS, float(value))
        found = sum(weight * cubic(live_nodes.IRIS_LEVELS[i]) for i, weight in weights)

        assert sum(weight for _, weight in weights) == pytest.approx(1.0)
        assert found == pytest.approx(cubic(float(np.clip(value, -1.0, 1.0))), abs=1e-9)


def test_a_curve_draws_a_level_from_itself_alone_and_does_not_jump_there():
    level = live_nodes.IRIS_LEVELS[3]

    def row(value: float) -> np.ndarray:
        weights = np.zeros(len(live_nodes.IRIS_LEVELS))
        for i, weight in curve(live_nodes.IRIS_LEVELS, value):
            weights[i] = weight
        return weights

    assert [(3, 1.0)] == curve(live_nodes.IRIS_LEVELS, level)
    assert row(level - 1e-7) == pytest.approx(row(level), abs=1e-4)
    assert row(level + 1e-7) == pytest.approx(row(level), abs=1e-4)


def test_every_baked_mouth_is_drawn_from_itself_alone(mouths: Scatter):
    nodes = live_nodes.mouth_nodes()
    for index, node in enumerate(nodes):
        weights = dense(mouths, node)

        assert weights.argmax() == index
        assert weights[index] == 1.0


def test_mouth_weights_are_convex_and_reproduce_every_mix_of_visemes(mouths: Scatter):
    nodes = live_nodes.mouth_nodes()
    rng = np.random.default_rng(1)
    for _ in range(100):
        point = (rng.dirichlet([0.5] * 6) * rng.uniform(0, 1)).astype(np.float32)
        weights = dense(mouths, point)

        assert weights.min() >= 0.0
        assert weights.sum() == pytest.approx(1.0, abs=1e-3)
        assert np.abs(weights @ nodes - point).max() < 0.01


def test_a_mouth_that_opens_slowly_does_not_jump(mouths: Scatter):
    end = np.array([0.8, 0.1, 0.0, 0.3, 0.2, 0.0], np.float32)
    nodes = live_nodes.mouth_nodes()
    path = np.stack([dense(mouths, end * t) @ nodes for t in np.linspace(0, 1, 257)])

    assert np.abs(np.diff(path, axis=0)).max() < 0.02


def test_a_mouth_beyond_the_baked_ones_takes_the_nearest(mouths: Scatter):
    weights = dense(mouths, np.array([1, 1, 1, 0, 0, 0], np.float32))
    nearest = weights @ live_nodes.mouth_nodes()

    assert weights.sum() == pytest.approx(1.0, abs=1e-3)
    assert np.abs(nearest - [1, 1, 1, 0, 0, 0]).max() < 0.5


def test_every_viseme_has_a_baked_mouth_at_full_strength():
    from animator.lipsync.visemes import VISEMES

    nodes = live_nodes.mouth_nodes()
    for viseme in VISEMES.values():
        weights = np.asarray(viseme, np.float32)
        nearest = float(np.abs(nodes - weights).max(axis=1).min())

        assert nearest < 0.11, viseme
