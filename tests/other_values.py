"""For every setting a value that it may have and does not have by itself."""

from __future__ import annotations

from app.settings import CHOICES, PATTERNS, RANGES, Settings, Value, value_of


def other_value(name: str) -> Value:
    """A value that the setting may have and does not have by itself."""
    default = value_of(Settings(), name)
    if name in CHOICES:
        return next(choice for choice in CHOICES[name] if choice != default)
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return "#0a0b0c" if name in PATTERNS else 'Mikrofon "ü" \\ 日本語　x'
    low, high = RANGES[name]
    return type(default)(low if default != low else high)
