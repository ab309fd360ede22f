"""The exact tier: the same picture as the reference implementation, and no work done twice."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from animator.messages import Pixels
from animator.tha3 import color
from animator.tha3.exact import ExactFace
from animator.tha3.face import check_image
from animator.tha3.pose import HIGH, LOW, neutral, pose_of
from animator.tha3.weights import MAX_FILE_BYTES, WeightsError, load_networks
from tests.animator.tha3.reference import load_reference, reference_folder

TOLERANCE = 1e-3
"""Largest difference from the reference, of a range of 2."""


@pytest.fixture(scope="module")
def face(weights: Path, image: Pixels) -> ExactFace:
    return ExactFace(weights, image, "cpu")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_random_poses_equal_the_reference(
    face: ExactFace, weights: Path, image: Pixels, pytestconfig: pytest.Config
):
    assert pytestconfig.cache is not None
    reference = load_reference(reference_folder(Path(pytestconfig.cache.mkdir("tha3-reference"))), weights)
    linear = color.to_linear(check_image(image))[0].numpy()
    rng = np.random.default_rng(3)

    worst = 0.0
    for _ in range(20):
        pose = rng.uniform(LOW, HIGH).astype(np.float32)
        worst = max(worst, float(np.abs(face.draw_float(pose) - reference(linear, pose)).max()))

    assert worst <= TOLERANCE


def test_a_pose_draws_the_same_whatever_was_drawn_before(face: ExactFace):
    wanted = pose_of(eyebrow_angry=0.5, mouth_aaa=0.7, head_y=0.3)
    fresh = face.draw(wanted)
    face.draw(pose_of(eyebrow_angry=0.5, mouth_aaa=0.1, head_y=0.3))
    face.draw(pose_of(eyebrow_happy=1.0, mouth_aaa=0.7, head_y=-0.3))

    assert np.array_equal(fresh, face.draw(wanted))


def test_each_network_runs_only_when_its_part_of_the_pose_changes(face: ExactFace):
    calls: list[str] = []
    networks = face.networks
    watched = {
        "brows": networks.eyebrow_morphing_combiner.morphed_eyebrow_layer_alpha,
        "face": networks.face_morpher.eye_alpha,
        "body": networks.editor.alpha_creator,
    }
    face.draw(neutral())
    hooks = [module.register_forward_hook(lambda *_, name=name: calls.append(name)) for name, module in watched.items()]
    ran: list[list[str]] = []
    for pose in (
        neutral(),
        pose_of(head_x=0.2),
        pose_of(head_x=0.2, mouth_aaa=1.0),
        pose_of(head_x=0.2, mouth_aaa=1.0, eyebrow_raised=1.0),
    ):
        calls.clear()
        face.draw(pose)
        ran.append(list(calls))
    for hook in hooks:
        hook.remove()

    expected = [[], ["body"], ["face", "body"], ["brows", "face", "body"]]
    assert expected == ran


def test_a_wild_pose_is_clamped(face: ExactFace):
    wild = pose_of(mouth_aaa=7.0, head_x=-9.0)
    wild[0] = np.nan

    assert np.array_equal(face.draw(pose_of(mouth_aaa=1.0, head_x=-1.0)), face.draw(wild))


def test_pictures_are_uint8_rgba(face: ExactFace):
    drawn = face.draw(neutral())

    assert (np.uint8, (512, 512, 4)) == (drawn.dtype, drawn.shape)


@pytest.mark.parametrize("shape", [(256, 256, 4), (512, 512, 3)])
def test_a_picture_of_another_size_is_refused(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"512, 512, 4"):
        check_image(np.full(shape, 255, np.uint8))


def test_colour_behind_alpha_0_is_forgotten():
    image = np.full((512, 512, 4), 200, np.uint8)
    image[:100, :, 3] = 0

    assert not check_image(image)[:100].any()
    assert (image[:100, :, :3] == 200).all()


def test_srgb_survives_the_way_to_linear_and_back():
    ramp = np.zeros((512, 512, 4), np.uint8)
    ramp[..., :3] = np.arange(512)[:, None, None] % 256
    ramp[..., 3] = 255

    assert np.array_equal(ramp, color.to_srgb(color.to_linear(ramp))[0].numpy())


@pytest.fixture
def copied_weights(weights: Path, tmp_path: Path) -> Path:
    for file in weights.glob("*.pt"):
        shutil.copy(file, tmp_path / file.name)
    return tmp_path


def test_a_missing_weight_file_is_named(copied_weights: Path):
    (copied_weights / "editor.pt").unlink()

    with pytest.raises(WeightsError, match=r"editor\.pt is missing"):
        load_networks(copied_weights)


def test_missing_unknown_and_misshaped_tensors_are_named(copied_weights: Path):
    path = copied_weights / "editor.pt"
    state = torch.load(path, weights_only=True)
    del state["alpha_creator.0.bias"]
    state["extra.weight"] = torch.zeros(1)
    state["grid_change_creator.weight"] = torch.zeros(2, 32, 1, 1)
    torch.save(state, path)

    with pytest.raises(WeightsError) as caught:
        load_networks(copied_weights)

    assert "alpha_creator.0.bias is missing" in str(caught.value)
    assert "extra.weight is unknown" in str(caught.value)
    assert "grid_change_creator.weight has shape (2, 32, 1, 1), expected (2, 32, 3, 3)" in str(caught.value)


def test_a_tensor_with_nan_is_refused(copied_weights: Path):
    path = copied_weights / "editor.pt"
    state = torch.load(path, weights_only=True)
    state["alpha_creator.0.bias"][0] = float("nan")
    torch.save(state, path)

    with pytest.raises(WeightsError, match=r"alpha_creator\.0\.bias holds values that are not finite"):
        load_networks(copied_weights)


class _Bomb:
    def __reduce__(self):
        return (print, ("a pickle ran",))


def test_a_pickle_that_runs_code_is_refused(copied_weights: Path, capsys: pytest.CaptureFixture[str]):
    torch.save({"alpha_creator.0.bias": _Bomb()}, copied_weights / "editor.pt")

    with pytest.raises(WeightsError, match="cannot be read as PyTorch weights"):
        load_networks(copied_weights)
    assert "a pickle ran" not in capsys.readouterr().out


def test_a_file_of_the_wrong_size_is_refused_before_it_is_read(copied_weights: Path):
    with (copied_weights / "editor.pt").open("ab") as file:
        file.truncate(MAX_FILE_BYTES + 1)

    with pytest.raises(WeightsError, match="has at most"):
        load_networks(copied_weights)


def test_rubbish_is_refused(copied_weights: Path):
    (copied_weights / "face_morpher.pt").write_bytes(b"not a weight file")

    with pytest.raises(WeightsError, match="cannot be read as PyTorch weights"):
        load_networks(copied_weights)


def test_half_precision_weights_load_as_float(copied_weights: Path):
    for path in copied_weights.glob("*.pt"):
        torch.save({key: value.half() for key, value in torch.load(path, weights_only=True).items()}, path)

    assert {torch.float32} == {parameter.dtype for parameter in load_networks(copied_weights).parameters()}
