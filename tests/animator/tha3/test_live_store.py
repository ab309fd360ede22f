"""Bakes on disk: never shown when damaged, never more than the cache may hold."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from animator.tha3 import live_store
from animator.tha3.live_store import BakeError

KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / KEY
    live_store.write_stage(folder, "first", {"texture": np.arange(12, dtype=np.uint8)})
    return folder


def test_a_stage_comes_back_as_it_was_written(folder: Path):
    arrays = live_store.read_stage(folder, "first")

    assert list(arrays) == ["texture"]
    assert np.array_equal(np.arange(12, dtype=np.uint8), arrays["texture"])


def test_stages_are_listed_in_baking_order(folder: Path):
    live_store.write_stage(folder, "eyes", {"a": np.zeros(1)})
    live_store.write_stage(folder, "mouth", {"a": np.zeros(1)})

    assert ["first", "mouth", "eyes"] == list(live_store.stages_on_disk(folder))


@pytest.mark.parametrize("harm", ["flip", "cut", "remove"])
def test_a_damaged_stage_is_not_read_and_is_forgotten(folder: Path, harm: str):
    path = folder / "first.npz"
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    elif harm == "cut":
        path.write_bytes(data[:-1])
    else:
        path.unlink()

    with pytest.raises(BakeError):
        live_store.read_stage(folder, "first")
    assert frozenset() == live_store.drop_damaged(folder)
    assert {} == live_store.stages_on_disk(folder)


def test_a_bake_of_another_format_counts_as_absent(folder: Path):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["format"] += 1
    (folder / "manifest.json").write_text(json.dumps(manifest))

    assert {} == live_store.stages_on_disk(folder)


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', "\x00\xff"])
def test_a_manifest_that_makes_no_sense_counts_as_absent(folder: Path, text: str):
    (folder / "manifest.json").write_text(text)

    assert {} == live_store.stages_on_disk(folder)


def test_pickled_arrays_are_refused(folder: Path):
    live_store.write_stage(folder, "mouth", {"a": np.array([{}], dtype=object)})

    with pytest.raises(BakeError):
        live_store.read_stage(folder, "mouth")


def test_trimming_removes_what_was_used_longest_ago_and_nothing_else(tmp_path: Path):
    for age, name in enumerate("abc"):
        live_store.write_stage(tmp_path / (name * 32), "first", {"x": np.zeros(1000, np.uint8)})
        os.utime(tmp_path / (name * 32) / "manifest.json", (1000 - age, 1000 - age))
    (tmp_path / "someone else's").mkdir()
    (tmp_path / "someone else's" / "file").write_bytes(bytes(5000))

    removed = live_store.trim(tmp_path, keep=["c" * 32], max_bytes=8000)

    assert ["b" * 32] == removed
    assert (tmp_path / "someone else's" / "file").is_file()


def test_the_bake_kept_is_never_removed(tmp_path: Path):
    live_store.write_stage(tmp_path / KEY, "first", {"x": np.zeros(1000, np.uint8)})

    assert [] == live_store.trim(tmp_path, keep=[KEY], max_bytes=10)


def test_the_key_depends_on_picture_and_weights(tmp_path: Path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        for file in ("eyebrow_decomposer", "eyebrow_morphing_combiner", "face_morpher", "editor"):
            (tmp_path / name / f"{file}.pt").write_bytes(b"weights")
        (tmp_path / name / "two_algo_face_body_rotator.pt").write_bytes(name.encode())
    image = np.full((512, 512, 4), 255, np.uint8)
    other = image.copy()
    other[0, 0, 0] = 0

    keys = {live_store.bake_key(picture, tmp_path / name) for picture in (image, other) for name in ("one", "two")}

    assert len(keys) == 4
    assert live_store.bake_key(image, tmp_path / "one") == live_store.bake_key(image.copy(), tmp_path / "one")


def test_runs_are_kept_until_the_bake_is_whole(folder: Path):
    pose = np.arange(45, dtype=np.float32)
    live_store.write_run(folder, 3, pose, {"flow": np.ones(4, np.float32)})
    kept = live_store.read_run(folder, 3, pose)

    assert kept is not None
    assert np.array_equal(np.ones(4), kept["flow"])
    assert live_store.read_run(folder, 3, pose + 1) is None
    assert live_store.read_run(folder, 4, pose) is None

    live_store.drop_runs(folder)

    assert live_store.read_run(folder, 3, pose) is None
    assert ["first"] == list(live_store.stages_on_disk(folder))


def test_a_damaged_run_is_run_again(folder: Path):
    pose = np.zeros(45, np.float32)
    live_store.write_run(folder, 0, pose, {"flow": np.ones(400, np.float32)})
    path = next((folder / "runs").iterdir())
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)

    assert live_store.read_run(folder, 0, pose) is None
