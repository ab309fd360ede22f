"""What is changed in a character.toml is changed alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from animator.character import DEFAULT_EXPRESSIONS, Character, load_character
from app.characters.character_file import Texts, add_emotions, paired, save_expression, save_texts
from app.characters.library import Entry, own_copy
from app.errors import AppError
from tests.app.characters import pictures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return own_copy(Entry("Haru", pictures.CHARACTERS / "haru", False), [], tmp_path).path


def texts_of(character: Character) -> Texts:
    return Texts(
        character.name,
        character.persona,
        character.greeting,
        character.fallback_line,
        character.voice,
        character.language,
    )


def toml(folder: Path) -> str:
    return (folder / "character.toml").read_text(encoding="utf-8")


def test_saving_what_is_there_changes_no_byte(folder: Path) -> None:
    before = toml(folder)

    save_texts(folder, texts_of(load_character(folder)))

    assert before == toml(folder)


def test_another_greeting_changes_its_line_alone(folder: Path) -> None:
    before = toml(folder)

    save_texts(folder, replace(texts_of(load_character(folder)), greeting="Good evening."))

    changed = set(before.splitlines()) ^ set(toml(folder).splitlines())
    assert {
        'greeting = "Good evening."',
        'greeting = "Hey! Haru here, mic\'s on. What are we talking about tonight?"',
    } == changed


@pytest.mark.parametrize(
    "persona", ['Say """hello""" and \\n.', "One.\nTwo.\n\nThree.", "日本語 \t tab", "'''", 'ends with "', "\\"]
)
def test_any_persona_comes_back_as_it_was_written(folder: Path, persona: str) -> None:
    saved = save_texts(folder, replace(texts_of(load_character(folder)), persona=persona))

    assert persona.strip() == saved.persona == load_character(folder).persona


def test_a_persona_that_is_too_long_is_refused_and_nothing_changes(folder: Path) -> None:
    before = toml(folder)

    with pytest.raises(AppError, match="9000"):
        save_texts(folder, replace(texts_of(load_character(folder)), persona="a" * 9000))

    assert before == toml(folder)


def test_a_character_needs_a_name(folder: Path) -> None:
    with pytest.raises(AppError, match="no name"):
        save_texts(folder, replace(texts_of(load_character(folder)), name="  "))


def test_a_new_text_lands_above_the_tables(folder: Path) -> None:
    file = folder / "character.toml"
    file.write_text('name = "Haru"\nimage = "picture.png"\n\n[motion]\nliveliness = 0.5\n', encoding="utf-8")

    saved = save_texts(folder, replace(texts_of(load_character(folder)), greeting="Hello."))

    assert ("Hello.", 0.5) == (saved.greeting, saved.motion.liveliness)


def test_an_expression_is_written_and_read_back(folder: Path) -> None:
    saved = save_expression(folder, "happy", {"eye_wink_left": 1.0, "mouth_smirk": 0.5, "head_x": 0.0})

    assert {"eye_wink_left": 1.0, "mouth_smirk": 0.5} == saved.expressions["happy"]
    assert "[expressions.happy]" in toml(folder)


def test_changing_an_expression_again_keeps_the_comments_around_it(folder: Path) -> None:
    file = folder / "character.toml"
    file.write_text(toml(folder) + "\n# My smile.\n[expressions.happy]\neye_wink = 0.5 # a little\nhead_x = 0.1\n")

    saved = save_expression(folder, "happy", {"eye_wink_left": 0.7, "eye_wink_right": 0.7})

    assert {"eye_wink_left": 0.7, "eye_wink_right": 0.7} == saved.expressions["happy"]
    assert "# My smile." in toml(folder)
    assert "eye_wink = 0.7 # a little" in toml(folder)
    assert "head_x" not in toml(folder)


def test_a_new_expression_joins_the_others(folder: Path) -> None:
    save_expression(folder, "happy", {"eye_wink_left": 1.0})

    saved = save_expression(folder, "victory", {"mouth_aaa": 1.0})

    assert {"mouth_aaa": 1.0} == saved.expressions["victory"]
    assert {"eye_wink_left": 1.0} == saved.expressions["happy"]


def test_taking_an_expression_back_brings_the_apps_own(folder: Path) -> None:
    save_expression(folder, "happy", {"eye_wink_left": 1.0})

    saved = save_expression(folder, "happy", None)

    assert DEFAULT_EXPRESSIONS["happy"]["neck_z"] == saved.expressions["happy"]["neck_z"]
    assert not [line for line in toml(folder).splitlines() if line.startswith("[expressions")]


@pytest.mark.parametrize(
    "written", ["expressions.happy.eye_wink = 1.0\n", "expressions = { happy = { eye_wink = 1.0 } }\n"]
)
def test_expressions_written_in_other_ways_can_be_changed_too(folder: Path, written: str) -> None:
    (folder / "character.toml").write_text(f'name = "Haru"\nimage = "picture.png"\n{written}\n', encoding="utf-8")

    saved = save_expression(folder, "sad", {"mouth_smirk": 0.25})

    assert {"mouth_smirk": 0.25} == saved.expressions["sad"]
    assert {"eye_wink_left": 1.0, "eye_wink_right": 1.0} == saved.expressions["happy"]


def test_a_value_that_no_face_has_is_refused(folder: Path) -> None:
    before = toml(folder)

    with pytest.raises(AppError, match="no THA3 parameter"):
        save_expression(folder, "happy", {"eye_laser": 1.0})

    assert before == toml(folder)


def test_equal_sides_are_written_as_one_and_zeros_not_at_all() -> None:
    values = {"eye_wink_left": 0.5, "eye_wink_right": 0.5, "iris_small_left": 0.2, "iris_small_right": 0.0}

    assert {"eye_wink": 0.5, "iris_small_left": 0.2} == paired(values)


def test_emotions_of_another_program_are_taken_in_one_file_after_the_other(folder: Path, tmp_path: Path) -> None:
    joy, pride = tmp_path / "joy.json", tmp_path / "pride.json"
    joy.write_text(json.dumps({"joy": {"mouth_aaa_index": 0.75, "nose": 1}}))
    pride.write_text(json.dumps({"pride": {"pose": {"eye_wink_left_index": 1.0}, "cels": {}}}))

    _, notes = add_emotions(folder, joy)
    character, _ = add_emotions(folder, pride)

    assert any("nose" in note for note in notes)
    assert 0.75 == character.expressions["joy"]["mouth_aaa"]
    assert 1.0 == character.expressions["pride"]["eye_wink_left"]


def test_a_file_without_emotions_changes_nothing(folder: Path, tmp_path: Path) -> None:
    before = toml(folder)
    (tmp_path / "list.json").write_text("[1, 2]")

    with pytest.raises(AppError, match="emotion file"):
        add_emotions(folder, tmp_path / "list.json")

    assert before == toml(folder)
    assert not (folder / "emotions.json").exists()
