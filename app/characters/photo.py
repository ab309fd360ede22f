"""A photo of a person as a character: looked at, and kept in a folder of the user's own with their word for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tomlkit

from animator.messages import Pixels
from app.characters.library import Entry, entries, free_folder, free_name, make_folder, own_root

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A photo that can talk: its file's bytes, its portrait (RGBA), and what the user should know."""

    data: bytes
    suffix: str
    picture: Pixels
    notes: tuple[str, ...]


def create_of_photo(
    name: str, looked: Looked, *, ai_mark: bool = True, there: list[Entry] | None = None, root: Path | None = None
) -> Entry:
    """Make a folder of the user's own of a photo. Only call it where the user has confirmed the person's consent.

    Raises:
        AppError: If the photo cannot be used or the folder cannot be written.
    """
    known = entries() if there is None else there
    name = free_name(name, known)
    folder = free_folder(root or own_root(), name, known)
    photo = f"photo{looked.suffix if looked.suffix in SUFFIXES else '.jpg'}"

    def fill(scratch: Path) -> None:
        (scratch / photo).write_bytes(looked.data)
        document = tomlkit.document()
        document.add("name", tomlkit.string(name))
        document.add("engine", tomlkit.string("puppet"))
        document.add("photo", tomlkit.string(photo))
        document.add("consent", tomlkit.item(True))
        document.add("ai_mark", tomlkit.item(ai_mark))
        (scratch / "character.toml").write_bytes(tomlkit.dumps(document).encode())

    made = make_folder(folder, fill)
    return Entry(made.name, folder, True)
