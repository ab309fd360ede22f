"""Which characters there are, which of them are the user's own, and how new folders come to be."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from PIL import Image

from animator.character import Character, CharacterError, list_characters, load_character
from animator.human.video import is_video
from animator.messages import Pixels
from app import paths
from app.cards import folder_name
from app.errors import AppError

MAX_NAME = 40


def built_in_root() -> Path:
    """The characters that come with the app; never written to."""
    return paths.REPOSITORY / "characters"


def own_root() -> Path:
    """The user's own characters. Not created here."""
    return paths.data_dir() / "characters"


def roots() -> tuple[Path, ...]:
    """Folders that hold characters: those that come with the app, then the user's own."""
    return built_in_root(), own_root()


@dataclass(frozen=True, slots=True)
class Entry:
    """A character as the gallery lists it. `path` is its folder or its single PNG."""

    name: str
    path: Path
    is_own: bool
    """Whether it may be changed in place; of the others a copy is changed."""

    @property
    def key(self) -> str:
        """What the fact `avatar character` calls it."""
        return self.path.stem


def entries(built_in: Path | None = None, own: Path | None = None) -> list[Entry]:
    """All characters, sorted by name."""
    first, second = built_in or built_in_root(), own or own_root()
    own_folder = second.resolve()
    return [
        Entry(name, path, path.is_dir() and path.resolve().is_relative_to(own_folder))
        for name, path in list_characters(first, second)
    ]


def is_photo(character: Path) -> bool:
    """Whether a character is a photo or a video of a person: what its character.toml says; neither is looked at."""
    try:
        table = tomllib.loads((character / "character.toml").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False
    return "photo" in table or "video" in table


def photos() -> list[Entry]:
    """The characters that are photos or videos of people, sorted by name."""
    return [each for each in entries() if is_photo(each.path)]


def character_at(path: Path) -> Character:
    """Load and check a character; raises AppError."""
    try:
        return load_character(path)
    except CharacterError as error:
        raise AppError(error.problem, error.remedy) from error


def free_name(wanted: str, there: list[Entry]) -> str:
    """`wanted`, with a number behind it where a character of that name is there already."""
    taken = {each.name.casefold() for each in there}
    name = wanted = " ".join(wanted.split())[:MAX_NAME] or "Character"
    number = 2
    while name.casefold() in taken:
        name = f"{wanted[: MAX_NAME - 4]} {number}"
        number += 1
    return name


def free_folder(root: Path, name: str, there: list[Entry]) -> Path:
    """A folder below `root` for a character called `name` that neither is there nor hides, or is hidden by, another."""
    taken = {each.key.casefold() for each in there}
    slug = folder_name(name)
    folder, number = slug, 2
    while folder in taken or (root / folder).exists():
        folder = f"{slug[:34].rstrip('-')}-{number}"
        number += 1
    return root / folder


def _place(wanted: str, there: list[Entry] | None, root: Path | None) -> tuple[str, Path]:
    """A name like `wanted` that nobody has, and a folder for it below `root` (the user's own), beside those `there`."""
    known = entries() if there is None else there
    name = free_name(wanted, known)
    return name, free_folder(root or own_root(), name, known)


def make_folder(folder: Path, fill: Callable[[Path], None]) -> Character:
    """Let `fill` write a character into a new folder that appears as `folder` when it is whole and can be used.

    Raises:
        AppError: If it cannot be written or used; then nothing is left behind.
    """
    scratch: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Beside its place, so that it can be put there in one step; the name is one that no listing takes up.
        scratch = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
        fill(scratch)
        load_character(scratch)
        os.replace(scratch, folder)
        os.chmod(folder, 0o755)  # mkdtemp's own is closed to others, unlike every other folder here
    except CharacterError as error:
        raise AppError(error.problem, error.remedy) from error
    except OSError as error:
        raise AppError(
            f"{folder} cannot be written: {error.strerror}.", "Free some space, or check the folder's rights."
        ) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    return character_at(folder)


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A new character: its art at 512 px and, where there is that much of it, at 1024; and who it is.

    Empty texts stand for those that every character has.
    """

    name: str
    image: Pixels
    large: Pixels | None = None
    persona: str = ""
    greeting: str = ""


def create(draft: Draft, there: list[Entry] | None = None, root: Path | None = None) -> Entry:
    """Make a folder of the user's own of `draft`.

    Raises:
        AppError: If the picture cannot be used or the folder cannot be written.
    """
    name, folder = _place(draft.name, there, root)

    def fill(scratch: Path) -> None:
        Image.fromarray(draft.image).save(scratch / "picture.png", format="PNG")
        document = tomlkit.document()
        document.add("name", tomlkit.string(name))
        document.add("image", tomlkit.string("picture.png"))
        if draft.large is not None:
            Image.fromarray(draft.large).save(scratch / "picture_1024.png", format="PNG")
            document.add("image_large", tomlkit.string("picture_1024.png"))
        for key, text in (("persona", draft.persona), ("greeting", draft.greeting)):
            if text.strip():
                document.add(key, toml_text(text))
        (scratch / "character.toml").write_bytes(tomlkit.dumps(document).encode())

    made = make_folder(folder, fill)
    return Entry(made.name, folder, True)


def create_photo(
    name: str,
    photo: Path,
    *,
    consent: bool,
    ai_mark: bool = True,
    cut_out: bool = False,
    picture: Pixels | None = None,
    there: list[Entry] | None = None,
    root: Path | None = None,
) -> Entry:
    """Make a folder of the user's own of a photo or a video that is to talk.

    `consent`: the user says that the face may be used. `picture`: what is shown of a video in lists, uint8
    RGBA. Whether there is a face in it is found out when it is shown (`animator.human.look` says it beforehand).

    Raises:
        AppError: If there is no consent, the file cannot be read or the folder cannot be written.
    """
    name, folder = _place(name, there, root)

    def fill(scratch: Path) -> None:
        kind = "video" if is_video(photo) else "photo"
        file = f"{kind}{photo.suffix.lower()}" if re.fullmatch(r"\.[A-Za-z0-9]{3,4}", photo.suffix) else "photo.jpg"
        shutil.copyfile(photo, scratch / file)
        document = tomlkit.document()
        document.add("name", tomlkit.string(name))
        document.add(kind, tomlkit.string(file))
        if kind == "video" and picture is not None:
            Image.fromarray(picture).save(scratch / "picture.png", format="PNG")
            document.add("image", tomlkit.string("picture.png"))
        document.add("consent", tomlkit.item(consent))
        if not ai_mark:
            document.add("ai_mark", tomlkit.item(False))
        if cut_out:
            document.add("background", tomlkit.string("none"))
        (scratch / "character.toml").write_bytes(tomlkit.dumps(document).encode())

    made = make_folder(folder, fill)
    return Entry(made.name, folder, True)


def toml_text(text: str) -> tomlkit.items.String:
    """A text as TOML: over several lines where it has some, so that people can go on writing in the file."""
    clean = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return tomlkit.string(f"\n{clean}\n" if "\n" in clean else clean, multiline="\n" in clean)


def own_copy(entry: Entry, there: list[Entry] | None = None, root: Path | None = None) -> Entry:
    """The user's own copy of `entry`, under a name of its own; `entry` itself where it is the user's already.

    Raises:
        AppError: If it cannot be copied.
    """
    if entry.is_own:
        return entry
    name, folder = _place(entry.name, there, root)

    def fill(scratch: Path) -> None:
        copy_character(entry.path, scratch)
        file = scratch / "character.toml"
        text = file.read_text(encoding="utf-8-sig")
        document = tomlkit.parse(text)
        document["name"] = name
        file.write_bytes(tomlkit.dumps(document).encode())

    character_at(entry.path)  # says what is wrong with it, rather than with the copy
    make_folder(folder, fill)
    return Entry(name, folder, True)


def copy_character(source: Path, target: Path) -> list[str]:
    """Copy character.toml and the files that it names to the folder `target`, under plain names; returns those names.

    Of a single PNG, a character.toml is made. The source has to be a character that loads.
    """
    if source.is_file():
        shutil.copyfile(source, target / "picture.png")
        document = tomlkit.document()
        document.add("name", tomlkit.string(load_character(source).name))
        document.add("image", tomlkit.string("picture.png"))
    else:
        document = tomlkit.parse((source / "character.toml").read_text(encoding="utf-8-sig"))
        kind = next((each for each in ("photo", "video") if each in document), None)
        if kind is not None:
            name = f"{kind}{Path(str(document[kind])).suffix.lower()}"
            shutil.copyfile(source / str(document[kind]), target / name)
            document[kind] = name
        else:
            document.setdefault("image", "picture.png")
        plain = {"image": "picture.png", "image_large": "picture_1024.png", "expressions_file": "emotions.json"}
        for key, name in plain.items():
            if key in document:
                shutil.copyfile(source / str(document[key]), target / name)
                document[key] = name
    (target / "character.toml").write_bytes(tomlkit.dumps(document).encode())
    return sorted(path.name for path in target.iterdir())


def picture_of(path: Path) -> Path | None:
    """The file of a character's picture, for a thumbnail; None where it cannot be told."""
    if path.is_file():
        return path
    try:
        document = tomlkit.parse((path / "character.toml").read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return None
    name = document.get("photo", document.get("image", "picture.png"))
    if not isinstance(name, str) or re.search(r"[\\/:\0]", name):
        return None
    return path / name if (path / name).is_file() else None


def removed_root() -> Path:
    """Where removed characters are kept, in case somebody wants one back. Not created here."""
    return paths.data_dir() / "removed characters"


def remove(entry: Entry) -> Path:
    """Take one of the user's own characters out of the list; returns the folder in which it is kept from now on.

    Raises:
        AppError: If it is not the user's own, or cannot be moved.
    """
    if not entry.is_own or not entry.path.resolve().is_relative_to(own_root().resolve()):
        raise AppError(f"{entry.name} is no character of your own.", "Only those can be removed.")
    target, number = removed_root() / entry.path.name, 2
    while target.exists():
        target = removed_root() / f"{entry.path.name}-{number}"
        number += 1
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(entry.path, target)
    except OSError as error:
        raise AppError(f"{entry.path} cannot be moved: {error.strerror}.", "Check the folder's rights.") from error
    return target
