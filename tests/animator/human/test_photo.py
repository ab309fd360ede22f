"""A photo comes from a stranger: what is read, what is refused before it is decoded, and how it is said."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.human.photo import LONGEST_PX, PhotoError, decode_photo, read_photo

Encode = Callable[..., bytes]


def turned_by_the_phone(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_usual_formats_are_read(grace: Image.Image, encoded: Encode, kind: str) -> None:
    photo = decode_photo(encoded(grace, kind))

    assert (600, 512, 3) == photo.picture.shape
    assert np.uint8 == photo.picture.dtype
    assert () == photo.notes


@pytest.mark.parametrize(("orientation", "angle"), [(3, 180), (6, 90), (8, 270)])
def test_a_phone_held_sideways_gives_an_upright_photo(
    grace: Image.Image, encoded: Encode, orientation: int, angle: int
) -> None:
    data = encoded(grace.rotate(angle, expand=True), "PNG", exif=turned_by_the_phone(orientation))

    photo = decode_photo(data)

    assert np.array_equal(np.array(grace), photo.picture)
    assert photo.notes == ("The photo was turned the way the camera was held.",)


def test_a_jpeg_of_more_than_100_megapixels_is_read_at_a_part_of_its_size(encoded: Encode) -> None:
    data = encoded(Image.new("RGB", (9000, 11500), (90, 120, 150)), quality=30)

    photo = decode_photo(data)

    assert max(photo.picture.shape) <= LONGEST_PX
    assert abs(photo.picture.shape[0] / photo.picture.shape[1] - 11500 / 9000) < 0.01
    assert "104 megapixels" in photo.notes[0]


def test_a_png_that_claims_1600_megapixels_is_refused_by_its_header(grace: Image.Image, encoded: Encode) -> None:
    data = encoded(grace, "PNG")
    claims = data[:16] + struct.pack(">II", 40_000, 40_000) + data[24:]

    with pytest.raises(PhotoError, match="1600 megapixels, more than can be decoded safely"):
        decode_photo(claims)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "an empty file"),
        (b"GIF89a" + b"\0" * 40, "not a JPEG, PNG or WebP picture"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC or AVIF"),
        (b"\xff\xd8\xff\xe0\0\x01" + b"\0" * 40, "not a JPEG, PNG or WebP picture"),
    ],
)
def test_what_is_no_photo_is_refused_in_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(PhotoError, match=says):
        decode_photo(data)


def test_a_damaged_photo_is_refused_in_a_sentence(grace: Image.Image, encoded: Encode) -> None:
    with pytest.raises(PhotoError, match="damaged"):
        decode_photo(encoded(grace)[:9000])


def test_a_tiny_photo_is_refused_with_its_size(grace: Image.Image, encoded: Encode) -> None:
    with pytest.raises(PhotoError, match="only 60x70 pixels"):
        decode_photo(encoded(grace.resize((60, 70))))


def test_an_animation_is_refused(encoded: Encode) -> None:
    frames = [Image.new("RGB", (200, 200), (k, 0, 0)) for k in (0, 200)]

    with pytest.raises(PhotoError, match="animation"):
        decode_photo(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]))


def test_transparent_pixels_become_grey(encoded: Encode) -> None:
    photo = decode_photo(encoded(Image.new("RGBA", (200, 200), (255, 0, 0, 0)), "PNG"))

    assert (photo.picture == 128).all()


def test_a_folder_in_place_of_the_photo_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"not a plain file|cannot be opened"):
        read_photo(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_place_of_a_photo_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "photo.jpg")

    with pytest.raises(PhotoError, match="not a plain file"):
        read_photo(tmp_path / "photo.jpg")
