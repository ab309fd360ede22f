"""Keys that work everywhere on Windows, by RegisterHotKey.

Written from Microsoft's documentation (RegisterHotKey, GetAsyncKeyState, MsgWaitForMultipleObjects, virtual-key codes);
nobody has run it on Windows yet. No hook is set, which games' cheat guards dislike: a hot key says only that it went
down, so the release is read from GetAsyncKeyState, some sixty times a second and only while one is down.
"""

from __future__ import annotations

import ctypes
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.errors import AppError

POLL_MS = 15
"""How late a release is noticed at most."""

MOD_ALT, MOD_CONTROL, MOD_SHIFT, MOD_WIN, MOD_NOREPEAT = 0x0001, 0x0002, 0x0004, 0x0008, 0x4000
WM_QUIT, WM_HOTKEY, WM_APP = 0x0012, 0x0312, 0x8000
QS_ALLINPUT, PM_REMOVE, INFINITE = 0x04FF, 0x0001, 0xFFFFFFFF
ERROR_HOTKEY_ALREADY_REGISTERED = 1409

_MODIFIERS = {"Ctrl": MOD_CONTROL, "Alt": MOD_ALT, "Shift": MOD_SHIFT, "Meta": MOD_WIN}
_CODES = {
    "Backspace": 0x08,
    "Tab": 0x09,
    "Enter": 0x0D,
    "Pause": 0x13,
    "Esc": 0x1B,
    "Space": 0x20,
    "PageUp": 0x21,
    "PageDown": 0x22,
    "End": 0x23,
    "Home": 0x24,
    "Left": 0x25,
    "Up": 0x26,
    "Right": 0x27,
    "Down": 0x28,
    "PrintScreen": 0x2C,
    "Insert": 0x2D,
    "Delete": 0x2E,
    "Menu": 0x5D,
    **{f"Num{n}": 0x60 + n for n in range(10)},
    "NumMultiply": 0x6A,
    "NumAdd": 0x6B,
    "NumSubtract": 0x6D,
    "NumDecimal": 0x6E,
    "NumDivide": 0x6F,
    **{f"F{n}": 0x6F + n for n in range(1, 25)},
    "ScrollLock": 0x91,
    "Semicolon": 0xBA,
    "Equal": 0xBB,
    "Comma": 0xBC,
    "Minus": 0xBD,
    "Period": 0xBE,
    "Slash": 0xBF,
    "Grave": 0xC0,
    "BracketLeft": 0xDB,
    "Backslash": 0xDC,
    "BracketRight": 0xDD,
    "Quote": 0xDE,
}
"""Virtual-key codes; those of letters and digits are their own capital letters."""


def codes_of(keys: str) -> tuple[int, int]:
    """Virtual-key code and the MOD_ flags of keys such as "Ctrl+Alt+1"."""
    *held, key = keys.split("+")
    code = ord(key) if len(key) == 1 else _CODES[key]
    return code, sum(_MODIFIERS[each] for each in held)


class WindowsKeys:
    """Keeps `app.ports.GlobalKeys`. Hot keys belong to the thread that registers them, which runs the message loop."""

    name = "Windows"
    chooses_itself = False

    def __init__(self) -> None:
        self._on_key: Callable[[str, bool], None] = lambda keys, down: None
        self._on_refused: Callable[[Mapping[str, str]], None] = lambda refused: None
        self._wanted: queue.SimpleQueue[tuple[str, ...]] = queue.SimpleQueue()
        self._registered: dict[int, str] = {}
        self._down: dict[int, str] = {}
        self._thread: threading.Thread | None = None
        self._thread_id = 0
        self._ready = threading.Event()
        self._closing = False

    def start(self, on_key: Callable[[str, bool], None], on_refused: Callable[[Mapping[str, str]], None]) -> None:
        """Start the message loop. Raises AppError elsewhere than on Windows."""
        if not hasattr(ctypes, "windll"):
            raise AppError("Windows' hot keys are only there on Windows.", "Use this system's own.")
        self._on_key, self._on_refused = on_key, on_refused
        self._thread = threading.Thread(target=self._run, name="keys-windows", daemon=True)
        self._thread.start()
        self._ready.wait(2.0)

    def grab(self, keys: Mapping[str, str]) -> None:
        """Take these keys and let every other go; returns at once."""
        self._wanted.put(tuple(keys))
        self._post(WM_APP)

    def close(self) -> None:
        """Let every key go; safe to call twice."""
        if self._closing:
            return
        self._closing = True
        self._post(WM_QUIT)
        if self._thread is not None:
            self._thread.join(1.0)

    def _post(self, message: int) -> None:
        if self._thread_id:
            _windows().user32.PostThreadMessageW(self._thread_id, message, 0, 0)

    def _run(self) -> None:
        from ctypes import wintypes

        windll = _windows()
        user32, message = windll.user32, wintypes.MSG()
        # Asking for a message makes the queue that PostThreadMessage needs.
        user32.PeekMessageW(ctypes.byref(message), None, WM_APP, WM_APP, 0)
        self._thread_id = windll.kernel32.GetCurrentThreadId()
        self._ready.set()
        while not self._closing:
            wait_ms = POLL_MS if self._down else INFINITE
            user32.MsgWaitForMultipleObjects(0, None, False, wait_ms, QS_ALLINPUT)
            while user32.PeekMessageW(ctypes.byref(message), None, 0, 0, PM_REMOVE):
                if message.message == WM_QUIT:
                    self._closing = True
                elif message.message == WM_APP:
                    self._regrab(windll, self._wanted.get())
                elif message.message == WM_HOTKEY:
                    self._pressed(int(message.wParam))
            self._notice_releases(user32)
        for number in self._registered:
            user32.UnregisterHotKey(None, number)
        for keys in self._down.values():
            self._on_key(keys, False)

    def _regrab(self, windll: Any, wanted: Sequence[str]) -> None:
        for number in self._registered:
            windll.user32.UnregisterHotKey(None, number)
        self._registered = {}
        problems: dict[str, str] = {}
        for number, keys in enumerate(wanted, 1):
            code, modifiers = codes_of(keys)
            if windll.user32.RegisterHotKey(None, number, modifiers | MOD_NOREPEAT, code):
                self._registered[number] = keys
            elif windll.kernel32.GetLastError() == ERROR_HOTKEY_ALREADY_REGISTERED:
                problems[keys] = "Another program has taken this key."
            else:
                problems[keys] = "Windows does not give this key."
        self._on_refused(problems)

    def _pressed(self, number: int) -> None:
        keys = self._registered.get(number)
        if keys is None:
            return
        code, _ = codes_of(keys)
        if code not in self._down:
            self._down[code] = keys
            self._on_key(keys, True)

    def _notice_releases(self, user32: Any) -> None:
        for code in [code for code in self._down if not user32.GetAsyncKeyState(code) & 0x8000]:
            self._on_key(self._down.pop(code), False)


def _windows() -> Any:
    return getattr(ctypes, "windll")  # noqa: B009 — there is no such name on other systems, which type checkers know
