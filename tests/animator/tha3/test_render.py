"""Lists of poses become pictures; wrong lists are refused before anything is loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animator.messages import Pixels
from animator.tha3.live import LiveFace
from animator.tha3.pose import neutral, pose_of
from animator.tha3.render import render_poses

NOWHERE = Path("does-not-exist")


@pytest.mark.parametrize(
    "poses",
    [np.zeros((3, 44), np.float32), np.zeros(45, np.float32), np.zeros((3, 45), np.float64)],
)
def test_poses_of_another_kind_are_refused_at_once(poses: np.ndarray):
    with pytest.raises(ValueError, match=r"poses must be float32 of shape \(n, 45\)"):
        render_poses(np.zeros((512, 512, 4), np.uint8), NOWHERE, NOWHERE, poses, "live", lambda what, share: None)


def test_an_unknown_engine_is_refused_at_once():
    poses = np.zeros((1, 45), np.float32)

    with pytest.raises(ValueError, match="engine must be one of exact, live"):
        render_poses(np.zeros((512, 512, 4), np.uint8), NOWHERE, NOWHERE, poses, "fast", lambda what, share: None)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_each_pose_is_drawn_as_the_face_draws_it(image: Pixels, weights: Path, bakes: Path, bake_folder: Path):
    poses = np.stack([neutral(), pose_of(mouth_aaa=1.0, head_y=0.2)])
    shares: list[float] = []

    frames = list(render_poses(image, weights, bakes, poses, "live", lambda what, share: shares.append(share)))
    face = LiveFace(bake_folder)

    assert len(frames) == 2
    assert all(np.array_equal(face.draw(pose), frame) for pose, frame in zip(poses, frames, strict=True))
    assert shares[-1] == 1.0


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.usefixtures("bake_folder")
def test_with_large_art_frames_are_large(image: Pixels, weights: Path, bakes: Path):
    large = np.array(image.repeat(2, axis=0).repeat(2, axis=1))
    poses = np.stack([neutral()])

    (frame,) = render_poses(image, weights, bakes, poses, "live", lambda what, share: None, large)

    assert (1024, 1024, 4) == frame.shape


def test_the_exact_engine_refuses_large_art():
    poses, large = np.zeros((1, 45), np.float32), np.zeros((1024, 1024, 4), np.uint8)
    small = np.zeros((512, 512, 4), np.uint8)

    with pytest.raises(ValueError, match="use the live engine"):
        list(render_poses(small, NOWHERE, NOWHERE, poses, "exact", lambda what, share: None, large))
