"""Characters: a folder with `character.toml` and a picture, or a single PNG.

Both may come from strangers, so sizes, paths and names are checked before anything is decoded or used.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from io import BytesIO
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from animator.files import NotPlain, open_plain
from animator.human.photo import PhotoError, read_photo
from animator.human.video import first_frame, is_video
from animator.human.video import opened as opened_video
from animator.lipsync import visemes
from animator.manner import Finish, Motion
from animator.messages import Pixels
from animator.tha3 import pose
from animator.tha3.emotion_import import MAX_BYTES as MAX_EMOTION_FILE_BYTES
from animator.tha3.emotion_import import EmotionFileError, import_emotions

SIZE_PX = 512
"""THA3 knows one picture size."""

LARGE_PX = 1024
"""Size of the art that the live tier draws from when it is asked for more than 512 px."""

HEAD_BOX = (192, 64, 320, 192)
"""Where THA3 expects the head: left, top, right, bottom in px, half open. Hair may overflow. Source: THA3's README."""

EYES_Y = 142
"""Height of the eyes where THA3's samples have them."""

MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 64_000_000
MIN_SIDE_PX = 256
MAX_TOML_BYTES = 64 * 1024

_TEXT_LIMITS = {"name": 40, "persona": 8000, "greeting": 500, "fallback_line": 500, "voice": 80, "language": 20}
_MAX_OPENERS = 20
_MAX_EXPRESSIONS = 72
"""The 28 emotions and the eight defaults twice over."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom in px, half open."""

DEFAULT_PERSONA = (
    "You are {name}, a friendly virtual streamer who talks with people aloud. Answer in one to three short spoken "
    "sentences. Begin with a short reaction such as 'Oh!' or 'Hmm.'. Plain words only: no lists, no markdown, no emoji."
)
DEFAULT_GREETING = "Hi! I'm {name}. What shall we talk about?"
DEFAULT_FALLBACK_LINE = "Sorry, my thoughts wandered off for a moment. Could you say that again?"

# THA3 fades a closed mouth to almost nothing; a little mouth_smirk leaves the line of the lips, still closed.
DEFAULT_EXPRESSIONS: Mapping[str, Mapping[str, float]] = {
    "happy": {
        "eyebrow_happy": 1.0,
        "eye_happy_wink": 0.3,
        "eye_raised_lower_eyelid": 0.5,
        "mouth_smirk": 0.7,
        "mouth_raised_corner": 1.0,
        "neck_z": 0.15,
    },
    "sad": {
        "eyebrow_troubled": 1.0,
        "eye_unimpressed": 0.4,
        "mouth_smirk": 0.6,
        "mouth_lowered_corner": 1.0,
        "iris_rotation_x": -0.25,
        "head_x": -0.35,
    },
    "angry": {
        "eyebrow_angry": 1.0,
        "eye_unimpressed": 0.5,
        "mouth_smirk": 0.8,
        "mouth_lowered_corner": 1.0,
        "head_x": -0.2,
    },
    "surprised": {
        "eyebrow_raised": 0.8,
        "eye_surprised": 0.8,
        "iris_small": 0.3,
        "mouth_ooo": 0.7,
        "mouth_smirk": 0.5,
        "head_x": 0.15,
    },
    "shy": {
        "eyebrow_troubled": 0.7,
        "mouth_smirk": 0.6,
        "mouth_raised_corner": 0.5,
        "iris_rotation_x": -0.25,
        "iris_rotation_y": 0.5,
        "head_x": -0.25,
        "head_y": 0.3,
        "neck_z": -0.25,
    },
    "sleepy": {"eyebrow_raised": 0.3, "eye_wink": 0.5, "mouth_smirk": 0.5, "head_x": -0.3, "neck_z": 0.3},
    "smug": {
        "eyebrow_serious_right": 0.6,
        "eyebrow_raised_left": 0.7,
        "eye_unimpressed": 0.8,
        "mouth_smirk": 1.0,
        "mouth_raised_corner_left": 1.0,
        "head_x": 0.22,
        "head_y": -0.2,
        "neck_z": -0.1,
    },
    "neutral": {"mouth_smirk": 0.5},
}
"""The eight that sit on the keys 1 to 8, in this order. A bare pair name sets both sides."""

EXPRESSION_KEYS: tuple[str, ...] = tuple(DEFAULT_EXPRESSIONS)
"""`EXPRESSION_KEYS[k - 1]` belongs to the number key k."""

_PAIR_NAMES = sorted({name.removesuffix("_left") for name in pose.NAMES if name.endswith("_left")})


class CharacterError(ValueError):
    """A character that cannot be used: `problem` says what is wrong, `remedy` what to change."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class CheckedPicture:
    """A picture that THA3 can use: uint8 RGBA (512, 512, 4), what was changed to get there, and where the head is.

    `large` is the same picture at (1024, 1024, 4) where the file has at least as many pixels, None elsewhere.
    """

    image: Pixels
    notes: tuple[str, ...]
    head_box: Box
    large: Pixels | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Character:
    """Everything a face and its brain need to know about one character.

    `image` is uint8 RGBA sRGB (512, 512, 4), read-only. `expressions` holds full THA3 names (pairs already split)
    with values inside their ranges, the eight of `EXPRESSION_KEYS` first. `voice` is empty where the app's own
    choice of voice holds. `folder` is where the character came from; for a single PNG it is the PNG's folder.
    """

    name: str
    image: Pixels
    persona: str
    greeting: str
    fallback_line: str
    voice: str
    language: str
    expressions: dict[str, dict[str, float]]
    folder: Path
    head_box: Box
    notes: tuple[str, ...]
    motion: Motion = field(default_factory=Motion)
    finish: Finish = field(default_factory=Finish)
    large: Pixels | None = None
    """The art at uint8 RGBA (1024, 1024, 4), read-only, where there is that much of it: see `image_large`."""
    openers: tuple[str, ...] = ()
    """What it says to break a silence where its brain has no idea of its own; empty: the app's neutral ones."""
    photo: Path | None = None
    """The photo that the photo puppet moves; None for a drawing. `image` is its middle then, to be shown in lists."""
    video: Path | None = None
    """The video of a person who talks, in place of a photo. `image` is its picture for lists then."""
    ai_mark: bool = True
    """Whether a photo that talks says on screen that it is made by a machine."""
    cut_out: bool = False
    """Whether the photo's own background is left away."""
    mouth_shapes: visemes.Table = visemes.TABLE_OF_ASSETS
    """Which mouth shape each speech sound has: `assets/visemes.toml` with the character's own rows."""

    @property
    def is_person(self) -> bool:
        """Whether it is a photo or a video of a person, and no drawing."""
        return self.photo is not None or self.video is not None


def load_character(path: Path) -> Character:
    """Read a character's folder, or make a character with default manners of a single PNG.

    Raises:
        CharacterError: If anything about it cannot be used; says what to change.
    """
    if path.is_dir():
        return _load_folder(path)
    if not path.exists():
        raise CharacterError(f"There is no character at {path}.", "Choose a folder with a character.toml, or a PNG.")
    picture = examine_picture(path)
    name = _clean_name(path.stem) or "Character"
    return Character(
        name=name,
        image=picture.image,
        persona=DEFAULT_PERSONA.format(name=name),
        greeting=DEFAULT_GREETING.format(name=name),
        fallback_line=DEFAULT_FALLBACK_LINE,
        voice="",
        language="en-us",
        expressions=_expressions({}),
        folder=path.parent,
        head_box=picture.head_box,
        notes=picture.notes,
        large=picture.large,
    )


def load_text(folder: Path, data: bytes) -> Character:
    """The character that `folder` would hold with `data` as its character.toml; nothing is written.

    Raises:
        CharacterError: If anything about it could not be used; says what to change.
    """
    if len(data) > MAX_TOML_BYTES:
        raise CharacterError(f"character.toml is larger than {MAX_TOML_BYTES / 1024 / 1024:.3g} MiB.", "Shorten it.")
    return _build(folder, _parse_toml(data))


def list_characters(*roots: Path) -> list[tuple[str, Path]]:
    """Find what `load_character` may be given: (name, path) of every folder with a character.toml and every PNG.

    Sorted by name. Where two roots hold the same folder name, the earlier root wins. A character.toml that
    cannot be read is listed under its folder's name, so that choosing it shows the reason.
    """
    found: dict[str, tuple[str, Path]] = {}
    for root in roots:
        if not root.is_dir():
            continue
        for path in sorted(root.iterdir()):
            if path.name.startswith("."):  # one that is being made
                continue
            if path.is_dir() and (path / "character.toml").is_file():
                key, name = path.name, path.name
                try:
                    name = str(_text(_read_toml(path), "name", path.name))
                except CharacterError:
                    name = path.name
            elif path.is_file() and path.suffix.lower() == ".png":
                key, name = path.stem, _clean_name(path.stem) or path.stem
            else:
                continue
            found.setdefault(key, (name, path))
    return sorted(found.values(), key=lambda item: (item[0].casefold(), str(item[1])))


# --- character.toml ---------------------------------------------------------------------------------------------


def _load_folder(folder: Path) -> Character:
    return _build(folder, _read_toml(folder))


def _build(folder: Path, table: Mapping[str, Any]) -> Character:
    known = {*_TEXT_LIMITS, "image", "image_large", "openers", "expressions", "expressions_file", "motion", "finish"}
    known |= {"visemes", "engine", "photo", "video", "consent", "ai_mark", "background"}
    for key in table:
        if key not in known:
            raise CharacterError(f"character.toml has an unknown entry {key!r}.", _did_you_mean(key, sorted(known)))
    name = _clean_name(_text(table, "name", folder.name)) or folder.name
    photo, video = _person(folder, table)
    cut_out = _background(table.get("background", "photo")) == "none"
    if video is not None:
        if cut_out:
            raise CharacterError(
                "character.toml cuts the person out of a video, which cannot be done.",
                'Remove background = "none", or use a photo.',
            )
        picture = _stand_in_for_video(folder, table, video)
    elif photo is not None:
        picture = _stand_in(photo)
    else:
        picture = examine_picture(_path_of(folder, "image", table.get("image", "picture.png"), "picture.png"))
    large = picture.large
    if "image_large" in table:
        large = _read_large(_path_of(folder, "image_large", table["image_large"], "picture_1024.png"), picture.image)
    imported, notes = _imported(folder, table)
    language = _text(table, "language", "en-us")
    if not re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", language):
        raise CharacterError(
            f"character.toml says language = {language!r}.", "Write a language code such as 'en-us' or 'ja'."
        )
    voice = _text(table, "voice", "")
    if not re.fullmatch(r"[A-Za-z0-9_.\-]*", voice) or voice.startswith("."):
        raise CharacterError(f"character.toml says voice = {voice!r}.", "Write a voice's name, not a path.")
    return Character(
        name=name,
        image=picture.image,
        persona=_text(table, "persona", DEFAULT_PERSONA.replace("{name}", name)).strip(),
        greeting=_text(table, "greeting", DEFAULT_GREETING.replace("{name}", name)).strip(),
        fallback_line=_text(table, "fallback_line", DEFAULT_FALLBACK_LINE).strip(),
        voice=voice,
        language=language.lower().replace("_", "-"),
        expressions=_expressions(table.get("expressions", {}), imported),
        folder=folder,
        head_box=picture.head_box,
        notes=(*picture.notes, *notes),
        motion=_motion(table.get("motion", {})),
        finish=_finish(table.get("finish", {})),
        large=large,
        openers=_openers(table.get("openers", [])),
        photo=photo,
        video=video,
        ai_mark=_switch("ai_mark", table.get("ai_mark", True)),
        cut_out=cut_out,
        mouth_shapes=_mouth_shapes(table.get("visemes", {})),
    )


def _person(folder: Path, table: Mapping[str, Any]) -> tuple[Path | None, Path | None]:
    """The photo, or the video, of a character that is one; neither for a drawing."""
    kind = "video" if "video" in table else "photo"
    if "video" in table and "photo" in table:
        raise CharacterError("character.toml names both a photo and a video.", "Keep one of the two.")
    engine = table.get("engine", "puppet" if kind in table else "tha3")
    if engine not in ("tha3", "puppet"):
        raise CharacterError(
            f"character.toml says engine = {engine!r:.40}.",
            'Write "tha3" for a drawing or "puppet" for a photo or a video that talks.',
        )
    if engine == "tha3":
        if kind in table:
            raise CharacterError(f"character.toml names a {kind}, but its engine is tha3.", 'Write engine = "puppet".')
        return None, None
    if not _switch("consent", table.get("consent", False)):
        raise CharacterError(
            "It is not confirmed that this face may be used.",
            f"Ask the person in the {kind}; if it is you or they agree, write consent = true into character.toml.",
        )
    if kind == "photo":
        return _path_of(folder, "photo", table.get("photo", "photo.jpg"), "photo.jpg"), None
    video = _path_of(folder, "video", table["video"], "clip.mp4")
    if not is_video(video):
        raise CharacterError(
            f"character.toml: video = {table['video']!r:.80} is not called like a video.",
            "Give the file the ending of what it is: .mp4, .mov, .webm or .mkv.",
        )
    return None, video


def _background(value: object) -> str:
    if value not in ("photo", "none"):
        raise CharacterError(
            f"character.toml says background = {value!r:.40}.",
            'Write "photo" to keep the photo\'s background, or "none" to cut the person out.',
        )
    return str(value)


def _stand_in(photo: Path) -> CheckedPicture:
    """The middle of a photo as an opaque picture of 512 px, for lists; its face is looked for when it is to move."""
    try:
        found = read_photo(photo)
    except PhotoError as error:
        raise CharacterError(error.problem, error.remedy) from error
    return _squared(found.picture, found.notes)


def _squared(picture: npt.NDArray[np.uint8], notes: tuple[str, ...]) -> CheckedPicture:
    image = np.array(_resized(_square(Image.fromarray(picture).convert("RGBA")), SIZE_PX), dtype=np.uint8)
    image.setflags(write=False)
    return CheckedPicture(image, notes, (0, 0, SIZE_PX, SIZE_PX))


def _stand_in_for_video(folder: Path, table: Mapping[str, Any], video: Path) -> CheckedPicture:
    """The picture that `image` names, else the middle of the video's first frame; the video's header is checked."""
    try:
        with opened_video(video):
            pass
        if "image" in table:
            return _stand_in(_path_of(folder, "image", table["image"], "picture.png"))
        frame = first_frame(video)
    except PhotoError as error:
        raise CharacterError(error.problem, error.remedy) from error
    return _squared(frame, ())


def _openers(value: object) -> tuple[str, ...]:
    limit = _TEXT_LIMITS["greeting"]
    is_list = isinstance(value, list) and all(isinstance(each, str) and len(each) <= limit for each in value)
    if not is_list or len(value) > _MAX_OPENERS:  # type: ignore[arg-type]  # checked just before
        raise CharacterError(
            "character.toml: openers is no list of short texts.",
            f'Write openers = ["So, what now?", "…"]: at most {_MAX_OPENERS}, each of at most {limit} characters.',
        )
    return tuple(each.strip() for each in value if each.strip())  # type: ignore[attr-defined]


def _read_toml(folder: Path) -> dict[str, Any]:
    return _parse_toml(read_limited(_inside(folder, folder / "character.toml"), MAX_TOML_BYTES, "character.toml"))


def _parse_toml(data: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CharacterError("character.toml is not UTF-8 text.", "Save it as UTF-8.") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CharacterError(f"character.toml is not valid TOML: {error}.", "Correct that line.") from error


def _text(table: Mapping[str, Any], key: str, default: str) -> str:
    value = table.get(key, default)
    limit = _TEXT_LIMITS[key]
    if not isinstance(value, str):
        raise CharacterError(f"character.toml: {key} must be text, got {value!r:.40}.", f'Write {key} = "…" in quotes.')
    if len(value) > limit:
        raise CharacterError(f"character.toml: {key} has {len(value)} characters.", f"Shorten it to {limit} or fewer.")
    return value


def _clean_name(name: str) -> str:
    """The name as one printable line of at most 40 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[: _TEXT_LIMITS["name"]]


def _path_of(folder: Path, key: str, value: object, example: str) -> Path:
    """The path of a file that character.toml names, only if it lies inside the character's own folder."""
    remedy = f"Put the file into the character's folder and write its file name, such as {key} = '{example}'."
    if not isinstance(value, str) or not value or "\0" in value:
        raise CharacterError(f"character.toml: {key} must be a file name, got {value!r:.80}.", remedy)
    # Judged by both systems' rules, so that a folder is equally safe wherever it travels.
    posix, windows = PurePosixPath(value), PureWindowsPath(value)
    if posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise CharacterError(f"character.toml: {key} = {value!r:.80} points outside the character's folder.", remedy)
    return _inside(folder, folder / value)


def _imported(folder: Path, table: Mapping[str, Any]) -> tuple[Mapping[str, Mapping[str, float]], tuple[str, ...]]:
    """Expressions of the emotion file that `expressions_file` names, and notes on them; none where it names none."""
    if "expressions_file" not in table:
        return {}, ()
    path = _path_of(folder, "expressions_file", table["expressions_file"], "emotions.json")
    data = read_limited(path, MAX_EMOTION_FILE_BYTES, "The emotion file", "Keep the emotions that are used.")
    try:
        imported = import_emotions(data)
    except EmotionFileError as error:
        raise CharacterError(error.problem, error.remedy) from error
    return imported.expressions, imported.notes


def _mouth_shapes(rows: object) -> visemes.Table:
    remedy = "Write [visemes.aa] and below it weights = { A = 0.8 }, as in assets/visemes.toml."
    if not isinstance(rows, Mapping):
        raise CharacterError("character.toml: visemes must be a table.", remedy)
    try:
        return visemes.TABLE_OF_ASSETS.with_rows(rows, "character.toml, [visemes.") if rows else visemes.TABLE_OF_ASSETS
    except ValueError as error:
        raise CharacterError(f"{error}.", remedy) from error


def _motion(table: object) -> Motion:
    values = _table("motion", table, Motion)
    return Motion(
        liveliness=_number("motion.liveliness", values.get("liveliness", 1.0), 0.0, 1.5),
        blink_every_s=_number("motion.blink_every_s", values.get("blink_every_s", 4.0), 1.5, 20.0),
        intensity=_number("motion.intensity", values.get("intensity", 1.0), 0.0, 1.0),
        gestures=_switch("motion.gestures", values.get("gestures", True)),
    )


def _finish(table: object) -> Finish:
    values = _table("finish", table, Finish)
    return Finish(
        outline=_number("finish.outline", values.get("outline", 0.0), 0.0, 1.0),
        outline_color=_color("finish.outline_color", values.get("outline_color", Finish().outline_color)),
        rim=_number("finish.rim", values.get("rim", 0.0), 0.0, 1.0),
        rim_color=_color("finish.rim_color", values.get("rim_color", Finish().rim_color)),
        bloom=_number("finish.bloom", values.get("bloom", 0.0), 0.0, 1.0),
    )


def _table(name: str, table: object, kind: type[Motion] | type[Finish]) -> Mapping[str, Any]:
    known = [each.name for each in fields(kind)]
    if not isinstance(table, Mapping):
        raise CharacterError(f"character.toml: {name} must be a table.", f"Write [{name}] and lines below it.")
    for key in table:
        if key not in known:
            raise CharacterError(f"character.toml has an unknown entry {key!r} in [{name}].", _did_you_mean(key, known))
    return table


def _number(name: str, value: object, low: float, high: float) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= float(value) <= high:  # type: ignore[arg-type]  # checked just before
        raise CharacterError(f"character.toml: {name} is {value!r:.40}.", f"Write a number from {low:g} to {high:g}.")
    return float(value)  # type: ignore[arg-type]


def _switch(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise CharacterError(f"character.toml: {name} is {value!r:.40}.", "Write true or false.")
    return value


def _color(name: str, value: object) -> int:
    """A colour as 0xRRGGBB, from an integer or from text such as "#ffffff"."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 0xFFFFFF:
        return value
    if isinstance(value, str) and re.fullmatch(r"#[0-9A-Fa-f]{6}", value):
        return int(value[1:], 16)
    raise CharacterError(f"character.toml: {name} is {value!r:.40}.", 'Write a colour such as "#ffffff".')


def _inside(folder: Path, path: Path) -> Path:
    """`path` itself, unless following its links leaves `folder`."""
    try:
        resolved = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise CharacterError(
            f"The character's file {path.name!r} is missing from {folder}.", "Put it there, or correct its name."
        ) from error
    if not resolved.is_relative_to(folder.resolve()):
        raise CharacterError(
            f"{path.name!r} is a link that leads out of the character's folder.", "Replace the link by the file itself."
        )
    return resolved


def _expressions(
    tables: object, imported: Mapping[str, Mapping[str, float]] | None = None
) -> dict[str, dict[str, float]]:
    """Default expressions, replaced or joined by imported and then by the file's own; pairs split, values clamped."""
    if not isinstance(tables, Mapping):
        raise CharacterError(
            "character.toml: expressions must be tables.", "Write [expressions.happy] and values below it."
        )
    merged: dict[str, Mapping[str, Any]] = {**DEFAULT_EXPRESSIONS, **(imported or {})}
    for name, values in tables.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", str(name)) or not isinstance(values, Mapping):
            raise CharacterError(
                f"character.toml: {name!r:.40} is no usable expression.",
                "Write [expressions.name] with a lower-case name, and lines such as eye_wink = 1.0 below it.",
            )
        merged[name] = values
    if len(merged) > _MAX_EXPRESSIONS:
        raise CharacterError(
            f"character.toml has {len(merged)} expressions.",
            f"Keep at most {_MAX_EXPRESSIONS}, the default eight included.",
        )
    return {name: _expression(name, values) for name, values in merged.items()}


def _expression(expression: str, values: Mapping[str, Any]) -> dict[str, float]:
    clean: dict[str, float] = {}
    # Bare pair names first, so that a side named on its own wins whatever the order in the file.
    for key in sorted(values, key=lambda key: key in pose.INDEX):
        value = values[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not np.isfinite(value):
            raise CharacterError(
                f"character.toml: {key} of expression {expression!r} must be a number, got {value!r:.40}.",
                "Write a number from 0 to 1 (rotations: -1 to 1).",
            )
        if key in pose.INDEX:
            names: tuple[str, ...] = (key,)
        elif key in _PAIR_NAMES:
            names = (f"{key}_left", f"{key}_right")
        else:
            raise CharacterError(
                f"character.toml: expression {expression!r} sets {key!r}, which is no THA3 parameter.",
                _did_you_mean(key, [*pose.NAMES, *_PAIR_NAMES]),
            )
        for name in names:
            i = pose.INDEX[name]
            clean[name] = min(max(float(value), float(pose.LOW[i])), float(pose.HIGH[i]))
    return clean


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else f"Known are: {', '.join(known[:60])}."


# --- the picture ------------------------------------------------------------------------------------------------


def check_picture(file: Path) -> Pixels:
    """The picture in `file` as THA3 needs it: uint8 RGBA (512, 512, 4), empty pixels (0, 0, 0, 0).

    Raises:
        CharacterError: If the picture cannot be used; says what to change.
    """
    return examine_picture(file).image


def examine_picture(file: Path) -> CheckedPicture:
    """As `check_picture`, with notes on what was changed and the estimated head.

    Raises:
        CharacterError: If the picture cannot be used; says what to change.
    """
    data = read_limited(file, MAX_FILE_BYTES, "The picture")
    _check_header(data)
    notes: list[str] = []
    original = _decode(data, notes)
    picture = _to_square(original, notes)
    image = np.array(picture, dtype=np.uint8)
    # Traces of an eraser count as empty; they would turn into specks of colour.
    image[image[:, :, 3] < 3] = 0
    head_box = check_image(image)
    image.setflags(write=False)
    return CheckedPicture(image, tuple(notes), head_box, _to_large(original))


def _read_large(file: Path, image: Pixels) -> Pixels:
    """The larger edition of `image`; refuses another picture."""
    data = read_limited(file, MAX_FILE_BYTES, "The large picture")
    _check_header(data)
    large = _to_large(_decode(data, []))
    if large is None:
        raise CharacterError(
            f"The large picture of character.toml, {file.name}, has fewer than {LARGE_PX}x{LARGE_PX} pixels.",
            "Export it larger, or leave image_large out.",
        )
    shrunk = np.array(_resized(Image.fromarray(large), SIZE_PX), dtype=np.int16)
    # Another tool's smoothing changes edges by a few levels; another picture changes areas.
    if float(np.abs(shrunk * (shrunk[:, :, 3:] > 0) - image * (image[:, :, 3:] > 0)).mean()) > _LARGE_DIFFERS:
        raise CharacterError(
            f"The large picture of character.toml, {file.name}, does not show the same as the small one.",
            "Export both from the same drawing, or leave image_large out.",
        )
    return large


_LARGE_DIFFERS = 4.0
"""Mean difference of two editions, of 255: our own art exported at both sizes has 0.7, moved by 2 px 5."""


def _to_large(picture: Image.Image) -> Pixels | None:
    """The square part of `picture` at LARGE_PX; None where it has fewer pixels."""
    if min(picture.size) < LARGE_PX:
        return None
    square = _square(picture)
    if square.size[0] != LARGE_PX:
        square = _resized(square, LARGE_PX)
    large = np.array(square, dtype=np.uint8)
    large[large[:, :, 3] < 3] = 0
    large.setflags(write=False)
    return large


def read_limited(
    file: Path, limit: int, what: str, remedy: str = "Save it smaller: 512x512 pixels are enough."
) -> bytes:
    """The bytes of a plain file that has at most `limit` of them; raises CharacterError about `what`."""
    try:
        stream = open_plain(file)
    except OSError as error:
        raise CharacterError(f"{what} cannot be opened: {error.strerror}.", "Check that the file is there.") from error
    except NotPlain as error:
        raise CharacterError(f"{what} is not a plain file.", "Give a file of its own.") from error
    with stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise CharacterError(f"{what} is larger than {limit / 1024 / 1024:.3g} MiB.", remedy)
    return data


def _check_header(data: bytes) -> None:
    """Refuse by the first 26 bytes what must never reach a decoder."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR" or len(data) < 33:
        kind = (
            "a JPEG, which has no transparent background"
            if data[:3] == b"\xff\xd8\xff"
            else "not a PNG file"
            if data
            else "an empty file"
        )
        raise CharacterError(
            f"The picture is {kind}.", "Export it as PNG with a transparent background, best 512x512 pixels."
        )
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    if width * height > MAX_PIXELS:
        raise CharacterError(
            f"The picture has {width}x{height} pixels, more than {MAX_PIXELS // 1_000_000} million.",
            "Scale it down; 512x512 is enough.",
        )
    if min(width, height) < MIN_SIDE_PX:
        raise CharacterError(
            f"The picture has only {width}x{height} pixels.",
            f"Draw or export it at 512x512 (at least {MIN_SIDE_PX}x{MIN_SIDE_PX}).",
        )
    if data[24] == 16 and data[25] in (0, 4):
        raise CharacterError("The picture is 16-bit greyscale.", "Export it as 8-bit RGBA PNG.")


def _decode(data: bytes, notes: list[str]) -> Image.Image:
    try:
        with Image.open(BytesIO(data), formats=("PNG",)) as picture:
            if getattr(picture, "n_frames", 1) > 1:
                notes.append("The picture is animated; only its first frame is used.")
            if picture.mode not in ("RGBA", "RGB", "P", "LA", "L", "1", "PA"):
                raise CharacterError(
                    f"The picture has the colour mode {picture.mode}, which is not supported.",
                    "Export it as 8-bit RGBA PNG.",
                )
            return picture.convert("RGBA")
    except CharacterError:
        raise
    except Exception as error:  # a decoder fed with a stranger's bytes may raise anything
        raise CharacterError(
            "The picture is damaged and cannot be decoded.", "Export it again as 8-bit RGBA PNG."
        ) from error


def _to_square(picture: Image.Image, notes: list[str]) -> Image.Image:
    width, height = picture.size
    side = min(width, height)
    picture = _square(picture)
    if width > height:
        notes.append(f"The picture was {width}x{height}; its middle {side}x{side} is used.")
    elif height > width:
        notes.append(f"The picture was {width}x{height}; its top {side}x{side} is used.")
    if side != SIZE_PX:
        picture = _resized(picture, SIZE_PX)
        notes.append(
            f"The picture was scaled from {side}x{side} to 512x512."
            + (" It will look soft; a larger original looks better." if side < SIZE_PX else "")
        )
    return picture


def _square(picture: Image.Image) -> Image.Image:
    width, height = picture.size
    side = min(width, height)
    # From the top: heads are there, and THA3 likes bodies that are cut by the bottom edge.
    left = max(width - height, 0) // 2
    return picture.crop((left, 0, left + side, side))


def _resized(picture: Image.Image, side: int) -> Image.Image:
    # Premultiplied, or the colour of empty pixels would bleed into the outline.
    return picture.convert("RGBa").resize((side, side), Image.Resampling.LANCZOS).convert("RGBA")


def _check_alpha(image: Pixels) -> None:
    alpha = image[:, :, 3]
    if int(alpha.min()) >= 250:
        raise CharacterError(
            "The picture has no transparent background.",
            "Cut the character out, so that everything around it has alpha 0, and save it as PNG with alpha.",
        )
    covered = float(np.mean(alpha > 0))
    if covered < 0.02:
        raise CharacterError("The picture is empty.", "Export the layer with the character on it.")
    if float(np.mean((alpha > 0) & (alpha < 200))) > 0.25:
        raise CharacterError(
            "Large parts of the picture are half transparent.",
            "Make the character opaque and everything around it fully transparent (alpha 0).",
        )
    if float(np.mean(alpha[:12] > 200)) > 0.5 or covered > 0.9:
        raise CharacterError(
            "The picture still has a background: most of its upper edge or of its area is not transparent.",
            "Erase the background, so that everything around the character has alpha 0.",
        )


def check_image(image: Pixels) -> Box:
    """Whether THA3 can move a picture that is uint8 RGBA (512, 512, 4) already; returns where its head is.

    Raises:
        CharacterError: If it cannot; says what to change.
    """
    _check_alpha(image)
    return _check_head(image)


def find_face(image: Pixels) -> FaceGuess | None:
    """The likeliest face near the top of what is drawn in `image`, uint8 RGBA (512, 512, 4); None where there is none.

    Its size may be 0.4 to 2.4 of what THA3 wants. Takes some 0.3 s.
    """
    found = _head(image)
    best = None if found is None else max(_faces(image, found[0], found[2]), default=None)
    return best if best is not None and best.score >= _MIN_SCORE else None


def _head(image: Pixels) -> tuple[int, npt.NDArray[np.bool_], float] | None:
    """The row at which the head begins, what is solid below it, and its middle column; None where nothing is drawn."""
    solid = image[:, :, 3] > 127
    # A cowlick or a thin horn is not yet the head.
    rows = np.flatnonzero(solid.sum(axis=1) >= 16)
    if rows.size == 0:
        return None
    top = int(rows[0])
    band = solid[top : top + 110]
    return top, band, float(np.median(np.nonzero(band)[1]))


def _check_head(image: Pixels) -> Box:
    """Where the head is; refuses where THA3 would not find a face.

    Limits: the ten THA3 samples, scaled and moved, and our own art; all of them pass where they are.
    """
    found = _head(image)
    if found is None:
        raise CharacterError("The picture shows no head.", f"Draw the head at {_where()}.")
    top, band, centre = found
    faces = _faces(image, top, centre)
    best = max(faces, default=None)
    if best is None or best.score < _MIN_SCORE:
        raise CharacterError(
            "No face was found in the picture.",
            f"Draw one that looks forward, both eyes open near y = {EYES_Y}, the head at {_where()}.",
        )
    fitting = max((face for face in faces if face.fits()), default=None)
    if fitting is None or fitting.score < 0.76 * best.score:
        if not 0.72 <= best.scale <= 1.4:
            raise CharacterError(
                f"The head is too {'small' if best.scale < 1 else 'large'}: THA3 needs it at {_where()}.",
                f"Scale the character by about {1 / best.scale:.2f}, then move it until the eyes lie at y = {EYES_Y}"
                " and the nose at x = 256.",
            )
        down, right = EYES_Y - best.eyes_y, 256 - best.x
        moves = [f"{abs(down):.0f} px {'down' if down > 0 else 'up'}"] if abs(down) > 8 else []
        moves += [f"{abs(right):.0f} px to the {'right' if right > 0 else 'left'}"] if abs(right) > 8 else []
        raise CharacterError(
            f"The head is not where THA3 looks for it: the eyes are near ({best.x:.0f}, {best.eyes_y:.0f}) and belong"
            f" near (256, {EYES_Y}).",
            f"Move the character {' and '.join(moves) or 'there'}.",
        )
    columns = np.flatnonzero(band.sum(axis=0) >= 8)
    return int(columns[0]), top, int(columns[-1]) + 1, min(int(fitting.eyes_y + 54 * fitting.scale), SIZE_PX)


def _where() -> str:
    left, top, right, bottom = HEAD_BOX
    return f"x {left}-{right - 1}, y {top}-{bottom - 1} of 512x512"


_MIN_SCORE = 18.0
"""The samples score 35-90."""


@dataclass(frozen=True, slots=True, order=True)
class FaceGuess:
    """A guess: how much like a face (levels of 255), its size (1: what THA3 wants), the middle between the eyes."""

    score: float
    scale: float
    x: float
    eyes_y: float

    def fits(self) -> bool:
        """Whether THA3 would take it for a face."""
        return 0.62 <= self.scale <= 1.36 and abs(self.x - 256) <= 24 and abs(self.eyes_y - EYES_Y) <= 24


def _faces(image: Pixels, top: int, centre: float) -> list[FaceGuess]:
    """Guesses at 27 sizes near the head: two structured spots over two calm cheeks of one colour.

    Knows nothing of skin tones or styles. Sizes are tied to the distance from the hair's top to the eyes, so that
    a print on a shirt is not mistaken for a face.
    """
    alpha = image[:, :, 3:].astype(np.float64) / 255.0
    # Over the character's own mean colour, so that an outline alone is no structure.
    mean_rgb = image[image[:, :, 3] > 127][:, :3].mean(axis=0)
    rgb = image[:, :, :3] * alpha + mean_rgb * (1.0 - alpha)
    luma = rgb @ np.array([0.299, 0.587, 0.114])
    sums = _integral(np.concatenate([rgb, luma[:, :, None], luma[:, :, None] ** 2, alpha], axis=2))

    s = np.repeat(np.geomspace(0.4, 2.4, 27), 99)
    down, across = np.meshgrid(np.arange(60, 104, 4), np.arange(-16, 17, 4), indexing="ij")
    x, y = centre + np.tile(across.ravel(), 27) * s, top + np.tile(down.ravel(), 27) * s
    is_inside = np.ones(len(s), dtype=bool)
    spots = []
    # Eyes, cheeks, bridge of the nose, chin: places and sizes in px of a face of size 1.
    for dx, dy, width, height in (
        (-22, 0, 20, 16), (22, 0, 20, 16), (-19, 20, 12, 8), (19, 20, 12, 8), (0, 2, 8, 12), (0, 41, 12, 5)
    ):  # fmt: skip
        x0, y0 = (np.rint(at - size * s / 2).astype(int) for at, size in ((x + dx * s, width), (y + dy * s, height)))
        x1 = np.maximum(x0 + 2, np.rint(x + dx * s + width * s / 2).astype(int))
        y1 = np.maximum(y0 + 2, np.rint(y + dy * s + height * s / 2).astype(int))
        is_inside &= (x0 >= 0) & (y0 >= 0) & (x1 <= SIZE_PX) & (y1 <= SIZE_PX)
        x0, y0, x1, y1 = (np.clip(edge, 0, SIZE_PX) for edge in (x0, y0, x1, y1))
        area = np.maximum((x1 - x0) * (y1 - y0), 1)[:, None]
        # Mean red, green, blue, luma, squared luma and alpha of the box.
        mean = (sums[y1, x1] - sums[y0, x1] - sums[y1, x0] + sums[y0, x0]) / area
        is_inside &= mean[:, 5] > 0.95
        spots.append(mean)
    rough = np.stack([np.sqrt(np.maximum(0.0, v[:, 4] - v[:, 3] ** 2)) for v in spots], axis=1)
    skin = np.stack([v[:, :3] for v in spots[2:5]], axis=1)
    uneven = np.abs(skin - np.median(skin, axis=1, keepdims=True)).mean(axis=(1, 2))
    score = rough[:, :2].min(axis=1) - 0.5 * rough[:, 2:5].max(axis=1) - 0.5 * uneven
    rows = np.stack([score, s, x, y], axis=1)[is_inside]
    return [FaceGuess(*row) for row in rows.tolist()]


def _integral(planes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.pad(planes.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0), (0, 0)))
