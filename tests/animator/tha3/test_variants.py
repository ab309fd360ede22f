"""The four official variants: their files load, and the full-size networks compute what the reference's do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from animator.messages import Pixels
from animator.tha3 import color
from animator.tha3.exact import ExactFace
from animator.tha3.exact_onnx import OnnxFace
from animator.tha3.face import check_image
from animator.tha3.networks import Networks
from animator.tha3.pose import HIGH, LOW
from animator.tha3.weights import FILES, WeightsError, file_key, load_networks
from tests.animator.tha3.random_weights import shapes_of, write_random_weights
from tests.animator.tha3.reference import load_reference, reference_folder

COUNTS = {True: (80, 79, 81, 79, 81), False: (62, 61, 63, 60, 62)}
PARAMETERS = {
    True: (3_319_982, 3_325_370, 3_335_201, 3_580_014, 942_328),
    False: (31_479_434, 31_535_878, 31_605_002, 32_662_276, 8_361_672),
}
TOTALS = {True: 14_502_895, False: 135_644_262}


@pytest.mark.parametrize("separable", [True, False])
def test_the_networks_have_the_published_numbers_of_tensors_and_parameters(separable: bool):
    with torch.device("meta"):
        networks = Networks(separable)
    states = [getattr(networks, name).state_dict() for name in FILES]

    assert COUNTS[separable] == tuple(len(state) for state in states)
    assert PARAMETERS[separable] == tuple(sum(t.numel() for t in state.values()) for state in states)
    assert TOTALS[separable] == sum(p.numel() for p in networks.parameters())


@pytest.mark.parametrize("separable", [True, False])
@pytest.mark.parametrize("network", FILES)
def test_keys_and_shapes_are_those_of_the_published_files(network: str, separable: bool):
    with torch.device("meta"):
        state = getattr(Networks(separable), network).state_dict()

    ours = {file_key(network, key, separable): tuple(value.shape) for key, value in state.items()}

    assert shapes_of(network, separable) == ours


@pytest.mark.parametrize(
    ("separable", "half"),
    [(True, False), (True, True), pytest.param(False, False, marks=pytest.mark.slow), (False, True)],
    ids=["separable_float", "separable_half", "standard_float", "standard_half"],
)
def test_every_variant_loads_and_is_told_by_its_keys(tmp_path: Path, separable: bool, half: bool):
    networks = load_networks(write_random_weights(tmp_path, separable, half))

    assert separable == networks.separable
    assert {torch.float32} == {parameter.dtype for parameter in networks.parameters()}


def test_files_of_two_variants_in_one_folder_are_named(tmp_path: Path):
    write_random_weights(tmp_path, separable=True, half=True)
    write_random_weights(tmp_path / "other", separable=False, half=True)
    shutil.move(tmp_path / "other" / "editor.pt", tmp_path / "editor.pt")

    with pytest.raises(WeightsError, match=r"different variants: .*rotator\.pt separable, editor\.pt standard"):
        load_networks(tmp_path)


def test_the_standard_morpher_s_faults_are_named_as_its_file_calls_them(tmp_path: Path):
    write_random_weights(tmp_path, separable=False, half=True)
    path = tmp_path / "face_morpher.pt"
    state = torch.load(path, weights_only=True)
    del state["bottleneck_blocks.1.resnet_path.0.weight"]
    torch.save(state, path)

    with pytest.raises(WeightsError) as caught:
        load_networks(tmp_path)

    assert "does not fit the standard THA3 network" in str(caught.value)
    assert ": bottleneck_blocks.1.resnet_path.0.weight is missing." in str(caught.value)


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("separable", [True, False], ids=["separable", "standard"])
def test_random_weights_draw_what_the_reference_draws(
    tmp_path: Path, image: Pixels, pytestconfig: pytest.Config, separable: bool
):
    """In the standard variant this also holds the plain ReLU of the blocks that halve the picture."""
    assert pytestconfig.cache is not None
    weights = write_random_weights(tmp_path / "weights", separable, half=False)
    mode = "separable_float" if separable else "standard_float"
    reference = load_reference(reference_folder(Path(pytestconfig.cache.mkdir("tha3-reference"))), weights, mode)
    linear = color.to_linear(check_image(image))[0].numpy()
    pose = np.random.default_rng(4).uniform(LOW, HIGH).astype(np.float32)

    wanted = reference(linear, pose)
    in_pytorch = ExactFace(weights, image, "cpu").draw_float(pose)
    in_onnx = OnnxFace(weights, image, tmp_path / "cache").draw_float(pose)

    assert 0.1 < wanted.std() < 0.9  # a picture, neither flat nor saturated
    assert np.abs(in_pytorch - wanted).max() <= 1e-3
    # Other sums in another order, through networks of noise: 0.0011 on a processor without AVX-512.
    assert np.abs(in_onnx - wanted).max() <= 2e-3
