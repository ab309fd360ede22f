"""A character's folder and picture come from strangers: what is taken, what is refused, and how it is said."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.character import (
    DEFAULT_EXPRESSIONS,
    EXPRESSION_KEYS,
    MAX_FILE_BYTES,
    MAX_TOML_BYTES,
    CharacterError,
    check_picture,
    examine_picture,
    list_characters,
    load_character,
)
from animator.manner import Finish, Motion
from animator.tha3 import pose

HARU = Path(__file__).parents[2] / "characters" / "haru"
Write = Callable[[str], Path]


@pytest.fixture
def art() -> Image.Image:
    return Image.open(HARU / "haru.png").convert("RGBA")


@pytest.fixture
def folder(tmp_path: Path) -> Write:
    """A function: text of character.toml -> folder with Haru's picture as picture.png."""

    def write(text: str) -> Path:
        made = tmp_path / "someone"
        made.mkdir(exist_ok=True)
        (made / "picture.png").write_bytes((HARU / "haru.png").read_bytes())
        (made / "character.toml").write_text(text, encoding="utf-8")
        return made

    return write


def saved(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def placed(image: Image.Image, dx: int = 0, dy: int = 0, scale: float = 1.0) -> Image.Image:
    """The picture scaled about (256, 58), the top of the hair, then moved."""
    side = round(512 * scale)
    canvas = Image.new("RGBA", (512, 512))
    canvas.paste(image.resize((side, side)), (round(256 - 256 * scale) + dx, round(58 - 58 * scale) + dy))
    return canvas


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# --- the folder


def test_a_folder_gives_its_picture_manners_and_eight_expressions_in_the_order_of_the_keys() -> None:
    haru = load_character(HARU)

    assert haru.name == "Haru"
    assert haru.image.shape == (512, 512, 4)
    assert haru.image.dtype == np.uint8
    assert tuple(haru.expressions) == EXPRESSION_KEYS
    assert EXPRESSION_KEYS == ("happy", "sad", "angry", "surprised", "shy", "sleepy", "smug", "neutral")
    assert "Haru" in haru.persona
    assert haru.greeting
    assert haru.fallback_line
    assert haru.folder == HARU


def test_a_pictures_pixels_cannot_be_changed_by_whoever_holds_the_character() -> None:
    with pytest.raises(ValueError, match="read-only"):
        load_character(HARU).image[0, 0] = 1


def test_a_single_png_becomes_a_character_named_after_its_file(tmp_path: Path, art: Image.Image) -> None:
    character = load_character(saved(art, tmp_path / "Miki.png"))

    assert character.name == "Miki"
    assert "Miki" in character.persona
    assert "Miki" in character.greeting
    assert tuple(character.expressions) == EXPRESSION_KEYS


def test_every_default_expression_uses_known_parameters_inside_their_ranges() -> None:
    for values in DEFAULT_EXPRESSIONS.values():
        wanted = pose.pose_of(**values)

        np.testing.assert_array_equal(pose.clamp(wanted)[0], wanted)


def test_no_default_expression_but_surprise_opens_the_mouth() -> None:
    opened = {name for name, values in DEFAULT_EXPRESSIONS.items() if pose.pose_of(**values)[pose.MOUTH].any()}

    assert opened == {"surprised"}


def test_an_expression_of_the_file_replaces_the_default_and_values_are_clamped(folder: Write) -> None:
    made = folder('image = "picture.png"\n[expressions.happy]\neye_wink = 7\nhead_x = -3\nmouth_smirk = 0.25\n')

    happy = load_character(made).expressions["happy"]

    assert happy == {"eye_wink_left": 1.0, "eye_wink_right": 1.0, "head_x": -1.0, "mouth_smirk": 0.25}


def test_a_side_named_on_its_own_wins_over_its_pair_whatever_the_order(folder: Write) -> None:
    made = folder("[expressions.wink]\neye_wink_left = 1.0\neye_wink = 0.0\n")

    character = load_character(made)

    assert character.expressions["wink"] == {"eye_wink_left": 1.0, "eye_wink_right": 0.0}
    assert tuple(character.expressions)[:8] == EXPRESSION_KEYS


def test_a_folder_may_say_how_its_character_moves_and_is_finished(folder: Write) -> None:
    made = folder(
        "[motion]\nliveliness = 0.5\nblink_every_s = 6\nintensity = 0.8\ngestures = false\n"
        '[finish]\noutline = 1\noutline_color = "#102030"\nrim = 0.5\nbloom = 0.25\n'
    )

    character = load_character(made)

    assert Motion(0.5, 6.0, 0.8, gestures=False) == character.motion
    assert Finish(outline=1.0, outline_color=0x102030, rim=0.5, bloom=0.25) == character.finish


def test_nothing_is_finished_and_motion_is_as_usual_by_default(folder: Write) -> None:
    character = load_character(folder(""))

    assert Motion() == character.motion
    assert character.finish.is_off


def test_an_emotion_file_joins_and_the_files_own_expressions_win(folder: Write) -> None:
    made = folder('expressions_file = "emotions.json"\n[expressions.joy]\nhead_x = 0.3\n')
    (made / "emotions.json").write_text(
        '{"joy": {"head_x_index": 0.1}, "glee": {"eye_wink_left_index": 2, "nose_index": 1}}', encoding="utf-8"
    )

    character = load_character(made)

    assert {"head_x": 0.3} == character.expressions["joy"]
    assert character.expressions["glee"]["eye_wink_left"] == 1.0
    assert tuple(character.expressions)[:8] == EXPRESSION_KEYS
    assert any("nose_index" in note for note in character.notes)


@pytest.mark.parametrize(
    ("content", "problem"), [("[]", "a list instead of emotions"), (" " * 600_000, "larger than 0.5 MiB")]
)
def test_an_emotion_file_that_cannot_be_used_is_refused(folder: Write, content: str, problem: str) -> None:
    made = folder('expressions_file = "emotions.json"\n')
    (made / "emotions.json").write_text(content, encoding="utf-8")

    with pytest.raises(CharacterError) as refused:
        load_character(made)

    assert problem in refused.value.problem


@pytest.mark.parametrize(
    ("toml", "problem", "remedy"),
    [
        ("[expressions.happy]\neye_winks = 1\n", "no THA3 parameter", "Did you mean 'eye_wink'"),
        ("[expressions.happy]\neye_wink = true\n", "must be a number", "from 0 to 1"),
        ("[expressions.happy]\neye_wink = nan\n", "must be a number", "from 0 to 1"),
        ("[expressions]\nhappy = 1\n", "no usable expression", "lower-case"),
        ("".join(f"[expressions.e{i}]\n" for i in range(80)), "88 expressions", "at most 72"),
        ('greetings = "hi"\n', "unknown entry 'greetings'", "Did you mean 'greeting'"),
        ("name = 5\n", "name must be text", "quotes"),
        (f'persona = "{"x" * 9000}"\n', "9000 characters", "8000 or fewer"),
        ('language = "english language"\n', "language = ", "'en-us'"),
        ('voice = "../../voice"\n', "voice = ", "not a path"),
        ("name = \n", "not valid TOML", "Correct that line"),
        ("motion = 3\n", "motion must be a table", "[motion]"),
        ("[motion]\nlivelines = 1\n", "unknown entry 'livelines'", "Did you mean 'liveliness'"),
        ("[motion]\nliveliness = 9\n", "motion.liveliness is 9", "from 0 to 1.5"),
        ("[motion]\nliveliness = nan\n", "motion.liveliness is nan", "from 0 to 1.5"),
        ("[motion]\nintensity = true\n", "motion.intensity is True", "a number"),
        ('[motion]\ngestures = "yes"\n', "motion.gestures is 'yes'", "true or false"),
        ('[finish]\noutline_color = "white"\n', "finish.outline_color is 'white'", "#ffffff"),
        ('expressions_file = "../other.json"\n', "outside the character's folder", "file name"),
        ('expressions_file = "missing.json"\n', "'missing.json' is missing", "correct its name"),
        ('image = "../haru.png"\n', "outside the character's folder", "file name"),
        ('image = "/etc/passwd"\n', "outside the character's folder", "file name"),
        ('image = "C:\\\\a.png"\n', "outside the character's folder", "file name"),
        ('image = "\\\\\\\\host\\\\a.png"\n', "outside the character's folder", "file name"),
        ('image = "missing.png"\n', "'missing.png' is missing", "correct its name"),
        ("image = 3\n", "must be a file name", "picture.png"),
    ],
)
def test_a_wrong_entry_is_refused_with_what_to_write_instead(
    folder: Write, toml: str, problem: str, remedy: str
) -> None:
    with pytest.raises(CharacterError) as refused:
        load_character(folder(toml))

    assert problem in refused.value.problem
    assert remedy in refused.value.remedy


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_link_out_of_the_folder_is_refused_for_picture_and_toml(folder: Write, tmp_path: Path) -> None:
    made = folder('image = "picture.png"\n')
    (made / "picture.png").unlink()
    (made / "picture.png").symlink_to(HARU / "haru.png")
    with pytest.raises(CharacterError, match="leads out of the character's folder"):
        load_character(made)

    (tmp_path / "outside.toml").write_text("")
    (made / "character.toml").unlink()
    (made / "character.toml").symlink_to(tmp_path / "outside.toml")
    with pytest.raises(CharacterError, match="leads out of the character's folder"):
        load_character(made)


def test_a_huge_or_undecodable_toml_is_refused(folder: Write) -> None:
    made = folder("# " + "x" * MAX_TOML_BYTES)
    with pytest.raises(CharacterError, match="larger than"):
        load_character(made)

    (made / "character.toml").write_bytes(b'name = "\xff\xfe"')
    with pytest.raises(CharacterError, match="not UTF-8"):
        load_character(made)


def test_a_place_without_a_character_is_named(tmp_path: Path) -> None:
    with pytest.raises(CharacterError, match="There is no character at"):
        load_character(tmp_path / "nobody")
    with pytest.raises(CharacterError, match=r"'character.toml' is missing"):
        load_character(tmp_path)


def test_listing_finds_folders_and_pngs_sorted_and_the_first_root_wins(
    folder: Write, tmp_path: Path, art: Image.Image
) -> None:
    made = folder('name = "Zoe"\n')
    other = tmp_path / "other"
    (other / "someone").mkdir(parents=True)
    (other / "someone" / "character.toml").write_text('name = "Hidden"\n')
    (other / "broken").mkdir()
    (other / "broken" / "character.toml").write_text("name = \n")
    (other / "empty").mkdir()
    saved(art, other / "Ada.png")

    listed = list_characters(tmp_path, other, tmp_path / "not there")

    assert listed == [("Ada", other / "Ada.png"), ("broken", other / "broken"), ("Zoe", made)]


# --- the picture


def test_our_own_art_passes_without_a_note_and_its_head_lies_where_tha3_looks() -> None:
    for picture in sorted(HARU.parent.glob("*/*.png")):
        checked = examine_picture(picture)
        left, top, right, bottom = checked.head_box

        assert checked.notes == () or "1024" in picture.name, picture
        assert 150 < left < 230 < 290 < right < 362, picture
        assert 36 < top < 70, picture
        assert 180 <= bottom <= 215, picture


def test_empty_pixels_lose_their_colour(tmp_path: Path, art: Image.Image) -> None:
    pixels = np.array(art)
    pixels[pixels[:, :, 3] == 0] = (255, 0, 255, 0)

    checked = check_picture(saved(Image.fromarray(pixels), tmp_path / "a.png"))

    assert int(checked[checked[:, :, 3] == 0].max()) == 0


def test_a_palette_picture_is_taken_as_it_looks(tmp_path: Path, art: Image.Image) -> None:
    palette = art.quantize(128, method=Image.Quantize.FASTOCTREE)

    checked = check_picture(saved(palette, tmp_path / "a.png"))

    original = np.array(art)
    seen = original[:, :, 3] == 255
    assert float(np.abs(checked[seen].astype(int) - original[seen]).mean()) < 12


def test_other_sizes_are_cut_square_and_scaled_with_a_note(tmp_path: Path, art: Image.Image) -> None:
    wide = Image.new("RGBA", (900, 600))
    wide.paste(art.resize((600, 600), Image.Resampling.LANCZOS), (150, 0))
    tall = Image.new("RGBA", (512, 700))
    tall.paste(art, (0, 0))

    from_wide = examine_picture(saved(wide, tmp_path / "wide.png"))
    from_tall = examine_picture(saved(tall, tmp_path / "tall.png"))
    from_small = examine_picture(saved(art.resize((300, 300)), tmp_path / "small.png"))

    assert from_wide.notes == (
        "The picture was 900x600; its middle 600x600 is used.",
        "The picture was scaled from 600x600 to 512x512.",
    )
    assert from_tall.notes == ("The picture was 512x700; its top 512x512 is used.",)
    np.testing.assert_array_equal(from_tall.image, check_picture(HARU / "haru.png"))
    assert "soft" in from_small.notes[0]
    assert from_small.image.shape == (512, 512, 4)


def test_scaling_does_not_draw_the_colour_of_empty_pixels_into_the_outline(tmp_path: Path, art: Image.Image) -> None:
    pixels = np.array(art.resize((1024, 1024), Image.Resampling.NEAREST))
    pixels[pixels[:, :, 3] == 0] = (0, 255, 0, 0)

    checked = check_picture(saved(Image.fromarray(pixels), tmp_path / "a.png")).astype(int)

    edge = (checked[:, :, 3] > 0) & (checked[:, :, 3] < 255)
    greener = checked[:, :, 1] - np.maximum(checked[:, :, 0], checked[:, :, 2])
    assert int(edge.sum()) > 500
    assert int(greener[edge].max()) < 120


@pytest.mark.parametrize(
    ("dx", "dy", "advice"),
    [(45, 0, "45 px to the left"), (-60, 0, "60 px to the right"), (0, 45, "px up"), (0, -40, "px down")],
)
def test_a_head_out_of_place_is_refused_with_the_way_to_go(
    tmp_path: Path, art: Image.Image, dx: int, dy: int, advice: str
) -> None:
    with pytest.raises(CharacterError) as refused:
        check_picture(saved(placed(art, dx, dy), tmp_path / "a.png"))

    assert "The head is not where THA3 looks for it" in refused.value.problem
    number, unit, direction = advice.rpartition("px")
    assert f"px{direction}" in refused.value.remedy
    if number:
        assert abs(int(number) - int(refused.value.remedy.split(" px")[0].split()[-1])) <= 4, unit


@pytest.mark.parametrize(("scale", "size"), [(0.55, "too small"), (1.75, "too large")])
def test_a_head_of_the_wrong_size_is_refused_with_a_factor(
    tmp_path: Path, art: Image.Image, scale: float, size: str
) -> None:
    with pytest.raises(CharacterError) as refused:
        check_picture(saved(placed(art, scale=scale), tmp_path / "a.png"))

    assert size in refused.value.problem
    factor = float(refused.value.remedy.split("about ")[1].split(",")[0])
    assert factor == pytest.approx(1 / scale, rel=0.3)


def test_a_silhouette_without_a_face_is_refused(tmp_path: Path, art: Image.Image) -> None:
    pixels = np.array(art)
    pixels[:, :, :3] = (240, 205, 190)

    with pytest.raises(CharacterError, match="No face was found"):
        check_picture(saved(Image.fromarray(pixels), tmp_path / "a.png"))


def on(background: tuple[int, int, int, int], art: Image.Image) -> Image.Image:
    canvas = Image.new("RGBA", (512, 512), background)
    canvas.alpha_composite(art)
    return canvas


def test_pictures_with_a_background_or_nothing_on_them_are_refused(tmp_path: Path, art: Image.Image) -> None:
    framed = np.array(on((255, 255, 255, 255), art))
    framed[-1, -1] = 0
    cases = {
        "no transparent background": on((255, 255, 255, 255), art),
        "still has a background": Image.fromarray(framed),
        "half transparent": on((90, 90, 90, 120), art),
        "The picture is empty": Image.new("RGBA", (512, 512)),
    }
    for problem, picture in cases.items():
        with pytest.raises(CharacterError, match=problem):
            check_picture(saved(picture, tmp_path / "a.png"))
    for mode in ("RGB", "L", "1"):
        with pytest.raises(CharacterError, match="no transparent background"):
            check_picture(saved(art.convert(mode), tmp_path / "a.png"))


def test_files_that_are_no_usable_png_are_refused_in_one_clear_sentence(tmp_path: Path, art: Image.Image) -> None:
    path = tmp_path / "a.png"
    jpeg, deep = io.BytesIO(), io.BytesIO()
    art.convert("RGB").save(jpeg, "JPEG")
    Image.fromarray(np.zeros((512, 512), dtype=np.uint16)).save(deep, "PNG")
    whole = (HARU / "haru.png").read_bytes()
    cases = {
        b"": "an empty file",
        b"GIF89a" + bytes(100): "not a PNG",
        jpeg.getvalue(): "a JPEG",
        deep.getvalue(): "16-bit greyscale",
        whole[: len(whole) // 3]: "damaged",
        whole[:60] + bytes(200): "damaged",
        whole[:20]: "not a PNG",
    }
    for data, problem in cases.items():
        path.write_bytes(data)
        with pytest.raises(CharacterError, match=problem):
            check_picture(path)
    saved(art.resize((200, 200)), path)
    with pytest.raises(CharacterError, match="only 200x200"):
        check_picture(path)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few hundred bytes can claim 40000x40000 pixels; decoding them would take 6 GB."""
    header = struct.pack(">IIBBBBB", 40_000, 40_000, 8, 6, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    path = tmp_path / "bomb.png"
    path.write_bytes(data + png_chunk(b"IEND", b""))
    decoded: list[object] = []
    monkeypatch.setattr(Image, "open", lambda *args, **_: decoded.append(args))

    with pytest.raises(CharacterError, match="40000x40000"):
        check_picture(path)

    assert decoded == []


def test_a_file_beyond_the_limit_is_refused_without_reading_it_all(tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    with path.open("wb") as stream:
        stream.truncate(MAX_FILE_BYTES * 40)

    with pytest.raises(CharacterError, match="larger than 32 MiB"):
        check_picture(path)


def test_a_folder_in_place_of_a_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CharacterError, match=r"not a plain file|cannot be opened"):
        check_picture(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_in_place_of_a_picture_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")

    with pytest.raises(CharacterError, match="not a plain file"):
        check_picture(tmp_path / "a.png")


def test_a_large_edition_of_the_picture_comes_along(folder: Write):
    made = folder('image_large = "large.png"\n')
    (made / "large.png").write_bytes((HARU / "haru_1024.png").read_bytes())
    large = load_character(made).large

    assert large is not None
    assert (np.uint8, (1024, 1024, 4)) == (large.dtype, large.shape)
    assert load_character(HARU).large is not None


def test_a_picture_with_enough_pixels_is_its_own_large_edition(art: Image.Image, tmp_path: Path):
    big = examine_picture(HARU / "haru_1024.png")

    assert big.large is not None
    assert np.array_equal(np.asarray(Image.open(HARU / "haru_1024.png"))[500], big.large[500])
    assert examine_picture(saved(art, tmp_path / "small.png")).large is None


@pytest.mark.parametrize(("dx", "size"), [(40, 1024), (0, 512)])
def test_a_large_edition_that_does_not_fit_is_refused(folder: Write, art: Image.Image, dx: int, size: int):
    made = folder('image_large = "large.png"\n')
    saved(placed(art, dx=dx).resize((size, size)), made / "large.png")

    with pytest.raises(CharacterError, match=r"large\.png"):
        load_character(made)
