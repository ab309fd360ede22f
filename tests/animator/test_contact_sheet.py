"""Contact sheets: every parameter and viseme is on them, under its name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from animator.contact_sheet import make_sheets, parameter_poses, viseme_poses
from animator.lipsync.visemes import VISEMES
from animator.messages import Pixels, Pose
from animator.tha3 import pose
from animator.tha3.expressions import expression_poses


def test_every_parameter_is_shown_at_one_and_rotations_at_minus_one_too() -> None:
    poses = parameter_poses()

    assert len(poses) == 1 + 45 + 7
    assert not poses["rest"].any()
    for name in pose.NAMES:
        low = pose.LOW[pose.INDEX[name]]
        shown = {float(p[pose.INDEX[name]]) for p in poses.values()}
        assert shown == ({0.0, 1.0, -1.0} if low < 0 else {0.0, 1.0})
    assert all(np.count_nonzero(p) <= 1 for p in poses.values())


def test_every_viseme_sets_its_six_weights_and_nothing_else() -> None:
    poses = viseme_poses(VISEMES)

    assert set(poses) == set(VISEMES)
    for name, p in poses.items():
        np.testing.assert_allclose(p[pose.MOUTH], VISEMES[name])
        assert np.count_nonzero(p) == np.count_nonzero(VISEMES[name])


def test_a_third_sheet_shows_every_expression(tmp_path: Path) -> None:
    poses = expression_poses({})
    drawn: list[bytes] = []

    def draw(p: Pose) -> Pixels:
        drawn.append(p.tobytes())
        return np.full((512, 512, 4), 255, dtype=np.uint8)

    paths = make_sheets(draw, tmp_path, "someone", {"sil": (0,) * 6}, expressions=poses)

    assert ["someone_parameters.png", "someone_visemes.png", "someone_emotions.png"] == [path.name for path in paths]
    assert [pose.tobytes() for pose in poses.values()] == drawn[-len(poses) :]
    with Image.open(paths[2]) as sheet:
        assert sheet.width > 1000


def test_two_sheets_are_written_with_one_differing_cell_per_pose(tmp_path: Path) -> None:
    drawn: list[Pose] = []
    shares: list[float] = []

    def draw(p: Pose) -> Pixels:
        """A picture of one colour, which tells the pose's number."""
        drawn.append(p.copy())
        return np.full((512, 512, 4), (255, len(drawn) % 256, 0, 255), dtype=np.uint8)

    parameters, visemes = make_sheets(
        draw, tmp_path / "new", "someone", {"sil": (0,) * 6, "aa": (1, 0, 0, 0, 0, 0)}, lambda _, s: shares.append(s)
    )

    assert parameters.name == "someone_parameters.png"
    assert visemes.name == "someone_visemes.png"
    assert len(drawn) == 53 + 2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    for path, cells in ((parameters, 53), (visemes, 2)):
        sheet = np.array(Image.open(path).convert("RGB")).astype(int)
        orange = (sheet[:, :, 0] > 240) & (sheet[:, :, 2] < 20)
        assert len(np.unique(sheet[orange][:, 1] // 3)) >= min(cells, 53) // 3
        assert 0.2 < orange.mean() < 0.95


def test_a_transparent_picture_shows_the_background(tmp_path: Path) -> None:
    _, visemes = make_sheets(lambda _: np.zeros((512, 512, 4), dtype=np.uint8), tmp_path, visemes={"sil": (0,) * 6})

    sheet = np.array(Image.open(visemes).convert("RGB")).astype(int)

    greenish = np.abs(sheet - (104, 142, 122)).max(axis=2) < 6
    assert greenish.mean() > 0.5
