"""Bakes on disk: their key, their manifest, reading and writing of stages, and the bound on the cache.

A bake folder holds one `.npz` per stage and `manifest.json` with each file's size and SHA-256. Files appear by
renaming, the manifest after the file it names, so a bake that was cut short is a bake with fewer stages. Nothing is
pickled. Whatever does not check out counts as absent.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from animator.messages import Pixels
from animator.tha3 import likeness
from animator.tha3.face import check_image
from animator.tha3.live_nodes import CHOSEN, STAGES

FORMAT = 6
"""Raised whenever nodes, arrays or their meaning change: older bakes are then made anew."""
CACHE_MAX_BYTES = 400 * 1000 * 1000
_STAGE_MAX_BYTES = 160 * 1000 * 1000
VIDEOS = "videos"
"""What `animator.human.video_avatar` keeps; larger than all else, and with a limit of its own."""
_MANIFEST = "manifest.json"
_RUNS = "runs"
_KEY = re.compile(r"[0-9a-f]{32}")
_WEIGHT_FILES = (
    "eyebrow_decomposer",
    "eyebrow_morphing_combiner",
    "face_morpher",
    "two_algo_face_body_rotator",
    "editor",
)

Arrays = Mapping[str, npt.NDArray[Any]]


class BakeError(ValueError):
    """A bake is missing or damaged; bake the character again."""


def weights_fingerprint(folder: Path) -> str:
    """SHA-256 over the five weight files: two folders with the same answer draw the same face.

    Raises:
        OSError: If a file is missing or unreadable.
    """
    digest = hashlib.sha256()
    for name in _WEIGHT_FILES:
        with (folder / f"{name}.pt").open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def learned_fingerprint() -> str:
    """SHA-256 over what comes along for the bake: the kernel, and the poses that are baked.

    Raises:
        OSError: If a file is missing.
    """
    digest = hashlib.sha256()
    for path in (likeness.BUNDLED, CHOSEN):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def bake_key(image: Pixels, weights: Path) -> str:
    """The name of the folder that `image`'s bake with these weights has: 32 hex digits.

    Raises:
        ValueError: If the picture is not uint8 RGBA (512,512,4).
        OSError: If a weight file, or one that comes along, is missing.
    """
    made_with = f"{weights_fingerprint(weights)}\n{learned_fingerprint()}"
    digest = hashlib.sha256(f"kuchipaku bake {FORMAT}\n{made_with}\n".encode())
    digest.update(check_image(image).tobytes())
    return digest.hexdigest()[:32]


def stages_on_disk(folder: Path) -> dict[str, str]:
    """Stages the manifest names, in baking order, and their SHA-256; empty if there is no usable manifest."""
    return {name: entry["sha256"] for name, entry in _entries(folder).items()}


def write_stage(folder: Path, stage: str, arrays: Arrays) -> None:
    """Add or replace one stage.

    Raises:
        OSError: If the disk does not take it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
    data = buffer.getvalue()
    entries = _entries(folder)
    write_file(folder / f"{stage}.npz", data)
    entries[stage] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    ordered = {name: entries[name] for name in STAGES if name in entries}
    text = json.dumps({"format": FORMAT, "key": folder.name, "stages": ordered}, indent=1)
    write_file(folder / _MANIFEST, text.encode())


def read_stage(folder: Path, stage: str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of one stage, checked against the manifest.

    Raises:
        BakeError: If it is absent or not what the manifest promises.
    """
    entry = _entries(folder).get(stage)
    path = folder / f"{stage}.npz"
    if entry is None:
        raise BakeError(f"{folder} holds no stage {stage!r}; bake the character first.")
    try:
        if path.stat().st_size != entry["bytes"] or entry["bytes"] > _STAGE_MAX_BYTES:
            raise BakeError(f"{path} does not have the size its manifest names; bake the character again.")
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise BakeError(f"{path} is damaged; bake the character again.")
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, zipfile.BadZipFile, ValueError) as error:
        if isinstance(error, BakeError):
            raise
        raise BakeError(f"{path} cannot be read ({type(error).__name__}); bake the character again.") from error


class Detail:
    """The mean of pictures that come one by one."""

    def __init__(self, total: npt.NDArray[np.float32], count: int) -> None:
        self.total = total
        self.count = count

    def add(self, picture: npt.NDArray[np.float32]) -> None:
        """Take one in."""
        self.total += picture
        self.count += 1

    def mean(self) -> npt.NDArray[np.float16]:
        """Zero where there was none."""
        return (self.total / np.float32(max(self.count, 1))).astype(np.float16)


def read_detail(folder: Path, shape: tuple[int, ...]) -> Detail:
    """What `write_detail` kept, or an empty one."""
    kept = _read_scratch(folder / _RUNS / "detail.npz")
    if kept is not None and set(kept) == {"total", "count"} and kept["total"].shape == shape:
        return Detail(kept["total"].astype(np.float32), int(kept["count"]))
    return Detail(np.zeros(shape, np.float32), 0)


def write_detail(folder: Path, detail: Detail) -> None:
    """Keep `detail` for a bake that goes on later. Raises OSError if the disk does not take it."""
    _write_scratch(folder / _RUNS / "detail.npz", {"total": detail.total, "count": np.array(detail.count)})


def write_run(folder: Path, number: int, pose: npt.NDArray[np.float32], arrays: Arrays) -> None:
    """Keep one run of the networks until the bake is whole. Raises OSError if the disk does not take it."""
    halves = {name: np.asarray(array, np.float16) for name, array in arrays.items()}
    _write_scratch(folder / _RUNS / f"{number:03}.npz", {"pose": pose, **halves})


def read_run(folder: Path, number: int, pose: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float32]] | None:
    """A run kept by `write_run`, if it is there, sound, and of this pose."""
    kept = _read_scratch(folder / _RUNS / f"{number:03}.npz")
    if kept is None or not np.array_equal(kept.pop("pose", np.zeros(0)), pose):
        return None
    return {name: array.astype(np.float32) for name, array in kept.items()}


def drop_runs(folder: Path) -> None:
    """Forget the runs: the stages hold what was learned from them."""
    shutil.rmtree(folder / _RUNS, ignore_errors=True)


def _write_scratch(path: Path, arrays: Arrays) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # type: ignore[arg-type]
    write_file(path, buffer.getvalue(), sync=False)


def _read_scratch(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """All arrays; their checksums are the archive's own."""
    try:
        if path.stat().st_size > _STAGE_MAX_BYTES:
            return None
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, zipfile.BadZipFile, ValueError, KeyError):
        return None


def drop_damaged(folder: Path) -> frozenset[str]:
    """Forget stages whose files do not check out; returns those that do."""
    good: set[str] = set()
    entries = _entries(folder)
    for stage in entries:
        with contextlib.suppress(BakeError):
            read_stage(folder, stage)
            good.add(stage)
    if good != set(entries):
        kept = {name: entry for name, entry in entries.items() if name in good}
        text = json.dumps({"format": FORMAT, "key": folder.name, "stages": kept}, indent=1)
        write_file(folder / _MANIFEST, text.encode())
    return frozenset(good)


def mark_used(folder: Path) -> None:
    """Make this bake the newest one for `trim`."""
    with contextlib.suppress(OSError):
        os.utime(folder / _MANIFEST)


def trim(cache_root: Path, keep: Iterable[str], max_bytes: int = CACHE_MAX_BYTES) -> list[str]:
    """Remove the bakes used longest ago until the cache is within `max_bytes`; those named in `keep` stay.

    Returns:
        Names of the folders removed.
    """
    kept = set(keep)
    bakes: list[tuple[float, int, Path]] = []
    total = 0
    for folder in cache_root.iterdir() if cache_root.is_dir() else ():
        if folder.is_symlink() or not folder.is_dir() or folder.name == VIDEOS:
            continue
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        total += size
        # Only what this module made is ever removed.
        if _KEY.fullmatch(folder.name) and folder.name not in kept:
            manifest = folder / _MANIFEST
            used = manifest.stat().st_mtime if manifest.is_file() else folder.stat().st_mtime
            bakes.append((used, size, folder))
    removed: list[str] = []
    for _, size, folder in sorted(bakes, key=lambda bake: bake[0]):
        if total <= max_bytes:
            break
        shutil.rmtree(folder, ignore_errors=True)
        total -= size
        removed.append(folder.name)
    return removed


def _entries(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        text = (folder / _MANIFEST).read_bytes()
        manifest = json.loads(text[:100_000])
        if manifest["format"] != FORMAT or manifest["key"] != folder.name:
            return {}
        entries = manifest["stages"]
        return {
            stage: {"bytes": int(entries[stage]["bytes"]), "sha256": str(entries[stage]["sha256"])}
            for stage in STAGES
            if stage in entries
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def write_file(path: Path, data: bytes, sync: bool = True) -> None:
    """Put `data` at `path` by renaming: whole, or not at all. `sync`: it is to outlast a power cut as well.

    Raises:
        OSError: If the disk does not take it.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
