"""Settings as people meet them: what is asked for, what is shown, and what is said where a value is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit

from app.errors import AppError
from app.gui.fields import ChoiceField, DeviceField, NumberField, SwitchField, TextField
from app.gui.form_page import FormPage
from app.gui.pages.brain_page import BrainPage
from app.gui.pages.face_page import FacePage
from app.gui.pages.hearing_page import HearingPage, ThresholdField
from app.gui.pages.log_page import LogPage
from app.gui.pages.output_page import OutputPage
from app.gui.pages.voice_page import VoicePage
from app.gui.secret_row import SecretRow
from app.messages import CheckMicrophone, Configure, ListDevices, Say, SecretChanged, TestBrain, TestFace
from app.settings import BrainSettings, HearingSettings, Settings, WindowSettings, setting_names

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui

FORMS = ("hearing", "brain", "voice", "face", "output", "window")
ELSEWHERE = {"face.character", "window.first_steps", "camera.width_px", "camera.height_px"}
"""Chosen on other pages, by the first steps, or two at a time."""


def show(rig: Rig, name: str) -> FormPage:
    page = rig.window.show_page(name)
    assert isinstance(page, FormPage)
    page.finish()
    rig.qtbot.wait(0)
    rig.commands()
    return page


def in_force(rig: Rig, name: str, value: object) -> None:
    rig.tell("settings", "changed", name=name, value=value)


class FakeSecrets:
    """A credential store in memory; `broken` makes it refuse."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.broken = False

    def place(self, name: str) -> str:
        return "store" if name in self.keys else "none"

    def keep(self, name: str, key: str) -> None:
        if self.broken:
            raise AppError("This system offers no credential store.", "Install one.")
        self.keys[name] = key

    def forget(self, name: str) -> None:
        self.keys.pop(name, None)


def test_every_setting_of_the_show_has_its_place_on_a_page(rig: Rig) -> None:
    shown = set()
    for name in FORMS:
        page = show(rig, name)
        shown |= {row.name for section in page.sections for row in section.rows if hasattr(row, "name")}

    own = (
        "hearing.",
        "brain.",
        "voice.",
        "sound.",
        "face.",
        "lips.",
        "camera.",
        "recording.",
        "window.",
        "browser.",
        "captions.",
        "obs.",
    )
    assert {name for name in setting_names() if name.startswith(own)} == shown | ELSEWHERE


def test_every_field_says_in_a_sentence_what_it_is_for_and_has_a_name_for_screen_readers(rig: Rig) -> None:
    for name in FORMS:
        for section in show(rig, name).sections:
            for row in section.rows:
                assert row.label.text()
                assert row.help.text() or row.label.text() == "Colours"


def test_a_choice_is_asked_for_at_once_and_shown_when_it_holds(rig: Rig) -> None:
    field = show(rig, "hearing").field("hearing.mode")
    assert isinstance(field, ChoiceField)

    field.picker.setCurrentIndex(field.picker.findData("hold"))
    field.picker.activated.emit(field.picker.currentIndex())
    assert [Configure("hearing.mode", "hold")] == rig.commands()
    in_force(rig, "hearing.mode", "toggle")

    assert "toggle" == field.picker.currentData()


def test_what_was_refused_is_said_beside_the_field_until_a_value_holds(rig: Rig) -> None:
    field = show(rig, "hearing").field("hearing.mode")
    assert isinstance(field, ChoiceField)
    field.picker.setCurrentIndex(field.picker.findData("hold"))

    rig.tell("settings", "refused", name="hearing.mode", value="hold", problem="That <b>cannot</b> be.", remedy="Wait.")
    assert ("That ‹b>cannot‹/b> be. Wait.", "open") == (field.problem.text(), field.picker.currentData())
    assert field.problem.isVisible()
    in_force(rig, "hearing.mode", "hold")

    assert not field.problem.isVisible()


def test_a_slider_asks_once_it_has_come_to_rest(rig: Rig) -> None:
    field = show(rig, "voice").field("voice.speed")
    assert isinstance(field, NumberField)
    assert field.slider is not None

    for place in (12, 13, 14):
        field.slider.setValue(place)
    rig.qtbot.waitUntil(lambda: not field._settle.isActive(), timeout=5000)

    assert [Configure("voice.speed", 1.2)] == rig.commands()
    assert 1.2 == field.box.value()


def test_a_number_can_be_typed_and_keeps_to_its_range(rig: Rig) -> None:
    field = show(rig, "brain").field("brain.max_tokens")
    assert isinstance(field, NumberField)
    field.box.selectAll()
    rig.qtbot.keyClicks(field.box, "5000")
    rig.qtbot.keyClick(field.box, Qt.Key.Key_Return)
    rig.qtbot.waitUntil(lambda: not field._settle.isActive(), timeout=5000)

    (command,) = rig.commands()
    assert isinstance(command, Configure)
    assert 16 <= int(command.value) <= 1024


def test_the_wheel_over_a_field_does_not_change_it(rig: Rig) -> None:
    field = show(rig, "voice").field("voice.speed")
    assert isinstance(field, NumberField)
    assert field.slider is not None
    from PySide6.QtCore import QPointF
    from PySide6.QtGui import QWheelEvent

    place = QPointF(field.slider.rect().center())
    turn = QWheelEvent(
        place,
        QPointF(field.slider.mapToGlobal(field.slider.rect().center())),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    before = field.slider.value()
    QGuiApplication.sendEvent(field.slider, turn)

    assert before == field.slider.value()


def test_a_switch_asks_for_its_new_place(rig: Rig) -> None:
    field = show(rig, "hearing").field("hearing.captions")
    assert isinstance(field, SwitchField)

    rig.qtbot.mouseClick(field.switch, Qt.MouseButton.LeftButton)

    assert [Configure("hearing.captions", False)] == rig.commands()


def test_words_are_asked_for_with_enter_and_stay_to_be_mended_where_they_are_refused(rig: Rig) -> None:
    field = show(rig, "brain").field("brain.server_url")
    assert isinstance(field, TextField)
    field.line.setFocus()
    rig.qtbot.keyClicks(field.line, "127.0.0.1")
    rig.qtbot.keyClick(field.line, Qt.Key.Key_Return)
    assert [Configure("brain.server_url", "127.0.0.1")] == rig.commands()

    rig.tell("settings", "refused", name="brain.server_url", value="", problem="No address.", remedy="Begin with http.")

    assert "127.0.0.1" == field.line.text()
    assert "No address. Begin with http. It is still empty." == field.problem.text()


def test_words_that_did_not_change_are_not_asked_for(rig: Rig) -> None:
    field = show(rig, "brain").field("brain.groq_model")
    assert isinstance(field, TextField)
    field.line.setFocus()
    rig.qtbot.keyClick(field.line, Qt.Key.Key_Return)

    assert [] == rig.commands()


def test_going_back_while_the_answer_is_awaited_is_told_too(rig: Rig) -> None:
    rig.window.studio.set("voice.speed", 1.5)
    rig.window.studio.set("voice.speed", 1.0)

    assert [Configure("voice.speed", 1.5), Configure("voice.speed", 1.0)] == rig.commands()
    in_force(rig, "voice.speed", 1.0)
    rig.window.studio.set("voice.speed", 1.0)
    assert [] == rig.commands()


def test_only_what_applies_is_shown(rig: Rig) -> None:
    page = show(rig, "hearing")
    assert page.field("hearing.patience").isVisible()
    assert not page.field("hearing.wake_for_s").isVisible()

    in_force(rig, "hearing.wake_word", True)
    assert page.field("hearing.wake_for_s").isVisibleTo(page)
    in_force(rig, "hearing.mode", "hold")

    assert not page.field("hearing.patience").isVisible()
    assert not page.field("hearing.wake_for_s").isVisible()


def test_a_local_brain_shows_nothing_of_servers(rig: Rig) -> None:
    page = show(rig, "brain")
    in_force(rig, "brain.provider", "local")

    hidden = ("brain.groq_model", "brain.server_url", "brain.remote_max_tokens", "brain.first_token_s")
    assert [] == [name for name in hidden if page.field(name).isVisibleTo(page)]
    assert page.field("brain.max_tokens").isVisibleTo(page)


# Devices


def test_a_page_looks_for_devices_when_it_is_shown_and_a_lost_one_stays_chosen(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(
        settings=Settings(hearing=HearingSettings(device="USB Mic"), window=WindowSettings(first_steps=False))
    )
    page = rig.window.show_page("hearing")
    assert isinstance(page, HearingPage)
    page.finish()
    assert [ListDevices()] == rig.commands()
    field = page.device
    assert isinstance(field, DeviceField)

    rig.tell("devices", "list", microphones=["Built-in", "USB Mic"], speakers=[], cameras=[])
    assert "USB Mic" == field.picker.currentText()
    rig.tell("devices", "list", microphones=["Built-in"], speakers=[], cameras=[])

    assert ("USB Mic (not connected)", "USB Mic") == (field.picker.currentText(), field.picker.currentData())
    assert [] == rig.commands()


def test_camera_sizes_are_chosen_together(rig: Rig) -> None:
    page = rig.window.show_page("output")
    assert isinstance(page, OutputPage)
    page.finish()
    rig.commands()
    index = page.picture.picker.findText("1920 × 1080")

    page.picture.picker.activated.emit(index)

    assert [Configure("camera.width_px", 1920), Configure("camera.height_px", 1080)] == rig.commands()


# Hearing


def test_the_threshold_is_dragged_in_the_meter_of_what_is_heard(rig: Rig) -> None:
    field = show(rig, "hearing").field("hearing.threshold")
    assert isinstance(field, ThresholdField)
    rig.tell("vad", "probability", p=0.8)
    assert 0.7 < field.meter.shown <= 0.8

    rig.qtbot.mousePress(
        field.meter, Qt.MouseButton.LeftButton, pos=QPoint(field.meter.width() // 4, field.meter.height() // 2)
    )
    rig.qtbot.mouseMove(field.meter, QPoint(round(field.meter.width() * 0.3), field.meter.height() // 2))
    rig.qtbot.mouseRelease(field.meter, Qt.MouseButton.LeftButton)
    rig.qtbot.waitUntil(lambda: not field._settle.isActive(), timeout=5000)

    (command,) = rig.commands()
    assert isinstance(command, Configure)
    assert ("hearing.threshold", pytest.approx(0.3, abs=0.03)) == (command.name, command.value)


@pytest.mark.parametrize("p", [-1.0, 7.0, float("nan"), "sure"])
def test_a_nonsense_probability_keeps_the_meter_in_its_range(rig: Rig, p: object) -> None:
    field = show(rig, "hearing").field("hearing.threshold")
    assert isinstance(field, ThresholdField)

    rig.tell("vad", "probability", p=p)

    assert 0.0 <= field.meter.shown <= 1.0


def test_the_microphone_check_says_what_happens_and_judges_the_level(rig: Rig) -> None:
    from app.gui.mic_check import MicrophoneCheck

    (check,) = show(rig, "hearing").findChildren(MicrophoneCheck)
    check.button.click()
    assert [CheckMicrophone(3)] == rig.commands()
    rig.tell("capture", "check", phase="recording")
    assert ("Say something…", False) == (check.note.text(), check.button.isEnabled())
    rig.tell("playback", "stopped", turn=1)
    assert not check.button.isEnabled()

    rig.tell("capture", "check", phase="playing", turn=2, peak_dbfs=-60.0)
    assert "Hardly anything was heard" in check.note.text()
    rig.tell("playback", "turn_finished", turn=2)

    assert check.button.isEnabled()


# Brain, voice, face


def test_a_key_goes_to_the_credential_store_and_is_never_shown(make_rig: Callable[..., Rig]) -> None:
    secrets = FakeSecrets()
    rig = make_rig(secrets=secrets)
    page = rig.window.show_page("brain")
    assert isinstance(page, BrainPage)
    page.finish()
    row: SecretRow = page.groq_key
    rig.qtbot.keyClicks(row.line, "gsk_secret")
    assert QLineEdit.EchoMode.Password == row.line.echoMode()

    rig.qtbot.keyClick(row.line, Qt.Key.Key_Return)
    rig.qtbot.waitUntil(row.forget_button.isVisible, timeout=5000)
    assert ({"groq": "gsk_secret"}, "", [SecretChanged("groq")]) == (secrets.keys, row.line.text(), rig.commands())
    row.forget_button.click()
    rig.qtbot.waitUntil(row.keep_button.isVisible, timeout=5000)

    assert ({}, [SecretChanged("groq")]) == (secrets.keys, rig.commands())


def test_a_store_that_refuses_says_so_beside_the_key(make_rig: Callable[..., Rig]) -> None:
    secrets = FakeSecrets()
    secrets.broken = True
    rig = make_rig(secrets=secrets)
    page = rig.window.show_page("brain")
    assert isinstance(page, BrainPage)
    page.finish()
    page.groq_key.line.setText("gsk_secret")

    page.groq_key.keep_button.click()
    rig.qtbot.waitUntil(page.groq_key.problem.isVisible, timeout=5000)

    assert "This system offers no credential store. Install one." == page.groq_key.problem.text()
    assert [] == rig.commands()


def test_the_connection_test_shows_round_trip_and_first_word_or_what_is_wrong(rig: Rig) -> None:
    page = show(rig, "brain")
    assert isinstance(page, BrainPage)
    page.test.button.click()
    assert [TestBrain()] == rig.commands()

    rig.tell("brain", "tested", provider="groq", model="m", ok=True, detail="", round_trip_ms=212.4, first_token_ms=390)
    rig.tell(
        "brain", "tested", provider="server", model="", ok=False, detail="No answer.", round_trip_ms=None,
        first_token_ms=None,
    )  # fmt: skip

    lines = [line.text() for line in page.test.lines.values()]
    assert ["✓ Groq · m: round trip 212 ms, first word after 390 ms", "✗ Server: No answer."] == lines


def test_a_test_sentence_is_said(rig: Rig) -> None:
    page = show(rig, "voice")
    assert isinstance(page, VoicePage)
    page.test.line.setText("  Hello there.  ")

    page.test.button.click()

    assert [Say("Hello there.")] == rig.commands()


def test_a_tier_is_measured_when_asked_and_the_figure_is_compared_with_the_settings(rig: Rig) -> None:
    page = show(rig, "face")
    assert isinstance(page, FacePage)
    page.test.buttons["exact"].click()
    assert [TestFace("exact")] == rig.commands()
    assert not page.test.buttons["live"].isEnabled()

    rig.tell("avatar", "tested", tier="exact", fps=4.2, device="CPU", problem="")
    rig.tell("avatar", "tested", tier="live", fps=None, device=None, problem="The bake is missing.")

    assert "4 fps here, fewer than the 30 of the settings (CPU)" == page.test.notes["exact"].text()
    assert "The bake is missing." == page.test.notes["live"].text()
    assert page.test.buttons["live"].isEnabled()


def test_the_page_says_which_engine_draws_and_offers_what_belongs_to_the_chosen_one(rig: Rig) -> None:
    page = show(rig, "face")
    assert isinstance(page, FacePage)
    quality = page.field("face.musetalk_quality")
    assert quality.isHidden()

    rig.tell("avatar", "frames", fps=30.0, due=30, missed=0, tier="photo puppet", clamped=0)
    assert "Draws now: photo puppet" == page.drawing.text()
    rig.tell("settings", "changed", name="face.human_engine", value="musetalk")
    rig.tell("avatar", "frames", fps=30.0, due=30, missed=0, tier="MuseTalk 1.5, best", clamped=0)

    assert "Draws now: MuseTalk 1.5, best" == page.drawing.text()
    assert not quality.isHidden()


# Log


def test_the_report_holds_states_and_settings_but_no_key_and_nothing_spoken(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(
        settings=Settings(
            brain=BrainSettings(server_url="https://me:hunter2@example.org/v1", provider="server"),
            window=WindowSettings(first_steps=False),
        )
    )
    page = rig.window.show_page("log")
    assert isinstance(page, LogPage)
    rig.tell("llm", "state", state="failed", label="", problem="Groq refused gsk_abc123DEF456.", remedy="Mend it.")
    rig.tell("stt", "transcript", turn=1, text="my password is swordfish", typed=False)
    rig.tell("llm", "sentence", turn=1, index=0, text="I will keep swordfish to myself.", last=True)
    rig.tell("playback", "clip_started", turn=1, index=0, text="I will keep swordfish to myself.")

    page.copy.click()
    report = QGuiApplication.clipboard().text()

    assert "Groq refused …. Mend it." in report
    assert "brain.provider = 'server'" in report
    assert "brain.server_url = (set)" in report
    for private in ("gsk_", "hunter2", "example.org", "swordfish"):
        assert private not in report
    assert "Groq refused …. Mend it." in page.text.toPlainText()


def test_the_check_up_runs_away_from_the_window_and_joins_the_report(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(check_up=lambda: ("ok    sound   default",))
    page = rig.window.show_page("log")
    assert isinstance(page, LogPage)

    page.check_up.click()
    rig.qtbot.waitUntil(page.check_up.isEnabled, timeout=5000)

    assert "ok    sound   default" in page.text.toPlainText()
    assert "ok    sound   default" in page.report()
