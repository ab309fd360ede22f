"""Every setting is kept; what the user wrote stays; what is not understood is put aside and named."""

from __future__ import annotations

import dataclasses
import os
import tomllib
from pathlib import Path

import pytest

from app.errors import AppError
from app.settings import (
    RANGES,
    VERSION,
    Settings,
    load_settings,
    setting_names,
    value_of,
    with_value,
)
from app.settings_file import keep_setting, open_settings
from tests.other_values import other_value


@pytest.mark.parametrize("name", setting_names())
def test_every_setting_goes_through_the_file_and_comes_back(tmp_path: Path, name: str) -> None:
    path, value = tmp_path / "settings.toml", other_value(name)

    keep_setting(path, name, value)

    assert (with_value(Settings(), name, value), None) == open_settings(path)
    assert value == value_of(load_settings(path), name) != value_of(Settings(), name)


def test_all_settings_live_in_one_file(tmp_path: Path) -> None:
    path, wanted = tmp_path / "settings.toml", Settings()
    for name in setting_names():
        wanted = with_value(wanted, name, other_value(name))
        keep_setting(path, name, other_value(name))

    assert wanted == load_settings(path)
    assert VERSION == tomllib.loads(path.read_text(encoding="utf-8"))["version"]


def test_every_number_has_a_range() -> None:
    numbers = [name for name in setting_names() if type(value_of(Settings(), name)) in (int, float)]

    assert sorted(numbers) == sorted(RANGES)


@pytest.mark.parametrize("action", ["talk", "express happy", "haru/express.very happy", 'it\'s "me"'])
def test_the_keys_of_an_action_are_kept_and_taken_away(tmp_path: Path, action: str) -> None:
    path = tmp_path / "settings.toml"

    keep_setting(path, f"keys.bindings.{action}", "Ctrl+Alt+1")
    assert "Ctrl+Alt+1" == load_settings(path).keys.bindings[action]
    keep_setting(path, f"keys.bindings.{action}", "")

    assert "" == value_of(load_settings(path), f"keys.bindings.{action}")


def test_a_character_may_have_no_key_for_what_all_others_have_one_for(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"

    keep_setting(path, "keys.bindings.haru/talk", "")

    assert ("", "Ctrl+Alt+Space") == tuple(load_settings(path).keys.bindings[name] for name in ("haru/talk", "talk"))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "version = 1\n\n[lips]\nmouth_offset_ms = 40\n"),
        (
            "# mine\n[face]\nfps = 60\n",
            "version = 1\n\n# mine\n[face]\nfps = 60\n\n[lips]\nmouth_offset_ms = 40\n",
        ),
        (
            'version = 1\n[lips] # lips\nphonemes = "own"\n\n[face]\nfps = 60\n',
            'version = 1\n[lips] # lips\nphonemes = "own"\nmouth_offset_ms = 40\n\n[face]\nfps = 60\n',
        ),
        (
            "version = 1\n[lips]\n  mouth_offset_ms = -12  # bluetooth\n[face]\nfps = 60",
            "version = 1\n[lips]\n  mouth_offset_ms = 40  # bluetooth\n[face]\nfps = 60",
        ),
        (
            "version = 1\n#mouth_offset_ms = 3\n[lips]\n",
            "version = 1\n#mouth_offset_ms = 3\n[lips]\nmouth_offset_ms = 40\n",
        ),
        ("version = 1\nlips = {mouth_offset_ms = 3}\n", "version = 1\nlips = {mouth_offset_ms = 40}\n"),
        ("version = 1\nlips.mouth_offset_ms = 3\n", "version = 1\nlips.mouth_offset_ms = 40\n"),
    ],
)
def test_one_line_is_written_and_every_other_one_stays(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(before.encode())

    keep_setting(path, "lips.mouth_offset_ms", 40)

    assert after == path.read_bytes().decode()
    assert 40 == load_settings(path).lips.mouth_offset_ms


def test_the_file_and_its_folder_are_made_where_there_are_none(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.toml"

    keep_setting(path, "lips.mouth_offset_ms", -40)

    assert -40 == load_settings(path).lips.mouth_offset_ms
    assert [path] == list(path.parent.iterdir())


def test_a_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    real, path = tmp_path / "dotfiles.toml", tmp_path / "settings.toml"
    real.write_text("[face]\nfps = 60\n", encoding="utf-8")
    path.symlink_to(real)

    keep_setting(path, "voice.speed", 1.5)

    assert path.is_symlink()
    assert (60.0, 1.5) == (load_settings(real).face.fps, load_settings(real).voice.speed)


def test_a_file_that_an_editor_gave_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xef\xbb\xbf[face]\r\nfps = 60\r\n")

    keep_setting(path, "voice.speed", 1.5)

    settings, trouble = open_settings(path)
    assert (60.0, 1.5, None) == (settings.face.fps, settings.voice.speed, trouble)


@pytest.mark.parametrize("before", ["[lips\n", "lips = 3\n", '[voice]\nspeed = "quick"\n', "version = 99\n"])
def test_a_file_that_is_not_understood_is_never_written_over(tmp_path: Path, before: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(before, encoding="utf-8")

    with pytest.raises(AppError) as caught:
        keep_setting(path, "lips.mouth_offset_ms", 40)

    assert "mouth_offset_ms = 40 under [lips]" in caught.value.remedy
    assert before == path.read_text(encoding="utf-8")
    assert [path] == list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(AppError, match="could not be kept"):
        keep_setting(tmp_path / "file" / "settings.toml", "lips.mouth_offset_ms", 40)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("voice.sped", 1.0, "voice.speed"),
        ("voice.speed", 3.0, "0.5 to 2"),
        ("voice.speed", float("nan"), "0.5 to 2"),
        ("voice.speed", True, "must be a float"),
        ("face.tier", "fast", "auto, live, exact"),
        ("stage.colour", "red", "hexadecimal"),
        ("hearing.device", "two\nlines", "one line"),
        ("keys.bindings", "x", "no setting"),
        ("keys.bindings.talk", 3, "must be a str"),
    ],
)
def test_a_value_that_a_setting_cannot_have_is_refused_with_what_would_be_right(
    tmp_path: Path, name: str, value: bool | float | str, says: str
) -> None:
    path = tmp_path / "settings.toml"

    with pytest.raises(AppError) as caught:
        keep_setting(path, name, value)

    assert says in caught.value.problem + caught.value.remedy
    assert not path.exists()


# Damaged files


@pytest.mark.parametrize(
    "damaged", [b"[face\nfps = 60", b"\xff\xfe\x00garbage", b"face = \x00", b'version = 2\n[face]\nfps = "x"\n']
)
def test_a_damaged_or_newer_file_is_kept_aside_and_everything_has_its_default(tmp_path: Path, damaged: bytes) -> None:
    path, aside = tmp_path / "settings.toml", tmp_path / "settings.aside-1.toml"
    path.write_bytes(damaged)

    settings, trouble = open_settings(path)

    assert Settings() == settings
    assert trouble is not None
    assert str(aside) in trouble.problem
    assert damaged == aside.read_bytes()
    assert not path.exists()


def test_of_a_file_with_unknown_and_wrong_entries_the_others_count_and_a_copy_is_kept(tmp_path: Path) -> None:
    path, aside = tmp_path / "settings.toml", tmp_path / "settings.aside-1.toml"
    before = '# mine\n[face]\nfps = 60 # quick\nweight = "x"\n[voice]\nspeed = 9.0\n[plugins]\na = 1\n'
    path.write_text(before, encoding="utf-8")

    settings, trouble = open_settings(path)

    assert (60.0, 1.0) == (settings.face.fps, settings.voice.speed)
    assert trouble is not None
    assert "'face.weight'" in trouble.problem
    assert "2 more" in trouble.problem
    assert str(aside) in trouble.problem
    assert before == aside.read_text(encoding="utf-8")
    assert (settings, None) == open_settings(path)
    assert path.read_text(encoding="utf-8").startswith("# mine\n[face]\nfps = 60 # quick\n")


def test_two_damaged_files_are_both_kept(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    for text in ("[one", "[two"):
        path.write_text(text, encoding="utf-8")
        open_settings(path)

    assert ["[one", "[two"] == [(tmp_path / f"settings.aside-{n}.toml").read_text("utf-8") for n in (1, 2)]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_that_cannot_be_kept_aside_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[one", encoding="utf-8")
    tmp_path.chmod(0o500)
    try:
        settings, trouble = open_settings(path)
    finally:
        tmp_path.chmod(0o700)

    assert Settings() == settings
    assert trouble is not None
    assert "stays as it is" in trouble.problem
    assert "[one" == path.read_text("utf-8")


def test_a_file_of_an_older_version_is_read_and_gets_the_new_number(tmp_path: Path) -> None:
    """Those of before the version was written have none."""
    path = tmp_path / "settings.toml"
    path.write_text('[brain]\nprovider = "local"\n', encoding="utf-8")

    settings, trouble = open_settings(path)
    keep_setting(path, "voice.speed", 1.5)

    assert trouble is None
    assert "local" == settings.brain.provider
    assert path.read_text("utf-8").startswith("version = 1\n")


def test_settings_are_plain_values() -> None:
    """What a setting may be is what a command can carry."""
    kinds = {type(value_of(Settings(), name)) for name in setting_names()}

    assert kinds == {bool, int, float, str}
    assert {field.name for field in dataclasses.fields(Settings)} == {n.split(".")[0] for n in setting_names()}
