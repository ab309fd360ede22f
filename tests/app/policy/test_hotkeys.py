"""What a key is called, what it does, and who gets in whose way."""

from __future__ import annotations

import pytest

from app.errors import AppError
from app.messages import (
    Express,
    Gesture,
    NextCharacter,
    Panic,
    PushToTalk,
    SaveReplay,
    Screenshot,
    StopTalking,
    ToggleHuman,
    ToggleMute,
    ToggleRecording,
)
from app.policy.hotkeys import NEUTRAL, Binding, Bindings, Keyboard, normal_keys, parse
from app.settings import DEFAULT_BINDINGS


def key(action: str, value: str = "Ctrl+Alt+1") -> Binding:
    return parse(action, value)


# How keys are written.


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("ctrl+alt+1", "Ctrl+Alt+1"),
        ("Alt+Control+f12", "Ctrl+Alt+F12"),
        ("Shift+Super+Left", "Shift+Meta+Left"),
        ("f8", "F8"),
        ("num5", "Num5"),
        ("Shift+Pause", "Shift+Pause"),
        ("Ctrl+PgUp", "Ctrl+PageUp"),
        ("", ""),
    ],
)
def test_keys_are_written_in_one_way(written: str, normal: str) -> None:
    assert normal == normal_keys(written)
    assert normal == normal_keys(normal)


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("A", "would no longer reach"),
        ("Shift+A", "would no longer reach"),
        ("Space", "would no longer reach"),
        ("Ctrl+C", "copies"),
        ("Alt+F4", "belongs to the desktop"),
        ("Ctrl+Alt", "no key but"),
        ("Ctrl+Foo", "'Foo'"),
        ("Fn+1", "'Fn'"),
        ("Ctrl++", "no key called"),
    ],
)
def test_keys_that_nobody_could_live_with_are_refused_with_a_reason(written: str, why: str) -> None:
    with pytest.raises(AppError, match=why) as caught:
        normal_keys(written)
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("value", "mode", "for_s"),
    [("Ctrl+Alt+1", "toggle", 3.0), ("Ctrl+Alt+1 hold", "hold", 3.0), ("Ctrl+Alt+1 2.5 s", "timed", 2.5)],
)
def test_an_expression_is_switched_held_or_timed_and_is_written_back_as_it_was(value, mode, for_s) -> None:
    binding = key("haru/express happy", value)

    assert Binding("express happy", "Ctrl+Alt+1", mode, for_s, "haru") == binding
    assert value == binding.value
    assert "keys.bindings.haru/express happy" == binding.setting


@pytest.mark.parametrize(
    ("action", "value"),
    [
        ("dance", "F9"),
        ("express ", "F9"),
        ("mute", "F9 hold"),
        ("express happy", "F9 forever"),
        ("express happy", "F9 0 s"),
        ("express happy", "F9 9999 s"),
    ],
)
def test_a_binding_that_means_nothing_is_refused(action: str, value: str) -> None:
    with pytest.raises(AppError):
        parse(action, value)


def test_one_wrong_line_leaves_the_others_alone() -> None:
    found = Bindings.of({"mute": "F9", "stop": "Ctrl+", "fly": "F10"})

    assert ["mute"] == [each.action for each in found.all]
    assert {"stop", "fly"} == set(found.wrong)


def test_the_defaults_are_sound_and_without_conflicts() -> None:
    found = Bindings.of(DEFAULT_BINDINGS)

    assert not found.wrong
    assert [()] * len(found.all) == [found.conflicts(each) for each in found.all]


# Whose keys count.


def test_a_characters_own_keys_come_before_those_for_all() -> None:
    found = Bindings.of({"express happy": "F9", "express sad": "F10", "haru/express happy": "F10", "mute": "F11"})

    def active(character: str) -> dict[str, str]:
        return {each.keys: each.action for each in found.of_character(character)}

    assert {"F9": "express happy", "F10": "express sad", "F11": "mute"} == active("mika")
    assert {"F10": "express happy", "F11": "mute"} == active("Haru")


def test_an_empty_key_of_a_character_takes_the_one_for_all_away() -> None:
    found = Bindings.of({"express happy": "F9", "haru/express happy": ""})

    assert () == found.of_character("haru")
    assert 1 == len(found.of_character("mika"))


def test_the_same_keys_twice_are_a_conflict_and_a_characters_own_over_those_for_all_are_none() -> None:
    found = Bindings.of({"mute": "F9", "stop": "f9", "haru/express happy": "F9", "haru/gesture nod": "F9"})
    mute, stop, happy, nod = found.all

    assert (stop,) == found.conflicts(mute)
    assert (nod,) == found.conflicts(happy)
    assert ["express happy"] == [each.action for each in found.of_character("haru")]


# What presses and releases do.


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ("mute", ToggleMute()),
        ("stop", StopTalking()),
        ("next_character", NextCharacter()),
        ("anime_human", ToggleHuman()),
        ("record", ToggleRecording()),
        ("replay", SaveReplay()),
        ("screenshot", Screenshot()),
        ("gesture nod", Gesture("nod")),
    ],
)
def test_a_key_that_is_pressed_once_does_it_once(action: str, command: object) -> None:
    keyboard = Keyboard()

    assert [command] == list(keyboard.press(key(action), 0.0))
    assert [] == list(keyboard.release(key(action)))


def test_the_talk_key_talks_while_it_is_held() -> None:
    keyboard = Keyboard()

    assert [PushToTalk(True)] == list(keyboard.press(key("talk"), 0.0))
    assert [PushToTalk(False)] == list(keyboard.release(key("talk")))


def test_panic_is_ended_by_the_same_key_whoever_began_it() -> None:
    keyboard = Keyboard()

    assert [Panic(True)] == list(keyboard.press(key("panic"), 0.0))
    assert [Panic(False)] == list(keyboard.press(key("panic"), 1.0))
    keyboard.panicked(True)
    assert [Panic(False)] == list(keyboard.press(key("panic"), 2.0))


def test_a_second_press_takes_an_expression_away_also_one_that_the_window_has_set() -> None:
    keyboard, happy = Keyboard(), key("express happy")

    assert [Express("happy")] == list(keyboard.press(happy, 0.0))
    assert [Express(NEUTRAL)] == list(keyboard.press(happy, 1.0))
    keyboard.showed("happy")
    assert [Express(NEUTRAL)] == list(keyboard.press(happy, 2.0))


def test_a_held_expression_gives_back_what_was_there_before() -> None:
    keyboard, sad, angry = Keyboard(), key("express sad", "F9 hold"), key("express angry", "F10 hold")
    keyboard.showed("shy")

    assert [Express("sad")] == list(keyboard.press(sad, 0.0))
    assert [Express("angry")] == list(keyboard.press(angry, 1.0))
    assert [] == list(keyboard.release(sad))
    assert [Express("shy")] == list(keyboard.release(angry))


def test_what_is_chosen_while_a_key_is_held_stays_when_it_is_let_go() -> None:
    keyboard, sad = Keyboard(), key("express sad", "F9 hold")
    keyboard.press(sad, 0.0)
    keyboard.showed("happy")

    assert [] == list(keyboard.release(sad))
    assert "happy" == keyboard.shown


def test_a_timed_expression_ends_by_itself_and_a_second_press_begins_it_anew() -> None:
    keyboard, wink = Keyboard(), key("express wink", "F9 3 s")

    assert [Express("wink")] == list(keyboard.press(wink, 10.0))
    assert [] == list(keyboard.tick(12.9))
    keyboard.press(wink, 12.9)
    assert [] == list(keyboard.tick(13.1))
    assert 15.9 == pytest.approx(keyboard.due_s)
    assert [Express(NEUTRAL)] == list(keyboard.tick(16.0))
    assert keyboard.due_s is None


def test_a_panic_in_a_timed_expression_is_not_undone_when_its_time_is_up() -> None:
    keyboard, wink = Keyboard(), key("express wink", "F9 3 s")
    keyboard.press(wink, 0.0)
    keyboard.showed(NEUTRAL)

    assert [] == list(keyboard.tick(5.0))


def test_keys_that_are_no_longer_followed_count_as_let_go() -> None:
    keyboard = Keyboard()
    keyboard.press(key("talk"), 0.0)
    keyboard.press(key("express sad", "F9 hold"), 0.0)

    assert [Express(NEUTRAL), PushToTalk(False)] == list(keyboard.let_go())
    assert [] == list(keyboard.let_go())
