"""Characters of the user's own: made whole or not at all, under names that nobody else has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animator.character import DEFAULT_GREETING, load_character
from app.characters.library import Draft, Entry, create, entries, own_copy, own_root, remove
from app.errors import AppError
from tests.app.characters import pictures

HARU = Entry("Haru", pictures.CHARACTERS / "haru", False)


def draft(name: str = "Mika", **changes: object) -> Draft:
    return Draft(name, pictures.pixels_of(pictures.art()), **changes)  # type: ignore[arg-type]


def listed(own: Path) -> list[Entry]:
    return entries(pictures.CHARACTERS, own)


def test_a_draft_becomes_a_character_that_loads(tmp_path: Path) -> None:
    made = create(draft(persona="You are Mika.\nYou like tea.", greeting="Hi there."), [], tmp_path)

    character = load_character(made.path)
    assert ("Mika", "You are Mika.\nYou like tea.", "Hi there.") == (
        character.name,
        character.persona,
        character.greeting,
    )
    assert made.is_own


def test_texts_that_are_left_empty_are_those_that_every_character_has(tmp_path: Path) -> None:
    made = create(draft(), [], tmp_path)

    assert DEFAULT_GREETING.format(name="Mika") == load_character(made.path).greeting


def test_large_art_is_kept_beside_the_small_one(tmp_path: Path) -> None:
    made = create(draft(large=pictures.pixels_of(pictures.art(side_px=1024))), [], tmp_path)

    large = load_character(made.path).large
    assert large is not None
    assert (1024, 1024, 4) == large.shape


def test_a_second_character_of_a_name_gets_a_number(tmp_path: Path) -> None:
    first = create(draft("Haru"), listed(tmp_path), tmp_path)
    second = create(draft("Haru"), listed(tmp_path), tmp_path)

    assert ["Haru 2", "Haru 3"] == [first.name, second.name]
    assert len({each.key for each in listed(tmp_path)}) == len(listed(tmp_path))


def test_a_picture_that_cannot_be_used_leaves_nothing_behind(tmp_path: Path) -> None:
    empty = Draft("Nobody", np.zeros((512, 512, 4), dtype=np.uint8))

    with pytest.raises(AppError, match="empty"):
        create(empty, [], tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(AppError, match="cannot be written"):
        create(draft(), [], tmp_path / "file")


@pytest.mark.parametrize("name", ["../../etc", "con", "日本語の名前", "a/b\\c", '"""', "\u202e"])
def test_whatever_a_character_is_called_its_folder_lies_where_it_should(name: str, tmp_path: Path) -> None:
    made = create(draft(name), [], tmp_path)

    assert tmp_path == made.path.parent
    assert made.path.is_dir()


def test_what_comes_with_the_app_is_copied_before_it_is_changed(tmp_path: Path) -> None:
    before = (HARU.path / "character.toml").read_bytes()

    copy = own_copy(HARU, listed(tmp_path), tmp_path)

    assert ("Haru 2", True) == (copy.name, copy.is_own)
    assert load_character(HARU.path).persona == load_character(copy.path).persona
    assert b"# Said to break a silence" in (copy.path / "character.toml").read_bytes()
    assert before == (HARU.path / "character.toml").read_bytes()


def test_a_single_png_is_copied_to_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "drawn.png"
    file.write_bytes(pictures.png(pictures.art()))

    copy = own_copy(Entry("drawn", file, False), [], tmp_path / "own")

    assert "drawn" == load_character(copy.path).name


def test_ones_own_is_not_copied(tmp_path: Path) -> None:
    made = create(draft(), [], tmp_path)

    assert made is own_copy(made, [], tmp_path)


def test_a_folder_in_the_making_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / ".making-1").mkdir()
    (tmp_path / ".making-1" / "character.toml").write_text('name = "Half"')

    assert "Half" not in [each.name for each in listed(tmp_path)]


def test_ones_own_are_told_from_those_that_come_with_the_app(tmp_path: Path) -> None:
    create(draft(), [], tmp_path)

    assert {"Haru": False, "Rei": False, "Mika": True} == {each.name: each.is_own for each in listed(tmp_path)}


def test_a_removed_character_is_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))
    kept = []
    for _ in range(2):
        made = create(draft(), [], own_root())
        kept.append(remove(made))

    assert ["mika", "mika-2"] == [folder.name for folder in kept]
    assert "Mika" == load_character(kept[0]).name
    assert [] == [each for each in entries() if each.is_own]


def test_what_comes_with_the_app_is_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))

    for entry in (HARU, Entry("Haru", HARU.path, True)):
        with pytest.raises(AppError, match="no character of your own"):
            remove(entry)

    assert HARU.path.is_dir()
