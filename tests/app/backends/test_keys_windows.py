"""Hot keys of Windows, against its functions as its documentation describes them: played here, on any system."""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from app.backends import keys_windows
from app.backends.keys_windows import ERROR_HOTKEY_ALREADY_REGISTERED, WM_HOTKEY, WindowsKeys, codes_of
from app.errors import AppError
from app.policy.hotkeys import KEYS
from tests.fakes import TIMEOUT_S


class Windows:
    """The functions that are used; `press` and `release` are the keyboard."""

    def __init__(self) -> None:
        self.messages: queue.Queue[tuple[int, int]] = queue.Queue()
        self.registered: dict[int, tuple[int, int]] = {}
        self.taken: set[tuple[int, int]] = set()
        self.down: set[int] = set()
        self._error = 0
        self._peeked: list[tuple[int, int]] = []
        names = ("PeekMessageW", "MsgWaitForMultipleObjects", "RegisterHotKey", "UnregisterHotKey")
        self.user32 = SimpleNamespace(
            **{name: getattr(self, f"_{name}") for name in names},
            PostThreadMessageW=lambda thread, message, a, b: self.messages.put((message, 0)),
            GetAsyncKeyState=lambda code: 0x8000 if code in self.down else 0,
        )
        self.kernel32 = SimpleNamespace(GetCurrentThreadId=lambda: 1, GetLastError=lambda: self._error)

    def _MsgWaitForMultipleObjects(self, count: int, handles: Any, every: bool, wait_ms: int, mask: int) -> int:
        try:
            timeout_s = TIMEOUT_S if wait_ms == keys_windows.INFINITE else wait_ms / 1000
            self._peeked.append(self.messages.get(timeout=timeout_s))
        except queue.Empty:
            pass
        return 0

    def _PeekMessageW(self, message: Any, *rest: Any) -> int:
        if not self._peeked:
            return 0
        held = message._obj
        held.message, held.wParam = self._peeked.pop(0)
        return 1

    def _RegisterHotKey(self, window: Any, number: int, modifiers: int, code: int) -> int:
        if (code, modifiers & 0xF) in self.taken:
            self._error = ERROR_HOTKEY_ALREADY_REGISTERED
            return 0
        self.registered[number] = (code, modifiers & 0xF)
        return 1

    def _UnregisterHotKey(self, window: Any, number: int) -> int:
        return 1 if self.registered.pop(number, None) else 0

    def press(self, keys: str) -> None:
        number = next(number for number, wanted in self.registered.items() if wanted == codes_of(keys))
        self.down.add(codes_of(keys)[0])
        self.messages.put((WM_HOTKEY, number))

    def release(self, keys: str) -> None:
        self.down.discard(codes_of(keys)[0])


@pytest.fixture
def windows(monkeypatch: pytest.MonkeyPatch) -> Windows:
    windows = Windows()
    monkeypatch.setattr(ctypes, "windll", windows, raising=False)
    return windows


class Told:
    def __init__(self) -> None:
        self.keys: queue.SimpleQueue[tuple[str, bool]] = queue.SimpleQueue()
        self.refusals: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def key(self) -> tuple[str, bool]:
        return self.keys.get(timeout=TIMEOUT_S)

    def refused(self) -> Any:
        return self.refusals.get(timeout=TIMEOUT_S)


@pytest.fixture
def told(windows: Windows) -> Iterator[tuple[WindowsKeys, Told]]:
    keys, told = WindowsKeys(), Told()
    keys.start(lambda name, down: told.keys.put((name, down)), told.refusals.put)
    yield keys, told
    keys.close()


def test_a_hot_key_is_heard_down_and_its_release_is_noticed(windows: Windows, told: tuple[WindowsKeys, Told]) -> None:
    keys, heard = told
    keys.grab({"Ctrl+Alt+1": ""})
    assert {} == heard.refused()

    windows.press("Ctrl+Alt+1")
    assert ("Ctrl+Alt+1", True) == heard.key()
    windows.release("Ctrl+Alt+1")
    assert ("Ctrl+Alt+1", False) == heard.key()


def test_a_hot_key_of_another_program_is_named(windows: Windows, told: tuple[WindowsKeys, Told]) -> None:
    keys, heard = told
    windows.taken.add(codes_of("F9"))
    keys.grab({"F9": "", "F10": ""})

    assert {"F9": "Another program has taken this key."} == heard.refused()
    assert [codes_of("F10")] == list(windows.registered.values())


def test_the_end_lets_every_hot_key_go(windows: Windows, told: tuple[WindowsKeys, Told]) -> None:
    keys, heard = told
    keys.grab({"F9": ""})
    heard.refused()
    windows.press("F9")
    assert ("F9", True) == heard.key()

    keys.close()

    assert ("F9", False) == heard.key()
    assert {} == windows.registered
    assert "keys-windows" not in [thread.name for thread in threading.enumerate()]


def test_every_key_that_can_be_named_has_a_code_of_its_own() -> None:
    codes = [codes_of(key)[0] for key in KEYS]

    assert len(KEYS) == len(set(codes))
    assert all(0 < code < 256 for code in codes)


def test_elsewhere_it_says_so() -> None:
    if hasattr(ctypes, "windll"):
        pytest.skip("this is Windows")
    with pytest.raises(AppError):
        WindowsKeys().start(lambda keys, down: None, lambda refused: None)
