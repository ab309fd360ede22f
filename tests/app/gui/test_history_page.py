"""The history page: what was said is found, written to a file, and erased after a question."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox

from app.gui.pages.history_page import SHOWN, HistoryPage
from app.history_store import HistoryStore, Said

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui

AT_S = 1_764_300_000.0


@pytest.fixture
def store(tmp_path: Path) -> HistoryStore:
    made = HistoryStore(tmp_path / "history.sqlite3")
    made.add(
        [Said("Haru", AT_S, "user", "I like <b>noodles</b>."), Said("Haru", AT_S + 1, "character", "So do I.", True)]
    )
    made.add([Said("Rei", AT_S + 86400, "user", "Hello, Rei.")])
    return made


@pytest.fixture
def page(make_rig: Callable[..., Rig], store: HistoryStore) -> HistoryPage:
    rig = make_rig(history=store)
    shown = rig.window.show_page("history")
    assert isinstance(shown, HistoryPage)
    rig.qtbot.waitUntil(lambda: len(shown.messages) == 3, timeout=5000)
    shown.rig = rig  # type: ignore[attr-defined]
    return shown


def wait(page: HistoryPage, condition: Callable[[], bool]) -> None:
    page.rig.qtbot.waitUntil(condition, timeout=5000)  # type: ignore[attr-defined]


def answer(button: str) -> None:
    """Press a button of the question that is about to be asked."""

    def press() -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox):
            QTimer.singleShot(20, press)
            return
        next(each for each in box.buttons() if button in each.text()).click()

    QTimer.singleShot(0, press)


def test_what_was_said_is_shown_as_it_was_said(page: HistoryPage) -> None:
    text = page.text.toPlainText()

    assert "I like <b>noodles</b>." in text
    assert "interrupted" in text


def test_typing_searches(page: HistoryPage) -> None:
    page.rig.qtbot.keyClicks(page.search, "NOODLES")  # type: ignore[attr-defined]

    wait(page, lambda: [each.text for each in page.messages] == ["I like <b>noodles</b>."])


def test_what_is_not_found_is_said(page: HistoryPage) -> None:
    page.search.setText("nothing of the kind")

    wait(page, lambda: page.text.toPlainText() == "Nothing was found.")
    assert not page.export.isEnabled()


def test_one_character_alone_can_be_chosen(page: HistoryPage) -> None:
    page.whose.setCurrentIndex(page.whose.findData("Rei"))
    page.whose.activated.emit(page.whose.currentIndex())

    wait(page, lambda: [each.character for each in page.messages] == ["Rei"])


def test_no_more_than_can_be_laid_out_at_once_is_shown(page: HistoryPage, store: HistoryStore) -> None:
    store.add([Said("Haru", AT_S, "user", str(k)) for k in range(SHOWN + 50)])

    page.refresh()

    wait(page, lambda: len(page.messages) == SHOWN)
    assert page.messages[-1].text == str(SHOWN + 49)


def test_a_new_answer_appears_while_the_page_is_open(page: HistoryPage, store: HistoryStore) -> None:
    store.add([Said("Haru", AT_S, "character", "Something new.")])

    page.rig.tell("playback", "turn_finished", turn=9)  # type: ignore[attr-defined]

    wait(page, lambda: page.messages[-1].text == "Something new.")


@pytest.mark.parametrize(("chosen", "kind", "written"), [("talk", "JSON (*.json)", "talk.json"), ("a.md", "", "a.md")])
def test_what_is_found_is_written_to_the_chosen_file(
    page: HistoryPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, kind: str, written: str
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / chosen), kind))

    page.export.click()

    wait(page, lambda: page.note.isVisible())
    assert "noodles" in (tmp_path / written).read_text("utf-8")
    assert written in page.note.text()


def test_a_file_that_cannot_be_written_is_said_on_the_page(
    page: HistoryPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "talk.md"), ""))

    page.export.click()

    wait(page, lambda: "could not be written" in page.note.text())


def test_erasing_asks_first_and_cancel_keeps_everything(page: HistoryPage, store: HistoryStore) -> None:
    answer("Cancel")

    page.erase.click()

    assert len(store.find()) == 3


def test_erasing_erases_the_chosen_character_alone(page: HistoryPage, store: HistoryStore) -> None:
    page.whose.setCurrentIndex(page.whose.findData("Haru"))
    answer("Erase")

    page.erase.click()

    wait(page, lambda: [each.character for each in store.find()] == ["Rei"])
    wait(page, lambda: [each.character for each in page.messages] == ["Rei"])


def test_where_nothing_is_kept_the_page_says_why(page: HistoryPage) -> None:
    assert not page.off.isVisible()

    page.rig.tell("settings", "changed", name="brain.keep_history", value=False)  # type: ignore[attr-defined]

    assert page.off.isVisible()


def test_a_window_without_a_history_opens_the_page(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()

    page = rig.window.show_page("history")

    assert isinstance(page, HistoryPage)
    assert page.text.toPlainText() == "Nothing is kept yet."
