"""Which exact face draws, and what its failures mean to the user."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animator.messages import Pixels
from animator.tha3.exact_choice import cuda_is_there, failure, first_that_works, open_exact


class _Face:
    tier = "exact"

    def draw(self, pose: np.ndarray) -> Pixels:
        return np.zeros((512, 512, 4), np.uint8)


def _out_of_memory() -> _Face:
    raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB\nmore")


def test_the_next_face_is_taken_where_one_fails_and_the_log_says_why(caplog: pytest.LogCaptureFixture):
    good = _Face()

    assert good is first_that_works([("the card", _out_of_memory), ("the CPU", lambda: good)])
    assert ["the exact face does not run on the card: CUDA out of memory. Tried to allocate 20.00 MiB"] == [
        record.message for record in caplog.records
    ]


def test_where_every_face_fails_the_last_reason_is_raised():
    with pytest.raises(RuntimeError, match="out of memory"):
        first_that_works([("the card", _out_of_memory)])


def test_a_wrong_picture_is_not_tried_elsewhere():
    def wrong() -> _Face:
        raise ValueError("the picture is fully transparent")

    with pytest.raises(ValueError, match="transparent"):
        first_that_works([("the card", wrong), ("the CPU", _Face)])


@pytest.mark.skipif(cuda_is_there(), reason="here the card draws")
def test_without_a_card_onnx_runtime_draws(weights: Path, image: Pixels, bakes: Path):
    from animator.tha3.exact_onnx import OnnxFace

    assert isinstance(open_exact(weights, image, bakes), OnnxFace)


@pytest.mark.skipif(cuda_is_there(), reason="here the card draws")
def test_where_the_graphs_cannot_be_kept_pytorch_draws(weights: Path, image: Pixels, tmp_path: Path):
    from animator.tha3.exact import ExactFace

    (tmp_path / "cache").write_text("a file where the folder should be")

    assert isinstance(open_exact(weights, image, tmp_path / "cache"), ExactFace)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "no memory left"),
        (
            RuntimeError("CUDA error: device-side assert triggered\nstack"),
            r"stopped answering \(CUDA error: device-side",
        ),
        (RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"), "stopped answering"),
        (TypeError("no"), r"could not be drawn \(no\)"),
    ],
)
def test_a_failure_says_what_happened_and_what_to_do(error: Exception, said: str):
    found = failure(error)

    assert found.remedy
    with pytest.raises(RuntimeError, match=said):
        raise found
