"""From a video to a face that is followed, a portrait of its best frame, and a loop of frames, kept on disk.

What is kept lies under the file's hash: KEY-1.npz holds the points and the portrait, KEY-1.npy the frames as they are
shown, which are made only where an engine shows them, and mapped into memory instead of read.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from animator.files import write_whole
from animator.human.face_choice import choose_face, turned_note
from animator.human.follow import Followed, followed, height_of
from animator.human.landmarks import Points, Rgb
from animator.human.photo import Photo
from animator.human.portrait import SIZE_PX, Portrait, cut_at, moved_by, placed_at, portrait_of
from animator.human.track import best_frame, bridged, smoothed
from animator.human.video import FPS, LONGEST_S, MIN_S, Clip, VideoError, opened, too_short
from animator.protocol import Progress

VERSION = 1
"""Of what is kept; another one is made anew."""
MAX_CACHE_BYTES = 2_000_000_000
"""Of all videos together; those used longest ago go first."""
MAX_POINTS_BYTES = 64 * 1024 * 1024
MAX_FRAMES = round(FPS * LONGEST_S)
MIN_SHOWN_PX = 64
"""Least height of the face in the square that is shown."""
WANDERS = 0.08
"""So much of the face, in parts of its height, may lie beyond the square."""


@dataclass(frozen=True, slots=True, eq=False)
class FollowedFace:
    """A face that was followed through a video's n frames.

    `portrait` is the best frame's, as of a photo. `points` float32 (n, 478, 3) in px of the square that is shown, the
    same one in all frames, without trembling; `placed` float64 (2, 3) brings px of the frames there, which are
    turned to the left by 90 degrees `turn` times before. `notes` for the user.
    """

    portrait: Portrait
    points: Points
    placed: npt.NDArray[np.float64]
    turn: int
    notes: tuple[str, ...]


def prepare_face(file: Path, cache: Path, progress: Progress) -> FollowedFace:
    """The face of the video `file`, from `cache` where it is there.

    Whatever `progress` raises ends the work, and nothing is left behind.

    Raises:
        animator.human.photo.PhotoError: If the video cannot be used; says what to change.
    """
    progress("Looking for the portrait", 0.0)
    with opened(file) as clip:
        return _face(clip, _named(cache, clip.key()), progress)


def prepare_loop(file: Path, cache: Path, progress: Progress) -> tuple[FollowedFace, npt.NDArray[np.uint8]]:
    """The face of the video `file`, and its frames as they are shown: uint8 RGB (n, 512, 512, 3), mapped, read-only.

    Raises:
        animator.human.photo.PhotoError: If the video cannot be used; says what to change.
        OSError: If the frames cannot be written.
    """
    progress("Looking for the portrait", 0.0)
    with opened(file) as clip:
        named = _named(cache, clip.key())
        face = _face(clip, named, progress)
        shape = (len(face.points), SIZE_PX, SIZE_PX, 3)
        frames = _mapped(named.with_suffix(".npy"), shape)
        if frames is None:
            _write_frames(clip, face, named.with_suffix(".npy"), shape, progress)
            frames = _mapped(named.with_suffix(".npy"), shape)
            if frames is None:
                raise OSError("the frames that were written cannot be read")
    trim(named.parent, named.name)
    progress("Video ready", 1.0)
    return face, frames


def _named(cache: Path, key: str) -> Path:
    return cache / "videos" / f"{key}-{VERSION}"


def _face(clip: Clip, named: Path, progress: Progress) -> FollowedFace:
    file = named.with_suffix(".npz")
    kept = _read(file)
    if kept is not None:
        with contextlib.suppress(OSError):
            os.utime(file)  # used last now
        progress("Portrait ready", 1.0)
        return kept

    def on_frame(count: int) -> None:
        progress("Following the face", 0.05 + 0.7 * min(1.0, count / max(clip.count, 1)))

    found = followed(clip.frames(), on_frame)
    if len(found.seen) < MIN_S * FPS:
        raise too_short(len(found.seen) / FPS)
    progress("Cutting the portrait", 0.8)
    points = bridged(found.points, found.seen)
    best = _frame(clip, found, best_frame(points, found.seen, found.sharpness))
    chosen = choose_face(Photo(best), "video")
    points = smoothed(points)
    placed = placed_at(*found.size_px, np.median(points, axis=0).astype(np.float32))
    shown = moved_by(points, placed)
    _refuse_wandering(shown)
    portrait = portrait_of(chosen.picture, chosen.points)
    made = FollowedFace(portrait, shown, placed, found.turn, (*_notes(clip, found), *chosen.notes))
    progress("Keeping the portrait", 0.9)
    with contextlib.suppress(OSError):  # a full disk costs the work at the next start
        _write(file, made)
    progress("Portrait ready", 1.0)
    return made


def _notes(clip: Clip, found: Followed) -> list[str]:
    notes = []
    if clip.is_cut:
        notes.append(f"The first {LONGEST_S:g} s of the video are used.")
    if clip.is_turned:
        notes.append("The video was turned the way the camera was held.")
    if found.turn:
        notes.append(turned_note(found.turn, "video"))
    if clip.is_hdr:
        notes.append("The video is HDR, and its colours may look pale; one in SDR looks better.")
    missing = int(np.count_nonzero(~found.seen))
    if missing:
        notes.append(f"The face is not seen in {missing} of {len(found.seen)} frames, never longer than 0.4 s.")
    return notes


def _frame(clip: Clip, found: Followed, wanted: int) -> Rgb:
    """Frame `wanted`, upright; the video is decoded anew up to there, since frames of 20 s fill a gigabyte."""
    with contextlib.closing(clip.frames()) as frames:  # type: ignore[type-var]  # a generator
        for number, frame in enumerate(frames):
            if number == wanted:
                return np.ascontiguousarray(np.rot90(frame, found.turn))
    raise _changed()


def _changed() -> VideoError:
    return VideoError("The video has changed while it was read.", "Choose it again.")


def _refuse_wandering(points: Points) -> None:
    for number, each in enumerate(points):
        at_s = number / FPS
        height_px = height_of(each)
        if height_px < MIN_SHOWN_PX:
            raise VideoError(
                f"At {at_s:.1f} s the face is too far away.", "Use a video in which it stays about as large as it is."
            )
        xy, room = each[:468, :2], WANDERS * height_px
        if xy.min() < -room or xy.max() > SIZE_PX - 1 + room:
            raise VideoError(
                f"At {at_s:.1f} s the head has moved out of the picture that is shown.",
                "Use a video in which it stays in one place.",
            )


def _write_frames(clip: Clip, face: FollowedFace, file: Path, shape: tuple[int, ...], progress: Progress) -> None:
    def fill(stream: IO[bytes]) -> None:
        header = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(stream, header)
        count = 0
        for count, frame in enumerate(clip.frames(), 1):
            if count > shape[0]:
                break
            picture = np.ascontiguousarray(np.rot90(frame, face.turn))
            stream.write(cut_at(picture, face.placed).tobytes())
            progress("Cutting the frames", 0.9 * count / shape[0])
        if count != shape[0]:
            raise _changed()

    write_whole(file, fill)


def _write(file: Path, face: FollowedFace) -> None:
    packed = io.BytesIO()
    portrait = face.portrait
    np.savez_compressed(
        packed,
        picture=portrait.picture,
        face=portrait.points,
        person=portrait.person,
        behind=portrait.behind,
        points=face.points,
        placed=face.placed,
        turn=np.array(face.turn),
        notes=np.frombuffer(json.dumps(face.notes).encode(), np.uint8),
    )
    write_whole(file, lambda stream: stream.write(packed.getvalue()))


def _read(file: Path) -> FollowedFace | None:
    """What is kept in `file`; None where there is nothing, or nothing usable."""
    try:
        if file.stat().st_size > MAX_POINTS_BYTES:
            return None
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            names = ("picture", "face", "person", "behind", "points", "placed", "turn", "notes")
            picture, face, person, behind, points, placed, turn, said = (kept[k] for k in names)
        notes = json.loads(bytes(said).decode())
        fits = (
            picture.shape == behind.shape == (SIZE_PX, SIZE_PX, 3)
            and person.shape == (SIZE_PX, SIZE_PX)
            and face.shape == (478, 3) == points.shape[1:]
            and points.ndim == 3
            and MIN_S * FPS <= len(points) <= MAX_FRAMES
            and placed.shape == (2, 3)
            and picture.dtype == behind.dtype == person.dtype == np.uint8
            and face.dtype == points.dtype == np.float32
            and placed.dtype == np.float64
            and all(bool(np.isfinite(each).all()) for each in (face, points, placed))
            and int(turn) in range(4)
            and isinstance(notes, list)
        )
    except Exception:  # a damaged file may raise anything
        return None
    if not fits:
        return None
    portrait = Portrait(picture, face, person, behind)
    return FollowedFace(portrait, points, placed, int(turn), tuple(str(each) for each in notes))


def _mapped(file: Path, shape: tuple[int, ...]) -> npt.NDArray[np.uint8] | None:
    """The frames in `file`, mapped; None where there are none of that shape."""
    try:
        frames = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception:  # a damaged file may raise anything
        return None
    fits = isinstance(frames, np.memmap) and frames.shape == shape and frames.dtype == np.uint8
    return frames if fits and frames.flags.c_contiguous else None


def trim(folder: Path, keep: str, max_bytes: int = MAX_CACHE_BYTES) -> None:
    """Remove what is kept of the videos used longest ago until all take `max_bytes`; `keep` names one that stays."""
    sizes: dict[str, int] = {}
    used: dict[str, float] = {}
    for file in folder.iterdir():
        if file.suffix in (".npz", ".npy") and file.is_file() and not file.is_symlink():
            status = file.stat()
            sizes[file.stem] = sizes.get(file.stem, 0) + status.st_size
            used[file.stem] = max(used.get(file.stem, 0.0), status.st_mtime)
    total = sum(sizes.values())
    for stem in sorted(sizes, key=lambda each: used[each]):
        if total <= max_bytes:
            return
        if stem != keep:
            for suffix in (".npy", ".npz"):
                with contextlib.suppress(OSError):  # Windows keeps what is mapped
                    (folder / f"{stem}{suffix}").unlink(missing_ok=True)
            total -= sizes[stem]
