"""Which weights draw the face: those that come with the app, or the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import compose
from app.errors import AppError
from app.settings import FaceSettings, Settings

FILES = ("eyebrow_decomposer", "eyebrow_morphing_combiner", "face_morpher", "two_algo_face_body_rotator", "editor")


def chosen(weights: str) -> Settings:
    return Settings(face=FaceSettings(weights=weights))


def test_without_a_setting_the_weights_that_come_with_the_app_draw(models):
    assert models("tha3-separable-float") == compose.weights(Settings())


def test_a_folder_with_the_five_files_draws(tmp_path: Path):
    for name in FILES:
        (tmp_path / f"{name}.pt").write_bytes(b"weights")

    assert tmp_path == compose.weights(chosen(str(tmp_path)))


def test_a_folder_that_lacks_a_file_is_refused_with_its_name(tmp_path: Path):
    for name in FILES[:-1]:
        (tmp_path / f"{name}.pt").write_bytes(b"weights")

    with pytest.raises(AppError, match=r"lacks editor\.pt") as caught:
        compose.weights(chosen(str(tmp_path)))
    assert "All five files of one variant" in caught.value.remedy


def test_a_variant_that_was_not_added_says_how_to_add_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))

    with pytest.raises(AppError, match="has not been added") as caught:
        compose.weights(chosen("tha3-standard-half"))
    assert "kuchipaku models add tha3-standard-half FOLDER" in caught.value.remedy


def test_a_name_that_nobody_knows_is_refused_with_those_there_are():
    with pytest.raises(AppError, match="neither a folder nor one of tha3-separable-float, tha3-separable-half"):
        compose.weights(chosen("tha3-huge"))
