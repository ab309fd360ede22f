"""Reads MuseTalk's files. They come from outside, so nothing in them is trusted, and nothing in them is run."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from animator.musetalk.config import Configs
from animator.musetalk.files import (
    QUALITIES,
    TINY,
    UNET,
    VAE,
    WHISPER,
    Part,
    WeightsError,
    check_there,
    configs_of,
    find,
    version_of,
)
from animator.musetalk.sound import Ears
from animator.musetalk.tensors import Checkpoint
from animator.musetalk.unet import UNet
from animator.musetalk.vae import Decoder, Decodes, Encoder, TinyDecoder
from animator.protocol import Progress


@dataclass(slots=True, eq=False)
class Models:
    """All networks of one engine, ready. `vae_hash` names the autoencoder's file."""

    unet: UNet
    decode: Decodes
    encoder: Encoder
    ears: Ears
    vae_hash: str
    device: torch.device
    dtype: torch.dtype
    configs: Configs
    version: str = ""
    """"1.5", "1.0", or "" where the files do not say."""


def read(path: Path, part: Part) -> dict[str, Tensor]:
    """The tensors in a `.safetensors` file or one of PyTorch's; the latter without running what is in its pickle.

    Raises:
        WeightsError: If the file is too large, of an old format, or damaged.
    """
    most, size = part.most_bytes, path.stat().st_size
    if size > most:
        raise WeightsError(f"{path} has {size:,} bytes; the file of {part.name} has at most {most:,}.")
    try:
        if path.suffix == ".safetensors":
            return dict(load_file(path))
        # A few kilobytes of zip can unpack to gigabytes: add up before torch reads.
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > most:
            raise WeightsError(f"{path} unpacks to {unpacked:,} bytes; expected at most {most:,}.")
        state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except WeightsError:
        raise
    except (OSError, ValueError, zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, EOFError, KeyError,
            SafetensorError) as error:  # fmt: skip
        raise WeightsError(f"{path} cannot be read as the weights of {part.name} ({type(error).__name__}).") from error
    if not isinstance(state, dict) or not all(isinstance(each, Tensor) for each in state.values()):
        raise WeightsError(f"{path} holds no plain table of tensors; expected the weights of {part.name}.")
    return {str(key): value for key, value in state.items()}


def load(
    folder: Path,
    quality: str,
    device: torch.device,
    dtype: torch.dtype,
    progress: Progress,
    configs: Configs | None = None,
) -> Models:
    """Read every network that `quality` needs.

    Args:
        folder: Laid out as MuseTalk's own `models/` is: `musetalkV15/unet.pth` (or `musetalk/pytorch_model.bin`,
            version 1.0), `sd-vae/`, `whisper/`, `taesd/`.
        quality: "best" decodes with Stable Diffusion's autoencoder, "fast" with the tiny one.
        device: Where to put them.
        dtype: What they compute in.
        progress: Told what is being read.
        configs: The shapes; None: those that the files state (`animator.musetalk.files.configs_of`).

    Raises:
        WeightsError: Names every file that is missing, or every tensor that is not what it should be.
    """
    if quality not in QUALITIES:
        raise ValueError(f"got quality {quality!r}; expected best or fast")
    check_there(folder, quality)
    configs = configs_of(folder) if configs is None else configs

    progress("Reading MuseTalk's networks", 0.0)
    path = find(folder, UNET)
    source = Checkpoint(read(path, UNET), device, dtype)
    unet = UNet(source, configs.unet)
    _settle(path, UNET, source)

    progress("Reading the autoencoder", 0.6)
    path = find(folder, VAE)
    tensors = read(path, VAE)
    vae_hash = file_hash(path)
    old = any(".attentions.0.query." in key for key in tensors)
    source = Checkpoint(tensors, device, dtype)
    encoder = Encoder(source, configs.vae, old_names=old)
    best = Decoder(source, configs.vae, old_names=old)
    _settle(path, VAE, source)
    decode: Decodes = best
    if quality == "fast":
        path = find(folder, TINY)
        tensors = {key: value for key, value in read(path, TINY).items() if key.startswith("decoder.")}
        source = Checkpoint(tensors, device, dtype)
        decode = TinyDecoder(source, configs.tiny)
        _settle(path, TINY, source)

    progress("Reading Whisper's encoder", 0.9)
    path = find(folder, WHISPER)
    tensors = {}
    for key, value in read(path, WHISPER).items():
        name = key.removeprefix("model.")
        if name.startswith("encoder."):
            tensors[name.removeprefix("encoder.")] = value
    source = Checkpoint(tensors, device, dtype)
    ears = Ears(source, configs.whisper, device, dtype)
    _settle(path, WHISPER, source)
    progress("Networks read", 1.0)
    return Models(unet, decode, encoder, ears, vae_hash, device, dtype, configs, version_of(folder))


def file_hash(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _settle(path: Path, part: Part, source: Checkpoint) -> None:
    faults = source.finish()
    if faults:
        shown = "; ".join(faults[:8]) + (f"; and {len(faults) - 8} more" if len(faults) > 8 else "")
        raise WeightsError(f"{path} does not fit {part.name}: {shown}.")
