"""From a key of the desktop to a command, by the settings and for the character on stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from app.bus import Bus
from app.errors import AppError
from app.keys import KeyRuntime
from app.messages import Command, Express, Panic, PushToTalk, StopTalking, ToggleMute
from app.settings import KeySettings
from tests.fakes import TIMEOUT_S, Facts, FakeClock


class FakeKeys:
    """A desktop whose keys the test presses."""

    name = "fake desktop"
    chooses_itself = False

    def __init__(self, refused: dict[str, str] | None = None) -> None:
        self.refused = refused or {}
        self.grabbed: tuple[str, ...] = ()
        self.is_closed = False
        self.on_key: Any = None
        self.on_refused: Any = None

    def start(self, on_key: Any, on_refused: Any) -> None:
        self.on_key, self.on_refused = on_key, on_refused

    def grab(self, keys: Mapping[str, str]) -> None:
        self.grabbed = tuple(keys)
        self.on_refused({each: why for each, why in self.refused.items() if each in keys})

    def close(self) -> None:
        self.is_closed = True


class Rig:
    def __init__(self, bindings: dict[str, str], *, on: bool = True, keys: FakeKeys | AppError | None = None) -> None:
        self.clock = FakeClock()
        self.bus = Bus(self.clock.now_ns)
        self.facts = Facts(self.bus)
        self.keys = keys if keys is not None else FakeKeys()
        self.runtime = KeyRuntime(self.bus, self.clock, KeySettings(on, bindings), "haru", self._make)
        self.runtime.start()
        self.facts.wait("keys", "status")

    def _make(self) -> FakeKeys:
        if isinstance(self.keys, AppError):
            raise self.keys
        return self.keys

    def press(self, keys: str) -> None:
        self.keys.on_key(keys, True)

    def release(self, keys: str) -> None:
        self.keys.on_key(keys, False)

    def command(self) -> Command:
        return self.bus.gate.get(timeout=TIMEOUT_S)

    def has_nothing_more(self) -> bool:
        """Whether no command is left once everything so far has been worked on."""
        self.runtime.act("stop", True)
        return self.command() == StopTalking()


@pytest.fixture
def rig() -> Iterator[Any]:
    made: list[Rig] = []

    def make(bindings: dict[str, str], **more: Any) -> Rig:
        made.append(Rig(bindings, **more))
        return made[-1]

    yield make
    for each in made:
        each.runtime.stop()


def test_a_key_becomes_a_command_and_is_shown_in_the_window(rig: Any) -> None:
    r = rig({"mute": "F9"})

    r.press("F9")
    r.release("F9")

    assert ToggleMute() == r.command()
    assert {"action": "mute", "key": "F9"} == r.facts.wait("keys", "pressed").data
    assert r.has_nothing_more()


def test_only_what_is_bound_is_taken_and_it_says_by_what(rig: Any) -> None:
    r = rig({"mute": "F9", "stop": "", "express happy": "F10"})

    assert {"F9", "F10"} == set(r.keys.grabbed)
    assert "fake desktop" == r.facts.wait("keys", "status").data["how"]


def test_another_binding_counts_at_once(rig: Any) -> None:
    r = rig({"mute": "F9"})
    r.bus.emit("settings", "changed", name="keys.bindings.mute", value="F11")
    r.facts.wait("keys", "status", count=2)

    r.press("F11")

    assert ("F11",) == r.keys.grabbed
    assert ToggleMute() == r.command()


def test_another_character_brings_its_own_keys(rig: Any) -> None:
    r = rig({"express happy": "F9", "mika/express sad": "F9"})
    r.bus.emit("avatar", "character", name="mika")
    r.facts.wait("keys", "status", count=2)

    r.press("F9")

    assert Express("sad") == r.command()


def test_switched_off_no_key_is_taken_and_a_held_one_is_let_go(rig: Any) -> None:
    r = rig({"talk": "F9"})
    r.press("F9")
    assert PushToTalk(True) == r.command()

    r.bus.emit("settings", "changed", name="keys.on", value=False)
    r.facts.wait("keys", "status", on=False)

    assert PushToTalk(False) == r.command()
    assert () == r.keys.grabbed


def test_switched_off_from_the_start_the_desktop_is_never_asked(rig: Any) -> None:
    r = rig({"talk": "F9"}, on=False)

    assert r.keys.on_key is None


def test_a_held_key_is_let_go_by_what_it_was_when_it_went_down(rig: Any) -> None:
    """A character who is changed meanwhile must not leave the microphone open."""
    r = rig({"talk": "F9", "mika/mute": "F9"})
    r.press("F9")
    assert PushToTalk(True) == r.command()

    r.bus.emit("avatar", "character", name="mika")
    r.facts.wait("keys", "status", count=2)
    r.release("F9")

    assert PushToTalk(False) == r.command()
    assert r.has_nothing_more()


def test_where_the_desktop_gives_no_keys_it_says_so_and_the_control_still_works(rig: Any) -> None:
    r = rig({"mute": "F9"}, keys=AppError("No desktop.", "Get one."))
    told = r.facts.wait("keys", "status").data

    assert ("", "No desktop.", "Get one.") == (told["how"], told["problem"], told["remedy"])
    r.runtime.act("mute", True)
    assert ToggleMute() == r.command()


def test_keys_that_others_have_and_lines_that_mean_nothing_are_named(rig: Any) -> None:
    r = rig({"mute": "F9", "stop": "Ctrl+"}, keys=FakeKeys({"F9": "Another program has taken this key."}))
    told = r.facts.wait("keys", "status").data

    assert {"F9": "Another program has taken this key."} == told["refused"]
    assert ["stop"] == list(told["wrong"])


def test_a_timed_expression_ends_by_itself(rig: Any) -> None:
    r = rig({"express wink": "F9 1 s"})
    r.press("F9")
    assert Express("wink") == r.command()

    r.clock.advance(1.1)
    r.bus.emit("avatar", "expression", name="wink")  # anything that wakes it: the waiting itself is the clock's

    assert Express("neutral") == r.command()


def test_what_the_window_shows_is_known_to_the_keys(rig: Any) -> None:
    r = rig({"express happy": "F9", "panic": "F10"})
    r.bus.emit("avatar", "expression", name="happy")
    r.bus.emit("show", "panic", on=True)

    r.press("F9")
    r.press("F10")

    assert Express("neutral") == r.command()
    assert Panic(False) == r.command()


def test_a_program_can_hold_and_time_expressions_but_not_do_what_no_key_can(rig: Any) -> None:
    r = rig({})
    r.runtime.act("express sad", True, "hold")
    r.runtime.act("express sad", False, "hold")

    assert [Express("sad"), Express("neutral")] == [r.command(), r.command()]
    with pytest.raises(AppError, match="no action"):
        r.runtime.act("format disk", True)


def test_the_end_lets_everything_go(rig: Any) -> None:
    r = rig({"talk": "F9"})
    r.press("F9")
    assert PushToTalk(True) == r.command()

    r.runtime.stop()

    assert PushToTalk(False) == r.command()
    assert r.keys.is_closed
