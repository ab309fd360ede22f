"""Reads emotion files of SillyTavern's talkinghead and of raven. Pure; such files come from strangers.

Formats: `{"joy": {"eyebrow_happy_left_index": 1.0, …, "mouth_delta": 0.0}}`, one emotion per file or several (as in
`_defaults.json`), and raven's `{"joy": {"pose": {…}, "cels": {…}}}`. A parameter that is not there is 0.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from animator.tha3 import pose as p

MAX_BYTES = 512 * 1024
"""raven's file of all defaults has about 60 KiB."""
MAX_EMOTIONS = 64
MAX_NOTES = 12
_IGNORED = ("breathing", "body_y", "body_z")
"""Moved by the face itself."""


class EmotionFileError(ValueError):
    """An emotion file that cannot be used: `problem` says what is wrong, `remedy` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class ImportedEmotions:
    """What an emotion file holds: values other than 0 by full THA3 name, within their ranges; and what was changed.

    mouth_smirk is at least `pose.REST_SMIRK`.
    """

    expressions: dict[str, dict[str, float]]
    notes: tuple[str, ...]


def import_emotions(data: bytes) -> ImportedEmotions:
    """Read the bytes of one emotion file.

    Values outside their ranges are clamped and cels are left out; the notes say so, and name unknown parameters.

    Raises:
        EmotionFileError: If it is too large, no JSON, or not of this shape.
    """
    if len(data) > MAX_BYTES:
        raise EmotionFileError(
            f"The emotion file has {len(data) // 1024} KiB.", f"At most {MAX_BYTES // 1024} KiB are read; split it."
        )
    table = _parse(data)
    if not table:
        raise EmotionFileError(
            "The emotion file holds no emotion.", 'Expected {"joy": {"eyebrow_happy_left_index": 1}}.'
        )
    if len(table) > MAX_EMOTIONS:
        raise EmotionFileError(f"The emotion file holds {len(table)} emotions.", f"Keep at most {MAX_EMOTIONS}.")
    notes: list[str] = []
    expressions: dict[str, dict[str, float]] = {}
    for key, entry in table.items():
        name = key.strip().lower()
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name) or not isinstance(entry, Mapping):
            raise EmotionFileError(
                f"The emotion file's entry {key!r:.40} is no emotion.",
                "Expected a name of small letters and a table of parameters below it.",
            )
        values = entry
        if isinstance(entry.get("pose"), Mapping):
            values = entry["pose"]
            cels = entry.get("cels")
            if isinstance(cels, Mapping) and any(cels.values()):
                notes.append(f"{name}: drawn-on cels ({', '.join(_named(cels))}) are left out.")
        expressions[name] = _values(name, values, notes)
    if len(notes) > MAX_NOTES:
        notes = [*notes[:MAX_NOTES], f"… and {len(notes) - MAX_NOTES} more."]
    return ImportedEmotions(expressions, tuple(notes))


def _parse(data: bytes) -> dict[str, Any]:
    remedy = "Export it again, or remove it."

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no number")

    try:
        table = json.loads(data.decode("utf-8-sig"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:120]
        raise EmotionFileError(f"The emotion file is not JSON: {reason}.", remedy) from error
    if not isinstance(table, dict):
        raise EmotionFileError(f"The emotion file holds a {type(table).__name__} instead of emotions.", remedy)
    return table


def _values(emotion: str, values: Mapping[str, Any], notes: list[str]) -> dict[str, float]:
    clean: dict[str, float] = {}
    unknown: list[str] = []
    clamped: list[str] = []
    for key, value in values.items():
        name = key.removesuffix("_index")
        if name not in p.INDEX:
            unknown.append(key)
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise EmotionFileError(
                f"The emotion file says {key} = {value!r:.40} in {emotion!r}.",
                "Expected a number from 0 to 1 (rotations: -1 to 1).",
            )
        if name in _IGNORED:
            continue
        i = p.INDEX[name]
        inside = min(max(float(value), float(p.LOW[i])), float(p.HIGH[i]))
        if inside != float(value):
            clamped.append(f"{key} {value:g}")
        if inside != 0.0:
            clean[name] = inside
    # As all faces here: without it THA3 leaves hardly a line of shut lips.
    clean["mouth_smirk"] = max(clean.get("mouth_smirk", 0.0), p.REST_SMIRK)
    if unknown:
        close = difflib.get_close_matches(unknown[0].removesuffix("_index"), p.NAMES, n=1, cutoff=0.6)
        hint = f"; did the first mean {close[0]}?" if close else ""
        notes.append(f"{emotion}: unknown parameters are left out: {', '.join(_named(unknown))}{hint}")
    if clamped:
        notes.append(f"{emotion}: values outside their range were brought back: {', '.join(_named(clamped))}.")
    return clean


def _named(names: Any) -> list[str]:
    """At most six names, each short enough to be read."""
    listed = [re.sub(r"[^\w .+-]", "?", str(name))[:40] for name in names]
    return listed[:6] + (["…"] if len(listed) > 6 else [])
