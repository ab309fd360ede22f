"""The live tier: near the exact one, without jumps, light, and never showing a broken bake."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from animator.character import Character, load_character
from animator.messages import Pixels, Pose
from animator.tha3 import live_store
from animator.tha3.face import FACE_COLS, FACE_ROWS
from animator.tha3.live import LiveFace
from animator.tha3.live_store import BakeError
from animator.tha3.pose import INDEX, REST_SMIRK, neutral, pose_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

CROP = (FACE_ROWS, FACE_COLS)


@pytest.fixture(scope="module")
def face(bake_folder: Path) -> LiveFace:
    return LiveFace(bake_folder)


@pytest.fixture(scope="module")
def character() -> Character:
    return load_character(Path(__file__).parents[3] / "characters" / "haru")


def over_white(pixels: Pixels) -> np.ndarray:
    alpha = pixels[..., 3:].astype(np.float32) / 255.0
    return pixels[..., :3] * alpha + 255.0 * (1.0 - alpha)


def psnr_db(one: Pixels, other: Pixels) -> float:
    error = float(((over_white(one) - over_white(other))[CROP] ** 2).mean())
    return 10.0 * float(np.log10(255.0**2 / max(error, 1e-9)))


def living(frame: int) -> Pose:
    """A frame of somebody who sways, looks about, blinks and talks."""
    t = frame / 7.0
    pose = pose_of(
        head_x=0.12 * np.sin(t),
        head_y=0.2 * np.sin(0.7 * t + 1),
        neck_z=0.15 * np.sin(0.5 * t + 2),
        body_y=0.08 * np.sin(0.7 * t + 0.9),
        body_z=0.06 * np.sin(0.5 * t + 1.9),
        breathing=0.5 + 0.5 * np.sin(t),
        eye_wink=max(0.0, float(np.sin(3 * t))) ** 6,
        iris_rotation_y=0.2 * np.sin(2 * t),
        mouth_smirk=REST_SMIRK,
        mouth_aaa=0.5 * (1 + np.sin(5 * t)) * 0.7,
        mouth_eee=0.5 * (1 - np.sin(5 * t)) * 0.3,
    )
    return pose.astype(np.float32)


def test_the_live_face_stays_near_the_exact_one_in_motion(face: LiveFace, weights: Path, image: Pixels):
    from animator.tha3.exact import ExactFace

    exact = ExactFace(weights, image, "cpu")
    poses = [neutral(), *(living(frame) for frame in range(3, 60, 8))]
    distances_db = [psnr_db(exact.draw(pose), face.draw(pose)) for pose in poses]

    assert distances_db[0] >= 37.0
    # Measured 36.3 and 33.7 (37.9 at rest): a guard against falling back.
    assert np.median(distances_db) >= 35.5
    assert min(distances_db) >= 33.0


@pytest.mark.parametrize(
    "name", ["head_x", "head_y", "neck_z", "body_z", "mouth_aaa", "mouth_ooo", "eye_wink", "eyebrow_raised"]
)
def test_a_slow_movement_has_no_jump(face: LiveFace, name: str):
    low = -0.5 if name.startswith(("head", "neck", "body")) else 0.0
    values = np.linspace(low, -low or 1.0, 65)
    frames = [face.draw(pose_of(**{name: value}))[CROP].astype(np.int16) for value in values]
    steps = np.array([np.abs(b - a).mean() for a, b in itertools.pairwise(frames)])

    # A jump would be one step that does the work of many.
    assert steps.max() < 0.2 * steps.sum()
    assert steps.sum() > 0.0


def test_the_same_pose_draws_the_same_frame(face: LiveFace, bake_folder: Path):
    pose = living(11)
    first = face.draw(pose)
    face.draw(living(40))

    assert np.array_equal(first, face.draw(pose))
    assert np.array_equal(first, LiveFace(bake_folder).draw(pose))


def test_a_drawn_frame_belongs_to_the_caller(face: LiveFace):
    pose = living(5)
    frame = face.draw(pose)
    kept = frame.copy()
    frame[:] = 0

    assert np.array_equal(kept, face.draw(pose))


def test_the_characters_left_is_the_viewers_right(face: LiveFace):
    rest = face.draw(neutral())[CROP].astype(np.int16)
    winked = face.draw(pose_of(eye_wink_left=1.0))[CROP].astype(np.int16)
    changed = np.abs(winked - rest).mean(axis=(0, 2))

    # The networks, too, let one eye move the whole head by a trace.
    assert changed[104:].mean() > 5.0 * changed[:88].mean()


def test_every_parameter_of_face_and_body_changes_the_picture(face: LiveFace):
    rest = face.draw(neutral()).astype(np.int16)
    still = [name for name in INDEX if np.abs(face.draw(pose_of(**{name: 1.0})) - rest).max() < 3]

    # On a closed mouth the corners are barely visible in this variant of THA3.
    assert [] == [name for name in still if "corner" not in name]


def test_poses_outside_the_baked_range_are_held_at_its_end(face: LiveFace):
    assert np.array_equal(face.draw(pose_of(head_y=0.5, body_z=0.5)), face.draw(pose_of(head_y=1.0, body_z=1.0)))


def test_everything_but_the_character_is_empty(face: LiveFace):
    drawn = face.draw(neutral())

    assert (np.uint8, (512, 512, 4)) == (drawn.dtype, drawn.shape)
    assert not drawn[:8, :, 3].any()
    assert not drawn[:, :8, 3].any()


def test_the_live_face_needs_no_pytorch(bake_folder: Path):
    code = (
        "import sys, pathlib; from animator.tha3.live import LiveFace; from animator.tha3.bake import bake_key\n"
        "from animator.tha3.pose import pose_of\n"
        "LiveFace(pathlib.Path(sys.argv[1])).draw(pose_of(mouth_aaa=1, head_y=.2))\n"
        "sys.exit('torch' in sys.modules)"
    )

    assert 0 == subprocess.run([sys.executable, "-c", code, str(bake_folder)], check=False).returncode


@pytest.fixture
def copy(bake_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / bake_folder.name
    shutil.copytree(bake_folder, folder)
    return folder


def keep_stages(folder: Path, *stages: str) -> None:
    for stage in live_store.stages_on_disk(folder):
        if stage not in stages:
            (folder / f"{stage}.npz").unlink()
    live_store.drop_damaged(folder)


def test_the_first_stage_draws_and_later_ones_are_taken_up(bake_folder: Path, copy: Path):
    keep_stages(copy, "first")
    face = LiveFace(copy)
    at_rest = face.draw(neutral())

    assert frozenset({"first"}) == face.stages
    assert np.array_equal(at_rest, face.draw(pose_of(mouth_aaa=1.0)))
    assert not face.reload()

    for stage in ("talk", "mouth", "eyes", "faces", "motion"):
        live_store.write_stage(copy, stage, live_store.read_stage(bake_folder, stage))
        assert face.reload()
        assert stage in face.stages
    assert "complete" in face.stages
    assert not np.array_equal(at_rest, face.draw(pose_of(mouth_aaa=1.0)))


def test_a_damaged_stage_is_left_out_and_the_rest_still_draws(copy: Path):
    with (copy / "eyes.npz").open("r+b") as file:
        file.seek(100)
        file.write(b"damage")
    face = LiveFace(copy)

    assert "eyes" not in face.stages
    assert "mouth" in face.stages
    assert np.array_equal(face.draw(neutral()), face.draw(pose_of(eye_wink=1.0)))


def test_a_stage_of_another_shape_is_left_out(copy: Path):
    arrays = live_store.read_stage(copy, "motion")
    live_store.write_stage(copy, "motion", {**arrays, "flow_directions": arrays["flow_directions"][:, :-1]})
    keep_stages(copy, "first", "mouth", "motion")

    assert frozenset({"first", "mouth"}) == LiveFace(copy).stages


def test_without_its_first_stage_there_is_no_face(copy: Path):
    (copy / "first.npz").write_bytes(b"")

    with pytest.raises(BakeError):
        LiveFace(copy)


def test_large_art_is_drawn_at_its_own_size(bake_folder: Path, character: Character):
    assert character.large is not None
    large, small = LiveFace(bake_folder, character.large), LiveFace(bake_folder)
    for pose in (neutral(), living(9), pose_of(eye_wink=1.0, head_y=0.3)):
        drawn = large.draw(pose)
        shrunk = cv2.resize(drawn, (512, 512), interpolation=cv2.INTER_AREA)

        assert (1024, 1024, 4) == drawn.shape
        assert psnr_db(shrunk, small.draw(pose)) > 30.0


def test_large_art_shows_finer_strokes_than_an_enlarged_frame(bake_folder: Path, character: Character):
    pose = pose_of(head_y=0.2, neck_z=0.1, mouth_smirk=REST_SMIRK)
    drawn = LiveFace(bake_folder, character.large).draw(pose)
    enlarged = cv2.resize(LiveFace(bake_folder).draw(pose), (1024, 1024), interpolation=cv2.INTER_CUBIC)

    def detail(pixels: Pixels) -> float:
        return float(np.abs(cv2.Laplacian(over_white(pixels)[64:448, 320:704], cv2.CV_32F)).mean())

    assert detail(drawn) > 1.2 * detail(enlarged)


def test_large_art_of_another_size_is_refused(bake_folder: Path):
    with pytest.raises(ValueError, match="1024"):
        LiveFace(bake_folder, np.zeros((512, 512, 4), np.uint8))
