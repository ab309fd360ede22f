import pickle
from pathlib import Path

import pytest
import torch

from animator.musetalk.config import SMALL, TRUE
from animator.musetalk.files import WeightsError, configs_of, missing
from animator.musetalk.vae import Decoder, TinyDecoder
from animator.musetalk.weights import Models, load
from tests.animator.musetalk.weights_folder import CPU, FLOAT, write, write_whole


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path)


def opened(folder: Path, quality: str = "fast") -> Models:
    return load(folder, quality, CPU, FLOAT, lambda what, share: None, SMALL)


@pytest.mark.parametrize("quality", ["best", "fast"])
def test_the_published_layout_is_read_with_old_names_and_what_is_not_needed_left(folder: Path, quality: str) -> None:
    read = opened(folder, quality)

    assert isinstance(read.decode, TinyDecoder if quality == "fast" else Decoder)


def test_a_folder_without_files_says_what_is_missing(tmp_path: Path) -> None:
    assert len(missing(tmp_path, "fast")) == 4
    with pytest.raises(WeightsError, match=r"lacks MuseTalk's UNet, musetalkV15/unet.pth; .*whisper/pyt\S+\.bin\.$"):
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
    with pytest.raises(WeightsError, match="is not a file of PyTorch's"):
        opened(folder)
    assert not (tmp_path / "ran").exists()


def test_a_pointer_that_a_download_left_behind_is_said_to_be_one(folder: Path) -> None:
    (folder / "sd-vae/diffusion_pytorch_model.bin").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(WeightsError, match="is not a file of PyTorch's") as found:
        opened(folder)
    assert "Git LFS" in found.value.remedy


def test_the_configs_beside_the_files_state_their_shapes(tmp_path: Path) -> None:
    models = load(write_whole(tmp_path), "fast", CPU, FLOAT, lambda what, share: None)
    assert models.version == "1.5"
    assert models.configs.unet == SMALL.unet
    assert models.configs.face_px == 256
    assert configs_of(write(tmp_path / "without")) == TRUE


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("musetalkV15/musetalk.json", '{"block_out_channels": [32, 64, 64]}', "expected 4 widths"),
        ("musetalkV15/musetalk.json", '{"attention_head_dim": 7}', "groups do not divide"),
        ("sd-vae/config.json", '{"block_out_channels": [16, 32, 32, 1e9]}', "expected 1 to 4096"),
        ("sd-vae/config.json", "[" * 5000, "cannot be read as the config of Stable Diffusion's autoencoder"),
        ("whisper/config.json", '{"d_model": 512, "encoder_layers": 6}', "6 layers of width 512"),
    ],
)
def test_a_config_of_another_model_is_refused_in_words(folder: Path, file: str, text: str, says: str) -> None:
    (folder / file).write_text(text, "utf-8")
    with pytest.raises(WeightsError, match=says):
        configs_of(folder)


def test_a_damaged_safetensors_file_is_refused(folder: Path) -> None:
    (folder / "whisper/model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(WeightsError, match="whisper-tiny"):
        opened(folder)
