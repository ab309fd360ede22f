"""The app's own motion, by which faces are measured."""

from __future__ import annotations

import numpy as np
import pytest

from animator.tha3 import pose as p
from benchmarks.face_motion import app_motion


@pytest.fixture(scope="module")
def poses() -> np.ndarray:
    return app_motion()


def column(poses: np.ndarray, name: str) -> np.ndarray:
    return poses[:, p.INDEX[name]]


def test_it_is_ten_seconds_of_usable_poses_and_the_same_every_time(poses: np.ndarray) -> None:
    assert (300, 45) == poses.shape
    assert np.float32 == poses.dtype
    assert (poses >= p.LOW).all()
    assert (poses <= p.HIGH).all()
    np.testing.assert_array_equal(poses, app_motion())
    assert np.abs(poses - app_motion(seed=6)).max() > 0.1


def test_everything_that_a_face_does_is_in_it(poses: np.ndarray) -> None:
    assert column(poses, "eye_wink_left").max() > 0.99  # blinks
    assert np.abs(column(poses, "iris_rotation_y")).max() > 0.35  # looks away
    assert poses[:, p.MOUTH].max() > 0.7  # talks
    assert (poses[:, p.MOUTH].sum(axis=1) < 0.05).mean() > 0.2  # pauses
    assert column(poses, "head_x").min() < -0.3  # nods
    assert np.ptp(column(poses, "head_y")) > 0.5  # shakes
    assert column(poses, "eye_happy_wink_left").max() == 1.0  # joy
    assert column(poses, "eye_surprised_left").max() > 0.7  # surprise
    assert np.ptp(column(poses, "breathing")) > 0.9
    assert np.abs(poses[:, 39:42]).max() <= 0.5


def test_every_frame_rate_shows_the_same_motion(poses: np.ndarray) -> None:
    """Lips differ a little where clips meet: there each frame goes on from the one before."""
    difference = np.abs(poses - app_motion(600, 60.0)[::2])

    assert difference[:, 39:].max() < 0.01
    assert difference[:, p.MOUTH].max() < 0.1
    assert np.median(difference.max(axis=1)) < 1e-4
