"""From a key that Qt saw to the way in which keys are written in the settings."""

from __future__ import annotations

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent

_MODIFIER_KEYS = {
    Qt.Key.Key_Control,
    Qt.Key.Key_Alt,
    Qt.Key.Key_AltGr,
    Qt.Key.Key_Shift,
    Qt.Key.Key_Meta,
    Qt.Key.Key_Super_L,
    Qt.Key.Key_Super_R,
    Qt.Key.Key_CapsLock,
    Qt.Key.Key_NumLock,
}
_NAMES = {
    Qt.Key.Key_Space: "Space",
    Qt.Key.Key_Tab: "Tab",
    Qt.Key.Key_Backtab: "Tab",
    Qt.Key.Key_Return: "Enter",
    Qt.Key.Key_Enter: "Enter",
    Qt.Key.Key_Escape: "Esc",
    Qt.Key.Key_Backspace: "Backspace",
    Qt.Key.Key_Delete: "Delete",
    Qt.Key.Key_Insert: "Insert",
    Qt.Key.Key_Home: "Home",
    Qt.Key.Key_End: "End",
    Qt.Key.Key_PageUp: "PageUp",
    Qt.Key.Key_PageDown: "PageDown",
    Qt.Key.Key_Left: "Left",
    Qt.Key.Key_Right: "Right",
    Qt.Key.Key_Up: "Up",
    Qt.Key.Key_Down: "Down",
    Qt.Key.Key_Minus: "Minus",
    Qt.Key.Key_Equal: "Equal",
    Qt.Key.Key_Comma: "Comma",
    Qt.Key.Key_Period: "Period",
    Qt.Key.Key_Slash: "Slash",
    Qt.Key.Key_Backslash: "Backslash",
    Qt.Key.Key_Semicolon: "Semicolon",
    Qt.Key.Key_Apostrophe: "Quote",
    Qt.Key.Key_QuoteLeft: "Grave",
    Qt.Key.Key_BracketLeft: "BracketLeft",
    Qt.Key.Key_BracketRight: "BracketRight",
    Qt.Key.Key_Pause: "Pause",
    Qt.Key.Key_ScrollLock: "ScrollLock",
    Qt.Key.Key_Print: "PrintScreen",
    Qt.Key.Key_Menu: "Menu",
}
_KEYPAD = {
    Qt.Key.Key_Plus: "NumAdd",
    Qt.Key.Key_Minus: "NumSubtract",
    Qt.Key.Key_Asterisk: "NumMultiply",
    Qt.Key.Key_Slash: "NumDivide",
    Qt.Key.Key_Period: "NumDecimal",
    Qt.Key.Key_Comma: "NumDecimal",
}
_FIRST_DIGIT_CODE = 10
"""X11 and Wayland call the row of digits 10 to 19, whatever a layout writes with it and Shift."""


def keys_of(event: QKeyEvent) -> str:
    """Keys such as "Ctrl+Alt+1", or "" where nothing but Ctrl, Alt, Shift or Meta is down yet.

    What has no name here comes back as Qt calls it: whoever checks keys says so.
    """
    key = Qt.Key(event.key())
    if key in _MODIFIER_KEYS:
        return ""
    held = event.modifiers()
    modifier = Qt.KeyboardModifier
    # Qt calls a Mac's Command key Control.
    control, meta = modifier.ControlModifier, modifier.MetaModifier
    if sys.platform == "darwin":
        control, meta = meta, control
    names = [
        *(["Ctrl"] if held & control else []),
        *(["Alt"] if held & modifier.AltModifier else []),
        *(["Shift"] if held & modifier.ShiftModifier else []),
        *(["Meta"] if held & meta else []),
    ]
    return "+".join([*names, _name_of(event, key)])


def _name_of(event: QKeyEvent, key: Qt.Key) -> str:
    is_digit = Qt.Key.Key_0 <= key <= Qt.Key.Key_9
    if event.modifiers() & Qt.KeyboardModifier.KeypadModifier:
        if is_digit:
            return f"Num{key - Qt.Key.Key_0}"
        if key in _KEYPAD:
            return _KEYPAD[key]
    if Qt.Key.Key_F1 <= key <= Qt.Key.Key_F24:
        return f"F{key - Qt.Key.Key_F1 + 1}"
    if is_digit or Qt.Key.Key_A <= key <= Qt.Key.Key_Z:
        return chr(key)
    place = int(event.nativeScanCode()) - _FIRST_DIGIT_CODE
    if QGuiApplication.platformName() in ("xcb", "wayland") and 0 <= place <= 9:
        return str((place + 1) % 10)
    virtual_key = int(event.nativeVirtualKey())
    if QGuiApplication.platformName() == "windows" and ord("0") <= virtual_key <= ord("9"):
        return chr(virtual_key)
    return _NAMES.get(key, key.name.removeprefix("Key_"))
