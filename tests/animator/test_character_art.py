"""The characters that ship: pictures are made of their SVG, manners fit a voice, the mouth is drawn open."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import resvg_py
from PIL import Image

from animator.character import list_characters, load_character

ROOT = Path(__file__).parents[2]
SHIPPED = [folder for _, folder in list_characters(ROOT / "characters")]


def drawn(svg: Path, side_px: int) -> np.ndarray:
    data = bytes(resvg_py.svg_to_bytes(svg_path=str(svg), width=side_px, height=side_px))
    return np.array(Image.open(BytesIO(data)).convert("RGBA")).astype(int)


def difference(picture: Path, svg: Path, side_px: int) -> float:
    """Mean difference of the premultiplied levels, 0 to 255."""
    shipped = np.array(Image.open(picture).convert("RGBA")).astype(int)
    assert shipped.shape == (side_px, side_px, 4)
    made = drawn(svg, side_px)
    return float(np.abs(shipped * shipped[:, :, 3:] // 255 - made * made[:, :, 3:] // 255).mean())


def test_there_is_a_choice_of_characters() -> None:
    assert "Haru" in {load_character(folder).name for folder in SHIPPED}


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_pictures_are_what_the_svg_draws(folder: Path) -> None:
    """Someone who changes the SVG must make the PNGs anew."""
    svg = folder / f"{folder.name}.svg"

    assert difference(folder / f"{folder.name}.png", svg, 512) < 0.5
    assert difference(folder / f"{folder.name}_1024.png", svg, 1024) < 0.5


def test_the_icon_is_what_its_svg_draws() -> None:
    assert difference(ROOT / "assets" / "icon.png", ROOT / "assets" / "icon.svg", 256) < 0.5


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_an_svg_holds_shapes_only_and_says_that_it_is_free(folder: Path) -> None:
    text = (folder / f"{folder.name}.svg").read_text(encoding="utf-8")

    assert "CC0 1.0" in text
    assert not re.search(r"<(image|script|text|foreignObject|style)\b|href|data:|font-family", text)


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_the_mouth_is_open_and_dark_red_where_tha3_closes_it(folder: Path) -> None:
    """With a closed mouth THA3 has to invent what lies behind the lips."""
    image = load_character(folder).image.astype(int)
    mouth = image[170:186, 244:268]
    red = (mouth[:, :, 0] > mouth[:, :, 1] + 60) & (mouth[:, :, 0] < 250)

    assert int(red.sum()) > 70
    assert int((mouth[:, :, :3].min(axis=2) > 235).sum()) > 15  # teeth


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_what_a_character_says_can_be_said_aloud(folder: Path) -> None:
    character = load_character(folder)

    for line in (character.greeting, character.fallback_line):
        assert 10 < len(line) < 120
        assert line.isascii()
        assert not re.search(r"[*_#<>\[\]{}|~]", line)
    assert character.name in character.persona
    assert "markdown" in character.persona
    assert character.voice
    assert character.language == "en-us"
