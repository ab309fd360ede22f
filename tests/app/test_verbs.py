from __future__ import annotations

from pathlib import Path

import pytest

from app import verbs
from app.errors import AppError


def test_a_film_with_an_unknown_emotion_is_refused_before_anything_loads(tmp_path: Path) -> None:
    request = verbs.FilmRequest(tmp_path / "film.mp4", "haru", None, "glee")

    with pytest.raises(AppError) as refused:
        verbs.say("Hello.", request, lambda what, share: None)

    assert "no emotion called 'glee'" in refused.value.problem
    assert "admiration" in refused.value.remedy
    assert not (tmp_path / "film.mp4").exists()


def test_bench_runs_a_benchmark_with_its_own_options_and_returns_its_status(capfd: pytest.CaptureFixture[str]) -> None:
    assert 0 == verbs.bench("face", ["--help"])
    assert "--no-reference" in capfd.readouterr().out
    assert 0 != verbs.bench("face", ["--no-such-option"])


def test_an_unknown_benchmark_is_named_with_those_there_are() -> None:
    with pytest.raises(AppError, match="sky") as caught:
        verbs.bench("../sky", [])

    assert "frame_clock" in caught.value.remedy
