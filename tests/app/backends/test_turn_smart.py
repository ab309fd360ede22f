"""smart-turn on real speech. The expected numbers come from the feature extractor that pipecat-ai 1.14.0 ships."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest

from animator.messages import Samples
from app import compose
from app.audio_file import read_speech
from app.backends.turn_smart import SmartTurnDetector, features
from app.errors import AppError
from app.models import ModelStore

JFK = Path(__file__).parents[2] / "data" / "jfk.flac"


@pytest.fixture(scope="module")
def jfk() -> Samples:
    return read_speech(JFK)


@pytest.fixture(scope="module")
def turn(models: Callable[[str], Path]) -> SmartTurnDetector:
    made = SmartTurnDetector(compose.file_of(models("smart-turn-v3"), ".onnx"))
    made.load()
    return made


def test_the_features_are_those_of_the_training(jfk: Samples) -> None:
    seen = features(jfk[:35_200])

    expected = {
        (0, 0): -0.06036,
        (0, 799): 0.45692,
        (5, 700): 1.17266,
        (20, 650): 0.81293,
        (40, 720): 1.11665,
        (79, 600): -0.06036,
    }
    assert expected == pytest.approx({place: float(seen[place]) for place in expected}, abs=1e-4)
    assert (0.14314, 0.42001) == (pytest.approx(seen.mean(), abs=1e-4), pytest.approx(seen.std(), abs=1e-4))


@pytest.mark.parametrize(("seconds", "expected"), [(1.0, 0.00642), (2.2, 0.71216), (3.75, 0.00618), (11.0, 0.85476)])
def test_the_probability_is_that_of_the_model_s_own_code(
    turn: SmartTurnDetector, jfk: Samples, seconds: float, expected: float
) -> None:
    """1.0 s is inside "fellow", 2.2 s after "Americans", 3.75 s inside "not", 11.0 s after the last word."""
    assert turn.probability(jfk[: round(seconds * 16_000)]) == pytest.approx(expected, abs=5e-4)


def test_only_the_last_8_s_count(turn: SmartTurnDetector, jfk: Samples) -> None:
    assert turn.probability(jfk) == turn.probability(jfk[-128_000:])


def test_loudness_does_not_change_the_verdict(turn: SmartTurnDetector, jfk: Samples) -> None:
    """Its 8-bit weights answer up to 0.11 apart for the same sound at another level; the model's own code does, too."""
    assert turn.probability(jfk * np.float32(0.05)) == pytest.approx(turn.probability(jfk), abs=0.15)


@pytest.mark.parametrize("sound", [np.zeros(0, np.float32), np.zeros(512, np.float32), np.ones(128_000, np.float32)])
def test_sound_without_a_voice_still_gives_a_probability(turn: SmartTurnDetector, sound: Samples) -> None:
    assert 0.0 <= turn.probability(sound) <= 1.0


def test_a_file_that_is_missing_or_broken_is_an_error_to_act_on(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"garbage")
    for path, problem in ((tmp_path / "none.onnx", "is missing"), (broken, "cannot be used")):
        with pytest.raises(AppError, match=problem) as caught:
            SmartTurnDetector(path).load()
        assert "kuchipaku models fetch smart-turn-v3" in caught.value.remedy


@pytest.mark.parametrize(
    ("bands", "answer", "problem"), [(40, 0.5, "expected .batch, 80, 800."), (80, float("nan"), "not a probability")]
)
def test_another_network_is_refused(tmp_path: Path, bands: int, answer: float, problem: str) -> None:
    value = onnx.helper.make_tensor("value", onnx.TensorProto.FLOAT, [1, 1], [answer])
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Constant", [], ["logits"], value=value)],
        "other",
        [onnx.helper.make_tensor_value_info("input_features", onnx.TensorProto.FLOAT, ["n", bands, 800])],
        [onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, [1, 1])],
    )
    opsets = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9), tmp_path / "other.onnx")

    with pytest.raises(AppError, match=problem):
        SmartTurnDetector(tmp_path / "other.onnx").load()


def test_a_query_before_loading_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="not loaded"):
        SmartTurnDetector(tmp_path / "any.onnx").probability(np.zeros(16_000, np.float32))


def test_without_the_model_nobody_is_asked(tmp_path: Path, turn: SmartTurnDetector) -> None:
    from app.models import default_store

    assert compose.turn_detector(ModelStore(tmp_path)) is None
    found = compose.turn_detector(default_store())
    assert found is not None
    assert found.name == turn.name
