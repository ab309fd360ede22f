"""A character may have mouth shapes of its own: rows of its character.toml over the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from animator.character import CharacterError, load_character
from animator.lipsync import visemes
from animator.lipsync.mouth_track import MouthTrack
from animator.messages import Phone, SpeechClip, SpeechTime
from animator.tha3 import pose as p
from animator.tha3.composer import Composer

HARU = Path(__file__).parents[3] / "characters" / "haru"


def character(folder: Path, text: str) -> Path:
    (folder / "picture.png").write_bytes((HARU / "haru.png").read_bytes())
    (folder / "character.toml").write_text(text, encoding="utf-8")
    return folder


def test_without_rows_the_table_of_the_assets_holds(tmp_path: Path) -> None:
    assert load_character(character(tmp_path, 'name = "Mo"')).mouth_shapes is visemes.TABLE_OF_ASSETS


def test_a_row_changes_its_class_alone_and_only_what_it_names(tmp_path: Path) -> None:
    table = load_character(
        character(tmp_path, "[visemes.aa]\nweights = { A = 0.5, O = 0.2 }\n[visemes.FF]\ngate = 0.8\n")
    ).mouth_shapes

    assert (0.5, 0.0, 0.0, 0.0, 0.2, 0.0) == table.classes["aa"].weights
    assert visemes.CLASSES["aa"].dominance == table.classes["aa"].dominance
    assert table.classes["FF"].gate == 0.8
    assert visemes.CLASSES["FF"].weights == table.classes["FF"].weights
    assert table.classes["E"] is visemes.CLASSES["E"]
    assert table.by_symbol["ɑ"] is table.classes["aa"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("[visemes.xx]\ngate = 1", r"\[visemes.xx\]: there is no such class; there are BV, CH"),
        ("[visemes.SIL]\ndominance = 1", r"\[visemes.SIL\]: there is no such class"),
        ("[visemes.aa]\nipa = ['a']", r"\[visemes.aa\]: knows only weights, gate, dominance"),
        ("[visemes.aa]\nweights = { A = 1.5 }", r"\[visemes.aa\] weight A: w must be a number from 0 to 1"),
        ("[visemes.aa]\nweights = { X = 0.5 }", r"\[visemes.aa\]: weights know only A, I, U"),
        ("[visemes.aa]\nweights = 3", r"\[visemes.aa\]: weights must be a table"),
        ("[visemes.PP]\nweights = { A = 0.5 }", r"\[visemes.PP\]: .*the lips would not shut"),
        ("[visemes.PP]\ngate = 0.5", r"\[visemes.PP\]: .*the lips would not shut"),
        ("[visemes.FF]\ngate = 0.1", r"\[visemes.FF\]: gate must be at least 0.3"),
        ("[visemes.aa]\ncarry_ms = 5", r"\[visemes.aa\]: carry_ms must be a number from 10 to 400"),
        ("visemes = 3", "visemes must be a table"),
        ("[visemes]\naa = 3", r"\[visemes.aa\]: must be a table"),
    ],
)
def test_a_wrong_row_is_refused_by_name(tmp_path: Path, rows: str, words: str) -> None:
    with pytest.raises(CharacterError, match=words):
        load_character(character(tmp_path, rows))


def test_the_mouth_is_drawn_with_the_characters_shapes() -> None:
    table = visemes.TABLE_OF_ASSETS.with_rows({"aa": {"weights": {"O": 0.9}}}, "[")
    phones = (Phone("ˈɑː", 0.1, 0.5),)
    sound = np.full(9600, 0.1, np.float32)
    track = MouthTrack(phones, sound, 16_000, table=table)
    composer = Composer(1, table=table)
    composer.push(SpeechClip(1, 0, sound, 16_000, "", phones, last=True))

    drawn = composer.pose(SpeechTime(1, 0, 0.3), 10.3)[p.MOUTH]

    np.testing.assert_allclose(track.at(0.3), drawn, atol=1e-3)
    assert drawn[4] > 0.7
    assert drawn[0] == 0.0
