"""What the window does with keys, words, facts and its own end."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QWidget

from app.bus import Bus
from app.gui.main_window import MainWindow
from app.gui.meter import FLOOR_DBFS
from app.messages import Ask, Express, Gesture, Mute, PushToTalk, Quit, StopTalking, SwitchCamera, SwitchCharacter

if TYPE_CHECKING:
    from tests.app.gui.conftest import Rig

pytestmark = pytest.mark.gui

DIGITS = [Qt.Key(Qt.Key.Key_0 + n) for n in range(1, 9)]


def fail_microphone(rig: Rig) -> None:
    rig.tell(
        "capture",
        "state",
        state="failed",
        label="Microphone",
        problem="No microphone was found.",
        remedy="Plug one in.",
    )


# Keys and words


def test_keys_1_to_8_choose_the_expressions_in_their_order(rig: Rig) -> None:
    for digit in DIGITS:
        rig.key(digit)

    assert [Express(name) for name in rig.info.expressions] == rig.commands()


def test_the_number_pad_chooses_expressions_too(rig: Rig) -> None:
    rig.key(Qt.Key.Key_3, Qt.KeyboardModifier.KeypadModifier)

    assert [Express("sad")] == rig.commands()


def test_f8_is_the_talk_key_down_and_up_also_while_typing(rig: Rig) -> None:
    rig.page.field.setFocus()
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QGuiApplication.sendEvent(
            rig.page.field, QKeyEvent(kind, Qt.Key.Key_F8, Qt.KeyboardModifier.NoModifier, "", False)
        )

    assert [PushToTalk(True), PushToTalk(False)] == rig.commands()


def test_a_held_talk_key_does_not_repeat_itself(rig: Rig) -> None:
    for repeats in (False, True, True):
        event = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_F8, Qt.KeyboardModifier.NoModifier, "", repeats)
        QGuiApplication.sendEvent(rig.window, event)

    assert [PushToTalk(True)] == rig.commands()


def test_what_is_being_said_is_shown_as_it_comes_and_replaced_by_what_was_said(rig: Rig) -> None:
    rig.tell("stt", "partial", turn=1, text="what is")
    rig.tell("stt", "partial", turn=1, text="what is your")
    assert rig.page.log._hearing is not None
    assert rig.page.log._hearing.text.toPlainText() == "what is your"
    assert rig.page.log.messages == []

    rig.tell("stt", "transcript", turn=1, text="What is your name?", typed=False)

    assert rig.page.log._hearing is None
    assert rig.page.log.messages == [("user", "What is your name?")]


def test_words_that_became_no_turn_are_taken_away_again(rig: Rig) -> None:
    rig.tell("vad", "ducked", on=True)
    rig.tell("stt", "partial", turn=1, text="mm-hm")
    rig.tell("vad", "ducked", on=False)

    assert rig.page.log._hearing is None
    assert rig.page.log.messages == []


def test_letters_make_gestures(rig: Rig) -> None:
    for letter in (Qt.Key.Key_Y, Qt.Key.Key_N, Qt.Key.Key_H, Qt.Key.Key_B, Qt.Key.Key_L):
        rig.key(letter)

    assert [Gesture(name) for name in ("nod", "shake", "tilt", "bow", "lean")] == rig.commands()


def test_digits_and_letters_typed_into_the_field_are_text(rig: Rig) -> None:
    rig.key(Qt.Key.Key_T)
    rig.qtbot.keyClicks(rig.page.field, "12345678 mctynhbl")

    assert rig.page.field.text() == "12345678 mctynhbl"
    assert rig.commands() == []
    assert rig.page.microphone.isChecked()


def test_escape_leaves_the_field_and_the_keys_work_again(rig: Rig) -> None:
    rig.page.field.setFocus()

    rig.key(Qt.Key.Key_Escape)
    rig.key(Qt.Key.Key_2)

    assert not rig.page.field.hasFocus()
    assert [Express("happy")] == rig.commands()


def test_a_key_without_an_expression_does_nothing(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(expressions=["neutral", "happy"])

    rig.key(Qt.Key.Key_3)

    assert rig.commands() == []


def test_a_window_without_expressions_opens(make_rig: Callable[..., Rig]) -> None:
    rig = make_rig(expressions=[], characters=[])

    rig.key(Qt.Key.Key_1)

    assert rig.commands() == []


def test_enter_asks_while_the_character_speaks(rig: Rig) -> None:
    rig.tell("playback", "clip_started", turn=1, index=0, text="Once upon a time")
    rig.page.field.setFocus()
    rig.qtbot.keyClicks(rig.page.field, "  wait, who?  ")

    rig.key(Qt.Key.Key_Return)

    assert [Ask("wait, who?")] == rig.commands()
    assert rig.page.field.text() == ""
    assert rig.page.log.messages[-1] == ("user", "wait, who?")


def test_blank_text_is_not_asked(rig: Rig) -> None:
    rig.page.field.setFocus()
    rig.qtbot.keyClicks(rig.page.field, "   ")

    rig.key(Qt.Key.Key_Return)

    assert rig.commands() == []
    assert not rig.page.send.isEnabled()


def test_the_active_expression_is_the_one_the_face_shows(rig: Rig) -> None:
    rig.qtbot.mouseClick(rig.page.expressions.buttons[1], Qt.MouseButton.LeftButton)
    assert rig.page.expressions.active == "happy"

    rig.tell("avatar", "expression", name="sad")

    assert rig.page.expressions.active == "sad"
    assert [Express("happy")] == rig.commands()


def test_stop_button_and_escape_and_ctrl_dot_stop_the_talking(rig: Rig) -> None:
    rig.qtbot.mouseClick(rig.page.stop, Qt.MouseButton.LeftButton)
    rig.page.stage.setFocus()
    rig.key(Qt.Key.Key_Escape)
    rig.page.field.setFocus()
    rig.key(Qt.Key.Key_Period, Qt.KeyboardModifier.ControlModifier)

    assert [StopTalking()] * 3 == rig.commands()


# Switches


def test_the_microphone_switch_mutes_and_empties_the_meter(rig: Rig) -> None:
    rig.tell("capture", "level", dbfs=-10.0)
    rig.qtbot.mouseClick(rig.page.microphone, Qt.MouseButton.LeftButton)
    rig.tell("capture", "level", dbfs=-3.0)

    assert rig.page.meter.shown_dbfs == FLOOR_DBFS
    rig.page.stage.setFocus()
    rig.key(Qt.Key.Key_M)
    assert [Mute(True), Mute(False)] == rig.commands()


def test_the_camera_is_off_at_first_and_its_switch_tells_the_line(rig: Rig) -> None:
    assert not rig.page.camera.isChecked()

    rig.key(Qt.Key.Key_C)

    assert [SwitchCamera(True)] == rig.commands()


def test_the_camera_switch_falls_back_when_the_camera_fails(rig: Rig) -> None:
    rig.key(Qt.Key.Key_C)
    rig.commands()

    rig.tell("camera", "state", state="starting", label="")
    assert rig.page.camera.isChecked()
    rig.tell("camera", "state", state="failed", label="", problem="No virtual camera was found.", remedy="Install OBS.")

    assert not rig.page.camera.isChecked()
    assert rig.commands() == []


def test_picking_a_character_asks_for_it_by_its_path_which_names_nobody_else(rig: Rig) -> None:
    rig.page.picker.setCurrentIndex(1)
    rig.page.picker.activated.emit(1)

    assert [SwitchCharacter("characters/mina")] == rig.commands()


def test_a_character_that_could_not_load_is_not_shown_as_chosen(rig: Rig) -> None:
    rig.page.picker.setCurrentIndex(1)

    rig.tell("avatar", "state", state="ready", label="Face", problem="No picture in mina.", remedy="Add image.png.")

    assert rig.page.picker.currentText() == "Haru"
    assert rig.window.banner.problem.toPlainText() == "No picture in mina."


def test_the_picker_follows_the_face_by_folder_name(rig: Rig) -> None:
    rig.tell("avatar", "character", name="mina")

    assert rig.page.picker.currentText() == "Mina"
    assert rig.commands() == []


# Meter


def test_the_meter_follows_the_loudest_level_at_once_and_falls_slowly(rig: Rig) -> None:
    rig.bus.emit("capture", "level", dbfs=-40.0)
    rig.bus.emit("capture", "level", dbfs=-12.0)
    rig.bus.emit("capture", "level", dbfs=-30.0)
    rig.window.bridge.drain()
    after_one = rig.page.meter.shown_dbfs
    rig.window.bridge.drain()

    assert -15.0 < after_one <= -12.0
    assert FLOOR_DBFS < rig.page.meter.shown_dbfs < after_one


def test_silence_and_nonsense_levels_keep_the_meter_in_its_range(rig: Rig) -> None:
    for dbfs in (-math.inf, math.nan, 12.0, "loud"):
        rig.tell("capture", "level", dbfs=dbfs)

        assert FLOOR_DBFS <= rig.page.meter.shown_dbfs <= 0.0


# Errors


def test_an_error_appears_once_with_its_remedy(rig: Rig) -> None:
    for _ in range(3):
        fail_microphone(rig)

    assert rig.window.banner.isVisible()
    assert rig.window.banner.problem.toPlainText() == "No microphone was found."
    assert rig.window.banner.remedy.toPlainText() == "Plug one in."
    assert len(rig.window.banner.troubles) == 1


def test_a_dismissed_error_stays_away_until_the_stage_has_worked(rig: Rig) -> None:
    fail_microphone(rig)
    rig.window.banner.close_button.click()
    fail_microphone(rig)
    assert not rig.window.banner.isVisible()

    rig.tell("capture", "state", state="ready", label="Microphone")
    fail_microphone(rig)

    assert rig.window.banner.isVisible()


def test_a_new_question_makes_the_same_failure_news(rig: Rig) -> None:
    failure = {"state": "failed", "label": "", "problem": "The model did not answer.", "remedy": "Check the network."}
    rig.tell("llm", "state", **failure)
    rig.window.banner.close_button.click()

    rig.page.field.setText("again")
    rig.page.send.click()
    rig.tell("llm", "state", **failure)

    assert rig.window.banner.isVisible()


def test_the_banner_goes_when_the_stage_works_again(rig: Rig) -> None:
    fail_microphone(rig)

    rig.tell("capture", "state", state="ready", label="Microphone")

    assert not rig.window.banner.isVisible()


def test_several_errors_wait_for_each_other(rig: Rig) -> None:
    fail_microphone(rig)
    rig.tell("llm", "state", state="failed", label="", problem="The model did not answer.", remedy="Check the network.")

    assert rig.window.banner.count.text() == "2 of 2"
    assert rig.window.banner.problem.toPlainText() == "The model did not answer."
    rig.window.banner.close_button.click()
    assert rig.window.banner.problem.toPlainText() == "No microphone was found."


def test_copy_takes_problem_and_remedy(rig: Rig) -> None:
    fail_microphone(rig)

    rig.window.banner.copy.click()

    assert QGuiApplication.clipboard().text() == "No microphone was found.\nPlug one in."


def test_the_status_dot_brings_a_dismissed_error_back(rig: Rig) -> None:
    fail_microphone(rig)
    rig.window.banner.close_button.click()

    chip = rig.window.status.chip("capture")
    assert chip is not None
    chip.click()

    assert rig.window.banner.isVisible()
    assert chip.state == "failed"
    assert "No microphone was found." in chip.toolTip()


def test_a_failed_microphone_reads_as_off_and_switching_it_on_tries_again(rig: Rig) -> None:
    fail_microphone(rig)
    assert rig.page.no_microphone.isVisible()
    assert not rig.page.microphone.isChecked()

    rig.page.microphone.click()
    assert [Mute(False)] == rig.commands()
    rig.tell("capture", "state", state="ready", label="Microphone")

    assert rig.page.meter.isVisible()
    assert rig.page.microphone.isChecked()


def test_a_muted_microphone_that_gets_ready_stays_muted(rig: Rig) -> None:
    rig.page.microphone.click()

    rig.tell("capture", "state", state="ready", label="Microphone")

    assert not rig.page.microphone.isChecked()
    assert [Mute(True)] == rig.commands()


def test_a_long_error_leaves_room_for_the_character(rig: Rig) -> None:
    rig.window.resize(900, 600)
    rig.tell("camera", "state", state="failed", label="", problem="No camera. " * 200, remedy="Install OBS. " * 100)
    rig.qtbot.waitUntil(lambda: rig.window.banner.height() < 130, timeout=5000)

    assert rig.window.height() == 600
    assert rig.page.stage.height() >= 170
    assert not rig.page.stage.geometry().intersects(rig.page.expressions.geometry())


# Start-up


def test_progress_shows_while_it_lasts(rig: Rig) -> None:
    rig.tell("avatar", "progress", what="baking Haru", share=0.25)
    assert rig.page.stage.card.isVisible()

    rig.tell("avatar", "progress", what="baking Haru", share=1.0)

    assert not rig.page.stage.card.isVisible()


def test_progress_goes_when_the_face_is_ready_or_failed(rig: Rig) -> None:
    for state in ("ready", "failed"):
        rig.tell("avatar", "progress", what="baking Haru", share=0.25)
        rig.tell("avatar", "state", state=state, label="Face")

        assert not rig.page.stage.card.isVisible()


def test_what_happened_before_the_window_opened_is_shown(make_rig: Callable[..., Rig]) -> None:
    def before(bus: Bus) -> None:
        bus.emit("llm", "state", state="ready", label="SmolLM2-135M (local)")
        bus.emit(
            "capture", "state", state="failed", label="", problem="No microphone was found.", remedy="Plug one in."
        )
        bus.emit("avatar", "progress", what="baking Haru", share=0.5)

    rig = make_rig(before)

    brain = rig.window.status.chip("llm")
    assert brain is not None
    assert (brain.state, brain.label) == ("ready", "SmolLM2-135M (local)")
    assert len(rig.window.banner.troubles) == 1
    assert rig.page.stage.card.isVisible()


def test_tier_and_frame_rate_are_shown(rig: Rig) -> None:
    rig.tell("avatar", "frames", fps=29.7, due=30, missed=2, tier="live")
    rig.tell("avatar", "frames", fps=29.7, due=30, missed=1, tier="exact")
    rig.window.bridge.slow_tick.emit()

    assert rig.page.stage.tier.text() == "EXACT"
    assert rig.page.stage.rate.text() == "30 fps · 3 dropped"


def test_two_stages_share_a_dot_and_the_graver_state_wins(rig: Rig) -> None:
    rig.tell("playback", "state", state="failed", label="Speakers", problem="No speakers.", remedy="Plug some in.")
    rig.tell("tts", "state", state="ready", label="Piper")

    voice = rig.window.status.chip("tts")
    assert voice is not None
    assert (voice.state, voice.label) == ("failed", "Speakers")


# Robustness


@pytest.mark.parametrize(
    ("stage", "event", "data"),
    [
        ("horoscope", "state", {"state": "ready", "label": "Stars"}),
        ("horoscope", "prediction", {"luck": 1}),
        ("llm", "state", {"state": "dreaming"}),
        ("llm", "state", {}),
        ("stt", "transcript", {"turn": None, "text": "x"}),
        ("playback", "clip_started", {}),
        ("avatar", "frames", {"fps": "fast"}),
        ("avatar", "progress", {"what": "x", "share": math.nan}),
        ("avatar", "expression", {"name": "unheard of"}),
        ("avatar", "character", {"name": "nobody"}),
        ("llm", "first_token", {"turn": 1, "took_ms": "soon"}),
    ],
)
def test_unknown_and_malformed_facts_are_passed_over(rig: Rig, stage: str, event: str, data: dict[str, object]) -> None:
    rig.tell(stage, event, **data)
    rig.tell("stt", "transcript", turn=9, text="still here", typed=False)

    assert rig.page.log.messages == [("user", "still here")]
    assert not rig.window.banner.isVisible()


def test_an_error_of_an_unknown_stage_is_still_shown(rig: Rig) -> None:
    rig.tell("horoscope", "state", state="failed", label="", problem="No stars tonight.", remedy="Wait.")

    assert rig.window.banner.problem.toPlainText() == "No stars tonight."


def test_every_control_has_an_accessible_name(rig: Rig) -> None:
    from PySide6.QtGui import QAccessible

    controls = [
        w for w in rig.window.findChildren(QWidget) if w.focusPolicy() & Qt.FocusPolicy.TabFocus and w.isVisible()
    ]
    unnamed = []
    for control in controls:
        interface = QAccessible.queryAccessibleInterface(control)
        if interface is None or not interface.text(QAccessible.Text.Name):
            unnamed.append(f"{type(control).__name__} {control.objectName()}")

    assert len(controls) > 15
    assert unnamed == []


# The end


def test_closing_puts_quit_once_and_leaves_no_timer_running(rig: Rig) -> None:
    threads = threading.active_count()

    rig.window.close()
    rig.window.close()

    assert [Quit()] == rig.commands()
    endless = [t for t in rig.window.findChildren(QTimer) if t.isActive() and not t.isSingleShot()]
    assert endless == []
    assert threading.active_count() <= threads


def test_ctrl_q_closes_even_while_typing(rig: Rig) -> None:
    rig.page.field.setFocus()

    rig.key(Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)

    assert not rig.window.isVisible()
    assert [Quit()] == rig.commands()


def test_the_window_goes_when_the_show_is_over(rig: Rig) -> None:
    rig.tell("app", "state", state="off", label="")

    rig.qtbot.waitUntil(lambda: not rig.window.isVisible(), timeout=5000)
    assert [Quit()] == rig.commands()


def test_the_window_keeps_to_its_smallest_size(rig: Rig) -> None:
    rig.window.resize(10, 10)

    assert (rig.window.width(), rig.window.height()) == (900, 600)
    assert rig.window.minimumSizeHint().width() <= 900
    assert isinstance(rig.window, MainWindow)


# What is changed elsewhere


def test_the_microphone_switch_follows_a_key_and_other_pages(rig: Rig) -> None:
    rig.tell("settings", "changed", name="hearing.muted", value=True)
    rig.tell("capture", "state", state="off", label="")
    assert not rig.page.microphone.isChecked()

    rig.tell("settings", "changed", name="hearing.muted", value=False)
    rig.tell("capture", "state", state="ready", label="")

    assert rig.page.microphone.isChecked()
    assert [] == rig.commands()


def test_the_picker_takes_in_new_characters_and_keeps_who_is_on_the_stage(rig: Rig) -> None:
    rig.tell("avatar", "character", name="mina")
    rig.tell("show", "characters", names=["Aoi", "Haru", "Mina"])

    assert ["Aoi", "Haru", "Mina"] == [rig.page.picker.itemText(at) for at in range(rig.page.picker.count())]
    assert "Mina" == rig.page.picker.currentText()
    rig.tell("avatar", "character", name="Aoi")
    assert "Aoi" == rig.page.picker.currentText()
    assert [] == rig.commands()


def put_on_stage(rig: Rig, name: str, path: str, expressions: list[str]) -> None:
    rig.tell("show", "character", name=name, path=path, expressions=expressions)


def test_the_buttons_and_keys_are_those_of_the_character_on_stage(rig: Rig) -> None:
    put_on_stage(rig, "Mina", "characters/mina", ["happy", "victory", "neutral"])

    assert ["happy", "victory", "neutral"] == [each.expression for each in rig.page.expressions.buttons]
    rig.key(Qt.Key.Key_2)
    rig.key(Qt.Key.Key_4)
    assert [Express("victory")] == rig.commands()


def test_who_was_chosen_elsewhere_is_marked_before_the_face_is_ready(rig: Rig) -> None:
    put_on_stage(rig, "Mina", "characters/mina", ["neutral"])
    rig.tell("avatar", "progress", what="learning the mouth", share=0.4)
    rig.tell("avatar", "character", name="haru")  # the face that was given up

    assert "Mina" == rig.page.picker.currentText()
    assert "Mina is waking up…" == rig.page.stage.words.text()
    assert rig.page.stage.card.isVisible()
    rig.tell("llm", "sentence", turn=1, index=0, text="Hello.", last=True)
    rig.tell("playback", "clip_started", turn=1, index=0, text="Hello.")
    assert "Mina" == rig.page.log._bubbles[-1].name.text()


def test_two_of_the_same_name_are_told_apart_by_their_folders(rig: Rig) -> None:
    rig.tell("show", "characters", names=["Haru", "Mina", "Mina"], paths=["a/haru", "a/mina", "b/mina"])
    put_on_stage(rig, "Mina", "b/mina", ["neutral"])

    assert 2 == rig.page.picker.currentIndex()
    rig.page.picker.activated.emit(1)
    assert [SwitchCharacter("a/mina")] == rig.commands()


def test_a_character_that_is_refused_leaves_the_picker_with_who_is_on_stage(rig: Rig) -> None:
    put_on_stage(rig, "Haru", "characters/haru", ["neutral"])
    rig.page.picker.setCurrentIndex(1)

    rig.tell("gate", "state", state="failed", label="SwitchCharacter", problem="It is damaged.", remedy="Mend it.")

    assert "Haru" == rig.page.picker.currentText()


def test_expressions_without_a_key_are_in_a_menu_and_take_no_room_of_the_stage(rig: Rig) -> None:
    bar = rig.page.expressions
    before_px = bar.height()
    put_on_stage(rig, "Mina", "characters/mina", [*rig.info.expressions, "victory", "big_smile"])

    assert (8, ["Victory", "Big smile"]) == (len(bar.buttons), [each.text() for each in bar.menu.actions()])
    bar.menu.actions()[0].trigger()
    assert [Express("victory")] == rig.commands()
    assert (True, "Victory", "victory") == (bar.more.isChecked(), bar.more.text(), bar.active)
    rig.tell("avatar", "expression", name="happy")
    assert (False, "More…", "happy") == (bar.more.isChecked(), bar.more.text(), bar.active)
    rig.qtbot.waitUntil(lambda: bar.height() <= 2 * before_px + 8)


def test_the_mouths_slider_follows_the_settings(rig: Rig) -> None:
    rig.tell("settings", "changed", name="lips.mouth_offset_ms", value=-40)

    assert "40 ms earlier" == rig.page.lip_sync.value.text()
    rig.window.close()
    assert [Quit()] == rig.commands()
