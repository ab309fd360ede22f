"""The file of the settings: read with care, changed line by line, never lost.

What is not understood is never overwritten: the file is kept aside under a name that is told, and the app goes on
with what is understood. All functions are for one thread at a time.
"""

from __future__ import annotations

import contextlib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import AppError
from app.settings import VERSION, Settings, Value, may_go, understand, value_of, with_value

_ADVICE = "Compare the two files and set what is missing; the window has a page for every setting."


def open_settings(path: Path) -> tuple[Settings, AppError | None]:
    """Settings of the file at `path`, and what the user has to know about it; defaults where there is none.

    A file that is no TOML, or of a newer version, is renamed (`settings.aside-1.toml`), and everything has its
    default. Of a file with unknown keys or wrong values a copy is kept under such a name; those entries are taken out
    and the others count. Never raises.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Settings(), None
    except OSError as error:
        return Settings(), AppError(
            f"The settings in {path} cannot be read ({error.strerror}); everything has its default.",
            "Correct the file's permissions, then start the app again.",
        )
    try:
        table = tomllib.loads(_decoded(data))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else f"is not valid TOML: {error}"
        return Settings(), _put_aside(path, None, f"The settings file {reason}.")
    settings, wrong = understand(table)
    if not wrong:
        return settings, None
    problem = f"In the settings: {wrong[0].problem}"
    if len(wrong) > 1:
        problem += f" (and {len(wrong) - 1} more)"
    if any(each.path == ("version",) for each in wrong):
        return Settings(), _put_aside(path, None, problem)
    return settings, _put_aside(path, _without(_decoded(data), [each.path for each in wrong]), problem)


def keep_setting(path: Path, name: str, value: Value) -> None:
    """Write the setting called `name` into the file at `path`, which is made where it is not there yet.

    Every other line stays as the user wrote it, comments included. The file is replaced as a whole or not at all.
    Raises AppError for a wrong name or value, and where the file cannot be read or written, or is not understood.
    """
    text = ""
    try:
        text = _decoded(path.read_bytes())
        before = tomllib.loads(text)
    except FileNotFoundError:
        before = {}
    except (OSError, UnicodeDecodeError) as error:
        raise _not_kept(path, name, value, "it cannot be read") from error
    except tomllib.TOMLDecodeError as error:
        raise _not_kept(path, name, value, "it is not valid TOML") from error
    old, wrong = understand(before)
    if wrong:
        raise _not_kept(path, name, value, f"not all of it is understood ({wrong[0].problem.rstrip('.')})")
    wanted = with_value(old, name, value)
    from tomlkit.exceptions import TOMLKitError

    try:
        changed = _with_entry(text, before, name, value_of(wanted, name))
        is_right = understand(tomllib.loads(changed)) == (wanted, ())
    except (TOMLKitError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        is_right, changed = False, ""
    if not is_right:
        raise _not_kept(path, name, value, f"its table [{name.split('.')[0]}] is written in an unusual way")
    try:
        _replace(path, changed)
    except OSError as error:
        raise _not_kept(path, name, value, "it cannot be written") from error


def _decoded(data: bytes) -> str:
    return data.decode("utf-8-sig")  # an editor's byte order mark is no part of the settings


def _with_entry(text: str, before: Mapping[str, Any], name: str, value: Value) -> str:
    import tomlkit  # late: it takes time, and at a start nothing is written

    document = tomlkit.parse(text)
    *tables, key = name.split(".", 2)
    holder: Any = document
    for table in tables:
        if table not in holder:
            if holder is document and document.body:
                document.add(tomlkit.nl())
            holder[table] = tomlkit.table()
        holder = holder[table]
    if value == "" and len(tables) > 1 and key in holder and may_go(key):
        del holder[key]
    else:
        holder[key] = value
    changed = tomlkit.dumps(document)
    return changed if "version" in before else f"version = {VERSION}\n" + (f"\n{changed}" if changed else "")


def _without(text: str, paths: list[tuple[str, ...]]) -> str | None:
    """`text` less the entries at `paths`; None where that cannot be had."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        for *tables, key in paths:
            holder: Any = document
            for table in tables:
                holder = holder[table]
            del holder[key]
        changed = tomlkit.dumps(document)
        return changed if not understand(tomllib.loads(changed))[1] else None
    except (TOMLKitError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError):
        return None


def _put_aside(path: Path, instead: str | None, problem: str) -> AppError:
    """Give the file another name, and write `instead` in its place; returns what the user has to know."""
    kept = "everything has its default" if instead is None else "what is understood counts"
    try:
        target = _real(path)
        aside = next(name for name in map(_aside_name(target), range(1, 10_000)) if not os.path.lexists(name))
        if instead is None:
            os.rename(target, aside)
        else:
            with aside.open("xb") as file:
                file.write(target.read_bytes())
            _replace(path, instead)
    except (OSError, StopIteration):
        return AppError(
            f"{problem} The file {path} could not be kept aside, so it stays as it is; {kept}.",
            "Correct the file, then start the app again; until then no setting can be kept.",
        )
    return AppError(f"{problem} The file was kept as {aside}; {kept}.", _ADVICE)


def _aside_name(path: Path) -> Any:
    return lambda number: path.with_name(f"{path.stem}.aside-{number}{path.suffix}")


def _real(path: Path) -> Path:
    """Where the file lies: a link to it (of those who keep their settings elsewhere) stays a link."""
    return Path(os.path.realpath(path))


def _replace(path: Path, text: str) -> None:
    target = _real(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    try:
        with partial.open("wb") as file:
            file.write(text.encode("utf-8"))
            file.flush()
            os.fsync(file.fileno())  # a power cut must leave the old file or the new one, never an empty one
        os.replace(partial, target)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _not_kept(path: Path, name: str, value: Value, why: str) -> AppError:
    table, key = name.rsplit(".", 1) if name.count(".") == 1 else ("keys.bindings", name.split(".", 2)[-1])
    written = str(value).lower() if isinstance(value, bool) else f'"{value}"' if isinstance(value, str) else value
    return AppError(
        f"{key} = {written} counts until the app ends, but could not be kept in {path}: {why}.",
        f"Write {key} = {written} under [{table}] in that file.",
    )
