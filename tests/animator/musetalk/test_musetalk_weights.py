import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from animator.musetalk.config import SMALL, WhisperConfig
from animator.musetalk.sound import Ears
from animator.musetalk.tensors import Random
from animator.musetalk.unet import UNet
from animator.musetalk.vae import Decoder, Encoder, TinyDecoder
from animator.musetalk.weights import Models, WeightsError, load, missing

CPU, FLOAT = torch.device("cpu"), torch.float32


def shapes() -> dict[str, dict[str, torch.Tensor]]:
    """Random tensors of the small networks, by the files they are published in."""

    def of(*builds: object) -> dict[str, torch.Tensor]:
        source = Random(CPU, FLOAT)
        for build in builds:
            build(source)  # type: ignore[operator]
        return {key: source.take(key, shape) for key, shape in source.taken.items()}

    return {
        "musetalkV15/unet.pth": of(lambda s: UNet(s, SMALL.unet)),
        "sd-vae/diffusion_pytorch_model.bin": {
            old_name(key): value
            for key, value in of(lambda s: Decoder(s, SMALL.vae), lambda s: Encoder(s, SMALL.vae)).items()
        },
        "taesd/diffusion_pytorch_model.safetensors": {
            **of(lambda s: TinyDecoder(s, SMALL.tiny)),
            "encoder.layers.0.weight": torch.zeros(1),
        },
        "whisper/model.safetensors": {
            **{f"model.encoder.{k}": v for k, v in of(lambda s: Ears(s, WhisperConfig(), CPU, FLOAT)).items()},
            "model.decoder.layer_norm.weight": torch.zeros(1),
        },
    }


def old_name(key: str) -> str:
    for new, old in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
        key = key.replace(f".{new}.", f".{old}.")
    return key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, tensors in shapes().items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".safetensors":
            save_file(tensors, path)
        else:
            torch.save(tensors, path)
    return tmp_path


def opened(folder: Path, quality: str = "fast") -> Models:
    return load(folder, quality, CPU, FLOAT, lambda what, share: None, SMALL)


@pytest.mark.parametrize("quality", ["best", "fast"])
def test_the_published_layout_is_read_with_old_names_and_what_is_not_needed_left(folder: Path, quality: str) -> None:
    read = opened(folder, quality)

    assert isinstance(read.decode, TinyDecoder if quality == "fast" else Decoder)


def test_a_folder_without_files_says_what_is_missing(tmp_path: Path) -> None:
    assert len(missing(tmp_path, "fast")) == 4
    with pytest.raises(WeightsError, match=r"lacks MuseTalk's UNet, Stable Diffusion's autoencoder.*whisper-tiny\)\.$"):
        opened(tmp_path, "best")


def test_a_tensor_that_is_missing_unknown_or_misshapen_is_named(folder: Path) -> None:
    path = folder / "musetalkV15/unet.pth"
    state = torch.load(path, weights_only=True)
    del state["conv_in.bias"]
    state["what.is.this"] = torch.zeros(2)
    state["conv_out.weight"] = torch.zeros(4, 7, 3, 3)
    state["conv_out.bias"] = torch.full((4,), float("nan"))
    torch.save(state, path)
    with pytest.raises(WeightsError) as found:
        opened(folder)
    for said in ("conv_in.bias is missing", "what.is.this is unknown", "(4, 7, 3, 3)", "conv_out.bias holds values"):
        assert said in str(found.value)


def test_a_pickle_that_runs_code_is_refused_and_not_run(folder: Path, tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # type: ignore[return-value]

    path = folder / "musetalkV15/unet.pth"
    torch.save({"conv_in.weight": Runs()}, path)
    with pytest.raises(WeightsError, match="cannot be read as the weights of MuseTalk's UNet"):
        opened(folder)
    path.write_bytes(pickle.dumps(Runs()))
    with pytest.raises(WeightsError, match="cannot be read"):
        opened(folder)
    assert not (tmp_path / "ran").exists()


def test_a_damaged_safetensors_file_is_refused(folder: Path) -> None:
    (folder / "whisper/model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(WeightsError, match="whisper-tiny"):
        opened(folder)
