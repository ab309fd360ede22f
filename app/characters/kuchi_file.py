"""A character as one `.kuchi` file: a zip with a manifest, to be passed on. Such files come from strangers.

Inside: `manifest.json` (format, version, name, and of each file its name, size and sha256), `character.toml` and the
pictures and emotions that it names. Nothing else is ever taken out of one: no folders, no links, no code.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from animator.character import MAX_FILE_BYTES, MAX_TOML_BYTES, CharacterError, read_limited
from animator.tha3.emotion_import import MAX_BYTES as MAX_EMOTION_BYTES
from app.characters.library import (
    Entry,
    character_at,
    copy_character,
    entries,
    free_folder,
    free_name,
    make_folder,
    own_root,
)
from app.errors import AppError

SUFFIX = ".kuchi"
FORMAT, VERSION = "kuchipaku-character", 1
MANIFEST = "manifest.json"
MAX_KUCHI_BYTES = 72 * 1024 * 1024
"""Two pictures of the largest size that a character may have, and a little more."""
MAX_FILES = 8
MAX_MANIFEST_BYTES = 64 * 1024
_LIMITS = {".toml": MAX_TOML_BYTES, ".png": MAX_FILE_BYTES, ".json": MAX_EMOTION_BYTES}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}\.[a-z]{3,4}")
_BROKEN = "Ask for the file again, or have it exported again."
_EPOCH = (1980, 1, 1, 0, 0, 0)


def export_character(path: Path, target: Path) -> None:
    """Write the character at `path` (folder or PNG) into the file `target`, which is replaced as a whole or not at all.

    The same character gives the same bytes.

    Raises:
        AppError: If the character cannot be used or the file cannot be written.
    """
    character = character_at(path)
    if character.is_person:
        kind = "photo" if character.video is None else "video"
        raise AppError(
            f"{character.name} is a {kind} of a person. Those are not passed on: the consent was given to you.",
            f"Whoever else has that person's consent makes a character of the {kind} themselves.",
        )
    try:
        with tempfile.TemporaryDirectory(prefix="kuchipaku-") as scratch:
            folder = Path(scratch)
            names = copy_character(path, folder)
            files = []
            for name in names:
                data = (folder / name).read_bytes()
                files.append({"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
            manifest = {"format": FORMAT, "version": VERSION, "name": character.name, "files": files}
            partial = target.with_name(f"{target.name}.part")
            try:
                with zipfile.ZipFile(partial, "w") as archive:
                    _add(archive, MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
                    for name in names:
                        _add(archive, name, (folder / name).read_bytes())
                os.replace(partial, target)
            finally:
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise AppError(f"{target} cannot be written: {error.strerror}.", "Choose another place for it.") from error


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    # Pictures are packed already.
    info.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    archive.writestr(info, data)


def import_character(file: Path, there: list[Entry] | None = None, root: Path | None = None) -> Entry:
    """Make a character of the user's own of the file `file`; one of the same name that is there already stays.

    Raises:
        AppError: If anything about the file is not as it should be; then nothing is left behind.
    """
    files = _files_of(file)
    known = entries() if there is None else there
    wanted = _name_in(files)
    name = free_name(wanted or file.stem, known)

    def fill(scratch: Path) -> None:
        for each, data in files.items():
            (scratch / each).write_bytes(data)
        if name != wanted:
            rename(scratch, name)

    folder = free_folder(root or own_root(), name, known)
    made = make_folder(folder, fill)
    return Entry(made.name, folder, True)


def rename(folder: Path, name: str) -> None:
    """Write another name into the character.toml of `folder`."""
    file = folder / "character.toml"
    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8-sig"))
    except ValueError as error:
        raise CharacterError("character.toml is not valid TOML.", _BROKEN) from error
    document["name"] = name
    file.write_bytes(tomlkit.dumps(document).encode())


def _name_in(files: Mapping[str, bytes]) -> str:
    try:
        table = tomllib.loads(files["character.toml"].decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise AppError("The character.toml in this file is not valid TOML.", _BROKEN) from error
    if "photo" in table or "video" in table or "consent" in table:
        kind = "video" if "video" in table else "photo"
        raise AppError(
            f"This .kuchi file holds a {kind} of a person; whether you may use it, nobody else can say for you.",
            f"If you have the person's consent, make a character of the {kind} yourself.",
        )
    name = table.get("name")
    return name if isinstance(name, str) else ""


def _files_of(file: Path) -> dict[str, bytes]:
    """The files that the manifest names, each checked against it."""
    try:
        data = read_limited(file, MAX_KUCHI_BYTES, "The .kuchi file", "A character needs no more than two pictures.")
    except CharacterError as error:
        raise AppError(error.problem, error.remedy) from error
    if not data.startswith(b"PK\x03\x04"):
        raise AppError("This is no .kuchi file.", "Give one that Kuchipaku exported.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = _checked_list(archive)
            manifest = _manifest(_read(archive, listed.get(MANIFEST), MAX_MANIFEST_BYTES))
            return _named_files(archive, listed, manifest)
    except AppError:
        raise
    except Exception as error:  # zipfile raises many things over a stranger's bytes
        raise AppError("This .kuchi file is damaged.", _BROKEN) from error


def _checked_list(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    listed: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        name = info.filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        if not _NAME.fullmatch(name) or Path(name).suffix not in _LIMITS or kind not in (0, stat.S_IFREG):
            raise AppError(
                f"This .kuchi file holds {name!r:.60}, which has no place in a character.",
                "Only character.toml, pictures (.png) and emotions (.json) belong there; do not use this file.",
            )
        if name.casefold() in {each.casefold() for each in listed} or len(listed) >= MAX_FILES:
            raise AppError("This .kuchi file holds too many files, or one of them twice.", _BROKEN)
        if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise AppError("This .kuchi file is encrypted or packed in an unknown way.", _BROKEN)
        listed[name] = info
    return listed


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo | None, limit: int) -> bytes:
    if info is None:
        raise AppError(f"This .kuchi file has no {MANIFEST}.", "Give one that Kuchipaku exported.")
    # Its own word on its size may be a lie: no more than the limit is ever unpacked.
    with archive.open(info) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise AppError(f"{info.filename} in this .kuchi file is larger than {limit // 1024} KiB.", _BROKEN)
    return data


def _manifest(data: bytes) -> Mapping[str, Any]:
    try:
        table = json.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise AppError(f"The {MANIFEST} of this .kuchi file cannot be read.", _BROKEN) from error
    if not isinstance(table, Mapping) or table.get("format") != FORMAT:
        raise AppError("This .kuchi file is no character.", "Give one that Kuchipaku exported.")
    if type(table.get("version")) is not int or table["version"] > VERSION:
        raise AppError("This .kuchi file was made by a newer Kuchipaku.", "Update Kuchipaku, then import it again.")
    return table


def _named_files(
    archive: zipfile.ZipFile, listed: Mapping[str, zipfile.ZipInfo], manifest: Mapping[str, Any]
) -> dict[str, bytes]:
    rows = manifest.get("files")
    named: dict[str, Mapping[str, Any]] = {}
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, Mapping) and isinstance(row.get("name"), str):
            named[row["name"]] = row
    if set(named) != set(listed) - {MANIFEST} or "character.toml" not in named:
        raise AppError("This .kuchi file does not hold what its manifest says.", _BROKEN)
    files: dict[str, bytes] = {}
    for name, row in named.items():
        data = _read(archive, listed[name], _LIMITS[Path(name).suffix])
        if row.get("size") != len(data) or row.get("sha256") != hashlib.sha256(data).hexdigest():
            raise AppError(f"{name} in this .kuchi file is not what its manifest says.", _BROKEN)
        files[name] = data
    return files
