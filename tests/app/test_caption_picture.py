"""Captions on the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.canvas import Canvas
from app.caption_picture import CaptionLayer, CaptionPainter
from app.fonts import Typefaces

EMPTY = np.zeros((64, 64, 4), np.uint8)
TWO_LINES = "Hello there, how are you? I was thinking about the weather today, and about what we could do together."
JAPANESE = "こんにちは、元気ですか。今日はとても良い天気ですね、どこかへ出かけましょうか。"
HINDI = "हिन्दी में बात करना मुझे बहुत अच्छा लगता है।"


@pytest.fixture(scope="module")
def faces() -> Typefaces:
    found = Typefaces()
    if found.fallback is None:
        pytest.skip("this machine has no fonts")
    return found


def shown(text: str, heard: int, faces: Typefaces, size: tuple[int, int] = (1280, 720)) -> np.ndarray:
    """What the captions add to a mid-grey picture: float32 (height, width), how far each pixel is from the grey."""
    canvas = Canvas(*size, np.full((size[1], size[0], 3), 128, np.uint8))
    picture = canvas.place(EMPTY, CaptionPainter(*size, faces).paint(text, heard)).astype(np.float32)
    return np.abs(picture - 128).max(axis=2)


def needs(letters: str, faces: Typefaces) -> None:
    if faces.for_letters(letters) is None:
        pytest.skip(f"this machine has no font with {letters}")


def test_a_word_that_has_not_been_heard_is_not_seen(faces: Typefaces) -> None:
    whole, half = (shown(TWO_LINES, heard, faces) for heard in (len(TWO_LINES), TWO_LINES.index("about") - 1))

    assert half.any()
    assert np.count_nonzero(half) < 0.6 * np.count_nonzero(whole)


def test_words_stay_where_they_are_while_others_come(faces: Typefaces) -> None:
    """A sentence that jumps to the middle with every word cannot be read."""
    first = shown(TWO_LINES, len("Hello there,"), faces)
    later = shown(TWO_LINES, len(TWO_LINES), faces)

    assert np.array_equal(first[first > 0], later[first > 0])


def test_nothing_is_drawn_before_the_first_word(faces: Typefaces) -> None:
    assert CaptionPainter(1280, 720, faces).paint(TWO_LINES, 0) is None
    assert CaptionPainter(1280, 720, faces).paint("", 0) is None


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (512, 512), (720, 1280), (160, 120)])
@pytest.mark.parametrize("text", [TWO_LINES, JAPANESE, HINDI], ids=["english", "japanese", "hindi"])
def test_two_lines_at_most_stand_within_the_picture(text: str, size: tuple[int, int], faces: Typefaces) -> None:
    needs(text[:4], faces)
    overlay = CaptionPainter(*size, faces).paint(text, len(text))

    assert overlay is not None
    box = overlay.box
    assert 0 <= box.left < box.right <= size[0]
    assert size[1] / 2 < box.top < box.bottom <= size[1]
    assert (box.height, box.width, 3) == overlay.colour.shape == overlay.hidden.shape


def test_letters_are_white_in_a_dark_outline_so_that_they_are_read_on_white_and_on_black(faces: Typefaces) -> None:
    overlay = CaptionPainter(1280, 720, faces).paint("III", 3)

    assert overlay is not None
    for grey in (0, 255):
        picture = Canvas(1280, 720, np.full((720, 1280, 3), grey, np.uint8)).place(EMPTY, overlay)
        row = picture[(overlay.box.top + overlay.box.bottom) // 2 - 4, :, 0].astype(int)
        assert row.max() == 255
        ink = row[np.flatnonzero(row > 250)[0] - 20 : np.flatnonzero(row > 250)[-1] + 20] if grey == 0 else row
        assert ink.min() <= 20


def test_devanagari_is_shaped_not_spelled(faces: Typefaces) -> None:
    """The vowel sign i is written after its consonant and drawn before it: हि must not be ह and then the sign."""
    needs("हि", faces)
    face = faces.for_letters("हि")
    assert face is not None
    painter = CaptionPainter(1280, 720, faces)

    glyphs, _ = painter._shape("हि", 0, 2)

    nominal = [face.font.get_nominal_glyph(ord(letter)) for letter in "हि"]
    assert nominal != [glyph.glyph for glyph in glyphs]
    assert nominal[0] == glyphs[-1].glyph  # the consonant stands last


def test_a_sentence_in_three_scripts_takes_each_from_a_font_that_has_it(faces: Typefaces) -> None:
    for letters in ("日本", "हिन्दी"):
        needs(letters, faces)
    painter = CaptionPainter(1280, 720, faces)

    glyphs, _ = painter._shape("Nihon 日本 हिन्दी", 0, len("Nihon 日本 हिन्दी"))

    assert 0 not in [glyph.glyph for glyph in glyphs]
    assert len({glyph.face.path for glyph in glyphs}) >= 2


def test_a_pictograph_that_no_font_has_is_left_out(faces: Typefaces) -> None:
    if faces.for_letters("🦜") is not None:
        pytest.skip("this machine has a font with every pictograph")

    assert CaptionPainter(1280, 720, faces).paint("🦜", 1) is None


def test_what_a_broken_font_file_holds_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"this is no font" * 99)

    assert Typefaces(where=[tmp_path], wanted=["broken.ttf"]).for_letters("a") is None


def test_a_layer_that_is_off_shows_nothing_and_draws_nothing() -> None:
    def no_faces() -> Typefaces:
        raise AssertionError("fonts are looked for although nobody wants captions")

    layer = CaptionLayer(no_faces)
    layer.at(1280, 720)

    layer.show("Hello", 5)

    assert layer.at(1280, 720) is None


def test_a_layer_draws_for_the_sizes_that_are_asked_for_and_takes_it_away_in_silence(faces: Typefaces) -> None:
    layer = CaptionLayer(lambda: faces)
    layer.switch(True)
    assert (None, None) == (layer.at(1280, 720), layer.at(640, 360))

    layer.show("Hello there.", 5)
    large, small = layer.at(1280, 720), layer.at(640, 360)
    assert large is not None
    assert small is not None
    assert large.box.width > small.box.width
    assert large is layer.at(1280, 720)

    layer.show("", 0)
    assert (None, None) == (layer.at(1280, 720), layer.at(640, 360))


def test_a_canvas_takes_captions_away_again() -> None:
    canvas = Canvas(1280, 720)
    before = canvas.place(EMPTY).copy()
    faces = Typefaces()
    if faces.fallback is None:
        pytest.skip("this machine has no fonts")

    canvas.place(EMPTY, CaptionPainter(1280, 720, faces).paint("Hello", 5))

    assert np.array_equal(before, canvas.place(EMPTY))
