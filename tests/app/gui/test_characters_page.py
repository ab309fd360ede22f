"""The page of the characters, as somebody uses it who has a picture and no wish to touch a file."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from animator.character import EYES_Y, find_face, load_character
from app.characters.art import Placement
from app.characters.kuchi_file import export_character
from app.gui.characters.expression_editor import ExpressionEditor
from app.gui.pages.characters_page import CharactersPage
from app.messages import (
    Command,
    Frame,
    ListCharacters,
    PreviewPose,
    Say,
    SwitchCharacter,
    TryPersona,
)
from tests.app.characters import pictures
from tests.app.gui.watchdog import HELD_UP_MS, Watchdog

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui

WORK_MS = 60_000
"""What is waited for is work on another thread, on a machine that may be busy."""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the user's own characters."""
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))
    return tmp_path / "characters"


@pytest.fixture
def page(own: Path, rig: Rig) -> CharactersPage:
    shown = rig.window.show_page("characters")
    assert isinstance(shown, CharactersPage)
    rig.qtbot.waitUntil(lambda: len(shown.gallery.cards) >= 2, timeout=WORK_MS)
    rig.commands()
    return shown


def click(rig: Rig, widget: QWidget) -> None:
    assert widget.isVisible(), "nobody can click what is not seen"
    assert widget.isEnabled(), "a click on this would do nothing"
    rig.qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def choose(rig: Rig, page: CharactersPage, name: str) -> None:
    card = next(card for card in page.gallery.cards if card.entry.name == name)
    rig.qtbot.waitUntil(card.isVisible, timeout=WORK_MS)
    click(rig, card)


def card_names(page: CharactersPage) -> list[str]:
    return [card.entry.name for card in page.gallery.cards]


def a_picture(folder: Path, name: str = "mika.png") -> Path:
    file = folder / name
    picture = pictures.pasted(pictures.art(), (900, 1000), 1.3, (120, 330), pictures.plain((250, 230, 220)))
    file.write_bytes(pictures.png(picture))
    return file


def answers_dialog(monkeypatch: pytest.MonkeyPatch, kind: str, file: Path) -> None:
    monkeypatch.setattr(QFileDialog, kind, lambda *args, **options: (str(file), ""))


# The gallery


def test_a_picture_becomes_a_talking_character_in_five_clicks(
    rig: Rig, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than here would still be allowed; a name, a placement and a cut-out are there to be corrected."""
    clicks = 0

    def counted(widget: QWidget) -> None:
        nonlocal clicks
        clicks += 1
        click(rig, widget)

    file = a_picture(tmp_path)

    def dialog(*args: object, **options: object) -> tuple[str, str]:
        nonlocal clicks
        clicks += 2  # the file, and Open
        return str(file), ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", dialog)
    counted(next(button for button in rig.window.rail.buttons if button.name == "characters"))
    page = rig.window.page
    assert isinstance(page, CharactersPage)
    rig.qtbot.waitUntil(lambda: page.gallery.new.isVisible(), timeout=WORK_MS)
    counted(page.gallery.new)
    rig.qtbot.waitUntil(lambda: page.new.create_button.isEnabled(), timeout=WORK_MS)
    rig.commands()
    counted(page.new.create_button)
    commands: list[Command] = []

    def has_spoken() -> bool:
        commands.extend(rig.commands())
        return any(isinstance(each, Say) for each in commands)

    rig.qtbot.waitUntil(has_spoken, timeout=WORK_MS)

    made = own / "mika"
    assert 5 == clicks
    assert SwitchCharacter(str(made)) in commands
    assert ListCharacters() in commands
    assert Say(load_character(made).greeting) == commands[-1]
    rig.qtbot.waitUntil(lambda: "mika" in card_names(page), timeout=WORK_MS)
    face = find_face(load_character(made).image)
    assert face is not None
    assert abs(face.eyes_y - EYES_Y) < 12


def test_the_one_on_stage_moves_and_the_others_are_still(page: CharactersPage, rig: Rig) -> None:
    rig.tell("avatar", "character", name="rei")
    rig.frames.show(1)

    rig.qtbot.waitUntil(lambda: any(card.is_live for card in page.gallery.cards), timeout=WORK_MS)

    assert ["Rei"] == [card.entry.name for card in page.gallery.cards if card.is_live]
    assert ["Rei"] == [card.entry.name for card in page.gallery.cards if card.is_on_stage]


def test_a_hidden_gallery_asks_for_no_frames(page: CharactersPage, rig: Rig) -> None:
    assert page.gallery._timer.isActive()

    rig.window.show_page("stage")

    assert not page.gallery._timer.isActive()


def test_two_clicks_put_a_character_on_stage(page: CharactersPage, rig: Rig) -> None:
    choose(rig, page, "Rei")
    click(rig, page.gallery.to_stage)

    assert [SwitchCharacter(str(pictures.CHARACTERS / "rei"))] == rig.commands()


def test_who_is_put_on_stage_is_shown_there_before_the_face_is_baked(page: CharactersPage, rig: Rig) -> None:
    choose(rig, page, "Rei")
    click(rig, page.gallery.to_stage)

    assert ["Rei"] == [card.entry.name for card in page.gallery.cards if card.is_on_stage]


def test_who_cannot_come_on_stage_is_not_shown_there(page: CharactersPage, rig: Rig) -> None:
    choose(rig, page, "Rei")
    click(rig, page.gallery.to_stage)

    rig.tell("gate", "state", state="failed", label="SwitchCharacter", problem="It is damaged.", remedy="Mend it.")

    assert ["Haru"] == [card.entry.name for card in page.gallery.cards if card.is_on_stage]


def test_a_card_is_opened_by_a_double_click_and_by_enter(page: CharactersPage, rig: Rig) -> None:
    card = next(card for card in page.gallery.cards if card.entry.name == "Rei")
    click(rig, card)
    rig.qtbot.mouseDClick(card, Qt.MouseButton.LeftButton)
    rig.qtbot.keyClick(card, Qt.Key.Key_Return)

    assert [SwitchCharacter(str(pictures.CHARACTERS / "rei"))] * 2 == rig.commands()


def test_how_far_the_face_is_prepared_is_shown_until_it_is_ready(page: CharactersPage, rig: Rig) -> None:
    rig.tell("avatar", "progress", what="learning the mouth", share=0.42)
    assert page.gallery.progress.isVisible()
    assert "Learning the mouth: 42 %" == page.gallery.what.text()

    rig.tell("avatar", "progress", what="Face ready", share=1.0)
    assert not page.gallery.progress.isVisible()


def test_what_comes_with_the_app_cannot_be_removed(page: CharactersPage, rig: Rig) -> None:
    choose(rig, page, "Rei")

    assert not page.gallery.remove.isEnabled()
    assert "copy of your own" in page.gallery.about.text()


def test_a_dropped_picture_begins_a_new_character(page: CharactersPage, rig: Rig, tmp_path: Path) -> None:
    drop(page, a_picture(tmp_path))

    assert page.stack.currentWidget() is page.new
    rig.qtbot.waitUntil(lambda: page.new.create_button.isEnabled(), timeout=WORK_MS)


def drop(page: CharactersPage, file: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    page.dropEvent(event)


def test_a_character_goes_out_as_one_file_and_comes_back(
    page: CharactersPage, rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rei.kuchi"
    answers_dialog(monkeypatch, "getSaveFileName", file)
    choose(rig, page, "Rei")
    click(rig, page.gallery.export)
    rig.qtbot.waitUntil(lambda: "rei.kuchi" in page.gallery.news.text(), timeout=WORK_MS)

    answers_dialog(monkeypatch, "getOpenFileName", file)
    click(rig, page.gallery.take_in)

    rig.qtbot.waitUntil(lambda: "Rei 2" in card_names(page), timeout=WORK_MS)
    assert page.gallery.chosen is not None
    assert "Rei 2" == page.gallery.chosen.name


def test_a_character_card_is_imported_too(page: CharactersPage, rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "card.json").write_text(json.dumps({"name": "Haru", "description": "A baker.", "first_mes": "Hi!"}))

    drop(page, tmp_path / "card.json")

    rig.qtbot.waitUntil(lambda: "Haru 2" in card_names(page), timeout=WORK_MS)
    assert "another stands in" in page.gallery.news.text()


def test_a_file_that_is_refused_says_why(page: CharactersPage, rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "bad.kuchi").write_bytes(b"PK\x03\x04 and nothing more")

    page.take_in(tmp_path / "bad.kuchi")

    rig.qtbot.waitUntil(lambda: "damaged" in page.gallery.news.text(), timeout=WORK_MS)
    assert ["Haru", "Rei"] == card_names(page)


def test_ones_own_character_is_removed_and_its_folder_kept(page: CharactersPage, rig: Rig, tmp_path: Path) -> None:
    export_character(pictures.CHARACTERS / "rei", tmp_path / "rei.kuchi")
    page.take_in(tmp_path / "rei.kuchi")
    rig.qtbot.waitUntil(lambda: "Rei 2" in card_names(page), timeout=WORK_MS)
    choose(rig, page, "Rei 2")
    entry = page.gallery.chosen
    assert entry is not None
    assert page.gallery.remove.isEnabled()

    page.remove(entry)

    rig.qtbot.waitUntil(lambda: "Rei 2" not in card_names(page), timeout=WORK_MS)
    assert not entry.path.exists()
    assert (tmp_path / "removed characters" / "rei-2" / "character.toml").is_file()


# A new one


def opened(rig: Rig, page: CharactersPage, file: Path) -> None:
    page.make_new(file)
    rig.qtbot.waitUntil(lambda: page.new._prepared is not None and not page.new._checking.is_busy, timeout=WORK_MS)


def test_a_shut_mouth_is_said_before_the_character_is_made(page: CharactersPage, rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "shut.png").write_bytes(pictures.png(pictures.with_closed_mouth()))

    opened(rig, page, tmp_path / "shut.png")

    assert "open mouth" in page.new.mouth.text()
    assert page.new.create_button.isEnabled()


def test_a_picture_without_a_face_cannot_be_made_a_character(page: CharactersPage, rig: Rig, tmp_path: Path) -> None:
    pixels = np.zeros((600, 600, 4), dtype=np.uint8)
    pixels[100:, 200:400] = (200, 120, 90, 255)
    (tmp_path / "none.png").write_bytes(pictures.png(pictures.Image.fromarray(pixels)))

    opened(rig, page, tmp_path / "none.png")

    assert "No face" in page.new.head.text()
    assert not page.new.create_button.isEnabled()


def test_a_file_that_is_no_picture_says_so(page: CharactersPage, rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")

    page.make_new(tmp_path / "text.png")

    rig.qtbot.waitUntil(lambda: "no picture" in page.new.trouble.text(), timeout=WORK_MS)
    assert not page.new.create_button.isEnabled()


def test_the_art_is_moved_by_mouse_wheel_and_keys(page: CharactersPage, rig: Rig, tmp_path: Path) -> None:
    opened(rig, page, a_picture(tmp_path))
    view = page.new.view
    view.place(Placement(1.0, 0.0, 0.0))
    middle = view.rect().center()

    rig.qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=middle)
    rig.qtbot.mouseMove(view, middle + QPoint(30, 12))
    rig.qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=middle + QPoint(30, 12))
    ratio = view._per_px()
    assert pytest.approx((30 / ratio, 12 / ratio)) == (view.placement.left, view.placement.top)

    view.place(Placement(1.0, 0.0, 0.0))
    rig.qtbot.keyClick(view, Qt.Key.Key_Right)
    rig.qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert Placement(1.0, 1.0, 10.0) == view.placement

    at = QPointF(middle)
    wheel = QWheelEvent(
        at,
        view.mapToGlobal(at),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view, wheel)
    assert view.placement.scale > 1.0
    assert not page.new.create_button.isEnabled(), "where it lies now has not been looked at yet"


def test_escape_goes_back_and_makes_nothing(page: CharactersPage, rig: Rig, own: Path, tmp_path: Path) -> None:
    opened(rig, page, a_picture(tmp_path))

    rig.qtbot.keyClick(page.new.view, Qt.Key.Key_Escape)

    assert page.stack.currentWidget() is page.gallery
    assert not own.exists()


# Who it is


def persona_of(rig: Rig, page: CharactersPage, name: str) -> None:
    choose(rig, page, name)
    click(rig, page.gallery.persona)
    rig.qtbot.waitUntil(page.persona.persona.isEnabled, timeout=WORK_MS)


def test_saving_a_character_of_the_app_makes_a_copy_of_ones_own(page: CharactersPage, rig: Rig, own: Path) -> None:
    before = (pictures.CHARACTERS / "rei" / "character.toml").read_bytes()
    persona_of(rig, page, "Rei")
    assert "copy of your own" in page.persona.copies.text()
    page.persona.greeting.setText("Good night.")

    click(rig, page.persona.save)
    rig.qtbot.waitUntil(lambda: "Rei 2" in card_names(page), timeout=WORK_MS)

    assert "Good night." == load_character(own / "rei-2").greeting
    assert before == (pictures.CHARACTERS / "rei" / "character.toml").read_bytes()
    assert [ListCharacters()] == rig.commands(), "Rei was not on stage, so nobody comes on"


def test_who_is_changed_on_stage_comes_on_anew(page: CharactersPage, rig: Rig, own: Path) -> None:
    rig.tell("avatar", "character", name="rei")
    persona_of(rig, page, "Rei")
    page.persona.persona.setPlainText("You are Rei and you whisper.")

    click(rig, page.persona.save)
    rig.qtbot.waitUntil(lambda: page.stack.currentWidget() is page.gallery, timeout=WORK_MS)

    assert SwitchCharacter(str(own / "rei-2")) in rig.commands()


def test_a_persona_that_is_too_long_is_refused_beside_it(page: CharactersPage, rig: Rig) -> None:
    persona_of(rig, page, "Rei")

    page.persona.persona.setPlainText("a" * 8001)
    assert "8000" in page.persona.trouble.text()
    assert not page.persona.save.isEnabled()

    page.persona.persona.setPlainText("a" * 8000)
    assert not page.persona.trouble.isVisible()
    assert page.persona.save.isEnabled()


def test_the_try_out_asks_as_the_persona_that_is_written_and_keeps_its_own_talk(page: CharactersPage, rig: Rig) -> None:
    persona_of(rig, page, "Rei")
    page.persona.persona.setPlainText("You are a pirate.")
    chat = page.persona.chat
    chat.field.setText("Hi")
    rig.qtbot.keyClick(chat.field, Qt.Key.Key_Return)
    (asked,) = rig.commands()
    assert isinstance(asked, TryPersona)
    assert TryPersona(asked.number, "You are a pirate.", "Hi") == asked

    rig.tell("brain", "tried", number=asked.number, text="Ahoy.", done=False)
    rig.tell("brain", "tried", number=asked.number - 1, text="of an older question", done=True)
    rig.tell("brain", "tried", number=asked.number, text="Ahoy. What now?", done=True)
    assert ["Hi", "Ahoy. What now?"] == [bubble.text.toPlainText() for bubble in chat.bubbles]

    chat.field.setText("Sail")
    click(rig, chat.send)
    before = (("Hi", "Ahoy. What now?"),)
    assert [TryPersona(asked.number + 1, "You are a pirate.", "Sail", before)] == rig.commands()


def test_the_try_out_says_where_nobody_can_answer_and_ends_with_the_page(page: CharactersPage, rig: Rig) -> None:
    persona_of(rig, page, "Rei")
    chat = page.persona.chat
    chat.field.setText("Hi")
    click(rig, chat.send)
    (asked,) = rig.commands()
    assert isinstance(asked, TryPersona)
    rig.tell("brain", "tried", number=asked.number, text="", done=True, problem="No key.", remedy="Set one.")
    assert "No key. Set one." == chat.trouble.text()

    click(rig, page.persona.back)

    assert [TryPersona(0, "", "")] == rig.commands()
    assert [] == chat.bubbles


# Expressions


@pytest.fixture
def editor(page: CharactersPage, rig: Rig) -> ExpressionEditor:
    rig.tell("avatar", "character", name="rei")
    choose(rig, page, "Rei")
    click(rig, page.gallery.expressions)
    rig.qtbot.waitUntil(page.expressions.names.isEnabled, timeout=WORK_MS)
    rig.commands()
    return page.expressions


def test_the_first_click_on_expressions_never_holds_the_window_up(own: Path, make_rig: Callable[..., Rig]) -> None:
    """What the window itself does takes the same time in each of three windows; what a busy machine adds does not."""
    longest_ms: list[float] = []
    while len(longest_ms) < 3 and min(longest_ms, default=math.inf) >= HELD_UP_MS:
        rig = make_rig()
        page = rig.window.show_page("characters")
        assert isinstance(page, CharactersPage)
        rig.qtbot.waitUntil(lambda page=page: len(page.gallery.cards) >= 2, timeout=WORK_MS)
        choose(rig, page, "Haru")
        rig.qtbot.wait(300)
        watchdog = Watchdog(time.thread_time)
        click(rig, page.gallery.expressions)
        rig.qtbot.waitUntil(page.expressions.names.isEnabled, timeout=WORK_MS)
        rig.qtbot.wait(100)
        watchdog.stop()
        assert 45 == len(page.expressions.sliders)
        rig.window.close()
        longest_ms.append(watchdog.longest_ms)

    assert min(longest_ms) < HELD_UP_MS, longest_ms


def newest_preview(rig: Rig, is_it: Callable[[dict[str, float]], bool]) -> None:
    """Wait for a preview that is as wanted."""
    rig.qtbot.waitUntil(
        lambda: any(
            isinstance(each, PreviewPose) and each.values is not None and is_it(dict(each.values))
            for each in rig.commands()
        ),
        timeout=WORK_MS,
    )


def test_there_is_a_slider_for_each_of_the_45_parameters(editor: ExpressionEditor) -> None:
    assert 45 == len(editor.sliders)
    assert 45 == len({slider.slider.accessibleName() for slider in editor.sliders.values()})


def test_a_moved_slider_is_seen_on_the_face_with_its_other_side(editor: ExpressionEditor, rig: Rig) -> None:
    slider = editor.sliders["eye_wink_left"].slider
    slider.setFocus()
    rig.qtbot.keyClick(slider, Qt.Key.Key_End)

    newest_preview(rig, lambda values: values["eye_wink_left"] == values["eye_wink_right"] == 1.0)
    assert editor.save.isEnabled()


def test_sides_can_be_moved_apart(editor: ExpressionEditor, rig: Rig) -> None:
    editor.sides.setChecked(False)
    slider = editor.sliders["eye_wink_left"].slider
    slider.setFocus()
    rig.qtbot.keyClick(slider, Qt.Key.Key_End)

    newest_preview(rig, lambda values: (values["eye_wink_left"], values["eye_wink_right"]) == (1.0, 0.0))


def test_leaving_gives_the_face_back(editor: ExpressionEditor, page: CharactersPage, rig: Rig) -> None:
    newest_preview_is_sent = editor.sliders["mouth_aaa"].slider
    newest_preview_is_sent.setValue(50)
    newest_preview(rig, lambda values: values["mouth_aaa"] == 0.5)

    rig.window.show_page("stage")

    assert PreviewPose(None) in rig.commands()


def test_a_saved_expression_is_in_the_copy_and_on_stage(
    editor: ExpressionEditor, page: CharactersPage, rig: Rig, own: Path
) -> None:
    editor.sliders["mouth_aaa"].slider.setValue(50)

    click(rig, editor.save)
    rig.qtbot.waitUntil(lambda: "Rei 2" in card_names(page), timeout=WORK_MS)

    assert 0.5 == load_character(own / "rei-2").expressions["happy"]["mouth_aaa"]
    assert SwitchCharacter(str(own / "rei-2")) in rig.commands()
    rig.qtbot.waitUntil(lambda: "Rei 2" in editor.title.text() and editor.names.isEnabled(), timeout=WORK_MS)
    assert not editor.is_changed


def test_a_new_expression_begins_as_the_one_that_is_shown(editor: ExpressionEditor, rig: Rig, own: Path) -> None:
    smile = editor.values

    editor.add("Big Smile")
    assert ("big_smile", smile) == (editor.chosen, editor.values)
    click(rig, editor.save)

    rig.qtbot.waitUntil(lambda: "Rei 2" in editor.title.text() and editor.names.isEnabled(), timeout=WORK_MS)
    saved = load_character(own / "rei-2").expressions["big_smile"]
    assert {name: value for name, value in smile.items() if value} == saved


@pytest.mark.parametrize("name", ["", "1st", "grin!", "笑"])
def test_a_name_that_a_file_could_not_hold_is_refused(editor: ExpressionEditor, name: str) -> None:
    editor.add(name)

    assert "cannot be used" in editor.trouble.text()


def test_emotions_of_another_program_are_imported(
    editor: ExpressionEditor, rig: Rig, own: Path, tmp_path: Path
) -> None:
    (tmp_path / "joy.json").write_text(json.dumps({"joy": {"mouth_aaa_index": 0.75, "nose": 1}}))

    editor.import_file(tmp_path / "joy.json")

    rig.qtbot.waitUntil(lambda: "nose" in editor.trouble.text(), timeout=WORK_MS)
    assert 0.75 == load_character(own / "rei-2").expressions["joy"]["mouth_aaa"]


def test_a_frame_is_shown_beside_the_sliders(editor: ExpressionEditor, rig: Rig) -> None:
    rig.frames.newest = Frame(7, np.full((512, 512, 4), 255, dtype=np.uint8), 0)

    rig.qtbot.waitUntil(lambda: editor.preview.has_frame, timeout=WORK_MS)
