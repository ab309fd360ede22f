"""A photo of a person becomes somebody who talks, once the user has said that the face may be used."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from app import compose
from app.gui.characters.new_photo import NewPhoto
from app.gui.theme import LIGHT

pytestmark = pytest.mark.gui

WORK_MS = 60_000
FACES = Path(__file__).parents[2] / "data" / "faces"


@pytest.fixture
def page(qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NewPhoto:
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("KUCHIPAKU_CACHE", str(tmp_path / "cache"))
    made = NewPhoto(LIGHT, compose.look_at_photo)
    qtbot.addWidget(made)
    made.show()
    return made


def look(qtbot: Any, page: NewPhoto, file: Path) -> None:
    page.open(file)
    qtbot.waitUntil(lambda: not page._looking.is_busy, timeout=WORK_MS)


def test_it_is_made_only_with_the_word_that_the_face_may_be_used(qtbot: Any, page: NewPhoto) -> None:
    look(qtbot, page, FACES / "grace_hopper.jpg")
    assert not page.create_button.isEnabled()
    qtbot.mouseClick(page.consent, Qt.MouseButton.LeftButton)

    with qtbot.waitSignal(page.made, timeout=WORK_MS) as made:
        qtbot.mouseClick(page.create_button, Qt.MouseButton.LeftButton)

    (entry,) = made.args
    assert "grace hopper" == entry.name
    written = tomllib.loads((entry.path / "character.toml").read_text())
    assert written["consent"] is True
    assert compose.character_of(entry.path).ai_mark


def test_the_word_for_one_photo_is_not_one_for_the_next(qtbot: Any, page: NewPhoto) -> None:
    look(qtbot, page, FACES / "grace_hopper.jpg")
    qtbot.mouseClick(page.consent, Qt.MouseButton.LeftButton)

    look(qtbot, page, FACES / "eileen_collins.jpg")

    assert not page.consent.isChecked()
    assert not page.create_button.isEnabled()


def test_what_holds_no_face_is_refused_in_a_sentence(qtbot: Any, page: NewPhoto) -> None:
    look(qtbot, page, Path("characters") / "haru" / "no such.png")

    assert page.trouble.text()
    assert not page.consent.isEnabled()
    assert not page.create_button.isEnabled()
