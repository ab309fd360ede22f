"""Rules of our own phone model's runtime: whole and in pieces alike, a stated look-ahead, no trust in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch

from animator.lipsync.inventory import PHONES
from animator.lipsync.onset_bias import Row
from animator.lipsync.phone_model import PhoneModel, PhoneModelError
from animator.lipsync.training.export import context_frames, export, store_biases
from animator.lipsync.training.network import PhoneNet, Reach, Shape, to_arrays

SMALL = Shape(width=16, expansion=2, blocks=(Reach(7, 1, 2), Reach(5, 2, 1), Reach(7, 4, 0)))


def write_weights(path: Path, shape: Shape = SMALL, seed: int = 3) -> PhoneNet:
    """A network with random weights of a trained one's size, saved as training saves it."""
    import json

    torch.manual_seed(seed)
    network = PhoneNet(shape).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    about = {
        "shape": shape.to_plain(),
        "symbols": list(PHONES),
        "figures": {},
        "data": {"train": {"hours": 1.0}},
        "steps": 1,
        "machine": "a machine",
    }
    bigram = np.full((len(PHONES), len(PHONES)), -np.log(len(PHONES)), np.float32)
    np.savez(path, about=np.array(json.dumps(about)), bigram=bigram, **to_arrays(network))
    return network


@pytest.fixture(scope="module")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phones")
    write_weights(folder / "w.npz")
    export(folder / "w.npz", folder / "w.onnx", bias_s=0.004)
    return folder / "w.onnx"


@pytest.fixture(scope="module")
def model(model_file: Path) -> PhoneModel:
    return PhoneModel.load(model_file)


def noise(samples: int, seed: int = 0) -> npt.NDArray[np.float32]:
    return (np.random.default_rng(seed).standard_normal(samples) * 0.1).astype(np.float32)


def test_it_says_what_it_knows(model: PhoneModel):
    assert (PHONES, 0, None, 0.01, 0.004) == (model.symbols, model.silence, model.blank, model.hop_s, model.bias_s)
    assert (len(PHONES), len(PHONES)) == model.bigram.shape
    assert "MIT" == model.about["licence"]


@pytest.mark.parametrize(("samples", "frames"), [(0, 0), (1, 1), (800, 5), (801, 6), (16_000, 100), (90_000, 563)])
def test_a_frame_for_every_started_10_ms(model: PhoneModel, samples: int, frames: int):
    heard = model.hear(noise(samples))

    assert ((frames, len(PHONES)), (frames,)) == (heard.log_probs.shape, heard.onsets.shape)
    assert (np.float32, np.float32) == (heard.log_probs.dtype, heard.onsets.dtype)


def test_each_frame_is_a_distribution(model: PhoneModel):
    heard = model.hear(noise(8000))

    np.testing.assert_allclose(np.exp(heard.log_probs).sum(1), 1.0, rtol=1e-4)
    assert ((heard.onsets >= 0) & (heard.onsets <= 1)).all()


@pytest.mark.parametrize("sizes", [(160, 160), (1, 400), (1600, 1600), (4000, 9000)])
def test_a_stream_gives_the_same_numbers_as_the_whole(model: PhoneModel, sizes: tuple[int, int]):
    samples, random = noise(5777), np.random.default_rng(1)
    stream, pieces, at = model.stream(), [], 0
    while at < len(samples):
        size = int(random.integers(sizes[0], sizes[1] + 1))
        pieces.append(stream.push(samples[at : at + size]))
        at += size
    pieces.append(stream.finish())

    np.testing.assert_allclose(model.log_probs(samples), np.concatenate(pieces), atol=2e-5)


def test_a_frame_comes_after_the_stated_look_ahead_and_not_later(model: PhoneModel):
    samples = noise(16_000)
    for ready in (1, 10, 50):
        needed = round((ready * model.hop_s + model.look_ahead_s) * 16_000)

        assert ready == len(model.stream().push(samples[:needed]))
        assert ready - 1 == len(model.stream().push(samples[: needed - 1]))


def test_nothing_after_the_look_ahead_changes_a_frame(model: PhoneModel):
    needed = round((20 * model.hop_s + model.look_ahead_s) * 16_000)
    one, other = noise(9000, 1), noise(9000, 2)
    other[:needed] = one[:needed]

    np.testing.assert_allclose(model.log_probs(one)[:20], model.log_probs(other)[:20], atol=2e-5)
    assert np.abs(model.log_probs(one)[21:] - model.log_probs(other)[21:]).max() > 1e-3


def test_two_streams_do_not_disturb_each_other(model: PhoneModel):
    one, other = model.stream(), model.stream()
    samples = noise(4000)
    alone = model.log_probs(samples)

    pieces = []
    for at in range(0, len(samples), 500):
        pieces.append(one.push(samples[at : at + 500]))
        other.push(noise(700, at))
    pieces.append(one.finish())

    np.testing.assert_allclose(alone, np.concatenate(pieces), atol=2e-5)


def test_the_file_agrees_with_the_network_that_was_trained(tmp_path: Path):
    network = write_weights(tmp_path / "w.npz")
    export(tmp_path / "w.npz", tmp_path / "w.onnx", half=False)
    model = PhoneModel.load(tmp_path / "w.onnx")
    from animator.lipsync import phone_features as features

    stream = features.FeatureStream()
    mel = np.concatenate([stream.push(noise(8000)), stream.finish()])
    left, right = context_frames(SMALL.to_plain())
    padded = np.pad(mel, ((left, right), (0, 0)), constant_values=features.SILENT)
    with torch.no_grad():
        log_probs, onsets = network(torch.from_numpy(padded)[None])

    assert (SMALL.left, SMALL.right) == (left, right)
    heard = model.hear(noise(8000))
    np.testing.assert_allclose(log_probs[0].numpy(), heard.log_probs, atol=1e-4)
    np.testing.assert_allclose(torch.sigmoid(onsets[0]).numpy(), heard.onsets, atol=1e-4)


@pytest.mark.parametrize(
    "sound",
    [np.full(4000, np.nan), np.full(4000, np.inf), np.full(4000, 1e30), np.zeros(4000), np.full(800, -1.0)],
    ids=["nan", "inf", "huge", "silence", "constant"],
)
def test_any_sound_gives_finite_numbers(model: PhoneModel, sound: npt.NDArray[np.float64]):
    assert np.isfinite(model.log_probs(sound.astype(np.float32))).all()


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"expected .*nothing\.onnx"):
        PhoneModel.load(tmp_path / "nothing.onnx")


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x00" * 1000])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, content: bytes):
    (tmp_path / "w.onnx").write_bytes(content)

    with pytest.raises(PhoneModelError, match=r"w\.onnx: .*(cannot open|format)"):
        PhoneModel.load(tmp_path / "w.onnx")


def test_a_file_larger_than_any_model_is_refused_unread(tmp_path: Path):
    with (tmp_path / "w.onnx").open("wb") as file:
        file.truncate(65 * 1024 * 1024)

    with pytest.raises(PhoneModelError, match="expected a phone model of at most"):
        PhoneModel.load(tmp_path / "w.onnx")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("format", "something else", "format"),
        ("symbols", "[1, 2]", "not a list of texts"),
        ("symbols", "[[", "cannot be read"),
        ("symbols", '["a", "b"]', "silence"),
        ("symbols", '["", "a"]', "pairs"),
        ("left_frames", "99999", "context"),
        ("bias_s", "7", "bias"),
        ("bias_s", "nan", "bias"),
        ("biases_s", '{"p": [9, 9, 9]}', "cannot be read"),
        ("biases_s", "[", "cannot be read"),
        ("hop_s", "0.02", "frames"),
        ("bigram", "!!", "cannot be read"),
        ("bigram", "", "pairs"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(model_file: Path, key: str, value: str, said: str):
    network = onnx.load(str(model_file))
    metadata = {entry.key: entry.value for entry in network.metadata_props}
    onnx.helper.set_model_props(network, {**metadata, key: value})

    with pytest.raises(PhoneModelError, match=said):
        PhoneModel(network.SerializeToString())


def test_a_bias_measured_afterwards_is_stored_and_the_network_stays(model_file: Path, tmp_path: Path):
    path = tmp_path / "w.onnx"
    path.write_bytes(model_file.read_bytes())
    table = {"": Row(0.0, 0.001, -0.008), "p": Row(-0.03, -0.031, -0.052)}

    store_biases(path, -0.0123, table)

    stored, before = PhoneModel.load(path), PhoneModel.load(model_file)
    assert (-0.0123, table, {}) == (stored.bias_s, stored.biases_s, before.biases_s)
    assert before.about == stored.about
    assert onnx.load(str(model_file)).graph == onnx.load(str(path)).graph
    assert [path] == list(tmp_path.iterdir())


def test_a_network_of_another_shape_is_refused(model_file: Path):
    network = onnx.load(str(model_file))
    network.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 64

    with pytest.raises(PhoneModelError):
        PhoneModel(network.SerializeToString())


def test_a_whole_network_of_another_kind_is_refused(model_file: Path):
    from onnx import TensorProto, helper

    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", [value], [result])
    other = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    other.ir_version = 9
    other.metadata_props.extend(onnx.load(str(model_file)).metadata_props)

    with pytest.raises(PhoneModelError, match="takes"):
        PhoneModel(other.SerializeToString())
