"""Where things lie can be chosen by the environment, and nothing is created by asking."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import paths


def test_each_folder_follows_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable, function in (
        ("KUCHIPAKU_DATA", paths.data_dir),
        ("KUCHIPAKU_CACHE", paths.cache_dir),
        ("KUCHIPAKU_CONFIG", paths.config_dir),
    ):
        monkeypatch.setenv(variable, str(tmp_path / "мой カ folder"))
        assert function() == tmp_path / "мой カ folder"
        monkeypatch.setenv(variable, "")
        assert function().name == "kuchipaku"

    assert not (tmp_path / "мой カ folder").exists()


def test_the_models_lie_below_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))

    assert paths.models_dir() == tmp_path / "models"
    assert paths.models_manifest().is_file()
