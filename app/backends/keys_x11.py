"""Keys that work everywhere on an X11 desktop, by XGrabKey.

A grabbed key reaches us and no other program. The grab itself is let go as soon as the key is down: until it is
released X would send every other key here too, and nobody could walk in a game while he holds the talk key. That the
key is up again is read from the server's key map, some sixty times a second and only while one is down; the repeats
that X makes of a held key are told apart by the same.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import select
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.backends.wake_pipe import WakePipe
from app.errors import AppError

_log = logging.getLogger(__name__)

POLL_S = 0.015
"""How late a release is noticed at most."""

_NAMES = {
    "Space": "space",
    "Tab": "Tab",
    "Enter": "Return",
    "Esc": "Escape",
    "Backspace": "BackSpace",
    "PageUp": "Prior",
    "PageDown": "Next",
    "Minus": "minus",
    "Equal": "equal",
    "Comma": "comma",
    "Period": "period",
    "Slash": "slash",
    "Backslash": "backslash",
    "Semicolon": "semicolon",
    "Quote": "apostrophe",
    "Grave": "grave",
    "BracketLeft": "bracketleft",
    "BracketRight": "bracketright",
    "ScrollLock": "Scroll_Lock",
    "PrintScreen": "Print",
    **{f"Num{n}": f"KP_{n}" for n in range(10)},
    "NumAdd": "KP_Add",
    "NumSubtract": "KP_Subtract",
    "NumMultiply": "KP_Multiply",
    "NumDivide": "KP_Divide",
    "NumDecimal": "KP_Decimal",
}
"""X's names (X11/keysymdef.h) where they differ from ours; letters are lower case there."""


def keysym_name(key: str) -> str:
    """X's name of a key of `app.policy.hotkeys.KEYS`."""
    return _NAMES.get(key, key.lower() if len(key) == 1 else key)


class X11Keys:
    """Keeps `app.ports.GlobalKeys`. `grab` and `close` may be called from any thread."""

    name = "X11"
    chooses_itself = False

    def __init__(self, display: str | None = None) -> None:
        self._display_name = display
        self._display: Any = None
        self._on_key: Callable[[str, bool], None] = lambda keys, down: None
        self._waker = WakePipe()
        self._on_refused: Callable[[Mapping[str, str]], None] = lambda refused: None
        self._wanted: queue.SimpleQueue[tuple[str, ...]] = queue.SimpleQueue()
        self._keys: tuple[str, ...] = ()
        self._grabbed: dict[tuple[int, int], str] = {}
        """Key code and modifiers, without those of the locks, to the keys as they are written."""
        self._down: dict[int, str] = {}
        self._locks = 0
        self._closing = False
        self._thread: threading.Thread | None = None

    def start(self, on_key: Callable[[str, bool], None], on_refused: Callable[[Mapping[str, str]], None]) -> None:
        """Connect to the X server. Raises AppError where there is none."""
        try:
            from Xlib.display import Display
        except ImportError as error:
            raise AppError(
                f"The library for X11's keys does not load: {error}.", "Run `python installer setup`."
            ) from error
        try:
            self._display = Display(self._display_name)
        except Exception as error:  # python-xlib raises its own, OSError, and what its parsers stumble over
            raise AppError(
                f"The X server cannot be reached for keys ({type(error).__name__}).",
                "Keys that work everywhere need a desktop; those in the window work without.",
            ) from error
        self._on_key, self._on_refused = on_key, on_refused
        self._thread = threading.Thread(target=self._run, name="keys-x11", daemon=True)
        self._thread.start()

    def grab(self, keys: Mapping[str, str]) -> None:
        """Take these keys and let every other go; returns at once."""
        self._wanted.put(tuple(keys))
        self._waker.wake()

    def close(self) -> None:
        """Let every key go; safe to call twice."""
        if self._closing:
            return
        self._closing = True
        self._waker.wake()
        if self._thread is not None:
            self._thread.join(1.0)
        self._waker.close()

    def _run(self) -> None:
        from Xlib.error import ConnectionClosedError

        try:
            while not self._closing:
                self._regrab_if_asked()
                while self._display.pending_events():
                    self._take(self._display.next_event())
                self._notice_releases()
                # Requests that this loop made itself may have read events into the library's queue.
                if self._display.pending_events():
                    continue
                wait_s = POLL_S if self._down else None
                readable, _, _ = select.select([self._display, self._waker], [], [], wait_s)
                if self._waker in readable:
                    self._waker.drain()
        except (ConnectionClosedError, OSError) as error:
            if not self._closing:
                _log.warning("the X server has gone: %s", type(error).__name__)
        finally:
            for keys in self._down.values():
                self._on_key(keys, False)
            with contextlib.suppress(Exception):
                self._display.close()

    def _regrab_if_asked(self) -> None:
        try:
            while True:
                self._keys = self._wanted.get_nowait()
                self._on_refused(self._regrab(self._keys))
        except queue.Empty:
            return

    def _regrab(self, wanted: Sequence[str]) -> dict[str, str]:
        from Xlib import X, error

        root = self._display.screen().root
        self._locks = self._lock_mask()
        for code, mask in self._grabbed:
            for locks in self._with_locks():
                root.ungrab_key(code, mask | locks)
        self._grabbed = {}
        problems: dict[str, str] = {}
        for keys in wanted:
            code, mask = self._code_of(keys)
            if not code:
                problems[keys] = "This keyboard has no such key."
                continue
            caught = error.CatchError(error.BadAccess)
            for locks in self._with_locks():
                root.grab_key(code, mask | locks, True, X.GrabModeAsync, X.GrabModeAsync, onerror=caught)
            self._display.sync()
            if caught.get_error() is not None:
                for locks in self._with_locks():
                    root.ungrab_key(code, mask | locks, onerror=error.CatchError(error.BadAccess))
                problems[keys] = "Another program has taken this key."
                continue
            self._grabbed[code, mask] = keys
        self._display.sync()
        return problems

    def _code_of(self, keys: str) -> tuple[int, int]:
        """Key code (0: there is none) and modifier mask."""
        from Xlib import XK, X

        masks = {"Ctrl": X.ControlMask, "Alt": X.Mod1Mask, "Shift": X.ShiftMask, "Meta": X.Mod4Mask}
        *held, key = keys.split("+")
        keysym = XK.string_to_keysym(keysym_name(key))
        return self._display.keysym_to_keycode(keysym), sum(masks[each] for each in held)

    def _lock_mask(self) -> int:
        """Caps, number and scroll lock: a key counts whether they are on or off."""
        from Xlib import XK, X

        mask: int = X.LockMask
        codes = {self._display.keysym_to_keycode(XK.string_to_keysym(name)) for name in ("Num_Lock", "Scroll_Lock")} - {
            0
        }
        for index, row in enumerate(self._display.get_modifier_mapping()):
            if codes & set(row):
                mask |= 1 << index
        return mask

    def _with_locks(self) -> list[int]:
        bits = [1 << n for n in range(8) if self._locks >> n & 1]
        masks = [0]
        for bit in bits:
            masks += [each | bit for each in masks]
        return masks

    def _take(self, event: Any) -> None:
        from Xlib import X

        if event.type == X.KeyPress:
            self._display.ungrab_keyboard(X.CurrentTime)
            self._display.flush()
            mods = event.state & 0xFF & ~self._locks
            keys = self._grabbed.get((event.detail, mods))
            if keys is not None and event.detail not in self._down:
                self._down[event.detail] = keys
                self._on_key(keys, True)
        elif event.type == X.KeyRelease:
            # A real one, or half of a repeat: the key map knows.
            self._notice_releases()
        elif event.type == X.MappingNotify:
            self._display.refresh_keyboard_mapping(event)
            if event.request != X.MappingPointer and self._has_moved():
                self._on_refused(self._regrab(self._keys))

    def _has_moved(self) -> bool:
        """Whether another layout puts one of our keys elsewhere."""
        return any(self._code_of(keys) != place for place, keys in self._grabbed.items())

    def _notice_releases(self) -> None:
        if not self._down:
            return
        bits = self._display.query_keymap()
        for code in [code for code in self._down if not bits[code // 8] >> (code % 8) & 1]:
            self._on_key(self._down.pop(code), False)
