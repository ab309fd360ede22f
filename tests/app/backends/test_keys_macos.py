"""Hot keys of macOS, against Carbon's functions as Apple's headers describe them: played here, on any system."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.backends import keys_macos
from app.backends.keys_macos import EXISTS_ERROR, HOT_KEY_PRESSED, HOT_KEY_RELEASED, KEY_CODES, MacKeys
from app.errors import AppError
from app.policy.hotkeys import KEYS


class Carbon:
    """The functions that are used; `press` and `release` are the keyboard."""

    def __init__(self) -> None:
        self.registered: dict[int, int] = {}
        """Key code to the number of the hot key."""
        self.taken: set[int] = set()
        self.handler: Any = None
        self._references: dict[int, int] = {}
        self._event = (0, 0)

        def target() -> int:
            return 1

        def install(target: int, handler: Any, count: int, kinds: Any, data: Any, installed: Any) -> int:
            self.handler = handler
            return 0

        def register(code: int, modifiers: int, name: Any, target: int, options: int, reference: Any) -> int:
            if code in self.taken:
                return EXISTS_ERROR
            self.registered[code] = name.id
            reference._obj.value = 1000 + name.id
            self._references[1000 + name.id] = code
            return 0

        def unregister(reference: Any) -> int:
            self.registered.pop(self._references.pop(reference.value), None)
            return 0

        def parameter(event: Any, name: int, kind: int, actual: Any, size: int, length: Any, found: Any) -> int:
            found._obj.id = self._event[0]
            return 0

        def event_kind(event: Any) -> int:
            return self._event[1]

        def remove(handler: Any) -> int:
            return 0

        # Functions, not methods: their types are set on them.
        self.GetEventDispatcherTarget, self.InstallEventHandler = target, install
        self.RegisterEventHotKey, self.UnregisterEventHotKey = register, unregister
        self.GetEventParameter, self.GetEventKind, self.RemoveEventHandler = parameter, event_kind, remove

    def send(self, key: str, kind: int) -> None:
        self._event = (self.registered[KEY_CODES[key]], kind)
        self.handler(0, 0, 0)


@pytest.fixture
def carbon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Carbon:
    carbon = Carbon()
    monkeypatch.setattr(keys_macos, "CARBON", str(tmp_path / "Carbon"))
    monkeypatch.setattr(ctypes, "CDLL", lambda path: carbon)
    return carbon


@pytest.fixture
def keys(carbon: Carbon) -> Iterator[tuple[MacKeys, list[Any]]]:
    told: list[Any] = []
    keys = MacKeys()
    keys.start(lambda name, down: told.append((name, down)), lambda refused: told.append(dict(refused)))
    yield keys, told
    keys.close()


def test_a_hot_key_is_heard_down_and_up_and_once_while_it_is_held(
    carbon: Carbon, keys: tuple[MacKeys, list[Any]]
) -> None:
    backend, told = keys
    backend.grab({"Ctrl+Alt+1": ""})

    for kind in (HOT_KEY_PRESSED, HOT_KEY_PRESSED, HOT_KEY_RELEASED):
        carbon.send("1", kind)

    assert [{}, ("Ctrl+Alt+1", True), ("Ctrl+Alt+1", False)] == told


def test_keys_that_are_taken_or_not_there_are_named(carbon: Carbon, keys: tuple[MacKeys, list[Any]]) -> None:
    backend, told = keys
    carbon.taken.add(KEY_CODES["F9"])
    backend.grab({"F9": "", "F24": "", "F10": ""})

    assert {"F9", "F24"} == set(told[0])
    assert [KEY_CODES["F10"]] == list(carbon.registered)


def test_other_keys_let_the_held_one_go(carbon: Carbon, keys: tuple[MacKeys, list[Any]]) -> None:
    backend, told = keys
    backend.grab({"F9": ""})
    carbon.send("F9", HOT_KEY_PRESSED)

    backend.grab({"F10": ""})

    assert [{}, ("F9", True), ("F9", False), {}] == told
    assert [KEY_CODES["F10"]] == list(carbon.registered)


def test_every_key_that_a_mac_has_is_known() -> None:
    """A Mac's keyboard ends at F20 and has none of these."""
    missing = {"F21", "F22", "F23", "F24", "Pause", "ScrollLock", "PrintScreen", "Insert", "Menu"}

    assert set(KEYS) - missing == set(KEY_CODES)
    assert len(KEY_CODES) == len(set(KEY_CODES.values()))


def test_elsewhere_it_says_so() -> None:
    if Path(keys_macos.CARBON).parent.exists():
        pytest.skip("this is a Mac")
    with pytest.raises(AppError):
        MacKeys().start(lambda keys, down: None, lambda refused: None)
