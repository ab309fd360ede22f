"""The buttons that record say what they do now, and where it was kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.gui.pages.output_page import OutputPage
from app.messages import ListDevices, Record, SaveReplay, Screenshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui


@pytest.fixture
def page(rig: Rig) -> OutputPage:
    shown = rig.window.show_page("output")
    assert isinstance(shown, OutputPage)
    shown.finish()
    return shown


def wishes(rig: Rig) -> list[object]:
    return [command for command in rig.commands() if not isinstance(command, ListDevices)]


def test_one_button_begins_and_ends_a_recording(rig: Rig, page: OutputPage) -> None:
    bar = page.recording
    assert "Start recording" == bar.record.text()
    bar.record.click()
    rig.tell("recording", "status", on=True, path="/v/a.mp4", replay=False)
    assert "Stop recording" == bar.record.text()
    assert "Recording" in bar.note.text()
    bar.record.click()
    rig.tell("recording", "status", on=False, path="", replay=False)
    rig.tell("recording", "saved", kind="recording", path="/v/a.mp4", duration_s=62.4)

    assert [Record(True), Record(False)] == wishes(rig)
    assert "Start recording" == bar.record.text()
    assert "Kept: /v/a.mp4 (62 s)" == bar.note.text()


def test_a_screenshot_is_kept_and_its_file_named(rig: Rig, page: OutputPage) -> None:
    page.recording.screenshot.click()
    rig.tell("recording", "saved", kind="screenshot", path="/v/a.png", duration_s=0.0)

    assert [Screenshot()] == wishes(rig)
    assert "Kept: /v/a.png" == page.recording.note.text()


def test_a_replay_can_be_kept_while_one_is_held(rig: Rig, page: OutputPage) -> None:
    replay = page.recording.replay
    assert not replay.isVisible()
    rig.tell("settings", "changed", name="recording.replay_s", value=45)
    rig.tell("recording", "status", on=False, path="", replay=True)

    assert replay.isVisible()
    assert "45 s" in replay.text()
    replay.click()
    assert [SaveReplay()] == wishes(rig)


def test_what_went_wrong_is_said_below_the_buttons(rig: Rig, page: OutputPage) -> None:
    rig.tell(
        "recording", "state", state="failed", label="Recording", problem="There is no room left.", remedy="Free some."
    )

    assert "There is no room left. Free some." == page.recording.note.text()


def test_a_recording_that_began_before_the_page_was_made_can_be_ended(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig()
    rig.tell("recording", "status", on=True, path="/v/a.mp4", replay=False)
    shown = rig.window.show_page("output")
    assert isinstance(shown, OutputPage)
    shown.finish()

    assert "Stop recording" == shown.recording.record.text()
