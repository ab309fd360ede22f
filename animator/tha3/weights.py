"""Loads THA3's five weight files. They come from outside, so nothing in them is trusted."""

from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from animator.tha3.networks import Networks

FILES = ("eyebrow_decomposer", "eyebrow_morphing_combiner", "face_morpher", "two_algo_face_body_rotator", "editor")
"""The five files' names, less their `.pt`."""

MAX_FILE_BYTES = 160 * 1024 * 1024
"""The largest file is the standard variant's rotator, 130.7 MB; anything above this is something else."""


class WeightsError(ValueError):
    """A THA3 weight file is missing, damaged or of another model."""


def fingerprint(folder: Path) -> str:
    """SHA-256 over the five files' names and bytes: two folders with the same answer draw the same face.

    Raises:
        WeightsError: If a file is missing or too large.
    """
    digest = hashlib.sha256()
    for name in FILES:
        path = _checked_path(folder, name)
        digest.update(name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def load_networks(folder: Path, device: torch.device | str = "cpu") -> Networks:
    """Read the five networks, float32, ready for inference.

    Args:
        folder: Holds `editor.pt`, `face_morpher.pt`, … of one of the four official variants: separable or standard,
            float or half. Which one it is shows in the files' keys.
        device: Where to put them.

    Raises:
        WeightsError: If a file is missing, unreadable or too large, or a tensor is missing, unknown, of the
            wrong shape or type, or not finite; the message names each.
    """
    paths = {name: _checked_path(folder, name) for name in FILES}
    states = {name: _read_state(path) for name, path in paths.items()}
    separable = _is_separable(states)
    with torch.device("meta"):
        networks = Networks(separable)
    for name, path in paths.items():
        network = getattr(networks, name)
        ours = network.state_dict()
        wanted = {file_key(name, key, separable): key for key in ours}
        like = {found: ours[key] for found, key in wanted.items()}
        clean = _checked_state(path, states.pop(name), like, separable)
        network.load_state_dict({wanted[found]: value for found, value in clean.items()}, assign=True, strict=True)
    networks.requires_grad_(requires_grad=False)
    return networks.eval().to(device)


def file_key(name: str, key: str, separable: bool) -> str:
    """The key in file `name` of what our network calls `key`: the standard morpher's body has no prefix there."""
    return key.removeprefix("body.") if name == "face_morpher" and not separable else key


def _is_separable(states: Mapping[str, Mapping[object, object]]) -> bool:
    """Which variant the files are of: a depthwise first convolution has one input channel each, a whole one has all."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for name, state in states.items():
        for prefix in ("body.", "encoder_decoder.", ""):
            first = state.get(f"{prefix}downsample_blocks.0.0.weight")
            if isinstance(first, torch.Tensor) and first.ndim == 4:
                found[first.shape[1] == 1].append(f"{name}.pt")
    if found[True] and found[False]:
        raise WeightsError(
            f"The weight files are of different variants: {', '.join(found[True])} separable, "
            f"{', '.join(found[False])} standard. All five must come from one folder of the original download."
        )
    return not found[False]


class WeightArrays(NamedTuple):
    """The five networks' tensors, float32, by network and key, and whether they are of the separable variant."""

    networks: dict[str, dict[str, npt.NDArray[np.float32]]]
    separable: bool


def load_arrays(folder: Path) -> WeightArrays:
    """As `load_networks`, but as plain arrays."""
    networks = load_networks(folder)
    arrays = {name: {k: v.numpy() for k, v in getattr(networks, name).state_dict().items()} for name in FILES}
    return WeightArrays(arrays, networks.separable)


def _checked_path(folder: Path, name: str) -> Path:
    path = folder / f"{name}.pt"
    if not path.is_file():
        raise WeightsError(
            f"{path} is missing; a THA3 weight folder holds {', '.join(f'{n}.pt' for n in FILES)}. "
            "Fetch the model again with `kuchipaku models`."
        )
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise WeightsError(f"{path} has {size} bytes; a THA3 weight file has at most {MAX_FILE_BYTES}.")
    return path


def _read_state(path: Path) -> dict[object, object]:
    try:
        # A few kilobytes of zip can unpack to gigabytes: add up before torch reads.
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > MAX_FILE_BYTES:
            raise WeightsError(f"{path} unpacks to {unpacked} bytes; expected at most {MAX_FILE_BYTES}.")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except WeightsError:
        raise
    except (OSError, zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, EOFError, KeyError) as error:
        raise WeightsError(
            f"{path} cannot be read as PyTorch weights ({type(error).__name__}). "
            "Fetch the model again with `kuchipaku models`."
        ) from error
    if not isinstance(state, dict):
        raise WeightsError(f"{path} holds a {type(state).__name__}; expected a dictionary of tensors.")
    return state


def _checked_state(
    path: Path, state: Mapping[object, object], wanted: Mapping[str, torch.Tensor], separable: bool
) -> dict[str, torch.Tensor]:
    faults = [f"{key} is missing" for key in wanted if key not in state]
    faults += [f"{key!s:.80} is unknown" for key in state if key not in wanted]
    clean: dict[str, torch.Tensor] = {}
    for key, like in wanted.items():
        value = state.get(key)
        if value is None:
            continue
        if not isinstance(value, torch.Tensor) or not value.is_floating_point():
            faults.append(f"{key} is no tensor of floats")
        elif value.shape != like.shape:
            faults.append(f"{key} has shape {tuple(value.shape)}, expected {tuple(like.shape)}")
        elif not bool(torch.isfinite(value).all()):
            faults.append(f"{key} holds values that are not finite")
        else:
            clean[key] = value.to(torch.float32).contiguous()
    if faults:
        shown = "; ".join(faults[:8]) + (f"; and {len(faults) - 8} more" if len(faults) > 8 else "")
        raise WeightsError(f"{path} does not fit the {'separable' if separable else 'standard'} THA3 network: {shown}.")
    return clean
