"""A photo of a person stands in for the character's face; who speaks, and what is said, stays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import compose
from app.messages import Ask, SwitchCharacter, ToggleHuman
from app.settings import FaceSettings, Settings
from app.settings_file import open_settings
from tests.app.test_show_settings import Studio, refusal

HUMAN = replace(Settings(), face=FaceSettings(mode="human"))


@pytest.fixture
def studio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Studio]:
    made = Studio(monkeypatch, tmp_path)
    made.start()
    yield made
    made.show.stop()


def loads(studio: Studio) -> list[Any]:
    return [Path(call[1]).name for call in studio.made["face"][0].calls if call[0] == "load"]


def test_the_photo_is_seen_and_the_character_goes_on_talking(studio: Studio) -> None:
    studio.bus.gate.put(Ask("Hello?"))
    studio.settle()
    chats, voices = len(studio.made["chat"]), len(studio.made["voice"])

    studio.bus.gate.put(ToggleHuman())
    studio.settle()

    assert ["grace"] == loads(studio)
    assert ("Haru", "human") == (studio.show.character.name, studio.show.settings.face.mode)
    assert (chats, voices) == (len(studio.made["chat"]), len(studio.made["voice"])), "nothing of the talk is made anew"
    assert "Haru" == studio.facts.of("show", "character")[-1].data["name"]
    assert "human" == open_settings(studio.file)[0].face.mode


def test_once_more_and_the_characters_own_face_is_back(studio: Studio) -> None:
    for _ in range(2):
        studio.bus.gate.put(ToggleHuman())
        studio.settle()

    assert ["grace", "haru"] == loads(studio)
    assert "anime" == studio.show.settings.face.mode


def test_another_character_keeps_the_photo(studio: Studio) -> None:
    studio.bus.gate.put(ToggleHuman())
    studio.settle()

    studio.bus.gate.put(SwitchCharacter("rei"))
    studio.settle()

    assert ["grace"] == loads(studio), "what is seen already is not read again"
    assert "Rei" == studio.show.character.name


def test_without_a_photo_it_is_refused_and_nothing_changes(studio: Studio) -> None:
    shutil.rmtree(compose.find_character("grace"))

    studio.bus.gate.put(ToggleHuman())
    studio.settle()

    assert "no photo of a person" in refusal(studio, "face.mode")
    assert ([], "anime") == (loads(studio), studio.show.settings.face.mode)


def test_a_drawing_is_no_photo(studio: Studio) -> None:
    studio.bus.gate.put(ToggleHuman())
    studio.settle()

    studio.set("face.human", "rei")

    assert "not a photo" in refusal(studio, "face.human")
    assert ["grace"] == loads(studio)


def test_on_a_character_that_is_a_photo_there_is_nothing_to_toggle(studio: Studio) -> None:
    studio.bus.gate.put(SwitchCharacter("grace"))
    studio.settle()

    studio.bus.gate.put(ToggleHuman())
    studio.settle()

    assert "anime" == studio.show.settings.face.mode
    assert any("photo already" in str(fact.data.get("problem")) for fact in studio.facts.of("gate", "state"))


def test_at_a_start_the_photo_is_seen_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[Path] = []
    made = Studio.__init__
    studio = Studio.__new__(Studio)
    monkeypatch.setattr(compose, "start_face", lambda bus, chosen, folder, stepped: seen.append(folder))
    made(studio, monkeypatch, tmp_path, HUMAN)
    try:
        assert "grace" == studio.show._shown_folder.name
    finally:
        studio.show.stop()


def test_a_photo_that_has_gone_since_leaves_the_characters_own_face(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wanted = replace(HUMAN, face=replace(HUMAN.face, human="gone"))
    studio = Studio(monkeypatch, tmp_path, wanted)
    try:
        assert "haru" == studio.show._shown_folder.name
        assert "gone" in studio.facts.wait("avatar", "state", state="failed").data["problem"]
    finally:
        studio.show.stop()
