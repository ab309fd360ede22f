"""What other programs may ask for, and when they can."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from app.bus import Bus
from app.control import Control, ControlRuntime
from app.control_token import control_token, new_token
from app.errors import AppError
from app.messages import Ask, Fact, Say
from app.settings import ControlSettings
from tests.fakes import TIMEOUT_S, Facts


class Acts:
    """Remembers what a key would have done."""

    def __init__(self) -> None:
        self.all: list[tuple[Any, ...]] = []

    def __call__(self, action: str, pressed: bool, mode: Any = None, for_s: float = 3.0) -> None:
        if action == "fly":
            raise AppError("There is no action 'fly'.", "Look at the list.")
        self.all.append((action, pressed, mode, for_s))


class Server:
    """Listens to nothing; fails on port 2000."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.is_closed = False

    def start(self, control: object) -> None:
        if self.port == 2000:
            raise AppError("Port 2000 is taken.", "Choose another.")

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def bus() -> Bus:
    return Bus(lambda: 1)


@pytest.fixture
def acts() -> Acts:
    return Acts()


@pytest.fixture
def control(bus: Bus, acts: Acts) -> Control:
    return Control(bus, acts, lambda: ("happy", "neutral"))


def test_an_action_without_more_is_a_press_and_a_release(control: Control, acts: Acts) -> None:
    control.request({"action": "mute"})
    control.request({"action": "express happy", "mode": "timed", "seconds": 2})

    assert [("mute", True, None, 3.0), ("mute", False, None, 3.0)] == acts.all[:2]
    assert ("express happy", True, "timed", 2.0) == acts.all[2]


def test_an_action_can_be_held_and_is_let_go_with_its_program(control: Control, acts: Acts) -> None:
    assert ("talk", True) == control.request({"action": "talk", "pressed": True})
    control.let_go("talk")

    assert [("talk", True, None, 3.0), ("talk", False, None, 3.0)] == acts.all


def test_a_text_can_be_said_or_answered(control: Control, bus: Bus) -> None:
    control.request({"say": "Hello."})
    control.request({"ask": "How are you?"})

    assert Say("Hello.") == bus.gate.get(timeout=TIMEOUT_S)
    assert Ask("How are you?") == bus.gate.get(timeout=TIMEOUT_S)


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        "mute",
        {},
        {"action": 1},
        {"action": "fly"},
        {"action": "talk", "pressed": "yes"},
        {"action": "express happy", "mode": "forever"},
        {"action": "express happy", "mode": []},
        {"action": "express happy", "mode": "timed", "seconds": 1e9},
        {"action": "express happy", "mode": "timed", "seconds": float("nan")},
        {"say": ""},
        {"say": "x" * 3000},
        {"say": 3},
    ],
)
def test_a_request_that_means_nothing_is_refused_and_does_nothing(
    control: Control, acts: Acts, bus: Bus, wanted: object
) -> None:
    with pytest.raises(AppError):
        control.request(wanted)
    assert [] == acts.all
    assert bus.gate.empty()


def test_what_is_told_holds_no_word_of_the_talk(control: Control) -> None:
    told: list[dict[str, Any]] = []
    end = control.listen(told.append)

    control.follow(Fact(1, "stt", "transcript", {"turn": 1, "text": "my secret"}))
    control.follow(Fact(1, "playback", "clip_started", {"turn": 1, "index": 0, "text": "my secret"}))
    control.follow(Fact(1, "playback", "clip_started", {"turn": 1, "index": 1, "text": "my secret"}))
    control.follow(Fact(1, "show", "panic", {"on": True}))
    end()
    control.follow(Fact(1, "show", "panic", {"on": False}))

    assert [(True, False), (True, True)] == [(state["speaking"], state["panic"]) for state in told]
    assert "secret" not in repr(told)


def test_every_action_is_listed(control: Control) -> None:
    assert {"talk", "panic", "express happy", "gesture nod"} <= set(control.actions())


class Rig:
    def __init__(self, bus: Bus, control: Control, settings: ControlSettings) -> None:
        self.bus = bus
        self.facts = Facts(bus)
        self.servers: list[Server] = []
        self.runtime = ControlRuntime(bus, settings, control, self._make)
        self.runtime.start()
        self.facts.wait("control", "status")

    def _make(self, port: int) -> Server:
        self.servers.append(Server(port))
        return self.servers[-1]

    def set(self, name: str, value: object) -> None:
        self.bus.emit("settings", "changed", name=name, value=value)


def test_nothing_listens_until_it_is_switched_on_and_nothing_after_it_is_off(bus: Bus, control: Control) -> None:
    r = Rig(bus, control, ControlSettings())
    assert [] == r.servers

    r.set("control.on", True)
    r.facts.wait("control", "status", on=True)
    r.set("control.on", False)
    r.facts.wait("control", "status", count=2, on=False)

    assert [True] == [server.is_closed for server in r.servers]
    r.runtime.stop()


def test_another_port_counts_at_once_and_a_taken_one_is_said(bus: Bus, control: Control) -> None:
    r = Rig(bus, control, ControlSettings(on=True, port=1999))
    r.set("control.port", 2000)
    told = r.facts.wait("control", "status", on=False).data

    assert "Port 2000 is taken." == told["problem"]
    assert r.servers[0].is_closed
    r.runtime.stop()


def test_a_token_is_made_once_only_the_user_can_read_it_and_a_new_one_takes_its_place(tmp_path: Path) -> None:
    file = tmp_path / "new" / "token"
    first = control_token(file)

    assert first == control_token(file)
    assert len(first) >= 32
    if sys.platform != "win32":
        assert 0o600 == stat.S_IMODE(os.stat(file).st_mode)
    assert first != new_token(file)
    assert first != control_token(file)


def test_a_damaged_token_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b"\xff short")

    assert len(control_token(file)) >= 32


def test_where_no_token_can_be_kept_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(AppError, match="token"):
        control_token(tmp_path / "file" / "token")
