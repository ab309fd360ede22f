"""Pictures that people might bring, made of our own characters."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

from animator.messages import Pixels

CHARACTERS = Path(__file__).resolve().parents[3] / "characters"
CLOSED = '<path d="M 246 176 Q 256 180 266 176" fill="none" stroke="#8a4a40" stroke-width="1.6"/>'


def art(name: str = "haru", side_px: int = 512) -> Image.Image:
    """The character as it comes, RGBA."""
    size = "_1024" if side_px == 1024 else ""
    with Image.open(CHARACTERS / name / f"{name}{size}.png") as picture:
        return picture.convert("RGBA")


def with_closed_mouth(name: str = "haru") -> Image.Image:
    """The same drawing with a line for a mouth."""
    text = (CHARACTERS / name / f"{name}.svg").read_text(encoding="utf-8")
    start = text.index('<g id="mouth-open"')
    end = text.index("</g>", text.index("</g>", start) + 4) + 4  # its second one: it holds one group
    drawing = text[:start] + CLOSED + text[end:]
    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=drawing, width=512, height=512))))


def pasted(
    figure: Image.Image, size: tuple[int, int], scale: float, at: tuple[int, int], background: Image.Image | None
) -> Image.Image:
    """The figure at another size somewhere on a larger canvas, over `background` or over nothing."""
    larger = figure.resize((round(figure.width * scale), round(figure.height * scale)), Image.Resampling.LANCZOS)
    canvas = Image.new("RGBA", size, (0, 0, 0, 0)) if background is None else background.convert("RGBA").resize(size)
    canvas.alpha_composite(larger, at)
    return canvas


def plain(colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (64, 64), colour)


def gradient() -> Image.Image:
    ramp = np.linspace(0, 1, 256)[:, None, None]
    pixels = (1 - ramp) * np.array([250, 214, 190]) + ramp * np.array([120, 150, 220])
    return Image.fromarray(np.broadcast_to(pixels, (256, 256, 3)).astype(np.uint8))


def busy() -> Image.Image:
    """A room, more or less: boxes of many colours."""
    chance = np.random.default_rng(3)
    pixels = np.full((512, 512, 3), (96, 120, 84), dtype=np.uint8)
    for _ in range(160):
        x, y = chance.integers(-60, 500, 2)
        width, height = chance.integers(30, 130, 2)
        colour = np.array([90, 110, 80]) + chance.integers(-60, 60, 3)
        pixels[max(0, y) : max(0, y + height), max(0, x) : max(0, x + width)] = colour
    return Image.fromarray(pixels)


def png(picture: Image.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    (picture if kind == "PNG" else picture.convert("RGB")).save(stream, format=kind)
    return stream.getvalue()


def pixels_of(picture: Image.Image) -> Pixels:
    return np.array(picture.convert("RGBA"), dtype=np.uint8)
