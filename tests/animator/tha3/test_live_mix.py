"""Weights over baked nodes: convex, exact at the nodes, and without jumps."""

from __future__ import annotations

import numpy as np
import pytest

from animator.tha3 import live_nodes
from animator.tha3.live_mix import Scatter, between, corners

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


def test_grid_weights_are_convex_and_reproduce_the_point():
    rng = np.random.default_rng(0)
    for _ in range(50):
        point = rng.uniform(-0.5, 0.5, 3)
        terms = corners((LEVELS,) * 3, point.tolist())
        found = sum(weight * np.array([LEVELS[i] for i in place]) for place, weight in terms)

        assert min(weight for _, weight in terms) >= 0.0
        assert sum(weight for _, weight in terms) == pytest.approx(1.0)
        assert found == pytest.approx(point)


def test_a_grid_node_is_drawn_from_itself_alone():
    strong = [(place, weight) for place, weight in corners((LEVELS,) * 3, [0.5, 0.0, -0.5]) if weight > 0]

    assert [((2, 1, 0), 1.0)] == strong


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
