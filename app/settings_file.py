"""Changes one line of the settings file and leaves all others as the user wrote them, comments included."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any

from app.errors import AppError

_HEADER = re.compile(r"\s*\[")


def keep_setting(path: Path, table: str, key: str, value: int) -> None:
    """Write `key = value` under [table] of the file at `path`, which is made where it is not there yet.

    The file is replaced as a whole or not at all. Raises AppError where it cannot be read, is no TOML, or is written
    in a way in which one line cannot be changed (an inline table, say).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        raise _not_kept(path, table, key, value, "it cannot be read") from error
    try:
        wanted: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_kept(path, table, key, value, "it is not valid TOML") from error
    changed = _with_line(text, table, key, value)
    held = wanted.setdefault(table, {})
    try:
        held[key] = value
        is_right = tomllib.loads(changed) == wanted
    except (TypeError, tomllib.TOMLDecodeError):
        is_right = False
    if not is_right:
        raise _not_kept(path, table, key, value, f"its table [{table}] is written in an unusual way")
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(changed, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise _not_kept(path, table, key, value, "it cannot be written") from error


def _not_kept(path: Path, table: str, key: str, value: int, why: str) -> AppError:
    return AppError(
        f"{key} = {value} counts until the app ends, but could not be kept in {path}: {why}.",
        f"Write {key} = {value} under [{table}] in that file.",
    )


def _with_line(text: str, table: str, key: str, value: int) -> str:
    lines = text.splitlines()
    own_header = re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]\s*(?:#.*)?")
    own_key = re.compile(rf"(\s*{re.escape(key)}\s*=\s*)[^#\s]+(\s*(?:#.*)?)")
    header = next((at for at, line in enumerate(lines) if own_header.fullmatch(line)), None)
    if header is None:
        lines += [*([""] if lines and lines[-1].strip() else []), f"[{table}]", f"{key} = {value}"]
        return "\n".join(lines) + "\n"
    for at in range(header + 1, len(lines)):
        if _HEADER.match(lines[at]):
            break
        if found := own_key.fullmatch(lines[at]):
            lines[at] = f"{found[1]}{value}{found[2]}"
            return "\n".join(lines) + "\n"
    lines.insert(header + 1, f"{key} = {value}")
    return "\n".join(lines) + "\n"
