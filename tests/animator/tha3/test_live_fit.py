"""The regression behind the live tier: exact where it was taught, smooth between."""

from __future__ import annotations

import numpy as np
import pytest

from animator.tha3 import likeness, live_fit, live_nodes
from animator.tha3.likeness import Likeness
from animator.tha3.pose import pose_of


@pytest.fixture(scope="module")
def turns() -> np.ndarray:
    return np.stack([live_fit.turns_of(pose) for pose in live_nodes.run_poses()])


@pytest.fixture(scope="module")
def kernel() -> Likeness:
    return likeness.bundled()


@pytest.fixture(scope="module")
def looks(turns: np.ndarray, kernel: Likeness) -> np.ndarray:
    rng = np.random.default_rng(0)
    faces = [np.zeros((192, 192, 4), np.float32) for _ in turns]
    for face in faces:
        face[100:120, 60:130] = rng.uniform(-40, 40, 4)
    return np.stack([kernel.look_of(face) for face in faces])


def moved(turns: np.ndarray) -> np.ndarray:
    """Something that follows the head smoothly: (n,50)."""
    across = np.linspace(0, 1, 50)[None]
    x, y, z = turns[:, :3].T[:, :, None]
    return (20 * y * across + 15 * z * (1 - across) + 8 * x * y + 3 * np.sin(3 * z)).astype(np.float32)


def learned(kernel: Likeness, turns: np.ndarray, looks: np.ndarray, vectors: np.ndarray, count: int) -> live_fit.Basis:
    seen = kernel.features(turns, looks)
    return live_fit.fit(kernel.between(seen, seen), vectors, count, kernel.noise)


def answer(kernel: Likeness, basis: live_fit.Basis, turns: np.ndarray, looks: np.ndarray, at: np.ndarray) -> np.ndarray:
    here = kernel.features(at[None], np.zeros((1, looks.shape[1]), np.float32))
    return basis.at(kernel.between(here, kernel.features(turns, looks))[0])


def test_what_follows_the_head_is_learned_from_the_baked_runs(kernel: Likeness, turns: np.ndarray, looks: np.ndarray):
    basis = learned(kernel, turns, looks, moved(turns), 16)
    rng = np.random.default_rng(1)
    places = np.zeros((20, 6), np.float32)
    places[:, :3] = rng.uniform(-0.4, 0.4, (20, 3))
    errors = [np.abs(answer(kernel, basis, turns, looks, place) - moved(place[None])[0]).max() for place in places]

    assert max(errors) < 0.25  # of movements up to 17


def test_a_single_run_is_drawn_wherever_the_head_is(kernel: Likeness, turns: np.ndarray, looks: np.ndarray):
    basis = learned(kernel, turns[:1], looks[:1], np.full((1, 7), 3.0, np.float32), 4)

    assert np.array_equal(np.full(7, 3.0, np.float32), answer(kernel, basis, turns[:1], looks[:1], turns[5]))


def test_a_body_that_follows_its_head_is_at_rest():
    turns = live_fit.turns_of(pose_of(head_y=0.5, neck_z=-0.25, body_y=0.2, body_z=-0.1, breathing=0.5))

    assert pytest.approx([0.0, 0.5, -0.25, 0.0, 0.0, 0.5], abs=1e-6) == turns.tolist()


def test_the_runs_are_the_same_every_time_and_within_their_ranges():
    one, other = live_nodes.run_poses(), live_nodes.run_poses()

    assert np.array_equal(np.stack(one), np.stack(other))
    assert live_nodes.RUNS["fine"] == len(one)
    assert np.abs(np.stack(one)[:, 39:42]).max() <= 0.5
    assert np.array_equal(np.stack(live_nodes.first_poses()), np.stack(one[:12]))


def test_the_first_runs_are_small_movements():
    small = np.stack(live_nodes.run_poses()[: live_nodes.RUNS["talk"]])

    assert np.abs(small[:, 39:42]).max() <= live_nodes.REACH["talk"]
