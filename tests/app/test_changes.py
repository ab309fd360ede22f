"""A setting is in force when it is told, kept when it is in force, and refused with a reason where it cannot be."""

from __future__ import annotations

import threading

import pytest

from app.bus import Bus
from app.changes import Changes
from app.errors import AppError
from app.settings import Settings, Value
from tests.fakes import TIMEOUT_S, Facts, FakeClock


class Rig:
    def __init__(self) -> None:
        self.bus = Bus(FakeClock().now_ns)
        self.facts = Facts(self.bus)
        self.kept: list[tuple[str, Value]] = []
        self.changes = Changes(self.bus, Settings(), lambda name, value: self.kept.append((name, value)))

    def told(self, event: str) -> list[tuple[str, Value]]:
        return [(fact.data["name"], fact.data["value"]) for fact in self.facts.of("settings", event)]


@pytest.fixture
def rig():
    made = Rig()
    yield made
    made.changes.stop()


def test_a_setting_that_nobody_has_to_put_to_work_is_in_force_at_once(rig: Rig) -> None:
    rig.changes.change("window.theme", "dark")

    assert "dark" == rig.changes.settings.window.theme
    assert [("window.theme", "dark")] == rig.told("changed") == rig.kept


def test_it_is_told_and_kept_only_after_it_was_put_to_work(rig: Rig) -> None:
    may_go_on, at_work = threading.Event(), threading.Event()

    def apply(old: Settings, new: Settings) -> None:
        at_work.set()
        assert may_go_on.wait(TIMEOUT_S)

    rig.changes.route(("voice",), "voice", apply)
    rig.changes.change("voice.speed", 2)
    assert at_work.wait(TIMEOUT_S)
    assert ([], 1.0) == (rig.told("changed"), rig.changes.settings.voice.speed)
    may_go_on.set()

    assert rig.changes.wait_until_settled(TIMEOUT_S)
    assert [("voice.speed", 2.0)] == rig.told("changed") == rig.kept


@pytest.mark.parametrize(("name", "value"), [("voice.speed", 9.0), ("voice.sped", 1.0), ("hearing.mode", "loud")])
def test_a_wrong_value_never_reaches_the_part(rig: Rig, name: str, value: Value) -> None:
    asked: list[Settings] = []
    rig.changes.route(("voice", "hearing"), "part", lambda old, new: asked.append(new))

    rig.changes.change(name, value)

    fact = rig.facts.wait("settings", "refused", name=name)
    assert fact.data["problem"]
    assert fact.data["remedy"]
    assert ([], [], Settings()) == (asked, rig.kept, rig.changes.settings)


def test_what_cannot_be_put_to_work_is_refused_and_the_old_value_stays(rig: Rig) -> None:
    def apply(old: Settings, new: Settings) -> None:
        raise AppError("There is no such microphone.", "Choose another one.")

    rig.changes.route(("hearing.device",), "microphone", apply)
    rig.changes.change("hearing.device", "Blue")

    fact = rig.facts.wait("settings", "refused", name="hearing.device", value="Blue")
    assert "There is no such microphone." == fact.data["problem"]
    assert ([], "") == (rig.kept, rig.changes.settings.hearing.device)


def test_an_unexpected_error_refuses_too_and_its_words_stay_here(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    def apply(old: Settings, new: Settings) -> None:
        raise RuntimeError("http://key@server")

    rig.changes.route(("brain",), "brain", apply)
    rig.changes.change("brain.server_url", "http://key@server")

    fact = rig.facts.wait("settings", "refused")
    assert "RuntimeError" in fact.data["problem"]
    assert "key@server" not in fact.data["problem"] + caplog.text


def test_of_several_values_that_wait_the_newest_counts(rig: Rig) -> None:
    """A slider that is drawn sends dozens."""
    may_go_on, speeds = threading.Event(), []

    def apply(old: Settings, new: Settings) -> None:
        assert may_go_on.wait(TIMEOUT_S)
        speeds.append(new.voice.speed)

    rig.changes.route(("voice",), "voice", apply)
    for speed in (1.1, 1.2, 1.3, 1.4):
        rig.changes.change("voice.speed", speed)
    may_go_on.set()

    assert rig.changes.wait_until_settled(TIMEOUT_S)
    assert 1.4 == speeds[-1] == rig.changes.settings.voice.speed
    assert len(speeds) <= 2


def test_a_part_that_hangs_holds_up_no_other(rig: Rig) -> None:
    may_go_on = threading.Event()
    rig.changes.route(("voice",), "voice", lambda old, new: may_go_on.wait(TIMEOUT_S) and None)
    rig.changes.route(("face",), "face", lambda old, new: None)

    rig.changes.change("voice.speed", 2.0)
    rig.changes.change("face.fps", 60.0)

    rig.facts.wait("settings", "changed", name="face.fps")
    may_go_on.set()
    assert rig.changes.wait_until_settled(TIMEOUT_S)
    assert (60.0, 2.0) == (rig.changes.settings.face.fps, rig.changes.settings.voice.speed)


def test_what_cannot_be_kept_is_in_force_and_this_is_said() -> None:
    bus = Bus(FakeClock().now_ns)
    facts = Facts(bus)

    def keep(name: str, value: Value) -> None:
        raise AppError("The disk is full.", "Free some space.")

    Changes(bus, Settings(), keep).change("window.theme", "dark")

    facts.wait("settings", "changed", name="window.theme")
    assert "The disk is full." == facts.wait("settings", "state", state="failed").data["problem"]


def test_what_could_not_be_kept_is_kept_along_with_the_next_one() -> None:
    bus = Bus(FakeClock().now_ns)
    facts = Facts(bus)
    kept: dict[str, Value] = {}
    full = AppError("The disk is full.", "Free some space.")
    disk = [full, full, full, None, None, None]

    def keep(name: str, value: Value) -> None:
        if (error := disk.pop(0)) is not None:
            raise error
        kept[name] = value

    changes = Changes(bus, Settings(), keep)
    for name, value in (("window.theme", "dark"), ("voice.speed", 1.2), ("voice.speed", 1.5)):
        changes.change(name, value)
    assert ({}, []) == (kept, facts.of("settings", "state", state="ready"))

    changes.change("face.fps", 24.0)

    assert {"window.theme": "dark", "voice.speed": 1.5, "face.fps": 24.0} == kept
    assert 1 == len(facts.of("settings", "state", state="ready"))


def test_a_setting_of_a_start_argument_is_told_and_not_kept(rig: Rig) -> None:
    rig.changes.note("hearing.muted", True)

    assert [("hearing.muted", True)] == rig.told("changed")
    assert ([], True) == (rig.kept, rig.changes.settings.hearing.muted)


def test_after_the_end_nothing_is_told_or_kept(rig: Rig) -> None:
    may_go_on, at_work = threading.Event(), threading.Event()

    def apply(old: Settings, new: Settings) -> None:
        at_work.set()
        assert may_go_on.wait(TIMEOUT_S)
        raise AppError("The line is gone.", "")

    rig.changes.route(("voice",), "voice", apply)
    rig.changes.change("voice.speed", 2.0)
    assert at_work.wait(TIMEOUT_S)
    rig.changes.change("voice.language", "en")
    rig.changes.stop()
    may_go_on.set()

    assert rig.changes.wait_until_settled(TIMEOUT_S)
    assert ([], []) == (rig.told("refused"), rig.kept)
