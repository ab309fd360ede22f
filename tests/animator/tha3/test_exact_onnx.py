"""The exact tier in ONNX Runtime: the same picture as PyTorch and the reference, and no PyTorch to draw it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from animator.messages import Pixels
from animator.tha3 import graphs, srgb
from animator.tha3.exact import ExactFace
from animator.tha3.exact_onnx import OnnxFace
from animator.tha3.face import FACE_COLS, FACE_ROWS, check_image
from animator.tha3.graphs import Graphs, GraphsError
from animator.tha3.pose import BODY, EYEBROW, FACE, HIGH, LOW, neutral, pose_of

TOLERANCE = 1e-3
"""Largest difference from the reference, of a range of 2."""


@pytest.fixture(scope="module")
def runs(weights: Path, bakes: Path) -> Graphs:
    return Graphs(graphs.ready(bakes, weights))


@pytest.fixture(scope="module")
def face(weights: Path, image: Pixels, bakes: Path, runs: Graphs) -> OnnxFace:
    return OnnxFace(weights, image, bakes, runs)


@pytest.mark.slow
def test_random_poses_equal_pytorch(face: OnnxFace, weights: Path, image: Pixels):
    torch_face = ExactFace(weights, image, "cpu")
    rng = np.random.default_rng(7)

    worst_float, worst_step = 0.0, 0
    for _ in range(6):
        pose = rng.uniform(LOW, HIGH).astype(np.float32)
        worst_float = max(worst_float, float(np.abs(face.draw_float(pose) - torch_face.draw_float(pose)).max()))
        apart = np.abs(face.draw(pose).astype(np.int16) - torch_face.draw(pose).astype(np.int16))
        worst_step = max(worst_step, int(apart.max()))

    assert worst_float <= TOLERANCE
    assert worst_step <= 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_random_poses_equal_the_reference(
    face: OnnxFace, weights: Path, image: Pixels, pytestconfig: pytest.Config
):
    from animator.tha3 import color
    from tests.animator.tha3.reference import load_reference, reference_folder

    assert pytestconfig.cache is not None
    reference = load_reference(reference_folder(Path(pytestconfig.cache.mkdir("tha3-reference"))), weights)
    linear = color.to_linear(check_image(image))[0].numpy()
    rng = np.random.default_rng(3)

    worst = 0.0
    for _ in range(20):
        pose = rng.uniform(LOW, HIGH).astype(np.float32)
        worst = max(worst, float(np.abs(face.draw_float(pose) - reference(linear, pose)).max()))

    assert worst <= TOLERANCE


def test_a_pose_draws_the_same_whatever_was_drawn_before(face: OnnxFace):
    wanted = pose_of(eyebrow_angry=0.5, mouth_aaa=0.7, head_y=0.3)
    fresh = face.draw(wanted)
    face.draw(pose_of(eyebrow_angry=0.5, mouth_aaa=0.1, head_y=0.3))
    face.draw(pose_of(eyebrow_happy=1.0, mouth_aaa=0.7, head_y=-0.3))
    face.draw_float(pose_of(mouth_ooo=1.0))

    assert np.array_equal(fresh, face.draw(wanted))


class _CountedGraphs(Graphs):
    """Writes down which graphs run."""

    ran: list[str]

    def _run(self, name, outputs, **inputs):
        self.ran.append(name)
        return super()._run(name, outputs, **inputs)


def test_each_graph_runs_only_when_its_part_of_the_pose_changes(weights: Path, image: Pixels, bakes: Path):
    runs = _CountedGraphs(graphs.ready(bakes, weights))
    runs.ran = []
    face = OnnxFace(weights, image, bakes, runs)
    face.draw(neutral())
    ran: list[list[str]] = [list(runs.ran)]
    for pose in (
        neutral(),
        pose_of(head_x=0.2),
        pose_of(head_x=0.2, mouth_aaa=1.0),
        pose_of(head_x=0.2, mouth_aaa=1.0, eyebrow_raised=1.0),
    ):
        runs.ran.clear()
        face.draw(pose)
        ran.append(list(runs.ran))

    all_of_them = ["brows", "face", "body"]
    assert [["character", *all_of_them], [], ["body"], ["face", "body"], all_of_them] == ran


def test_a_wild_pose_is_clamped(face: OnnxFace):
    wild = pose_of(mouth_aaa=7.0, head_x=-9.0)
    wild[0] = np.nan

    assert np.array_equal(face.draw(pose_of(mouth_aaa=1.0, head_x=-1.0)), face.draw(wild))


def test_faces_of_one_process_share_their_weights(weights: Path, image: Pixels, bakes: Path):
    onnx_faces = [OnnxFace(weights, image, bakes) for _ in range(2)]
    torch_faces = [ExactFace(weights, image, "cpu") for _ in range(2)]

    assert onnx_faces[0]._runs is onnx_faces[1]._runs
    assert torch_faces[0].networks is torch_faces[1].networks


def test_the_picture_the_pixels_and_the_flow_of_one_run_belong_together(runs: Graphs, image: Pixels):
    character = runs.character(check_image(image))
    pose = pose_of(mouth_aaa=0.5, head_y=0.5)
    face = runs.face(runs.brows(character, pose[EYEBROW]), pose[FACE])
    full = character.image.copy()
    full[:, :, FACE_ROWS, FACE_COLS] = face
    body = runs.body(full, pose[BODY])

    assert np.array_equal(body.pixels, runs.pixels(full, pose[BODY]))
    assert np.abs(srgb.pixels(body.picture).astype(np.int16) - body.pixels).max() <= 1
    assert (1, 2, 512, 512) == body.grid_change.shape
    assert np.abs(body.grid_change).max() > 0.01


def test_numpy_and_pytorch_agree_on_srgb():
    import torch

    from animator.tha3 import color

    x = np.random.default_rng(1).uniform(-1.2, 1.2, (1, 4, 40, 30)).astype(np.float32)

    assert np.allclose(color.to_srgb_floats(torch.from_numpy(x))[0].numpy(), srgb.steps(x), atol=1e-3)


def test_drawing_from_graphs_on_disk_never_imports_pytorch(weights: Path, bakes: Path):
    graphs.ready(bakes, weights)
    code = """
import sys
from pathlib import Path
import numpy as np
from animator.tha3 import graphs, srgb
from animator.tha3.exact_onnx import OnnxFace
image = np.full((512, 512, 4), 128, np.uint8)
drawn = OnnxFace(Path(sys.argv[1]), image, Path(sys.argv[2])).draw(np.zeros(45, np.float32))
print(drawn.shape, "torch" in sys.modules)
"""
    command = [sys.executable, "-c", code, str(weights), str(bakes)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout

    assert "(512, 512, 4) False" == said.strip()


def test_a_damaged_graph_is_written_anew_and_never_run(weights: Path, tmp_path: Path):
    folder = graphs.ready(tmp_path, weights)
    good = (folder / "face.onnx").read_bytes()
    (folder / "face.onnx").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))

    with pytest.raises(GraphsError, match=r"face\.onnx is damaged"):
        Graphs(folder)
    assert folder == graphs.ready(tmp_path, weights)
    assert good == (folder / "face.onnx").read_bytes()


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1, "graphs": {}}', '{"version": 2, "graphs": []}'])
def test_a_list_of_hashes_that_cannot_be_read_means_no_graph(weights: Path, bakes: Path, tmp_path: Path, text: str):
    source = graphs.ready(bakes, weights)
    for name in graphs.NAMES:
        (tmp_path / f"{name}.onnx").symlink_to(source / f"{name}.onnx")
    (tmp_path / graphs.MANIFEST).write_text(text)

    with pytest.raises(GraphsError):
        graphs.read(tmp_path, "face")


def test_graphs_of_older_versions_are_removed_when_new_ones_are_written(weights: Path, tmp_path: Path):
    old = tmp_path / f"graphs-1-{'0' * 16}"
    old.mkdir()
    (old / "body.onnx").write_bytes(b"old")
    other = tmp_path / "graphs-of-something-else"
    other.mkdir()
    folder = graphs.ready(tmp_path, weights)

    assert {folder, other} == set(tmp_path.iterdir())
    assert set(graphs.NAMES) == set(json.loads((folder / graphs.MANIFEST).read_text())["graphs"])


def test_graphs_are_written_from_the_command_line(weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert 0 == graphs.main(["--weights", str(weights), "--cache", str(tmp_path)])
    assert str(graphs.graphs_folder(tmp_path, weights)) == capsys.readouterr().out.strip()


def test_without_weights_the_command_says_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert 1 == graphs.main(["--weights", str(tmp_path), "--cache", str(tmp_path)])
    assert "eyebrow_decomposer.pt" in capsys.readouterr().err
