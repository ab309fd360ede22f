"""Pictures that people bring: read with care, cut out, placed for THA3, and looked at."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.character import EYES_Y, CharacterError, check_image, find_face
from app.characters.art import (
    WORK_PX,
    Placement,
    decode_art,
    guess_placement,
    large_of,
    mouth_of,
    placed,
    read_art,
    remove_background,
    whole,
)
from tests.app.characters import pictures


def overlap(alpha: np.ndarray, true: np.ndarray) -> float:
    """Intersection over union of what is kept and what should be."""
    kept, wanted = alpha > 127, true > 127
    return float((kept & wanted).sum() / (kept | wanted).sum())


# Reading


def test_a_cut_out_picture_is_known_to_have_no_background() -> None:
    assert not decode_art(pictures.png(pictures.art())).has_background


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_on_a_background_is_known_to_have_one_whatever_kind_of_file_it_is(kind: str) -> None:
    picture = pictures.pasted(pictures.art(), (512, 512), 1.0, (0, 0), pictures.plain((240, 240, 240)))

    assert decode_art(pictures.png(picture, kind)).has_background


def test_a_picture_of_3000_by_4000_px_is_brought_down_to_what_is_worked_with() -> None:
    picture = pictures.pasted(pictures.art(side_px=1024), (3000, 4000), 2.5, (200, 500), None)

    art = decode_art(pictures.png(picture))

    assert (WORK_PX, WORK_PX * 3 // 4, 4) == art.pixels.shape


def bomb(side: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 64)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no picture"),
        (b"<svg/>", "no picture"),
        (bomb(60_000), "damaged"),
        (bomb(9_000), "9000x9000"),
        (bomb(600), "damaged"),
        (bomb(100), "100x100"),
    ],
)
def test_what_is_no_usable_picture_is_refused_with_a_reason(data: bytes, words: str) -> None:
    with pytest.raises(CharacterError, match=words):
        decode_art(data)


def test_a_file_that_is_not_there_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(CharacterError, match="cannot be opened"):
        read_art(tmp_path / "none.png")


# The background


@pytest.mark.parametrize("name", ["haru", "rei"])
@pytest.mark.parametrize(
    "background",
    [
        pictures.plain((255, 255, 255)),
        pictures.plain((90, 200, 90)),
        pictures.plain((20, 60, 120)),
        pictures.gradient(),
    ],
    ids=["white", "green", "dark", "gradient"],
)
def test_a_plain_or_soft_background_goes_and_the_character_stays(name: str, background: Image.Image) -> None:
    figure = pictures.art(name)
    picture = pictures.pasted(figure, (512, 512), 1.0, (0, 0), background)

    cut = remove_background(pictures.pixels_of(picture))

    assert cut.method == "colour"
    assert overlap(cut.pixels[:, :, 3], np.array(figure)[:, :, 3]) > 0.97


def test_eyes_and_teeth_as_white_as_the_background_stay() -> None:
    figure = pictures.art()
    picture = pictures.pasted(figure, (512, 512), 1.0, (0, 0), pictures.plain((255, 255, 255)))

    cut = remove_background(pictures.pixels_of(picture)).pixels

    assert 255 == int(cut[120:185, 215:297, 3].min())


def test_no_rim_of_the_background_is_left() -> None:
    figure = pictures.art()
    picture = pictures.pasted(figure, (512, 512), 1.0, (0, 0), pictures.plain((0, 255, 0)))

    cut = remove_background(pictures.pixels_of(picture)).pixels

    solid = cut[cut[:, :, 3] > 100][:, :3].astype(int)
    is_green = (solid[:, 1] - np.maximum(solid[:, 0], solid[:, 2])) > 90
    assert float(np.mean(is_green)) < 0.001


def test_of_a_busy_background_most_goes_and_it_is_said_to_be_a_guess() -> None:
    figure = pictures.art()
    picture = pictures.pasted(figure, (512, 512), 1.0, (0, 0), pictures.busy())

    cut = remove_background(pictures.pixels_of(picture))

    assert cut.method == "guess"
    assert overlap(cut.pixels[:, :, 3], np.array(figure)[:, :, 3]) > 0.75


def test_a_plain_background_can_be_searched_too_where_clothes_have_its_colour() -> None:
    figure = pictures.art()
    picture = pictures.pixels_of(pictures.pasted(figure, (512, 512), 1.0, (0, 0), pictures.plain((30, 30, 40))))

    by_colour, searched = remove_background(picture), remove_background(picture, by_colour=False)

    assert ("colour", "guess") == (by_colour.method, searched.method)
    true = np.array(figure)[:, :, 3]
    assert overlap(searched.pixels[:, :, 3], true) > overlap(by_colour.pixels[:, :, 3], true)


def test_the_same_picture_is_cut_the_same_way_every_time() -> None:
    picture = pictures.pixels_of(pictures.pasted(pictures.art(), (512, 512), 1.0, (0, 0), pictures.busy()))

    first, second = remove_background(picture), remove_background(picture)

    assert np.array_equal(first.pixels, second.pixels)


def test_a_picture_of_nothing_is_refused() -> None:
    with pytest.raises(CharacterError, match="cannot be told"):
        remove_background(np.full((400, 400, 4), 255, dtype=np.uint8))


# Where the head belongs


@pytest.mark.parametrize("name", ["haru", "rei"])
@pytest.mark.parametrize(
    ("size", "scale", "at"),
    [
        ((512, 512), 1.0, (0, 0)),
        ((900, 700), 0.6, (420, 250)),
        ((3000, 4000), 5.0, (300, 1400)),
        ((1400, 1000), 1.9, (200, 20)),
    ],
    ids=["as it is", "small in a corner", "3000x4000", "large"],
)
def test_the_head_is_found_and_brought_to_its_place(
    name: str, size: tuple[int, int], scale: float, at: tuple[int, int]
) -> None:
    art = decode_art(pictures.png(pictures.pasted(pictures.art(name), size, scale, at, None)))

    placement = guess_placement(art.pixels)

    assert placement is not None
    image = placed(art.pixels, placement)
    check_image(image)
    face = find_face(image)
    assert face is not None
    assert abs(face.x - 256) < 8
    assert abs(face.eyes_y - EYES_Y) < 8


def test_a_head_alone_is_brought_to_its_size() -> None:
    head = pictures.art(side_px=1024).crop((352, 80, 672, 480)).resize((960, 1200))

    placement = guess_placement(pictures.pixels_of(head))

    assert placement is not None
    check_image(placed(pictures.pixels_of(head), placement))


def test_a_picture_without_a_face_has_no_placement() -> None:
    pixels = np.zeros((600, 600, 4), dtype=np.uint8)
    pixels[100:, 200:400] = (200, 120, 90, 255)

    assert guess_placement(pixels) is None


def test_placing_the_art_where_it_is_changes_next_to_nothing() -> None:
    pixels = pictures.pixels_of(pictures.art())

    same = placed(pixels, Placement(1.0, 0.0, 0.0))

    assert int(np.abs(same.astype(int) - pixels.astype(int)).max()) <= 4


def test_art_that_is_moved_out_of_the_picture_leaves_it_empty() -> None:
    pixels = pictures.pixels_of(pictures.art())

    assert not placed(pixels, Placement(1.0, 2000.0, 0.0)).any()


def test_zooming_keeps_the_place_under_the_pointer() -> None:
    before = Placement(0.5, 40.0, 60.0)

    after = before.zoomed(1.7, 200.0, 100.0)

    assert pytest.approx((200.0 - before.left) / before.scale) == (200.0 - after.left) / after.scale
    assert pytest.approx((100.0 - before.top) / before.scale) == (100.0 - after.top) / after.scale


def test_the_whole_art_stands_on_the_lower_edge() -> None:
    placement = whole(np.zeros((1000, 500, 4), dtype=np.uint8))

    assert Placement(0.512, 128.0, 0.0) == placement


def test_art_with_pixels_enough_keeps_them() -> None:
    pixels = pictures.pixels_of(pictures.art(side_px=1024))

    large = large_of(pixels, Placement(0.5, 0.0, 0.0))

    assert large is not None
    assert (1024, 1024, 4) == large.shape
    assert large_of(pixels, Placement(1.0, 0.0, 0.0)) is None


# The mouth


@pytest.mark.parametrize("name", ["haru", "rei"])
def test_an_open_mouth_is_seen_as_one(name: str) -> None:
    assert mouth_of(pictures.pixels_of(pictures.art(name))) == "open"


@pytest.mark.parametrize("name", ["haru", "rei"])
def test_a_line_for_a_mouth_is_seen_as_closed(name: str) -> None:
    assert mouth_of(pictures.pixels_of(pictures.with_closed_mouth(name))) == "closed"


def test_where_there_is_no_face_nothing_is_said_of_its_mouth() -> None:
    assert mouth_of(np.zeros((512, 512, 4), dtype=np.uint8)) == "unknown"
