"""OBS on the page Output: two buttons, what became of it, and the password only where it is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from app.gui.pages.output_page import OutputPage
from app.gui.secret_row import SecretRow
from app.messages import Configure, SetUpObs, UndoObs
from app.settings import Settings, WindowSettings

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui

NOTHING: dict[str, object] = {
    "version": "30.2.3",
    "way": "",
    "made": [],
    "warnings": [],
    "notes": [],
    "problem": "",
    "remedy": "",
    "needs_password": False,
}


@pytest.fixture
def opened(make_rig: Callable[..., Rig]) -> tuple[Rig, OutputPage]:
    rig = make_rig(settings=Settings(window=WindowSettings(first_steps=False)))
    page = rig.window.show_page("output")
    assert isinstance(page, OutputPage)
    page.finish()
    rig.commands()
    return rig, page


def tell(rig: Rig, state: str, **data: object) -> None:
    rig.tell("obs", "status", **{**NOTHING, "state": state, **data})


def test_each_button_asks_for_one_thing(opened: tuple[Rig, OutputPage]) -> None:
    rig, page = opened

    page.obs.set_up.click()
    page.obs.undo.click()

    assert [SetUpObs(), UndoObs()] == rig.commands()


def test_while_it_works_it_is_not_asked_again(opened: tuple[Rig, OutputPage]) -> None:
    rig, page = opened

    tell(rig, "working")
    page.obs.set_up.click()
    assert [] == rig.commands()
    tell(rig, "connected")

    assert page.obs.set_up.isEnabled()


def test_what_was_made_is_named_and_loops_are_warned_of(opened: tuple[Rig, OutputPage]) -> None:
    rig, page = opened

    tell(rig, "ready", way="stream", made=["Kuchipaku character"], warnings=[["display", "my screen"]])

    assert "OBS 30.2.3" in page.obs.note.text()
    assert "media source, Kuchipaku character" in page.obs.note.text()
    assert "“my screen” captures a screen" in page.obs.warning.text()
    tell(rig, "undone")
    assert page.obs.warning.isHidden()


def test_a_problem_says_what_to_do_and_the_password_is_asked_for_only_then(opened: tuple[Rig, OutputPage]) -> None:
    rig, page = opened
    row = page.findChild(SecretRow)
    assert row is not None
    assert not row.isVisible()

    tell(rig, "failed", problem="OBS refuses the password.", remedy="Copy it.", needs_password=True)

    assert "OBS refuses the password. Copy it." == page.obs.note.text()
    assert row.isVisible()
    tell(rig, "ready", way="browser", made=["Kuchipaku character"])
    assert not row.isVisible()


def test_captions_are_asked_for_beside_the_way(opened: tuple[Rig, OutputPage]) -> None:
    rig, page = opened

    page.field("obs.captions").switch.click()

    assert [Configure("obs.captions", True)] == rig.commands()
