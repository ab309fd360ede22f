"""The first start: three steps, each of which can be skipped, and nothing of them ever again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSystemTrayIcon

from app.gui.main_window import start
from app.gui.mic_check import MicrophoneCheck
from app.messages import (
    CheckMicrophone,
    Command,
    Configure,
    ListDevices,
    Mute,
    Panic,
    Quit,
    Say,
    StopTalking,
    SwitchCamera,
    SwitchCharacter,
)
from app.settings import Settings, WindowSettings

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui


@pytest.fixture
def first(make_rig: Callable[..., Rig]) -> Rig:
    """A window at its first start."""
    return make_rig(settings=Settings())


def press(rig: Rig, button: object) -> list[Command]:
    rig.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    return rig.commands()


def test_three_steps_lead_to_the_stage_and_are_not_shown_again(first: Rig) -> None:
    steps = first.window.first_steps
    assert steps is not None
    assert not first.window.rail.isVisible()
    assert [ListDevices()] == first.commands()

    (check,) = steps.findChildren(MicrophoneCheck)
    assert [CheckMicrophone(3)] == press(first, check.button)
    press(first, steps.next)
    steps.character.picker.activated.emit(1)
    assert [SwitchCharacter("characters/mina")] == first.commands()
    (said,) = press(first, steps.test.button)
    assert isinstance(said, Say)
    press(first, steps.next)
    assert [Configure("camera.on", True)] == press(first, steps.camera.switch)
    assert [Configure("window.first_steps", False)] == press(first, steps.next)

    assert first.window.page is first.page
    assert first.window.rail.isVisible()
    assert first.window.first_steps is None


def test_what_is_told_after_they_are_gone_reaches_them_no_more(first: Rig) -> None:
    steps = first.window.first_steps
    assert steps is not None
    press(first, steps.skip)
    first.qtbot.waitUntil(lambda: not shiboken6.isValid(steps), timeout=5000)

    with first.qtbot.capture_exceptions() as raised:
        first.tell("devices", "list", microphones=["Blue"], speakers=["Headphones"], cameras=[])

    assert [] == raised


def test_all_of_it_can_be_skipped_with_one_click(first: Rig) -> None:
    steps = first.window.first_steps
    assert steps is not None
    first.commands()

    assert [Configure("window.first_steps", False)] == press(first, steps.skip)
    assert first.window.page is first.page


def test_a_window_that_is_closed_during_the_first_steps_shows_them_again_next_time(first: Rig) -> None:
    first.commands()
    first.window.close()

    assert [Quit()] == first.commands()


def test_back_goes_back(first: Rig) -> None:
    steps = first.window.first_steps
    assert steps is not None
    assert not steps.back.isVisible()
    press(first, steps.next)

    press(first, steps.back)

    assert "Step 1 of 3" == steps.count.text()


def test_they_can_be_asked_for_again(rig: Rig) -> None:
    page = rig.window.show_page("window")
    page.studio.first_steps_wanted.emit()

    assert rig.window.page is rig.window.first_steps


# Tray and start


def test_the_tray_switches_what_is_wanted_in_a_hurry(rig: Rig) -> None:
    tray = rig.window.tray
    for action in (tray.microphone, tray.camera, tray.stop, tray.panic, tray.panic):
        action.trigger()

    assert [Mute(True), SwitchCamera(True), StopTalking(), Panic(True), Panic(False)] == rig.commands()


def test_the_tray_follows_what_is_switched_elsewhere(rig: Rig) -> None:
    rig.tell("capture", "state", state="off", label="")
    rig.tell("camera", "state", state="ready", label="")
    rig.tell("show", "panic", on=True)

    tray = rig.window.tray
    assert (False, True, True) == (tray.microphone.isChecked(), tray.camera.isChecked(), tray.panic.isChecked())
    assert [] == rig.commands()


def test_the_tray_hides_and_shows_the_window(rig: Rig) -> None:
    rig.window.tray.show_action.trigger()
    assert not rig.window.isVisible()

    rig.window.tray.show_action.trigger()

    assert rig.window.isVisible()
    assert [] == rig.commands()


@pytest.mark.parametrize("has_tray", [True, False])
def test_a_minimised_start_goes_to_the_tray_or_the_task_bar(
    make_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, has_tray: bool
) -> None:
    rig = make_rig(settings=Settings(window=WindowSettings(first_steps=False, start_minimised=True)))
    rig.window.hide()
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: has_tray))

    start(rig.window)

    assert has_tray == (not rig.window.isVisible())
    assert has_tray != rig.window.isMinimized()


# Looks


def test_theme_and_size_of_the_text_follow_the_settings_at_once(rig: Rig) -> None:
    rig.tell("settings", "changed", name="window.theme", value="dark")
    assert rig.window.studio.theme.dark
    rig.tell("settings", "changed", name="window.theme", value="light")
    assert not rig.window.studio.theme.dark
    before_px = rig.page.expressions.buttons[0].fontMetrics().height()

    rig.tell("settings", "changed", name="window.text_scale", value=2.0)

    assert rig.page.expressions.buttons[0].fontMetrics().height() > 1.7 * before_px


def test_the_window_stays_on_top_when_it_is_told_to(rig: Rig) -> None:
    rig.tell("settings", "changed", name="window.always_on_top", value=True)

    assert rig.window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
    assert rig.window.isVisible()
