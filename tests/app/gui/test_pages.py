"""The rail and its pages: where the keys go, and what a page is told when it comes and goes."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QWidget

from app.gui import pages
from app.gui.form_page import FormPage
from app.gui.pages import PageEntry
from app.gui.studio import Page, Studio
from app.messages import Express, PushToTalk, StopTalking
from tests.app.gui.watchdog import HELD_UP_MS, Watchdog

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui


class Sheet(Page):
    """A page that remembers what it was told."""

    icon = "log"

    def __init__(self, studio: Studio, parent: QWidget | None = None) -> None:
        super().__init__(studio, parent)
        self.told: list[str] = []

    @property
    def title(self) -> str:
        return "Sheet"

    def enter(self) -> None:
        self.told.append("enter")

    def leave(self) -> None:
        self.told.append("leave")

    def close_down(self) -> None:
        self.told.append("close_down")


@pytest.fixture
def two_pages(make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> Rig:
    """The stage and a sheet."""
    monkeypatch.setattr(PageEntry, "load", lambda entry: Sheet if entry.name == "sheet" else STAGE)
    monkeypatch.setattr(pages, "PAGES", [pages.PAGES[0], PageEntry("sheet", "Sheet", "log", "", "")])
    return make_rig()


STAGE = pages.PAGES[0].load()


def button(rig: Rig, name: str) -> QWidget:
    return next(b for b in rig.window.rail.buttons if b.name == name)


def test_a_page_is_made_when_it_is_first_chosen_and_told_when_it_comes_and_goes(two_pages: Rig) -> None:
    rig = two_pages
    assert [] == rig.window.findChildren(Sheet)

    for name in ("sheet", "stage", "sheet"):
        rig.qtbot.mouseClick(button(rig, name), Qt.MouseButton.LeftButton)
    (sheet,) = rig.window.findChildren(Sheet)
    assert sheet is rig.window.page
    rig.window.close()

    assert ["enter", "leave", "enter", "leave", "close_down"] == sheet.told


def test_the_letters_and_digits_of_the_stage_do_nothing_on_another_page(two_pages: Rig) -> None:
    rig = two_pages
    rig.window.show_page("sheet")

    for key in (Qt.Key.Key_2, Qt.Key.Key_M, Qt.Key.Key_C, Qt.Key.Key_Escape):
        rig.key(key)
    assert [] == rig.commands()
    rig.window.show_page("stage")
    rig.key(Qt.Key.Key_2)

    assert [Express("happy")] == rig.commands()


def test_the_talk_key_and_the_stop_key_work_on_every_page(two_pages: Rig) -> None:
    rig = two_pages
    rig.window.show_page("sheet")

    rig.key(Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)
    rig.key(Qt.Key.Key_F8)

    assert [StopTalking(), PushToTalk(True), PushToTalk(False)] == rig.commands()


def test_ctrl_page_down_and_up_turn_the_pages(two_pages: Rig) -> None:
    rig = two_pages

    rig.key(Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert isinstance(rig.window.page, Sheet)
    rig.key(Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)

    assert rig.window.page is rig.page


def test_a_narrow_window_keeps_the_icons_of_the_rail(two_pages: Rig) -> None:
    rig = two_pages
    wide_px = rig.window.rail.width()

    rig.window.resize(900, 600)
    rig.qtbot.waitUntil(lambda: rig.window.rail.width() < wide_px, timeout=5000)

    assert "Sheet" == button(rig, "sheet").toolTip()


# Never held up


@pytest.mark.parametrize("name", [entry.name for entry in pages.PAGES])
def test_showing_a_page_never_holds_the_window_up(make_rig: Callable[..., Rig], name: str) -> None:
    """The first time a page is made, the second time only shown. Imports are done once a process, before.

    What the window itself does takes the same time in each of three windows; what a busy machine adds does not.
    """
    for entry in pages.PAGES:
        entry.load()
    longest_ms: list[float] = []
    while len(longest_ms) < 3 and min(longest_ms, default=math.inf) >= HELD_UP_MS:
        rig = make_rig()
        rig.qtbot.wait(100)
        watchdog = Watchdog(time.thread_time)
        for shown in (name, "stage", name):
            rig.window.rail.chosen.emit(shown)
            rig.qtbot.wait(400)
        watchdog.stop()
        rig.window.close()
        longest_ms.append(watchdog.longest_ms)

    assert min(longest_ms) < HELD_UP_MS, longest_ms


# For those who do not see or point


@pytest.mark.parametrize("name", [entry.name for entry in pages.PAGES])
def test_every_control_of_a_page_has_a_name_and_can_be_reached_by_keys(rig: Rig, name: str) -> None:
    page = rig.window.show_page(name)
    if isinstance(page, FormPage):
        page.finish()
    rig.qtbot.wait(50)

    clickable = [w for w in page.findChildren(QAbstractButton) if w.isVisible() and w.isEnabled()]
    reached = [w for w in page.findChildren(QWidget) if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    unnamed = [
        f"{type(widget).__name__} {widget.objectName()}"
        for widget in reached
        if not (spoken := QAccessible.queryAccessibleInterface(widget)) or not spoken.text(QAccessible.Text.Name)
    ]

    assert [] == unnamed
    assert [] == [type(button).__name__ for button in clickable if button not in reached]
