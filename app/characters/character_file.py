"""Changes a character.toml and leaves comments, order and everything else in it as they were written."""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Table

from animator.character import Character, CharacterError, load_text, read_limited
from animator.tha3.emotion_import import MAX_BYTES, EmotionFileError, import_emotions
from app.characters.library import toml_text
from app.errors import AppError

FILE = "character.toml"
EMOTIONS = "emotions.json"


@dataclass(frozen=True, slots=True)
class Texts:
    """What the persona page changes; an empty text takes the entry away, so that the usual one holds."""

    name: str
    persona: str
    greeting: str
    fallback_line: str
    voice: str = ""
    language: str = "en-us"


def save_texts(folder: Path, texts: Texts) -> Character:
    """Write the texts that differ from what the character has; returns the character as it is then.

    Raises:
        AppError: If one of them cannot be used (too long, say), or the file cannot be written; nothing changes then.
    """
    document = _read(folder)
    before = _built(folder, tomlkit.dumps(document))
    if not texts.name.strip():
        raise AppError("The character has no name.", "Give it one.")
    for key in ("name", "persona", "greeting", "fallback_line", "voice", "language"):
        wanted = str(getattr(texts, key)).strip()
        if wanted == str(getattr(before, key)).strip():
            continue  # whatever way it is written in, it says so already
        if wanted:
            document[key] = toml_text(wanted)
        else:
            document.pop(key, None)
    return _write(folder, document)


def save_expression(folder: Path, name: str, values: Mapping[str, float] | None) -> Character:
    """Write [expressions.`name`]; without `values` it is taken away, and the app's own of that name holds again.

    `values` are THA3 parameters by full name; zeros are left out and equal pairs are written as one.

    Raises:
        AppError: As `save_texts`.
    """
    document = _read(folder)
    tables = document.get("expressions")
    if values is None:
        if isinstance(tables, MutableMapping):
            tables.pop(name, None)
            if not tables:
                document.pop("expressions")
        return _write(folder, document)
    if not isinstance(tables, Table):
        if tables is not None:  # an inline table, or spread over dotted keys: written anew, which takes all forms
            plain = {str(key): dict(each) for key, each in tables.unwrap().items()}
            document.pop("expressions")
        else:
            plain = {}
        tables = tomlkit.table(is_super_table=True)
        for key, each in plain.items():
            tables.append(key, _table_of(each))
        document["expressions"] = tables
    wanted = paired(values)
    held = tables.get(name)
    if isinstance(held, Table):
        for key in [key for key in held if key not in wanted]:
            held.pop(key)
        for key, value in wanted.items():
            if key not in held or float(held[key]) != value:
                held[key] = value
    else:
        tables[name] = _table_of(wanted)
    return _write(folder, document)


def paired(values: Mapping[str, float]) -> dict[str, float]:
    """Values other than 0 to two places, with both sides of a pair under its bare name where they are equal."""
    rounded = {name: round(float(value), 2) for name, value in values.items()}
    found: dict[str, float] = {}
    for name, value in rounded.items():
        bare = name.removesuffix("_left").removesuffix("_right")
        other = f"{bare}_right" if name.endswith("_left") else f"{bare}_left"
        if bare != name and rounded.get(other) == value:
            name = bare
        if value != 0.0:
            found[name] = value
    return found


def add_emotions(folder: Path, file: Path) -> tuple[Character, tuple[str, ...]]:
    """Take the emotions of a SillyTavern or raven file in; returns the character and notes on what was changed.

    They are kept in emotions.json beside character.toml; a later file replaces emotions of the same names.

    Raises:
        AppError: If the file holds no emotions, or as `save_texts`.
    """
    document = _read(folder)
    merged: dict[str, dict[str, float]] = {}
    try:
        imported = import_emotions(
            read_limited(file, MAX_BYTES, "The emotion file", "Keep the emotions that are used.")
        )
        named = document.get("expressions_file")
        if isinstance(named, str) and named == Path(named).name:
            merged = import_emotions(read_limited(folder / named, MAX_BYTES, "The emotion file")).expressions
    except (EmotionFileError, CharacterError) as error:
        raise AppError(error.problem, error.remedy) from error
    merged = {**merged, **imported.expressions}
    tables = document.get("expressions")
    hidden = [name for name in imported.expressions if isinstance(tables, Mapping) and name in tables]
    notes = list(imported.notes)
    if hidden:
        notes.append(f"Expressions that were changed by hand stay as they are: {', '.join(hidden)}.")
    target = folder / EMOTIONS
    before = target.read_bytes() if target.is_file() else None
    document["expressions_file"] = EMOTIONS
    try:
        _replace(target, json.dumps(merged, indent=1).encode())
        return _write(folder, document), tuple(notes)
    except AppError:
        if before is None:
            target.unlink(missing_ok=True)
        else:
            _replace(target, before)
        raise


def _table_of(values: Mapping[str, Any]) -> Table:
    table = tomlkit.table()
    for key, value in values.items():
        table.append(key, value)
    return table


def _read(folder: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse((folder / FILE).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AppError(f"{folder / FILE} cannot be read: {error.strerror}.", "Check that it is there.") from error
    except ValueError as error:
        raise AppError(f"{folder / FILE} is not valid TOML.", "Correct it by hand first.") from error


def _built(folder: Path, text: str) -> Character:
    try:
        return load_text(folder, text.encode())
    except CharacterError as error:
        raise AppError(error.problem, error.remedy) from error


def _write(folder: Path, document: tomlkit.TOMLDocument) -> Character:
    text = tomlkit.dumps(document)
    try:
        is_same = tomllib.loads(text) == document.unwrap()
    except tomllib.TOMLDecodeError:
        is_same = False
    if not is_same:  # written in a way that cannot be changed in place
        raise AppError(f"{folder / FILE} is written in an unusual way.", "Change it in a text editor.")
    character = _built(folder, text)
    _replace(folder / FILE, text.encode())
    return character


def _replace(file: Path, data: bytes) -> None:
    partial = file.with_name(f"{file.name}.part")
    try:
        partial.write_bytes(data)
        os.replace(partial, file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise AppError(
            f"{file} cannot be written: {error.strerror}.", "Free some space, or check the folder's rights."
        ) from error
