"""THA3's networks as ONNX graphs on disk: written once per set of weights, checked before every use.

Everything but the writing loads without PyTorch. To draw from a process that never imports it:

    folder = graphs.ready(cache_root, weights)          # writes what is missing or damaged (PyTorch, about 3 s)
    runs = graphs.Graphs(folder)                        # hashes checked, four sessions opened, about 0.3 s
    character = runs.character(image)                   # once per picture: uint8 RGBA (512,512,4)
    brows = runs.brows(character, pose[EYEBROW])        # whenever the brows move: .crop, .features
    face = runs.face(brows, pose[FACE])                 # whenever eyes or mouth move: linear (1,4,192,192)
    full = character.image.copy()
    full[:, :, FACE_ROWS, FACE_COLS] = face
    body = runs.body(full, pose[BODY])                  # .pixels uint8 (512,512,4), .picture linear, .grid_change
    steps = srgb.steps(face)                            # float32 (192,192,4) in 8-bit sRGB steps, not rounded

`python -m animator.tha3.graphs --weights DIR --cache DIR` writes them ahead of time. So does `kuchipaku bake`, which
the set-up runs, so that nobody's first own character waits for PyTorch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from animator.messages import Pixels
from animator.tha3 import providers
from animator.tha3.live_store import weights_fingerprint, write_file

GRAPH_VERSION = 2
"""Raised whenever a graph's arithmetic, inputs or outputs change: older graphs are then written anew."""
NAMES = ("character", "brows", "face", "body")
"""Every graph, in the order in which a face runs them."""
MANIFEST = "graphs.json"
_FOLDER = re.compile(r"graphs-(\d+)-[0-9a-f]{16}")

Floats = npt.NDArray[np.float32]


class GraphsError(ValueError):
    """A graph is missing, damaged or of another version; `ready` writes it anew."""


def graphs_folder(cache_root: Path, weights: Path) -> Path:
    """Where the graphs of these weights lie, there or not. Raises OSError for a missing weight file."""
    return cache_root / f"graphs-{GRAPH_VERSION}-{weights_fingerprint(weights)[:16]}"


def ready(cache_root: Path, weights: Path) -> Path:
    """The folder of these weights' graphs, written if any is missing or damaged.

    Raises:
        WeightsError: If they have to be written and the weights do not fit.
        OSError: If a weight file is missing, or the disk does not take the graphs.
    """
    folder = graphs_folder(cache_root, weights)
    try:
        for name in NAMES:
            read(folder, name)
    except GraphsError:
        write(folder, weights)
    return folder


def write(folder: Path, weights: Path) -> None:
    """Write every graph of `weights` to `folder`, by renaming, the list of hashes last. Imports PyTorch.

    Raises:
        WeightsError: If the weights do not fit.
        OSError: If the disk does not take it.
    """
    from animator.tha3.graph_builder import BUILDERS
    from animator.tha3.weights import load_arrays

    arrays = load_arrays(weights)
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, dict[str, object]] = {}
    for name in NAMES:
        data = BUILDERS[name](arrays.networks, arrays.separable)
        write_file(folder / f"{name}.onnx", data, sync=False)
        files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    listed = json.dumps({"version": GRAPH_VERSION, "graphs": files}, indent=1)
    write_file(folder / MANIFEST, listed.encode(), sync=False)
    _drop_older(folder.parent)


def read(folder: Path, name: str) -> bytes:
    """One serialised graph, checked against the list of hashes.

    Raises:
        GraphsError: If it is absent or not what the list promises.
    """
    path = folder / f"{name}.onnx"
    try:
        listed: Any = json.loads((folder / MANIFEST).read_text("utf-8"))
        if listed["version"] != GRAPH_VERSION:
            raise GraphsError(f"{folder} holds graphs of another version.")
        entry = listed["graphs"][name]
        if path.stat().st_size != entry["bytes"]:
            raise GraphsError(f"{path} does not have the size that {MANIFEST} names.")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise GraphsError(f"{path} is damaged.")
    except (OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, GraphsError):
            raise
        raise GraphsError(f"{path} cannot be read ({type(error).__name__}).") from error
    return data


def _drop_older(cache_root: Path) -> None:
    for folder in cache_root.glob("graphs-*"):
        found = _FOLDER.fullmatch(folder.name)
        if found and int(found[1]) < GRAPH_VERSION:
            shutil.rmtree(folder, ignore_errors=True)


class CharacterLayers(NamedTuple):
    """What a character needs once, float32, linear in [-1, 1] but for the features."""

    image: Floats
    """(1,4,512,512)."""
    background: Floats
    """(1,4,128,128), the brow crop without brows."""
    eyebrow: Floats
    """(1,4,128,128), the brows alone."""
    brow_features: Floats
    """(1,512,16,16)."""


class Brows(NamedTuple):
    """The face crop with its brows in place, linear (1,4,192,192), and what the morpher makes of it (1,512,24,24)."""

    crop: Floats
    features: Floats


class Body(NamedTuple):
    """A finished frame."""

    pixels: Pixels
    """uint8 sRGB RGBA (512,512,4)."""
    picture: Floats
    """The same, linear (1,4,512,512)."""
    grid_change: Floats
    """Where each pixel came from, less where it is: (1,2,512,512), x and y, 1.0 is half the picture's size."""


class Graphs:
    """The four graphs of one set of weights, ready to run. Nothing in it changes by running; any thread may.

    Args:
        folder: From `ready`.
        wanted: Providers of ONNX Runtime to try in this order; None for `providers.preferred` of those there.
        threads: Threads of the CPU provider; None for one per physical core, as ONNX Runtime counts them.

    Raises:
        GraphsError: If a graph is absent or damaged.
        RuntimeError: If ONNX Runtime cannot open a graph with any provider.
    """

    def __init__(self, folder: Path, wanted: Sequence[str] | None = None, threads: int | None = None) -> None:
        order = list(wanted) if wanted is not None else providers.preferred(providers.available())
        self.failed: tuple[str, ...] = ()
        """One sentence for each provider that was tried and could not be used."""
        self._sessions: dict[str, Any] = {}
        self.provider = ""
        """The provider that runs the graphs, by ONNX Runtime's name."""
        for name in NAMES:
            # A provider that fails with one graph is not tried with the next; all four run in the same place.
            opened = providers.open_session(read(folder, name), order, threads)
            self._sessions[name], self.provider = opened.session, opened.provider
            self.failed += opened.failed
            order = order[order.index(opened.provider) :]

    def _run(self, name: str, outputs: Sequence[str] | None, **inputs: npt.NDArray[Any]) -> list[Any]:
        found: list[Any] = self._sessions[name].run(outputs, inputs)
        return found

    def character(self, image: Pixels) -> CharacterLayers:
        """Take in `image`, checked (`face.check_image`)."""
        return CharacterLayers(*self._run("character", None, source=image))

    def brows(self, character: CharacterLayers, pose: Floats) -> Brows:
        """Bring the brows to `pose` (12,)."""
        return Brows(*self._run("brows", None, **character._asdict(), pose=pose[None]))

    def face(self, brows: Brows, pose: Floats) -> Floats:
        """The face crop, linear (1,4,192,192), with eyes and mouth in `pose` (27,)."""
        face: Floats = self._run("face", None, **brows._asdict(), pose=pose[None])[0]
        return face

    def pixels(self, full: Floats, pose: Floats) -> Pixels:
        """The finished picture of `full`, linear (1,4,512,512), under `pose` (6,): uint8 sRGB RGBA (512,512,4)."""
        pixels: Pixels = self._run("body", ["pixels"], full=full, pose=pose[None])[0]
        return pixels

    def body(self, full: Floats, pose: Floats) -> Body:
        """As `pixels`, with everything else that is known then."""
        return Body(*self._run("body", ["pixels", "picture", "grid_change"], full=full, pose=pose[None]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the graphs of a set of weights ahead of time; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m animator.tha3.graphs", description="Write THA3's ONNX graphs.")
    parser.add_argument("--weights", type=Path, required=True, help="folder with THA3's five .pt files")
    parser.add_argument("--cache", type=Path, required=True, help="folder that keeps bakes and graphs")
    given = parser.parse_args(arguments)
    try:
        folder = ready(given.cache, given.weights)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"The graphs of the face could not be written: {error}\n")
        return 1
    sys.stdout.write(f"{folder}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
