"""The exact tier: THA3's five networks, each run only when something it depends on has changed."""

from __future__ import annotations

import threading
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np
import torch
from torch import Tensor

from animator.messages import Pixels, Pose
from animator.tha3 import color
from animator.tha3.face import BROW_COLS, BROW_ROWS, BROWS_IN_FACE, FACE_COLS, FACE_ROWS, check_image
from animator.tha3.networks import Networks
from animator.tha3.pose import BODY, EYEBROW, FACE, clamp, same
from animator.tha3.weights import fingerprint, load_networks

_loaded: WeakValueDictionary[tuple[str, str], Networks] = WeakValueDictionary()
_loading = threading.Lock()


def pick_device(device: str) -> torch.device:
    """The device of that name; "auto" is CUDA where there is one, the CPU elsewhere."""
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def shared_networks(weights: Path, device: torch.device) -> Networks:
    """The networks of a weight folder on a device: one copy for all faces, for as long as one of them lives.

    Raises:
        WeightsError: If the weights do not fit.
    """
    key = (fingerprint(weights), str(device))
    with _loading:
        networks = _loaded.get(key)
        if networks is None:
            networks = _loaded[key] = load_networks(weights, device)
        return networks


class ExactFace:
    """Draws with the networks, whose weights all faces of a process share. Not thread-safe.

    Args:
        weights: Folder with the five weight files.
        image: The character, uint8 RGBA (512,512,4).
        device: "auto", "cpu", "cuda", "cuda:1", …

    Raises:
        WeightsError: If the weights do not fit.
        ValueError: If the picture does not.
    """

    tier = "exact"

    def __init__(self, weights: Path, image: Pixels, device: str = "auto") -> None:
        self.device = pick_device(device)
        self.networks = shared_networks(weights, self.device)
        self._image = color.to_linear(check_image(image), self.device)
        # What was last computed, under the part of the pose it came from: compared on the host, so that a
        # GPU is never waited for.
        self._brow_pose: Pose | None = None
        self._face_pose: Pose | None = None
        self._body_pose: Pose | None = None
        with torch.inference_mode():
            brow_crop = self._image[:, :, BROW_ROWS, BROW_COLS]
            self._layers = self.networks.eyebrow_decomposer(brow_crop)
            self._brow_features = self.networks.eyebrow_morphing_combiner.encode(self._layers)
        self._face_crop = self._features = self._face_full = self._drawn = self._image

    def draw(self, pose: Pose) -> Pixels:
        """See `Face.draw`."""
        with torch.inference_mode():
            pixels: Pixels = color.to_srgb(self.draw_tensor(pose))[0].cpu().numpy()
        return pixels

    def draw_float(self, pose: Pose) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """The networks' own answer: float32 (4,512,512), linear RGB + alpha in [-1, 1]."""
        drawn: np.ndarray[tuple[int, ...], np.dtype[np.float32]] = self.draw_tensor(pose)[0].cpu().numpy()
        return drawn

    @torch.inference_mode()
    def draw_tensor(self, pose: Pose) -> Tensor:
        """As `draw_float`, with a batch axis, left on the device."""
        pose, _ = clamp(pose)
        if not self.morph(pose) and same(self._body_pose, pose[BODY]):
            return self._drawn
        body_pose = torch.from_numpy(pose[None, BODY].copy()).to(self.device, non_blocking=True)
        self._drawn = self.networks.edit(self._face_full, body_pose).apply(self._face_full)
        self._body_pose = pose[BODY].copy()
        return self._drawn

    @torch.inference_mode()
    def morph(self, pose: Pose) -> bool:
        """Bring brows, eyes and mouth to `pose` (clamped); True if that changed them."""
        networks = self.networks
        brows_changed = not same(self._brow_pose, pose[EYEBROW])
        if brows_changed:
            brow_pose = torch.from_numpy(pose[None, EYEBROW].copy()).to(self.device, non_blocking=True)
            brows = networks.eyebrow_morphing_combiner.decode(self._brow_features, self._layers, brow_pose)
            self._face_crop = self._image[:, :, FACE_ROWS, FACE_COLS].clone()
            self._face_crop[:, :, BROWS_IN_FACE, BROWS_IN_FACE] = brows
            self._features = networks.face_morpher.encode(self._face_crop)
            self._brow_pose = pose[EYEBROW].copy()
        if not brows_changed and same(self._face_pose, pose[FACE]):
            return False
        face_pose = torch.from_numpy(pose[None, FACE].copy()).to(self.device, non_blocking=True)
        face = networks.face_morpher.decode(self._features, self._face_crop, face_pose)
        self._face_full = self._image.clone()
        self._face_full[:, :, FACE_ROWS, FACE_COLS] = face
        self._face_pose = pose[FACE].copy()
        return True
