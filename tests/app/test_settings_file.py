"""One setting is kept; what the user wrote stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import AppError
from app.settings import load_settings
from app.settings_file import keep_setting


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "[lips]\nmouth_offset_ms = 40\n"),
        ("# mine\n[face]\nfps = 60\n", "# mine\n[face]\nfps = 60\n\n[lips]\nmouth_offset_ms = 40\n"),
        (
            '[lips] # lips\nphonemes = "own"\n[face]\nfps = 60\n',
            '[lips] # lips\nmouth_offset_ms = 40\nphonemes = "own"\n[face]\nfps = 60\n',
        ),
        (
            "[lips]\n  mouth_offset_ms = -12  # bluetooth\n[face]\nfps = 60",
            "[lips]\n  mouth_offset_ms = 40  # bluetooth\n[face]\nfps = 60\n",
        ),
        ("#mouth_offset_ms = 3\n[lips]\n", "#mouth_offset_ms = 3\n[lips]\nmouth_offset_ms = 40\n"),
    ],
)
def test_one_line_is_written_and_every_other_one_stays(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(before, encoding="utf-8")

    keep_setting(path, "lips", "mouth_offset_ms", 40)

    assert after == path.read_text(encoding="utf-8")
    assert 40 == load_settings(path).lips.mouth_offset_ms


def test_the_file_and_its_folder_are_made_where_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"

    keep_setting(path, "lips", "mouth_offset_ms", -40)

    assert -40 == load_settings(path).lips.mouth_offset_ms
    assert [path] == list(path.parent.iterdir())


@pytest.mark.parametrize(
    "before",
    [
        "[lips\n",
        "lips = {mouth_offset_ms = 3}\n",
        "lips.mouth_offset_ms = 3\n",
        "lips = 3\n",
        'a = """\n[lips]\n"""\n',
    ],
)
def test_a_file_that_is_written_otherwise_stays_as_it_is_and_the_user_is_told_what_to_write(
    tmp_path: Path, before: str
) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(before, encoding="utf-8")

    with pytest.raises(AppError) as caught:
        keep_setting(path, "lips", "mouth_offset_ms", 40)

    assert "mouth_offset_ms = 40 under [lips]" in caught.value.remedy
    assert before == path.read_text(encoding="utf-8")
    assert [path] == list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(AppError, match="could not be kept"):
        keep_setting(tmp_path / "file" / "settings.toml", "lips", "mouth_offset_ms", 40)
