"""Baking: in stages, stoppable, repaired where damaged."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from animator.messages import Pixels
from animator.tha3 import bake_flow, graphs, live_store
from animator.tha3.bake import BakeStopped, bake, bake_key
from animator.tha3.live import LiveFace
from animator.tha3.live_warp import Inverter, Layout, Region, grid, sample
from animator.tha3.pose import neutral


def smooth_flow(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.stack([6 * np.sin(y / 80) + 3, 4 * np.cos(x / 100)], axis=-1).astype(np.float32)


WHOLE = Region(0, 512, 0, 512)
LAYOUT = Layout(WHOLE, np.ones((512, 512), bool))


def test_looking_back_along_a_flow_undoes_it():
    flow = smooth_flow(512, 512)
    places = Inverter(LAYOUT).places(LAYOUT.pack(flow))
    returned = places + sample(flow, places)
    inside = (slice(16, -16), slice(16, -16))

    assert np.abs(returned - grid(512, 512))[inside].max() < 0.25


def test_a_flow_is_kept_exactly_on_the_head_and_smoothly_around_it():
    flow = smooth_flow(512, 512)
    visible = np.zeros((512, 512), bool)
    visible[60:500, 180:330] = True
    layout = Layout(WHOLE, visible)

    vector = layout.pack(flow)
    upper, lower = layout.unpack(vector)

    split = WHOLE.split
    halved = flow[split:].reshape(-1, 2, 256, 2, 2).mean(axis=(1, 3))
    assert (layout.size,) == vector.shape
    assert layout.size < flow.size / 4
    assert np.array_equal(upper[57:, 177:333], flow[57:split, 177:333])
    assert np.abs(lower[:118, 90:165] - halved[:118, 90:165]).max() < 1e-4
    assert np.abs(upper - flow[:split]).max() < 1.0


def test_a_forward_flow_is_the_inverse_of_the_networks_answer():
    flow = smooth_flow(512, 512)
    back = Inverter(LAYOUT).offsets(LAYOUT.pack(flow))
    answer = (back / 256.0).transpose(2, 0, 1).astype(np.float32)

    found = bake_flow.forward_flow(answer, np.ones((512, 512), bool), WHOLE)

    assert np.abs(found - flow)[16:-16, 16:-16].max() < 0.25


def test_a_face_moved_and_corrected_gives_the_networks_picture():
    rng = np.random.default_rng(0)
    full, added = (cv2.GaussianBlur(rng.uniform(-1, 1, (512, 512, 4)).astype(np.float32), (0, 0), 3) for _ in range(2))
    flow = smooth_flow(512, 512)
    back = Inverter(LAYOUT).offsets(LAYOUT.pack(flow))
    answer = (back / 256.0).transpose(2, 0, 1).astype(np.float32)
    picture = sample(full, grid(512, 512) + back) + 0.2 * added

    as_network = [array.transpose(2, 0, 1)[None] for array in (full, picture)]
    correction = bake_flow.correction(*as_network, answer, flow, WHOLE)
    drawn = sample(full + 2.0 * correction, grid(512, 512) + back)

    assert np.abs(drawn - picture)[32:-32, 32:-32].mean() < 0.01


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
def test_a_provider_other_than_the_cpu_is_never_asked_for_two_runs_at_once(
    image: Pixels, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    at_work = threading.Lock()
    overlaps: list[str] = []

    class DirectML(graphs.Graphs):
        """Runs on the CPU under the name of DirectML, whose sessions take one run at a time."""

        def __init__(self, folder: Path, threads: int | None = None) -> None:
            super().__init__(folder, threads=threads)
            self.provider = "DmlExecutionProvider"

        def _run(self, name, outputs, **inputs):  # type: ignore[no-untyped-def]
            if not at_work.acquire(blocking=False):
                overlaps.append(name)
                return super()._run(name, outputs, **inputs)
            try:
                return super()._run(name, outputs, **inputs)
            finally:
                at_work.release()

    monkeypatch.setattr(graphs, "Graphs", DirectML)
    steps: list[str] = []

    with pytest.raises(BakeStopped):
        bake(image, weights, tmp_path, lambda what, share: steps.append(what), lambda: len(steps) > 24)

    assert "learning to talk" in steps
    assert [] == overlaps


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
