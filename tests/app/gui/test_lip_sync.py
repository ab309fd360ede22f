"""What the window shows of the lips, the slider that shifts them, and the test that finds the place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt

from app.messages import Express, LipSyncTest, MouthOffset, Quit

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui


@pytest.mark.parametrize(
    ("method", "model", "reason", "badge", "says"),
    [
        ("durations", "", "", "Lips: exact", "The voice itself says"),
        ("aligned", "own", "", "Lips: text and sound", "(own model)"),
        ("decoded", "hama", "the text does not match the sound", "Lips: by ear", "the text does not match the sound."),
        ("loudness", "", "there is no <b>sound</b>", "Lips: loudness", "‹b>"),
    ],
)
def test_the_stage_says_in_a_word_what_the_lips_are_made_from_and_why(
    rig: Rig, method: str, model: str, reason: str, badge: str, says: str
) -> None:
    rig.tell("avatar", "pushed", turn=1, index=0, method=method, model=model, reason=reason, lips_ms=3.0)

    assert badge == rig.page.stage.lips.text()
    assert says in rig.page.stage.lips.toolTip()
    assert says in rig.page.lip_sync.source.text()


def test_a_fact_of_a_later_version_does_no_harm(rig: Rig) -> None:
    rig.tell("avatar", "pushed", turn=1, index=0, method="telepathy")
    rig.tell("avatar", "pushed", turn=1)
    rig.tell("avatar", "lip_sync_test")

    assert "Lips" == rig.page.stage.lips.text()
    assert "" == rig.page.lip_sync.source.text()


def test_the_panel_opens_at_a_click_and_leaves_the_keys_to_the_stage(rig: Rig) -> None:
    rig.page.stage.lips.click()
    assert rig.page.lip_sync.isVisible()
    rig.key(Qt.Key.Key_2)

    rig.page.stage.lips.click()

    assert not rig.page.lip_sync.isVisible()
    assert [Express("happy")] == rig.commands()


def test_the_slider_moves_the_mouth_at_once_and_keeps_where_it_comes_to_rest(rig: Rig) -> None:
    rig.page.stage.lips.click()
    for steps in (4, 8, 6):
        rig.page.lip_sync.slider.setValue(steps)
    assert [MouthOffset(20), MouthOffset(40), MouthOffset(30)] == rig.commands()
    assert "30 ms later" == rig.page.lip_sync.value.text()

    rig.qtbot.waitUntil(lambda: not rig.bus.gate.empty(), timeout=5000)

    assert [MouthOffset(30, keep=True)] == rig.commands()


def test_it_starts_where_the_settings_have_it_and_reset_brings_it_back(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(mouth_offset_ms=-60)
    panel = rig.page.lip_sync
    assert ("60 ms earlier", -12) == (panel.value.text(), panel.slider.value())

    panel.reset.click()
    panel.leave()

    assert "in time" == panel.value.text()
    assert [MouthOffset(0), MouthOffset(0, keep=True)] == rig.commands()


def test_what_was_set_is_kept_also_when_the_window_closes_at_once(rig: Rig) -> None:
    rig.page.lip_sync.slider.setValue(2)
    rig.window.close()

    assert [MouthOffset(10), MouthOffset(10, keep=True), Quit()] == rig.commands()


def test_an_offset_between_two_steps_is_kept_as_it_is_until_the_slider_moves(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(mouth_offset_ms=33)

    rig.window.close()

    assert 33 == rig.page.lip_sync.offset_ms
    assert [Quit()] == rig.commands()


def test_one_click_begins_the_test_and_the_next_one_ends_it(rig: Rig) -> None:
    panel = rig.page.lip_sync
    rig.page.stage.lips.click()

    panel.test.click()
    rig.tell("avatar", "lip_sync_test", turn=5)
    assert (True, "Stop the test") == (panel.test.isChecked(), panel.test.text())
    rig.tell("playback", "turn_finished", turn=4)
    assert panel.test.isChecked()
    panel.test.click()
    rig.tell("playback", "stopped", turn=5)

    assert [LipSyncTest(True), LipSyncTest(False)] == rig.commands()
    assert (False, "Flash + click") == (panel.test.isChecked(), panel.test.text())


def test_closing_the_panel_ends_the_test(rig: Rig) -> None:
    rig.page.stage.lips.click()
    rig.tell("avatar", "lip_sync_test", turn=5)

    rig.page.lip_sync.close_button.click()

    assert not rig.page.lip_sync.isVisible()
    assert [LipSyncTest(False)] == rig.commands()
