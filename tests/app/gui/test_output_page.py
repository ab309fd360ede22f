"""The browser source and the sound devices on their page: what is chosen, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QGuiApplication

from app.control_token import browser_token_file, control_token
from app.gui.pages import output_page
from app.gui.pages.output_page import OutputPage
from app.messages import Configure, ShowTestCard, TestSound
from app.policy.sharing import WAYS
from app.settings import BrowserSettings, Settings, SoundSettings, WindowSettings

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui


@pytest.fixture
def open_page(
    make_rig: Callable[..., Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Rig, OutputPage]]:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))

    def make(**browser: object) -> tuple[Rig, OutputPage]:
        settings = Settings(browser=BrowserSettings(**browser), window=WindowSettings(first_steps=False))
        rig = make_rig(settings=settings)
        page = rig.window.show_page("output")
        assert isinstance(page, OutputPage)
        page.finish()
        rig.commands()
        return rig, page

    return make


def test_the_address_is_hidden_copied_whole_and_made_anew(open_page: Callable[..., tuple[Rig, OutputPage]]) -> None:
    rig, page = open_page(on=True, port=9000)
    rig.qtbot.waitUntil(lambda: page.address.line.text() != "", timeout=5000)
    first = page.address.line.text()
    assert f"http://127.0.0.1:9000/?token={control_token(browser_token_file())}" == first
    assert first not in page.address.line.displayText()

    page.address.copy.click()
    assert first == QGuiApplication.clipboard().text()
    page.address.renew.click()
    rig.qtbot.waitUntil(lambda: page.address.line.text() != first, timeout=5000)
    assert page.address.line.text().endswith(control_token(browser_token_file()))


def test_media_sources_have_addresses_of_their_own_with_the_same_token(
    open_page: Callable[..., tuple[Rig, OutputPage]],
) -> None:
    rig, page = open_page(on=True, port=9000)
    rows = {"/alpha.nut": page.alpha_address, "/picture.mjpeg": page.jpeg_address}
    rig.qtbot.waitUntil(lambda: all(row.line.text() for row in rows.values()), timeout=5000)
    old = control_token(browser_token_file())
    for path, row in rows.items():
        row.copy.click()
        assert f"http://127.0.0.1:9000{path}?token={old}" == QGuiApplication.clipboard().text()

    page.address.renew.click()

    rig.qtbot.waitUntil(lambda: not any(row.line.text().endswith(old) for row in rows.values()), timeout=5000)
    for path, row in rows.items():
        assert f"http://127.0.0.1:9000{path}?token={control_token(browser_token_file())}" == row.line.text()


def test_the_address_has_the_port_in_force(open_page: Callable[..., tuple[Rig, OutputPage]]) -> None:
    rig, page = open_page(on=True, port=9000)
    rig.qtbot.waitUntil(lambda: page.address.line.text() != "", timeout=5000)

    rig.tell("settings", "changed", name="browser.port", value=9001)

    assert page.address.line.text().startswith("http://127.0.0.1:9001/?token=")


def test_switched_off_there_is_no_address_and_no_token(open_page: Callable[..., tuple[Rig, OutputPage]]) -> None:
    _rig, page = open_page()

    assert not page.address.isVisible()
    assert not browser_token_file().exists()


def test_what_became_of_it_stands_below(open_page: Callable[..., tuple[Rig, OutputPage]]) -> None:
    rig, page = open_page(on=True)

    rig.tell("browser", "status", on=True, port=8794, problem="", remedy="")
    assert "The page is there" in page.browser_note.text()
    rig.tell("browser", "status", on=False, port=8794, problem="The port is taken.", remedy="Choose another.")
    assert "The port is taken. Choose another." == page.browser_note.text()


def test_captions_are_asked_for_beside_the_page(open_page: Callable[..., tuple[Rig, OutputPage]]) -> None:
    rig, page = open_page(on=True)

    page.field("browser.captions").switch.click()

    assert [Configure("browser.captions", True)] == rig.commands()


def status(part: str, **values: object) -> dict[str, object]:
    return {
        "part": part,
        "device": "CABLE Input" if part == "stream" else "Headphones",
        "sets_pace": part == "headphones",
        "problem": "",
        "remedy": "",
        "peak_db": -12.0,
        "drift_ppm": None,
        "lag_ms": 0,
        "gaps": 0,
        **values,
    }


@pytest.fixture
def sound_page(make_rig: Callable[..., Rig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Rig, OutputPage]:
    monkeypatch.setenv("KUCHIPAKU_CONFIG", str(tmp_path))
    rig = make_rig(settings=Settings(sound=SoundSettings(stream=True), window=WindowSettings(first_steps=False)))
    page = rig.window.show_page("output")
    assert isinstance(page, OutputPage)
    page.finish()
    rig.commands()
    return rig, page


def test_each_sound_device_says_how_it_plays_and_how_its_clock_runs(sound_page: tuple[Rig, OutputPage]) -> None:
    rig, page = sound_page

    rig.tell("sound", "status", devices=[status("headphones", drift_ppm=-42), status("stream", lag_ms=7, gaps=2)])

    assert "Plays on Headphones. Pictures and the other device follow its clock." in page.heard.note.text()
    assert "-42 millionths" in page.heard.note.text()
    assert "7 ms after the other device. It ran dry 2 times." in page.streamed.note.text()
    assert -20.0 < page.streamed.meter.shown_dbfs <= -12.0  # it falls with time


def test_a_virtual_cable_says_what_listens_at_its_other_end(sound_page: tuple[Rig, OutputPage]) -> None:
    rig, page = sound_page

    rig.tell("sound", "status", devices=[status("headphones"), status("stream")])

    assert page.streamed.hint.text().endswith("choose: CABLE Output.")
    assert "" == page.heard.hint.text()


def test_a_lost_device_is_named_below_its_settings_and_has_no_test_tone(sound_page: tuple[Rig, OutputPage]) -> None:
    rig, page = sound_page

    broken = status("stream", problem="It was lost.", remedy="Plug it in.")
    rig.tell("sound", "status", devices=[status("headphones"), broken])

    assert "It was lost. Plug it in." == page.streamed.note.text()
    assert (False, True) == (page.streamed.button.isEnabled(), page.heard.button.isEnabled())


def test_the_test_tone_is_asked_for_one_device(sound_page: tuple[Rig, OutputPage]) -> None:
    rig, page = sound_page
    rig.tell("sound", "status", devices=[status("headphones"), status("stream")])

    page.streamed.button.click()

    assert [TestSound("stream")] == rig.commands()


def test_virtual_cables_are_offered_first_for_the_stream_and_called_so(sound_page: tuple[Rig, OutputPage]) -> None:
    rig, page = sound_page

    told = {"microphones": [], "speakers": ["Headphones", "CABLE Input"], "cameras": [], "cables": ["CABLE Input"]}
    rig.tell("devices", "list", **told)

    picker = page.stream_device.picker
    assert ["CABLE Input (virtual cable)", "Headphones"] == [picker.itemText(at) for at in (1, 2)]


def test_without_a_stream_its_rows_are_not_shown(open_page: Callable[..., tuple[Rig, OutputPage]]) -> None:
    _rig, page = open_page()

    assert (True, False) == (page.heard.isVisibleTo(page), page.streamed.isVisibleTo(page))


def test_the_test_card_button_asks_for_it_and_comes_up_again_when_the_show_takes_it_away(
    open_page: Callable[..., tuple[Rig, OutputPage]],
) -> None:
    rig, page = open_page()
    button = page.test_card.button

    button.click()
    rig.tell("show", "test_card", on=True)
    assert [ShowTestCard(True)] == rig.commands()
    assert button.isChecked()
    rig.tell("show", "test_card", on=False)

    assert not button.isChecked()
    assert [] == rig.commands()


def test_a_camera_that_is_waited_for_says_what_it_waits_for_and_stays_switched_on(
    open_page: Callable[..., tuple[Rig, OutputPage]],
) -> None:
    rig, page = open_page()

    rig.tell(
        "camera", "state", state="starting", label="Waiting", problem="Another program has it.", remedy="Close that."
    )

    assert "Another program has it. Close that." == page.note.text()
    assert rig.page.camera.isChecked()
    assert "off" == rig.page.stage.lamp.state
    rig.tell("camera", "state", state="ready", label="/dev/video10")
    assert "On air: /dev/video10" == page.note.text()


def test_512_square_is_among_the_sizes(open_page: Callable[..., tuple[Rig, OutputPage]]) -> None:
    rig, page = open_page()

    page.picture.picker.activated.emit(page.picture.picker.findText("512 × 512"))

    assert [Configure("camera.width_px", 512), Configure("camera.height_px", 512)] == rig.commands()


@pytest.mark.parametrize(("system", "words"), [("win32", "Spout2 Capture"), ("darwin", "Syphon Client")])
def test_the_picture_can_be_shared_where_the_system_has_a_way(
    open_page: Callable[..., tuple[Rig, OutputPage]], monkeypatch: pytest.MonkeyPatch, system: str, words: str
) -> None:
    monkeypatch.setattr(output_page, "offered", lambda: WAYS[system])
    rig, page = open_page()
    row = page.field("sharing.on")

    assert words in row.help.text()
    row.switch.click()
    assert [Configure("sharing.on", True)] == rig.commands()
    rig.tell("sharing", "status", on=True, problem="", remedy="")
    assert "Other programs can see the character." == page.sharing_note.text()
    rig.tell("sharing", "status", on=False, problem="Spout failed.", remedy="Try again.")
    assert "Spout failed. Try again." == page.sharing_note.text()


def test_where_there_is_no_way_to_share_nothing_is_shown(open_page: Callable[..., tuple[Rig, OutputPage]]) -> None:
    _, page = open_page()

    assert not hasattr(page, "sharing_note")
    with pytest.raises(KeyError):
        page.field("sharing.on")
