"""Keys that work everywhere on macOS, by Carbon's RegisterEventHotKey.

Written from Apple's headers (CarbonEvents.h, HIToolbox/Events.h); nobody has run it on a Mac yet. Hot keys need no
permission for accessibility, unlike event taps, and say both when a key goes down and when it comes up. Their events
come through the application's main event loop, which Qt runs: without a window none arrives.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from app.errors import AppError

CARBON = "/System/Library/Frameworks/Carbon.framework/Carbon"

CMD_KEY, SHIFT_KEY, OPTION_KEY, CONTROL_KEY = 0x0100, 0x0200, 0x0800, 0x1000
CLASS_KEYBOARD, HOT_KEY_PRESSED, HOT_KEY_RELEASED = 0x6B657962, 5, 6  # 'keyb'
PARAM_DIRECT_OBJECT, TYPE_HOT_KEY_ID = 0x2D2D2D2D, 0x686B6964  # '----' and 'hkid'
SIGNATURE = 0x4B756368  # 'Kuch'
EXISTS_ERROR = -9878

_MODIFIERS = {"Ctrl": CONTROL_KEY, "Alt": OPTION_KEY, "Shift": SHIFT_KEY, "Meta": CMD_KEY}
_LETTERS = {
    **{"A": 0x00, "S": 0x01, "D": 0x02, "F": 0x03, "H": 0x04, "G": 0x05, "Z": 0x06, "X": 0x07, "C": 0x08, "V": 0x09},
    **{"B": 0x0B, "Q": 0x0C, "W": 0x0D, "E": 0x0E, "R": 0x0F, "Y": 0x10, "T": 0x11, "O": 0x1F, "U": 0x20, "I": 0x22},
    **{"P": 0x23, "L": 0x25, "J": 0x26, "K": 0x28, "N": 0x2D, "M": 0x2E},
    **{"1": 0x12, "2": 0x13, "3": 0x14, "4": 0x15, "6": 0x16, "5": 0x17, "9": 0x19, "7": 0x1A, "8": 0x1C, "0": 0x1D},
}
_OTHERS = {
    **{"Equal": 0x18, "Minus": 0x1B, "BracketRight": 0x1E, "BracketLeft": 0x21, "Enter": 0x24, "Quote": 0x27},
    **{"Semicolon": 0x29, "Backslash": 0x2A, "Comma": 0x2B, "Slash": 0x2C, "Period": 0x2F, "Tab": 0x30},
    **{"Space": 0x31, "Grave": 0x32, "Backspace": 0x33, "Esc": 0x35, "Home": 0x73, "PageUp": 0x74, "Delete": 0x75},
    **{"End": 0x77, "PageDown": 0x79, "Left": 0x7B, "Right": 0x7C, "Down": 0x7D, "Up": 0x7E},
    **{"NumDecimal": 0x41, "NumMultiply": 0x43, "NumAdd": 0x45, "NumDivide": 0x4B, "NumSubtract": 0x4E},
    **{"Num0": 0x52, "Num1": 0x53, "Num2": 0x54, "Num3": 0x55, "Num4": 0x56, "Num5": 0x57, "Num6": 0x58},
    **{"Num7": 0x59, "Num8": 0x5B, "Num9": 0x5C},
    **{"F1": 0x7A, "F2": 0x78, "F3": 0x63, "F4": 0x76, "F5": 0x60, "F6": 0x61, "F7": 0x62, "F8": 0x64, "F9": 0x65},
    **{"F10": 0x6D, "F11": 0x67, "F12": 0x6F, "F13": 0x69, "F14": 0x6B, "F15": 0x71, "F16": 0x6A, "F17": 0x40},
    **{"F18": 0x4F, "F19": 0x50, "F20": 0x5A},
}
KEY_CODES = {**_LETTERS, **_OTHERS}
"""Places on the keyboard, by what an American one has there; other layouts write other letters with them."""


class _EventTypeSpec(ctypes.Structure):
    _fields_ = (("event_class", ctypes.c_uint32), ("event_kind", ctypes.c_uint32))


class _HotKeyId(ctypes.Structure):
    _fields_ = (("signature", ctypes.c_uint32), ("id", ctypes.c_uint32))


_Handler = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


class MacKeys:
    """Keeps `app.ports.GlobalKeys`."""

    name = "macOS"
    chooses_itself = False

    def __init__(self) -> None:
        self._on_key: Callable[[str, bool], None] = lambda keys, down: None
        self._on_refused: Callable[[Mapping[str, str]], None] = lambda refused: None
        self._carbon: Any = None
        self._lock = threading.Lock()
        self._registered: dict[int, tuple[str, ctypes.c_void_p]] = {}
        self._numbers = 0
        self._down: set[str] = set()
        self._handler = _Handler(self._handle)
        """Kept, or the system would call what is no longer there."""
        self._installed = ctypes.c_void_p()

    def start(self, on_key: Callable[[str, bool], None], on_refused: Callable[[Mapping[str, str]], None]) -> None:
        """Ask the system to tell of hot keys. Raises AppError elsewhere than on a Mac, and where it refuses."""
        if not Path(CARBON).parent.exists():
            raise AppError("Carbon's hot keys are only there on macOS.", "Use this system's own.")
        self._on_key, self._on_refused = on_key, on_refused
        carbon = self._carbon = ctypes.CDLL(CARBON)
        carbon.GetEventDispatcherTarget.restype = ctypes.c_void_p
        carbon.InstallEventHandler.argtypes = (
            ctypes.c_void_p,
            _Handler,
            ctypes.c_ulong,
            ctypes.POINTER(_EventTypeSpec),
            ctypes.c_void_p,
            ctypes.POINTER(ctypes.c_void_p),
        )
        carbon.RegisterEventHotKey.argtypes = (
            ctypes.c_uint32,
            ctypes.c_uint32,
            _HotKeyId,
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_void_p),
        )
        carbon.UnregisterEventHotKey.argtypes = (ctypes.c_void_p,)
        carbon.RemoveEventHandler.argtypes = (ctypes.c_void_p,)
        carbon.GetEventKind.argtypes = (ctypes.c_void_p,)
        carbon.GetEventKind.restype = ctypes.c_uint32
        carbon.GetEventParameter.argtypes = (
            ctypes.c_void_p,
            ctypes.c_uint32,
            ctypes.c_uint32,
            ctypes.c_void_p,
            ctypes.c_ulong,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )
        kinds = (_EventTypeSpec * 2)(
            _EventTypeSpec(CLASS_KEYBOARD, HOT_KEY_PRESSED), _EventTypeSpec(CLASS_KEYBOARD, HOT_KEY_RELEASED)
        )
        status = carbon.InstallEventHandler(
            carbon.GetEventDispatcherTarget(), self._handler, 2, kinds, None, ctypes.byref(self._installed)
        )
        if status != 0:
            raise AppError(
                f"macOS does not tell this program of hot keys (error {status}).",
                "Start Kuchipaku again; the control for other programs works meanwhile.",
            )

    def grab(self, keys: Mapping[str, str]) -> None:
        """Take these keys and let every other go; one that is held counts as let go."""
        self._let_go_of_held()
        problems: dict[str, str] = {}
        with self._lock:
            self._let_all_go()
            for each in keys:
                *held, key = each.split("+")
                if key not in KEY_CODES:
                    problems[each] = "A Mac's keyboard has no such key."
                    continue
                self._numbers += 1
                reference = ctypes.c_void_p()
                status = self._carbon.RegisterEventHotKey(
                    KEY_CODES[key],
                    sum(_MODIFIERS[modifier] for modifier in held),
                    _HotKeyId(SIGNATURE, self._numbers),
                    self._carbon.GetEventDispatcherTarget(),
                    0,
                    ctypes.byref(reference),
                )
                if status == 0:
                    self._registered[self._numbers] = (each, reference)
                elif status == EXISTS_ERROR:
                    problems[each] = "Another program has taken this key."
                else:
                    problems[each] = f"macOS does not give this key (error {status})."
        self._on_refused(problems)

    def close(self) -> None:
        """Let every key go; safe to call twice."""
        if self._carbon is None:
            return
        with self._lock:
            self._let_all_go()
            self._carbon.RemoveEventHandler(self._installed)
            self._carbon = None
        self._let_go_of_held()

    def _let_go_of_held(self) -> None:
        while self._down:
            self._on_key(self._down.pop(), False)

    def _let_all_go(self) -> None:
        for _, reference in self._registered.values():
            self._carbon.UnregisterEventHotKey(reference)
        self._registered = {}

    def _handle(self, _call: int, event: int, _data: int) -> int:
        """The system tells of a hot key (main thread)."""
        found = _HotKeyId()
        size = ctypes.sizeof(found)
        carbon = self._carbon
        if carbon is None or carbon.GetEventParameter(
            event, PARAM_DIRECT_OBJECT, TYPE_HOT_KEY_ID, None, size, None, ctypes.byref(found)
        ):
            return 0
        registered = self._registered.get(found.id)
        if registered is None:
            return 0
        keys, is_down = registered[0], carbon.GetEventKind(event) == HOT_KEY_PRESSED
        if is_down and keys not in self._down:
            self._down.add(keys)
            self._on_key(keys, True)
        elif not is_down and keys in self._down:
            self._down.discard(keys)
            self._on_key(keys, False)
        return 0
