"""The networks as the bake runs them.

The two heavy parts run in ONNX Runtime, on a CPU about twice as fast as eager PyTorch. The graphs are written once
per set of weights and kept in the cache. Where writing or reading them fails, PyTorch does the same work more slowly.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from animator.messages import Pixels
from animator.tha3 import color
from animator.tha3.face import BROW_COLS, BROW_ROWS, BROWS_IN_FACE, FACE_COLS, FACE_ROWS
from animator.tha3.networks import FaceMorpher, Networks
from animator.tha3.weights import load_networks

_log = logging.getLogger(__name__)

GRAPH_VERSION = 1
Floats = npt.NDArray[np.float32]
_Run = Callable[..., tuple[Floats, ...]]


class _Morph(nn.Module):
    def __init__(self, morpher: FaceMorpher) -> None:
        super().__init__()
        self.morpher = morpher

    def forward(self, features: Tensor, crop: Tensor, pose: Tensor) -> tuple[Tensor]:
        return (self.morpher.decode(features, crop, pose),)


class _Body(nn.Module):
    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.two_algo_face_body_rotator = networks.two_algo_face_body_rotator
        self.editor = networks.editor

    def forward(self, face_full: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        edit = Networks.edit(self, face_full, pose)  # type: ignore[arg-type]
        return edit.apply(face_full), edit.grid_change


class BakeNetworks:
    """One character's networks, with what does not depend on the pose worked out.

    Args:
        image: The character, checked (`face.check_image`).
        weights: Folder with the weight files.
        graphs: Folder for the ONNX graphs of these weights; made if absent.

    Raises:
        WeightsError: If the weights do not fit.
    """

    def __init__(self, image: Pixels, weights: Path, graphs: Path) -> None:
        self._networks = load_networks(weights)
        self._graphs = graphs
        self.image = color.to_linear(image)
        with torch.inference_mode():
            self._layers = self._networks.eyebrow_decomposer(self.image[:, :, BROW_ROWS, BROW_COLS])
            self._brow_features = self._networks.eyebrow_morphing_combiner.encode(self._layers)
        self._morph: _Run | None = None
        self._body: _Run | None = None
        self._crop = self._features = self.image
        self.set_brows(np.zeros(12, np.float32))

    @torch.inference_mode()
    def set_brows(self, pose: Floats) -> None:
        """Take the brows to `pose` (12,) for the faces to come."""
        brows = self._networks.eyebrow_morphing_combiner.decode(
            self._brow_features, self._layers, torch.from_numpy(pose[None])
        )
        self._crop = self.image[:, :, FACE_ROWS, FACE_COLS].clone()
        self._crop[:, :, BROWS_IN_FACE, BROWS_IN_FACE] = brows
        self._features = self._networks.face_morpher.encode(self._crop)

    def face(self, pose: Floats) -> Floats:
        """The face crop, linear (1,4,192,192), under `pose` (27,)."""
        if self._morph is None:
            example = (self._features.clone(), self._crop.clone(), torch.zeros(1, 27))
            self._morph = self._prepare("morph", _Morph(self._networks.face_morpher), example)
        return self._morph(self._features.numpy(), self._crop.numpy(), pose[None])[0]

    def full(self, face: Floats) -> Floats:
        """The whole picture with `face` in place, linear (1,4,512,512)."""
        picture: Floats = self.image.numpy().copy()
        picture[:, :, FACE_ROWS, FACE_COLS] = face
        return picture

    def body(self, full: Floats, pose: Floats) -> tuple[Floats, Floats]:
        """The finished picture, linear (1,4,512,512), and where it came from (1,2,512,512), under `pose` (6,)."""
        if self._body is None:
            example = (self.image.clone(), torch.zeros(1, 6))
            self._body = self._prepare("body", _Body(self._networks), example)
        picture, grid_change = self._body(full, pose[None])
        return picture, grid_change

    @torch.inference_mode()
    def first(self) -> tuple[Floats, Floats, Floats]:
        """Neutral face, finished neutral picture and its flow, straight from PyTorch: no graph has to be made first."""
        face = self._networks.face_morpher.decode(self._features, self._crop, torch.zeros(1, 27)).numpy()
        full = torch.from_numpy(self.full(face))
        edit = self._networks.edit(full, torch.zeros(1, 6))
        return face, edit.apply(full).numpy(), edit.grid_change.numpy()

    @staticmethod
    def to_srgb(x: Floats) -> Floats:
        """Linear (1,4,H,W) as float32 (H,W,4) in 8-bit sRGB steps."""
        srgb: Floats = color.to_srgb_floats(torch.from_numpy(x))[0].contiguous().numpy()
        return srgb

    @staticmethod
    def to_pixels(x: Floats) -> Pixels:
        """Linear (1,4,H,W) as uint8 sRGB (H,W,4)."""
        pixels: Pixels = color.to_srgb(torch.from_numpy(x))[0].numpy()
        return pixels

    def _prepare(self, name: str, module: nn.Module, example: tuple[Tensor, ...]) -> _Run:
        module.eval()
        path = self._graphs / f"{name}.onnx"
        try:
            if not path.is_file():
                _export(module, example, path)
            return _session(path)
        except Exception as error:
            # The exporter and the runtime raise many kinds; whichever it was, PyTorch still works.
            _log.warning("baking %s with PyTorch, ONNX Runtime is not usable (%s)", name, type(error).__name__)
            path.unlink(missing_ok=True)

        def eager(*inputs: Floats) -> tuple[Floats, ...]:
            with torch.inference_mode():
                return tuple(out.numpy() for out in module(*(torch.from_numpy(i) for i in inputs)))

        return eager


def _export(module: nn.Module, example: tuple[Tensor, ...], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [f"input_{i}" for i in range(len(example))]
    scratch = Path(tempfile.mkdtemp(dir=path.parent))
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            # The TorchScript exporter is deprecated; the newer one needs a package we do not ship.
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, example, str(scratch / path.name), input_names=names, opset_version=17, dynamo=False
            )
        os.replace(scratch / path.name, path)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _session(path: Path) -> _Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Waiting threads must not spin: the live face draws on the same cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [entry.name for entry in session.get_inputs()]

    def run(*inputs: Floats) -> tuple[Floats, ...]:
        return tuple(session.run(None, dict(zip(names, inputs, strict=True))))

    return run
