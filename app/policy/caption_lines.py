"""Captions in lines: where a sentence is broken, and which two of its lines are shown. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

LINES = 2
_NO_SPACES_FROM = 0x2E80
"""From here on Unicode has the scripts of East Asia, which are broken between any two characters."""
_NEVER_FIRST = frozenset(
    "、。，．・：；？！ー々ゝゞヽヾ゛゜)]}」』】〕〉》）］｝ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ…‥〜～%‰℃"
)
_NEVER_LAST = frozenset("([{「『【〔〈《（［｛￥＄")
"""Japanese line breaking rules: JIS X 4051, 6.1 (characters that begin or end no line)."""


@dataclass(frozen=True, slots=True)
class Line:
    """`start` to `end` of a text, without the spaces at the ends."""

    start: int
    end: int


def lines_of(text: str, width_px: float, width_of: Callable[[str], float]) -> list[Line]:
    """Break a text so that no line is wider than `width_px`, and the lines of one screen are about as wide.

    `width_of` measures a part of the text. A word that is wider by itself is broken anywhere.
    """
    pieces = _pieces(text)
    if not pieces:
        return []
    widest = max(width_of(text[piece.start : piece.end].strip()) for piece in pieces)
    lines = _fill(text, pieces, width_px, width_of)
    if len(lines) == LINES and widest <= width_px:
        # A last line of one word looks like a mistake: the narrowest width that gives as many lines.
        low, high = widest, width_px
        while high - low > width_px / 50:
            middle = (low + high) / 2
            if len(_fill(text, pieces, middle, width_of)) == LINES:
                high = middle
            else:
                low = middle
        lines = _fill(text, pieces, high, width_of)
    return lines


def at_hand(lines: list[Line], heard: int) -> list[Line]:
    """The lines that are shown while `heard` characters have begun to sound: the one that is spoken, and its neighbour.

    That is the line before it, or at the beginning the one that will follow; none before the first word.
    """
    if heard <= 0 or not lines:
        return []
    at = max((number for number, line in enumerate(lines) if line.start < heard), default=0)
    first = max(0, at - LINES + 1)
    return lines[first : first + LINES]


def _pieces(text: str) -> list[Line]:
    """What is never broken: words, and single characters of East Asia with what must stay by them."""
    pieces: list[Line] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or _may_break(text[at - 1], text[at]):
            if text[start:at].strip():
                pieces.append(Line(start, at))
                start = at
            elif pieces:
                start = at
    return pieces


def _may_break(before: str, after: str) -> bool:
    if unicodedata.combining(after) or unicodedata.category(after) in ("Mn", "Mc", "Cf") or before == "\u200d":
        return False
    if after.isspace():
        return False
    if before.isspace():
        return True
    if before == "-" or (ord(before) < _NO_SPACES_FROM and ord(after) < _NO_SPACES_FROM):
        return before == "-" and after.isalpha()
    return after not in _NEVER_FIRST and before not in _NEVER_LAST


def _fill(text: str, pieces: list[Line], width_px: float, width_of: Callable[[str], float]) -> list[Line]:
    lines: list[Line] = []
    for piece in pieces:
        last = lines[-1] if lines else None
        if last is not None and width_of(text[last.start : piece.end].strip()) <= width_px:
            lines[-1] = Line(last.start, piece.end)
        else:
            lines += _broken(text, piece, width_px, width_of)
    return [_stripped(text, line) for line in lines]


def _broken(text: str, piece: Line, width_px: float, width_of: Callable[[str], float]) -> list[Line]:
    """A piece that is too wide, in as many lines as it needs."""
    if width_of(text[piece.start : piece.end].strip()) <= width_px:
        return [piece]
    lines, start = [], piece.start
    for at in range(piece.start + 1, piece.end):
        whole = unicodedata.category(text[at]) not in ("Mn", "Mc", "Cf")
        if whole and at > start and width_of(text[start : at + 1].strip()) > width_px:
            lines.append(Line(start, at))
            start = at
    return [*lines, Line(start, piece.end)]


def _stripped(text: str, line: Line) -> Line:
    part = text[line.start : line.end]
    return Line(line.start + len(part) - len(part.lstrip()), line.end - len(part) + len(part.rstrip()))
