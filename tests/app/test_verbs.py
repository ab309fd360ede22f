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
