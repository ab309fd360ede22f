"""Character cards (V1, V2 and V3, as PNG or JSON) → a character's folder. Everything in a card is a stranger's.

Written from the public specifications of V2 and V3: a PNG holds base64 of JSON in a text chunk called `ccv3` or
`chara`; V2 and V3 keep their fields under `data`, V1 at the top.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import re
import shutil
import struct
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from animator.character import CharacterError, CheckedPicture, examine_picture, load_character
from animator.messages import Pixels
from app.errors import AppError
from app.policy.persona import shortened
from app.policy.quoting import without_markers
from app.policy.sentences import SentenceSplitter

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_TEXT_BYTES = 8 * 1024 * 1024
"""Of one text chunk, unpacked: some cards carry whole lore books."""
MAX_CHUNKS = 20_000
PERSONA_CHARS = 7500
"""Below what character.toml takes."""
_FIELD_CHARS = {"system": 1500, "description": 3000, "personality": 800, "scenario": 800, "example": 900, "after": 600}
_GREETING_CHARS = 400
_SPOKEN = (
    "You are {name}. You are talking aloud, so answer in one to three short spoken sentences and stay in character. "
    "Use plain words: no lists, no markdown, no emoji, no stage directions."
)
_PNG = b"\x89PNG\r\n\x1a\n"
_RESERVED = frozenset({"con", "prn", "aux", "nul", *(f"{port}{k}" for port in ("com", "lpt") for k in range(10))})


@dataclass(frozen=True, slots=True)
class Card:
    """What we use of a card: clean text, within the limits of character.toml. `greeting` may be empty."""

    name: str
    persona: str
    greeting: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A new character's folder, and what the user should know about it."""

    folder: Path
    name: str
    notes: tuple[str, ...]


def import_card(file: Path, root: Path, stand_in: Path, *, name: str = "", force: bool = False) -> Imported:
    """Make a character's folder below `root` of the card in `file`.

    Its picture becomes the art where THA3 can use it, else `stand_in` does. With `force` a character of the same folder
    is written anew; other files in it stay.

    Raises:
        AppError: For anything that is no usable card, or if the character is there already.
    """
    data = _read(file)
    card = parse_card(data)
    if name.strip():
        card = _named(parse_fields(data), name)
    notes: list[str] = []
    picture: CheckedPicture | None = None
    if data.startswith(_PNG):
        try:
            picture = examine_picture(file)
            notes += picture.notes
        except CharacterError as error:
            notes.append(f"The card's picture cannot be animated, so another stands in: {error.problem} {error.remedy}")
    else:
        notes.append("The card has no picture, so another stands in.")
    if picture is None:
        picture = examine_picture(stand_in)
    folder = root / folder_name(card.name)
    is_new = not folder.exists()
    if not is_new and not force:
        raise AppError(
            f"There is a character in {folder} already.", "Give another name with --name, or --force to write it anew."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _save(picture.image, folder / "picture.png")
        if picture.large is not None:
            _save(picture.large, folder / "picture_1024.png")
        else:
            (folder / "picture_1024.png").unlink(missing_ok=True)
        _write(folder / "character.toml", character_toml(card, picture.large is not None).encode())
        load_character(folder)
    except (OSError, CharacterError) as error:
        if is_new:
            shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, CharacterError):
            raise AppError(error.problem, error.remedy) from error
        raise AppError(
            f"{folder} cannot be written: {error.strerror}.", "Free some space, or check its rights."
        ) from error
    return Imported(folder, card.name, tuple(notes))


def parse_card(data: bytes) -> Card:
    """The card in the bytes of a PNG or JSON file; raises AppError."""
    return _card_of(parse_fields(data))


def parse_fields(data: bytes) -> dict[str, str]:
    """The card's text fields that we know, unchanged but for their type; "" where one is missing. Raises AppError."""
    text = _text_of_png(data) if data.startswith(_PNG) else data
    if len(text) > MAX_TEXT_BYTES:
        raise AppError(f"The card's text is larger than {MAX_TEXT_BYTES // 1024 // 1024} MiB.", "Give a smaller card.")
    try:
        table = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise AppError(
            "This file holds no character card: its data are no valid JSON.", "Export the card again as PNG or JSON."
        ) from error
    if not isinstance(table, Mapping):
        raise AppError("This file holds no character card: its JSON is no table.", "Export the card again.")
    inner = table.get("data")
    fields: Mapping[str, Any] = inner if isinstance(inner, Mapping) and "name" in inner else table
    known = ("name", "nickname", "description", "personality", "scenario", "first_mes", "mes_example", "system_prompt")
    found = {key: _string(fields.get(key)) for key in (*known, "post_history_instructions")}
    greetings = fields.get("alternate_greetings")
    others = [_string(each) for each in greetings[:20]] if isinstance(greetings, list) else []
    found["first_mes"] = next((each for each in (found["first_mes"], *others) if each.strip()), "")
    if not _line(found["name"], 40):
        raise AppError("This file holds no character card: there is no name in it.", "Export the card again.")
    return found


def character_toml(card: Card, has_large: bool) -> str:
    """The character.toml of a card."""
    lines = ["# Made of a character card by `kuchipaku characters import`.", ""]
    lines += [f"name = {_toml(card.name)}", 'image = "picture.png"']
    lines += ['image_large = "picture_1024.png"'] if has_large else []
    lines += ["", f"persona = {_toml(card.persona)}"]
    lines += ["", f"greeting = {_toml(card.greeting)}"] if card.greeting else []
    return "\n".join(lines) + "\n"


def folder_name(name: str) -> str:
    """A folder's name that every system takes: small letters, figures and hyphens."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-")
    if not slug:
        return f"card-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return f"{slug}-card" if slug in _RESERVED else slug


# --- the file -------------------------------------------------------------------------------------------------------


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise AppError(f"There is no card at {file}.", "Give the path of a character card: a PNG or JSON file.")
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise AppError(f"The card {file} cannot be read: {error.strerror}.", "Check its rights.") from error
    if len(data) > MAX_FILE_BYTES:
        raise AppError(f"The card is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.", "Give a smaller file.")
    if not data:
        raise AppError("The card is an empty file.", "Download or export it again.")
    if not data.startswith(_PNG) and not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        raise AppError("This file is neither a PNG nor JSON.", "Give a character card: a PNG or JSON file.")
    return data


def _text_of_png(data: bytes) -> bytes:
    """The card's JSON; the newest edition where there are two. Checksums are not asked for: many tools break them."""
    found: dict[str, bytes] = {}
    for kind, chunk in _chunks(data):
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, _, rest = chunk.partition(b"\0")
            key = keyword.decode("latin-1").lower()
            if key in ("chara", "ccv3") and key not in found:
                text = _unpacked(kind, rest)
                if text is not None:
                    found[key] = text
    for key in ("ccv3", "chara"):
        if key in found:
            packed = b"".join(found[key].split())
            try:
                return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
            except (binascii.Error, ValueError) as error:
                raise AppError("The card in this picture is damaged: it is no valid base64.", _AGAIN) from error
    raise AppError(
        "This picture holds no character card.",
        "Take the original file: chats and image hosts often strip what is hidden in a PNG.",
    )


_AGAIN = "Download it again, in its original form."


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_PNG)
    for _ in range(MAX_CHUNKS):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        if kind == b"IEND" or at + 8 + length > len(data):
            return
        yield kind, data[at + 8 : at + 8 + length]
        at += 12 + length


def _unpacked(kind: bytes, rest: bytes) -> bytes | None:
    """The text of a chunk after its keyword; None where it is damaged or too long."""
    is_packed = kind == b"zTXt"
    if kind == b"zTXt":
        rest = rest[1:]
    elif kind == b"iTXt":
        is_packed = rest[:1] == b"\1"
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]  # past the language and the translated keyword
    if not is_packed:
        return rest if len(rest) <= MAX_TEXT_BYTES else None
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(rest, MAX_TEXT_BYTES + 1)
    except zlib.error:
        return None
    return text if len(text) <= MAX_TEXT_BYTES else None


# --- the text -------------------------------------------------------------------------------------------------------


def _string(value: object) -> str:
    return value[:100_000] if isinstance(value, str) else ""


def _named(fields: dict[str, str], name: str) -> Card:
    if not _line(name, 40):
        raise AppError("The name has no letter that can be written.", "Give another one with --name.")
    return _card_of({**fields, "name": name, "nickname": ""})


def _card_of(fields: Mapping[str, str]) -> Card:
    name = _line(fields["name"], 40)
    called = _line(fields["nickname"], 40) or name

    def text(key: str, limit: int) -> str:
        return shortened(_clean(fields[key], called), limit)

    parts = [_SPOKEN.format(name=called)]
    system = text("system_prompt", _FIELD_CHARS["system"])
    description = text("description", _FIELD_CHARS["description"])
    for label, part in (
        ("", system),
        (f"About {called}: ", description),
        ("Personality: ", text("personality", _FIELD_CHARS["personality"])),
        ("Situation: ", text("scenario", _FIELD_CHARS["scenario"])),
        (f"So {called} talks: ", text("mes_example", _FIELD_CHARS["example"])),
        ("Always: ", text("post_history_instructions", _FIELD_CHARS["after"])),
    ):
        if part:
            parts.append(f"{label}{part}")
    # Nobody is greeted as "the user".
    first = re.sub(r"\{\{user\}\}|<user>", "my friend", fields["first_mes"], flags=re.IGNORECASE)
    return Card(name, shortened("\n".join(parts), PERSONA_CHARS), _greeting(_clean(first, called)))


_MACROS = (
    (re.compile(r"\{\{//[^{}]*\}\}|\{\{(?:comment|hidden_key|note):[^{}]*\}\}|\{\{original\}\}", re.IGNORECASE), ""),
    (re.compile(r"\{\{(?:random|pick):([^{},|]*)(?:[,|][^{}]*)?\}\}", re.IGNORECASE), r"\1"),
    (re.compile(r"\{\{(?:user|user's name)\}\}|<user>", re.IGNORECASE), "the user"),
    (re.compile(r"<start>", re.IGNORECASE), "\n"),
    (re.compile(r"\{\{[^{}]{0,80}\}\}"), ""),
)


def _clean(text: str, called: str) -> str:
    """The card's words: macros filled in, nothing that a chat template would take for another speaker, tidy lines."""
    text = unicodedata.normalize("NFC", text[:20_000]).replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(r"\{\{char\}\}|<bot>|<char>", lambda _: called, text, flags=re.IGNORECASE)
    for pattern, words in _MACROS:
        text = pattern.sub(words, text)
    text = without_markers(text)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return re.sub(r"\n{2,}", "\n", "\n".join(lines)).strip()


def _greeting(text: str) -> str:
    """What can be said of a first message: its spoken words where it tells a scene, at most _GREETING_CHARS."""
    said = re.findall(r"[\"“]([^\"“”]{2,400})[\"”]", text)
    splitter = SentenceSplitter()
    kept: list[str] = []
    for sentence in splitter.feed(" ".join(said) if said else text) + splitter.finish():
        if sum(len(each) + 1 for each in kept) + len(sentence) > _GREETING_CHARS:
            break
        kept.append(sentence)
    return " ".join(kept)


def _line(text: str, limit: int) -> str:
    text = without_markers(text)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:limit].strip()


def _toml(text: str) -> str:
    """A basic string of TOML: what JSON writes is one, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _save(image: Pixels, file: Path) -> None:
    partial = file.with_suffix(".part")
    Image.fromarray(image).save(partial, format="PNG")
    os.replace(partial, file)


def _write(file: Path, data: bytes) -> None:
    partial = file.with_suffix(".part")
    partial.write_bytes(data)
    os.replace(partial, file)
