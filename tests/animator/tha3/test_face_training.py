"""How the live face's kernel and poses are found: small versions of each step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from animator.tha3.likeness import LOOK_SIZE
from animator.tha3.live_fit import turns_of
from animator.tha3.pose import clamp
from animator.tha3.training import answers, choose, train
from animator.tha3.training.drawings import drawing
from animator.tha3.training.kernel import Kernel, scaled
from animator.tha3.training.scenes import scene, spread
from animator.tha3.weights import load_networks


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_drawing_is_a_person_where_the_networks_want_one_and_another_for_each_seed(seed: int):
    image = drawing(seed)

    assert ((512, 512, 4), np.dtype(np.uint8)) == (image.shape, image.dtype)
    assert (image[100:170, 226:286, 3] > 200).mean() > 0.9  # the face
    assert not image[image[..., 3] == 0].any()
    assert np.array_equal(image, drawing(seed))
    assert not np.array_equal(image, drawing(seed + 3))


def test_a_scene_is_of_poses_that_the_app_may_draw_and_of_more_than_one_face():
    poses = scene(3)

    assert (100, 45) == poses.shape
    assert all(clamp(pose)[1] == 0 for pose in poses)
    assert np.ptp(poses[:, 12:26], axis=0).max() > 0.5
    assert np.ptp(poses[:, 39:42], axis=0).min() > 0.05
    assert poses[:, 26:32].max() > 0.3


def test_spread_poses_fill_the_space_of_head_turns():
    poses = spread(200, power=1.25, mixed=False)
    eighths = (poses[:, 39:42] > 0) @ np.array([1, 2, 4])

    assert np.bincount(eighths, minlength=8).min() > 12
    assert np.abs(poses[:, 39:42]).max() <= 0.5


def test_of_the_networks_answers_distances_are_kept(weights: Path):
    poses = np.concatenate([np.zeros((1, 45), np.float32), spread(2), np.zeros((1, 45), np.float32)])

    found = answers.answers(load_networks(weights), drawing(0), poses)

    apart = torch.cdist(found.energies, found.energies) ** 2
    assert (4, 1728) == found.looks.shape
    assert not found.looks[0].any()
    assert apart[0, 3] < 1e-3
    assert apart[0, 1:3].min() > 5.0


def toy(drawings: int = 4) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Drawings whose pictures follow the head by a wave that is the same for all, at strengths of their own."""
    rng = np.random.default_rng(0)
    turns = scaled(np.stack([turns_of(pose) for pose in spread(400, power=1.2, mixed=False)]))
    looks = rng.normal(0, 0.3, (drawings, 400, 8))
    wave = np.stack([np.sin(9 * turns[:, 0]), np.cos(7 * turns[:, 1]), np.sin(5 * turns[:, 2] + 3)], axis=1)
    energies = np.stack([40 * wave @ rng.normal(0, 1, (3, 6)) for _ in range(drawings)])
    return np.repeat(turns[None], drawings, 0), looks, energies, rng.normal(0, 0.1, (8, LOOK_SIZE))


def test_training_tells_unseen_drawings_better_than_the_start():
    turns, looks, energies, eye = toy()

    def error(kernel: Kernel) -> float:
        last = [torch.from_numpy(array[3:]) for array in (turns, looks, energies)]
        with torch.no_grad():
            return float(train.predicted(kernel, *last, torch.arange(0, 200), torch.arange(300, 400)).median())

    torch.manual_seed(0)
    before = error(Kernel(eye))
    after = error(train.train(turns[:3], looks[:3], energies[:3], eye, steps=60))

    assert after < 0.6 * before


def test_looks_in_components_keep_their_lengths():
    rng = np.random.default_rng(0)
    looks = (rng.normal(0, 1, (300, 8)) @ rng.normal(0, 5, (8, 1728))).astype(np.float32)

    basis, eye = train.components(looks, 16)

    assert (16, 16) == eye.shape or (16, LOOK_SIZE) == eye.shape
    assert np.sqrt(((looks @ basis) ** 2).sum(axis=1).mean()) == pytest.approx(1.0, rel=0.01)


def test_the_first_pose_chosen_is_the_one_that_tells_most_and_none_is_chosen_twice():
    places = np.array([0.0, 0.1, 3.0, 6.0])
    asked = np.array([0.05, 0.0, -0.05, 3.1])

    def common(one: np.ndarray, other: np.ndarray) -> np.ndarray:
        return np.exp(-((one[:, None] - other[None]) ** 2))

    chosen = choose.greedy([(common(asked, places), common(places, places))], np.ones(4), 0.01, 4)

    assert [0, 2] == chosen[:2]
    assert [0, 1, 2, 3] == sorted(chosen)
