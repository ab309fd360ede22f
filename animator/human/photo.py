"""Photos from anywhere: what a file claims is checked before it is decoded, and the phone's turn is undone.

Needs Pillow and OpenCV only; knows nothing of faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from animator.files import NotPlain, open_plain

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_PIXELS = 64_000_000
"""Decoded as a whole. More than that only as JPEG, which can be decoded at an eighth of its size."""
MAX_JPEG_PIXELS = 400_000_000
MIN_SIDE_PX = 128
LONGEST_PX = 2400
"""Photos are scaled down to this; a portrait needs no more."""


class PhotoError(ValueError):
    """A photo that cannot be used: `problem` says what is wrong, `remedy` what to change."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """`picture` uint8 RGB (height, width, 3), upright as the camera says; `notes` on what was changed, for the user."""

    picture: npt.NDArray[np.uint8]
    notes: tuple[str, ...] = ()


def read_photo(file: Path) -> Photo:
    """The photo in `file`. Raises PhotoError with a sentence for the user where it cannot be used."""
    return decode_photo(read_bytes(file))


def read_bytes(file: Path) -> bytes:
    """The bytes of a plain file of at most MAX_FILE_BYTES. Raises PhotoError."""
    try:
        stream = open_plain(file)
    except OSError as error:
        raise PhotoError(f"The photo cannot be opened: {error.strerror}.", "Check that the file is there.") from error
    except NotPlain as error:
        raise PhotoError("The photo is not a plain file.", "Give a file of its own.") from error
    with stream:
        data = stream.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise PhotoError(
            f"The photo is larger than {MAX_FILE_BYTES // 1024 // 1024} MiB.", "Export it smaller, as JPEG."
        )
    return data


def decode_photo(data: bytes) -> Photo:
    """The photo in `data`, a JPEG, PNG or WebP file. Raises PhotoError."""
    kind, width, height = _header(data)
    pixels = width * height
    if min(width, height) < MIN_SIDE_PX:
        raise PhotoError(
            f"The photo has only {width}x{height} pixels.", f"Use one with at least {MIN_SIDE_PX} px a side, best 1000."
        )
    if pixels > (MAX_JPEG_PIXELS if kind == "JPEG" else MAX_PIXELS):
        raise PhotoError(
            f"The photo has {pixels / 1e6:.0f} megapixels, more than can be decoded safely.",
            "Export it as a JPEG of at most 4000 px a side.",
        )
    notes: list[str] = []
    try:
        picture = _decoded_small(data) if pixels > MAX_PIXELS else _decoded(data, kind, notes)
    except PhotoError:
        raise
    except Exception as error:  # a decoder fed with a stranger's bytes may raise anything
        raise PhotoError("The photo is damaged and cannot be decoded.", "Export it again as JPEG.") from error
    have = max(picture.shape[:2])
    if pixels > MAX_PIXELS:
        notes.append(
            f"The photo has {pixels / 1e6:.0f} megapixels; it was read at {picture.shape[1]}x{picture.shape[0]}."
        )
    if have > LONGEST_PX:
        scale = LONGEST_PX / have
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return Photo(np.ascontiguousarray(picture), tuple(notes))


def _decoded(data: bytes, kind: str, notes: list[str]) -> npt.NDArray[np.uint8]:
    with Image.open(BytesIO(data), formats=(kind,)) as opened:
        if kind == "JPEG":
            opened.draft("RGB", (LONGEST_PX, LONGEST_PX))  # a large one is decoded at a half or a quarter
        turned = ImageOps.exif_transpose(opened)
        if opened.getexif().get(0x0112, 1) not in (0, 1):
            notes.append("The photo was turned the way the camera was held.")
        if turned.mode in ("RGBA", "LA", "PA") or "transparency" in turned.info:
            rgba = turned.convert("RGBA")
            ground = Image.new("RGBA", rgba.size, (128, 128, 128, 255))
            turned = Image.alpha_composite(ground, rgba)
        return np.array(turned.convert("RGB"), dtype=np.uint8)


def _decoded_small(data: bytes) -> npt.NDArray[np.uint8]:
    """A huge JPEG at an eighth of its size, turned as its camera says; the whole of it is never in memory."""
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_REDUCED_COLOR_8)
    if bgr is None:
        raise PhotoError("The photo is damaged and cannot be decoded.", "Export it again as JPEG.")
    picture: npt.NDArray[np.uint8] = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    return picture


def _header(data: bytes) -> tuple[str, int, int]:
    """Pillow's name of the format, width and height as the file claims, without decoding anything."""
    found: tuple[str, int, int] | None = None
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[12:16] == b"IHDR" and len(data) >= 33:
        found = "PNG", int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    elif data[:2] == b"\xff\xd8":
        found = _jpeg_size(data)
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        found = _webp_size(data)
    elif data[4:8] == b"ftyp" and data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"avif"):
        raise PhotoError(
            "The photo is in the phone's HEIC or AVIF format, which is not read here.", "Export it as JPEG."
        )
    if found is None or found[1] <= 0 or found[2] <= 0:
        what = "an empty file" if not data else "not a JPEG, PNG or WebP picture"
        raise PhotoError(f"The photo is {what}.", "Use a JPEG or PNG file.")
    return found


def _jpeg_size(data: bytes) -> tuple[str, int, int] | None:
    at = 2
    while at + 9 < len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in (0x01, *range(0xD0, 0xD8)):
            at += 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker in range(0xC0, 0xD0) and marker not in (0xC4, 0xC8, 0xCC):
            return "JPEG", int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        if length < 2:
            return None
        at += 2 + length
    return None


def _webp_size(data: bytes) -> tuple[str, int, int] | None:
    chunk = data[12:16]
    if len(data) < 30:
        return None
    if chunk == b"VP8X":
        if data[20] & 0x02:
            raise PhotoError("The picture is an animation.", "Use a single photo.")
        return "WEBP", 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return "WEBP", 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        return "WEBP", int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
    return None
