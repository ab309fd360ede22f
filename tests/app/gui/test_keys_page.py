"""The page of the hotkeys: recorded by pressing them, with what stands in their way said beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent

from app.characters import library
from app.characters.character_file import save_expression
from app.control_token import control_token, token_file
from app.gui.key_names import keys_of
from app.gui.pages.keys_page import KeysPage
from app.messages import Configure, Panic, RecordKey
from app.settings import DEFAULT_BINDINGS, ControlSettings, KeySettings, Settings, WindowSettings

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui

CTRL_ALT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
WORKS = {"on": True, "how": "X11", "chooses_itself": False, "problem": "", "remedy": "", "character": "haru"}


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))


@pytest.fixture
def open_page(make_rig: Callable[..., Rig]) -> Callable[..., tuple[Rig, KeysPage]]:
    def make(bindings: dict[str, str] | None = None, *, control: bool = False) -> tuple[Rig, KeysPage]:
        table = DEFAULT_BINDINGS | (bindings or {})
        rig = make_rig(
            settings=Settings(
                window=WindowSettings(first_steps=False),
                keys=KeySettings(bindings=table),
                control=ControlSettings(on=control),
            )
        )
        page = rig.window.show_page("keys")
        assert isinstance(page, KeysPage)
        page.finish()
        rig.commands()
        return rig, page

    return make


def status(rig: Rig, **changes: object) -> None:
    rig.tell("keys", "status", **(WORKS | {"refused": {}, "wrong": {}} | changes))


def test_a_key_is_set_by_pressing_it(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page()
    recorder = page.row("express happy").recorder
    recorder.click()
    assert [RecordKey(True)] == rig.commands()

    rig.qtbot.keyPress(recorder, Qt.Key.Key_Control, Qt.KeyboardModifier.ControlModifier)
    rig.qtbot.keyPress(recorder, Qt.Key.Key_J, CTRL_ALT)

    assert [RecordKey(False), Configure("keys.bindings.express happy", "Ctrl+Alt+J")] == rig.commands()
    rig.tell("settings", "changed", name="keys.bindings.express happy", value="Ctrl+Alt+J")
    assert "Ctrl+Alt+J" == recorder.text()


def test_escape_leaves_a_key_as_it_was_and_so_does_looking_elsewhere(
    open_page: Callable[..., tuple[Rig, KeysPage]],
) -> None:
    rig, page = open_page()
    recorder = page.row("mute").recorder
    recorder.click()
    rig.qtbot.keyPress(recorder, Qt.Key.Key_Escape)
    recorder.click()
    page.row("stop").recorder.setFocus()
    recorder.click()
    rig.window.show_page("stage")

    assert not recorder.is_recording
    assert [RecordKey(True), RecordKey(False)] * 3 == rig.commands()
    assert "Ctrl+Alt+M" == recorder.text()


def test_shortcuts_of_the_window_are_recorded_too_and_do_nothing_meanwhile(
    open_page: Callable[..., tuple[Rig, KeysPage]],
) -> None:
    rig, page = open_page()
    recorder = page.row("mute").recorder
    recorder.click()

    rig.qtbot.keyPress(recorder, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)

    assert rig.window.isVisible()
    assert Configure("keys.bindings.mute", "Ctrl+Q") == rig.commands()[-1]


def test_a_key_that_nobody_could_live_with_is_refused_beside_it(
    open_page: Callable[..., tuple[Rig, KeysPage]],
) -> None:
    rig, page = open_page()
    row = page.row("mute")
    row.recorder.click()

    rig.qtbot.keyPress(row.recorder, Qt.Key.Key_A)

    assert [RecordKey(True), RecordKey(False)] == rig.commands()
    assert "would no longer reach" in row.problem.text()
    assert "Ctrl+Alt+M" == row.recorder.text()


def test_a_key_can_be_taken_away(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page()

    page.row("mute").clear.click()

    assert [Configure("keys.bindings.mute", "")] == rig.commands()
    rig.tell("settings", "changed", name="keys.bindings.mute", value="")
    assert not page.row("mute").clear.isVisible()


def test_an_expression_is_switched_held_or_timed(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page({"express sad": "F9"})
    row = page.row("express sad")
    name = "keys.bindings.express sad"

    row.mode.setCurrentIndex(row.mode.findData("hold"))
    row.mode.activated.emit(row.mode.currentIndex())
    rig.tell("settings", "changed", name=name, value="F9 hold")
    row.mode.setCurrentIndex(row.mode.findData("timed"))
    row.mode.activated.emit(row.mode.currentIndex())
    rig.tell("settings", "changed", name=name, value="F9 3 s")
    row.seconds.setValue(1.5)

    assert [Configure(name, "F9 hold"), Configure(name, "F9 3 s"), Configure(name, "F9 1.5 s")] == rig.commands()
    assert row.seconds.isVisible()
    assert not page.row("mute").mode.isVisible()


def test_two_actions_with_the_same_key_name_each_other(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page({"mute": "F9", "gesture nod": "F9"})

    assert "Nod" in page.row("mute").problem.text()
    assert "Microphone" in page.row("gesture nod").problem.text()
    rig.tell("settings", "changed", name="keys.bindings.gesture nod", value="F10")
    assert not page.row("mute").problem.isVisible()


def test_a_character_has_keys_of_its_own_over_those_for_all(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page({"express happy": "F9", "mina/express sad": "F10"})
    page.scope.setCurrentIndex(page.scope.findData("mina"))
    page.scope.activated.emit(page.scope.currentIndex())

    assert "F9, as for every character" == page.row("express happy").recorder.text()
    assert "F10" == page.row("express sad").recorder.text()
    page.row("express happy").recorder.click()
    rig.qtbot.keyPress(page.row("express happy").recorder, Qt.Key.Key_F7)
    assert Configure("keys.bindings.mina/express happy", "F7") == rig.commands()[-1]


def test_what_the_desktop_can_do_is_said_in_words(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page()
    status(rig, refused={"Ctrl+Alt+M": "Another program has taken this key."})
    assert "work everywhere" in page.desktop.text()
    assert "Another program has taken this key." == page.row("mute").problem.text()

    status(rig, how="", problem="This desktop has no keys.", remedy="Use the control.")
    assert "This desktop has no keys. Use the control." == page.desktop.text()

    status(rig, on=False, how="")
    assert "Switched off." == page.desktop.text()


def test_what_was_told_before_the_page_was_made_is_shown_too(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    status(rig)

    page = rig.window.show_page("keys")
    assert isinstance(page, KeysPage)
    page.finish()

    assert "work everywhere" in page.desktop.text()


def test_a_line_of_the_file_that_means_nothing_is_named_in_its_row(
    open_page: Callable[..., tuple[Rig, KeysPage]],
) -> None:
    rig, page = open_page({"mute": "Ctrl+Foo"})
    status(rig, wrong={"mute": "There is no key called 'Foo'."})

    assert "There is no key called 'Foo'." == page.row("mute").problem.text()


def test_a_refusal_is_said_in_its_row(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page()

    rig.tell("settings", "refused", name="keys.bindings.stop", value="x", problem="No.", remedy="Yes.")

    assert "No. Yes." == page.row("stop").problem.text()
    assert "" == page.row("mute").problem.text()


def test_a_key_that_is_pressed_anywhere_is_shown(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page()

    rig.tell("keys", "pressed", action="express happy", key="F9")

    assert "Pressed: Happy" == page.pressed.text()


def test_the_talk_key_says_what_it_still_lacks(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page()
    assert "does nothing yet" in page._talk_note.text()

    rig.tell("settings", "changed", name="hearing.mode", value="hold")

    assert not page._talk_note.isVisible()


def test_the_token_is_hidden_copied_and_made_anew(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page(control=True)
    rig.qtbot.waitUntil(lambda: page.token.line.text() != "", timeout=5000)
    first = page.token.line.text()
    assert first not in page.token.line.displayText()

    page.token.copy.click()
    page.token.renew.click()
    rig.qtbot.waitUntil(lambda: page.token.line.text() != first, timeout=5000)

    assert first == QGuiApplication.clipboard().text()
    assert control_token(token_file()) == page.token.line.text()


def test_switched_off_the_control_shows_no_token_and_makes_none(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    _, page = open_page()

    assert not page.token.isVisible()
    assert not token_file().exists()


def test_why_the_control_cannot_listen_is_said(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page(control=True)
    rig.tell("control", "status", on=False, port=8793, problem="The port is taken.", remedy="Choose another.")

    assert "The port is taken. Choose another." == page.control_note.text()
    rig.tell("control", "status", on=True, port=8793, problem="", remedy="")
    assert "8793" in page.control_note.text()


@pytest.mark.parametrize(
    ("key", "held", "place", "name"),
    [
        (Qt.Key.Key_J, CTRL_ALT, 0, "Ctrl+Alt+J"),
        (Qt.Key.Key_F12, Qt.KeyboardModifier.NoModifier, 0, "F12"),
        (Qt.Key.Key_5, Qt.KeyboardModifier.KeypadModifier, 0, "Num5"),
        (Qt.Key.Key_Plus, Qt.KeyboardModifier.KeypadModifier, 0, "NumAdd"),
        (Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier, 0, "Shift+Tab"),
        (Qt.Key.Key_Alt, CTRL_ALT, 0, ""),
        (Qt.Key.Key_Space, CTRL_ALT, 0, "Ctrl+Alt+Space"),
    ],
)
def test_keys_are_called_as_they_are_written(
    qapp: object, key: Qt.Key, held: Qt.KeyboardModifier, place: int, name: str
) -> None:
    assert name == keys_of(QKeyEvent(QEvent.Type.KeyPress, key, held, place, 0, 0))


def test_a_digit_is_a_digit_whatever_the_layout_writes_with_shift(qapp: object) -> None:
    if QGuiApplication.platformName() != "xcb":
        pytest.skip("its place on the keyboard is told by X11 alone")
    held = CTRL_ALT | Qt.KeyboardModifier.ShiftModifier

    assert "Ctrl+Alt+Shift+1" == keys_of(QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Exclam, held, 10, 0, 0))


def test_off_air_is_said_on_every_page_and_one_click_brings_it_back(rig: Rig) -> None:
    assert not rig.window.off_air.isVisible()
    rig.tell("show", "panic", on=True)
    rig.window.show_page("log")
    rig.commands()

    assert rig.window.off_air.isVisible()
    rig.window.off_air.back.click()
    assert [Panic(False)] == rig.commands()
    rig.tell("show", "panic", on=False)
    assert not rig.window.off_air.isVisible()


def test_a_new_character_can_have_keys_too(open_page: Callable[..., tuple[Rig, KeysPage]]) -> None:
    rig, page = open_page()
    page.scope.setCurrentIndex(page.scope.findData("mina"))

    rig.tell("show", "characters", names=["Kiko", "Mina"], paths=["own/kiko", "characters/mina"])

    assert page.scope.findData("kiko") > 0
    assert "mina" == page.scope.currentData()


def shown(page: KeysPage) -> list[str]:
    return [row.action for row in page._rows if row.isVisible()]


def test_what_only_the_character_on_stage_can_show_can_have_a_key(
    open_page: Callable[..., tuple[Rig, KeysPage]],
) -> None:
    rig, page = open_page()
    assert "express victory" not in shown(page)

    rig.tell("show", "character", name="Mina", path="characters/mina", expressions=["happy", "victory"])
    rig.qtbot.waitUntil(lambda: "express victory" in shown(page), timeout=5000)

    assert page.row("express victory").y() < page.row("gesture nod").y()
    rig.tell("show", "character", name="Haru", path="characters/haru", expressions=["happy"])
    assert "express victory" not in shown(page)


def test_what_only_the_chosen_character_can_show_can_have_a_key_of_its_own(
    open_page: Callable[..., tuple[Rig, KeysPage]], tmp_path: Path
) -> None:
    folder = tmp_path / "kiko"
    library.copy_character(library.built_in_root() / "haru", _made(folder))
    save_expression(folder, "victory", {"mouth_smirk": 1.0})
    rig, page = open_page()
    rig.tell("show", "characters", names=["Kiko"], paths=[str(folder)])

    page.scope.setCurrentIndex(page.scope.findData("kiko"))
    page.scope.activated.emit(page.scope.currentIndex())
    rig.qtbot.waitUntil(lambda: "express victory" in shown(page), timeout=5000)

    page.row("express victory").recorder.recorded.emit("Ctrl+F7")
    assert [Configure("keys.bindings.kiko/express victory", "Ctrl+F7")] == rig.commands()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_all_keys_of_expressions_and_gestures_stand_in_one_column(
    open_page: Callable[..., tuple[Rig, KeysPage]],
) -> None:
    _, page = open_page({"express happy": "Ctrl+F5", "express sad": "Ctrl+F6 for 3"})

    rows = [page.row(action) for action in ("express happy", "express sad", "express angry", "gesture nod")]
    places = {
        (row.recorder.mapTo(page, row.recorder.rect().topLeft()).x(), row.recorder.width(), row.clear.x())
        for row in rows
    }
    assert 1 == len(places)
