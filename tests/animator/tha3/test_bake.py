"""Baking: in stages, stoppable, repaired where damaged."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from animator.messages import Pixels
from animator.tha3 import bake_flow, live_store
from animator.tha3.bake import BakeStopped, bake, bake_key
from animator.tha3.live import LiveFace
from animator.tha3.live_warp import Inverter, Region, grid, sample
from animator.tha3.pose import neutral


def smooth_flow(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([6 * np.sin(y / 40) + 3, 4 * np.cos(x / 50)], axis=-1).astype(np.float32)


def test_looking_back_along_a_flow_undoes_it():
    flow = smooth_flow(64, 80)
    places = Inverter(128, 160).places(flow)
    enlarged = cv2.resize(flow, (160, 128), interpolation=cv2.INTER_LINEAR)
    returned = places + sample(enlarged, places)
    inside = (slice(16, -16), slice(16, -16))

    assert np.abs(returned - grid(128, 160))[inside].max() < 0.25


def test_a_forward_flow_is_the_inverse_of_the_networks_answer():
    flow = smooth_flow(256, 256)
    back = Inverter(512, 512).places(flow) - grid(512, 512)
    answer = (back / 256.0).transpose(2, 0, 1).astype(np.float32)

    found = bake_flow.forward_flow(answer, np.ones((512, 512), bool))

    assert np.abs(found - flow)[16:-16, 16:-16].max() < 0.25


def test_a_texture_moved_by_its_flow_gives_the_picture():
    rng = np.random.default_rng(0)
    picture = cv2.GaussianBlur(rng.integers(0, 255, (512, 512, 4)).astype(np.uint8), (0, 0), 3)
    picture = cv2.normalize(picture, None, 40, 215, cv2.NORM_MINMAX)
    picture[..., 3] = 255
    region = Region(0, 512, 0, 512)
    inverter, flow = Inverter(512, 512), smooth_flow(256, 256)

    moved = sample(bake_flow.texture(picture, flow, region, inverter), inverter.places(flow))
    error = np.abs(moved.astype(int) - picture)[32:-32, 32:-32]

    assert error.mean() < 1.0


def test_hidden_pixels_take_the_colour_of_their_neighbours():
    picture = np.zeros((64, 64, 4), np.uint8)
    picture[:, :32] = (200, 100, 50, 255)

    filled = bake_flow.bleed(picture)

    assert np.abs(filled[:, 34, :3] - (200, 100, 50)).max() < 2.0
    assert not filled[:, 34:, 3].any()


def stop_after_first(cache: Path, key: str) -> bool:
    return "first" in live_store.stages_on_disk(cache / key)


@pytest.fixture(scope="module")
def begun(image: Pixels, weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bake stopped after its first stage."""
    cache = tmp_path_factory.mktemp("begun")
    key = bake_key(image, weights)
    with pytest.raises(BakeStopped):
        bake(image, weights, cache, lambda what, share: None, lambda: stop_after_first(cache, key))
    return cache / key


@pytest.mark.slow
def test_a_stopped_bake_keeps_what_it_finished(begun: Path):
    assert ["first"] == list(live_store.stages_on_disk(begun))
    assert frozenset({"first"}) == LiveFace(begun).stages
    assert LiveFace(begun).draw(neutral())[..., 3].any()


@pytest.mark.slow
def test_a_damaged_stage_is_baked_anew(begun: Path, image: Pixels, weights: Path):
    sound = live_store.stages_on_disk(begun)
    (begun / "first.npz").write_bytes(b"damaged")

    with pytest.raises(BakeStopped):
        bake(image, weights, begun.parent, lambda what, share: None, lambda: stop_after_first(begun.parent, begun.name))

    assert sound == live_store.stages_on_disk(begun)


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_a_finished_bake_is_not_made_again(bake_folder: Path, image: Pixels, weights: Path, bakes: Path):
    before = live_store.stages_on_disk(bake_folder)
    reports: list[tuple[str, float]] = []

    assert bake_folder == bake(image, weights, bakes, lambda what, share: reports.append((what, share)), lambda: False)
    assert [("ready", 1.0)] == reports
    assert before == live_store.stages_on_disk(bake_folder)


@pytest.fixture
def process(image: Pixels, weights: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    Image.fromarray(image).save(tmp_path / "picture.png")
    command = [sys.executable, "-m", "animator.tha3.bake", "--image", str(tmp_path / "picture.png")]
    command += ["--weights", str(weights), "--cache", str(tmp_path / "cache")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        pipe.close()


@pytest.mark.slow
@pytest.mark.parametrize("how", ["stdin closes", "sigterm"])
def test_the_process_reports_each_step_and_stops_when_told(process: subprocess.Popen[str], how: str, tmp_path: Path):
    if how == "sigterm" and sys.platform == "win32":
        pytest.skip("Windows ends a process without asking it")
    assert process.stdout is not None
    assert process.stdin is not None
    reports = []
    for line in process.stdout:
        reports.append(json.loads(line))
        if reports[-1]["stage"] == "first":
            break
    if how == "sigterm":
        process.send_signal(signal.SIGTERM)
    else:
        process.stdin.close()

    assert 3 == process.wait(timeout=60)
    assert {"what", "share", "stage"} <= set(reports[0])
    shares = [report["share"] for report in reports]
    assert sorted(shares) == shares
    (folder,) = (path for path in (tmp_path / "cache").iterdir() if (path / "manifest.json").is_file())
    assert "first" in live_store.stages_on_disk(folder)


@pytest.mark.slow
def test_a_picture_that_does_not_fit_ends_the_process_with_a_reason(weights: Path, tmp_path: Path):
    Image.new("RGBA", (100, 100)).save(tmp_path / "small.png")
    command = [sys.executable, "-m", "animator.tha3.bake", "--image", str(tmp_path / "small.png")]
    command += ["--weights", str(weights), "--cache", str(tmp_path / "cache")]

    done = subprocess.run(command, stdin=subprocess.PIPE, capture_output=True, text=True, check=False)

    assert 1 == done.returncode
    assert "100 x 100 px; THA3 takes 512 x 512" in json.loads(done.stdout.splitlines()[-1])["error"]
