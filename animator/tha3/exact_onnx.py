"""The exact tier without PyTorch: the networks as ONNX graphs, on whatever ONNX Runtime finds in the machine."""

from __future__ import annotations

import threading
from pathlib import Path
from weakref import WeakValueDictionary

from animator.messages import Pixels, Pose
from animator.tha3 import graphs
from animator.tha3.face import FACE_COLS, FACE_ROWS, check_image
from animator.tha3.graphs import Brows, Floats, Graphs
from animator.tha3.pose import BODY, EYEBROW, FACE, clamp, same

_opened: WeakValueDictionary[Path, Graphs] = WeakValueDictionary()
_opening = threading.Lock()


def shared_graphs(cache_root: Path, weights: Path) -> Graphs:
    """The opened graphs of a weight folder: one copy for all faces, for as long as one of them lives."""
    with _opening:
        folder = graphs.ready(cache_root, weights)
        runs = _opened.get(folder)
        if runs is None:
            runs = _opened[folder] = Graphs(folder)
        return runs


class OnnxFace:
    """Draws with the networks; each stage runs only when its part of the pose has changed. Not thread-safe.

    Args:
        weights: Folder with the five weight files.
        image: The character, uint8 RGBA (512,512,4).
        cache_root: Where the graphs are kept; written there if they are not (PyTorch, some seconds).
        runs: The opened graphs of these weights; None for those that all faces of the process share.

    Raises:
        ValueError: If picture or weights do not fit.
        OSError: If the cache cannot be written.
        RuntimeError: If ONNX Runtime cannot run the graphs.
    """

    tier = "exact"

    def __init__(self, weights: Path, image: Pixels, cache_root: Path, runs: Graphs | None = None) -> None:
        image = check_image(image)
        self._runs = shared_graphs(cache_root, weights) if runs is None else runs
        self._character = self._runs.character(image)
        self._full = self._character.image.copy()
        self._brows: Brows | None = None
        self._pixels: Pixels | None = None
        self._brow_pose: Pose | None = None
        self._face_pose: Pose | None = None
        self._body_pose: Pose | None = None

    @property
    def provider(self) -> str:
        """What runs the graphs, by ONNX Runtime's name."""
        return self._runs.provider

    def draw(self, pose: Pose) -> Pixels:
        """See `Face.draw`."""
        pose, _ = clamp(pose)
        if not self._morph(pose) and self._pixels is not None and same(self._body_pose, pose[BODY]):
            return self._pixels
        self._pixels = self._runs.pixels(self._full, pose[BODY])
        self._body_pose = pose[BODY].copy()
        return self._pixels

    def draw_float(self, pose: Pose) -> Floats:
        """The networks' own answer: float32 (4,512,512), linear RGB + alpha in [-1, 1]."""
        pose, _ = clamp(pose)
        self._morph(pose)
        picture: Floats = self._runs.body(self._full, pose[BODY]).picture[0]
        return picture

    def _morph(self, pose: Pose) -> bool:
        """Bring brows, eyes and mouth to `pose`; True if that changed them."""
        changed = False
        if self._brows is None or not same(self._brow_pose, pose[EYEBROW]):
            self._brows = self._runs.brows(self._character, pose[EYEBROW])
            self._brow_pose = pose[EYEBROW].copy()
            changed = True
        if changed or not same(self._face_pose, pose[FACE]):
            self._full[:, :, FACE_ROWS, FACE_COLS] = self._runs.face(self._brows, pose[FACE])
            self._face_pose = pose[FACE].copy()
            # Until a frame of this face is drawn, none is known for any place of the body.
            self._body_pose = None
            changed = True
        return changed
