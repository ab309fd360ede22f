"""From a photo to a portrait that can be moved, kept on disk under the photo's hash."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np

from animator.character import Character, CharacterError
from animator.files import write_whole
from animator.human.face_choice import choose_face
from animator.human.photo import PhotoError, decode_photo, read_bytes
from animator.human.portrait import FACE_SHARE, SIZE_PX, Portrait, portrait_of
from animator.human.video import is_video
from animator.human.video_avatar import prepare_face
from animator.protocol import Progress

VERSION = 1
"""Of what is kept; another one is made anew."""
MAX_CACHE_BYTES = 32 * 1024 * 1024
LARGE_PX = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Avatar:
    """A portrait, and what the user should know about its photo."""

    portrait: Portrait
    notes: tuple[str, ...]


def prepare(data: bytes, cache: Path, progress: Progress, *, large: bool = False) -> Avatar:
    """The portrait of the photo file `data`, from `cache` where it is there; takes about a second where it is not.

    Args:
        data: A JPEG, PNG or WebP file, from anywhere.
        cache: Folder in which portraits are kept.
        progress: Told what is being done.
        large: Make a portrait of 1024 px instead of 512 where the photo has that much.

    Raises:
        animator.human.photo.PhotoError: If the photo cannot be used; says what to change.
    """
    key = hashlib.sha256(data).hexdigest()[:32]
    file = cache / "photos" / f"{key}-{VERSION}{'-large' if large else ''}.npz"
    progress("Looking for the portrait", 0.0)
    kept = _read(file)
    if kept is not None:
        progress("Portrait ready", 1.0)
        return kept
    progress("Reading the photo", 0.1)
    photo = decode_photo(data)
    progress("Finding the face", 0.3)
    chosen = choose_face(photo)
    progress("Cutting the portrait", 0.6)
    xy = chosen.points[:, :2]
    face_px = float(np.linalg.norm(xy[152] - xy[10]))
    side_px = LARGE_PX if large and face_px / FACE_SHARE >= 0.9 * LARGE_PX else SIZE_PX
    avatar = Avatar(portrait_of(chosen.picture, chosen.points, side_px), chosen.notes)
    progress("Keeping the portrait", 0.9)
    with contextlib.suppress(OSError):  # a full disk costs a second at the next start
        _write(file, avatar)
    progress("Portrait ready", 1.0)
    return avatar


def prepare_file(file: Path, cache: Path, progress: Progress, *, large: bool = False) -> Avatar:
    """The portrait of a photo, or of a video's best frame, which is always of 512 px; see `prepare`."""
    if not is_video(file):
        return prepare(read_bytes(file), cache, progress, large=large)
    face = prepare_face(file, cache, progress)
    return Avatar(face.portrait, face.notes)


def avatar_of_character(character: Character, cache: Path, progress: Progress, *, large: bool = False) -> Avatar:
    """The portrait of a character with a photo or a video, made or taken from `cache`.

    Raises:
        CharacterError: If the photo or the video cannot be used; says what to change.
        ValueError: If the character has neither.
    """
    file = character.photo or character.video
    if file is None:
        raise ValueError(f"{character.name} is no photo")
    try:
        return prepare_file(file, cache, progress, large=large)
    except PhotoError as error:
        raise CharacterError(error.problem, error.remedy) from error


def _read(file: Path) -> Avatar | None:
    """What is kept in `file`; None where there is nothing, or nothing usable."""
    try:
        if file.stat().st_size > MAX_CACHE_BYTES:
            return None
        with np.load(file, allow_pickle=False) as kept:
            picture, points, person, behind, said = (
                kept[k] for k in ("picture", "points", "person", "behind", "notes")
            )
        notes = json.loads(bytes(said).decode())
        side = picture.shape[0]
        fits = (
            side in (SIZE_PX, LARGE_PX)
            and picture.shape == behind.shape == (side, side, 3)
            and person.shape == (side, side)
            and points.shape == (478, 3)
            and picture.dtype == behind.dtype == person.dtype == np.uint8
            and points.dtype == np.float32
            and bool(np.isfinite(points).all())
            and isinstance(notes, list)
        )
    except Exception:  # a damaged file may raise anything
        return None
    return Avatar(Portrait(picture, points, person, behind), tuple(str(each) for each in notes)) if fits else None


def _write(file: Path, avatar: Avatar) -> None:
    portrait = avatar.portrait
    packed = BytesIO()
    np.savez_compressed(
        packed,
        picture=portrait.picture,
        points=portrait.points,
        person=portrait.person,
        behind=portrait.behind,
        notes=np.frombuffer(json.dumps(avatar.notes).encode(), np.uint8),
    )
    write_whole(file, lambda stream: stream.write(packed.getvalue()))
