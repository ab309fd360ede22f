"""A photo of a person stands in for the character's face; who speaks, and what is said, stays."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app import compose
from app.bus import Bus
from app.face import HeldFacts
from app.messages import Ask, SwitchCharacter, ToggleHuman
from app.settings import FaceSettings, Settings
from app.settings_file import open_settings
from tests.app.test_show_settings import FakeFace, Studio, refusal

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


def test_musetalk_is_refused_by_name_where_its_files_are_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    next_face = compose.next_face
    studio = Studio(monkeypatch, tmp_path)
    monkeypatch.setattr(compose, "next_face", next_face)
    studio.start()
    try:
        studio.set("face.human_engine", "musetalk")

        assert "there is no folder" in refusal(studio, "face.human_engine")
        studio.set("face.musetalk_weights", str(tmp_path))
        assert "lacks MuseTalk's UNet, musetalkV15/unet.pth" in refusal(studio, "face.musetalk_weights")
        assert "puppet" == studio.show.settings.face.human_engine
        assert 1 == len(studio.made["face"]), "the face that is seen goes on"
    finally:
        studio.show.stop()


def test_what_turns_out_only_on_reading_the_files_is_refused_too(
    monkeypatch: pytest.MonkeyPatch, studio: Studio
) -> None:
    studio.bus.gate.put(SwitchCharacter("grace"))
    studio.settle()

    def next_face(bus: Bus, chosen: Settings, folder: Path) -> tuple[FakeFace, HeldFacts]:
        held = HeldFacts(bus)
        problem = "unet.pth does not fit."
        held.emit("avatar", "state", state="ready", label="Face (photo puppet)", problem=problem, remedy="Fetch it.")
        return FakeFace(), held

    monkeypatch.setattr(compose, "next_face", next_face)
    studio.set("face.human_engine", "musetalk")

    assert "unet.pth does not fit." == refusal(studio, "face.human_engine")
    assert "puppet" == studio.show.settings.face.human_engine
    studio.set("face.fps", 25.0)
    assert 25.0 == studio.show.settings.face.fps, "other settings of the face are not held up by it"


def test_the_settings_reach_the_faces_process(models: Any, tmp_path: Path) -> None:
    wanted = FaceSettings(human_engine="musetalk", musetalk_quality="fast", musetalk_weights=str(tmp_path))

    options = compose.face_options(replace(Settings(), face=wanted), stepped=False)
    by_itself = compose.face_options(Settings(), stepped=False)

    assert ("musetalk", "fast", tmp_path) == (
        options.engine,
        options.musetalk_quality,
        options.musetalk_weights,
    )
    assert ("tha3", "musetalk") == (by_itself.engine, by_itself.musetalk_weights.name)
