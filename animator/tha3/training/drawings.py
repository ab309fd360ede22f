"""Many different drawings out of few: the characters that come along, recoloured, redrawn in part and bent.

The kernel is to know the networks, not our two characters. So their vector drawings lose strokes and change colours,
plain figures of other shapes are added, and all of them are scaled, turned, bent, cut off, blurred and grained.
"""

from __future__ import annotations

import colorsys
import io
import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from animator.messages import Pixels

CHARACTERS = Path(__file__).resolve().parents[3] / "characters"
SIDE_PX = 512
_SHAPE = re.compile(r"(<(?:path|rect|circle|ellipse)\b[^>]*/>)")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")

Colour = tuple[int, int, int, int]


def drawing(seed: int) -> Pixels:
    """A drawing of its own for each seed: uint8 RGBA (512,512,4), straight alpha."""
    rng = np.random.default_rng(seed)
    names = sorted(path.stem for path in CHARACTERS.glob("*/*.svg"))
    kind = seed % (len(names) + 1)
    return bent(figure(rng) if kind == len(names) else redrawn(names[kind], rng), rng)


def redrawn(name: str, rng: np.random.Generator) -> Pixels:
    """The character's vector drawing with other colours and some strokes left out."""
    import resvg_py

    text = (CHARACTERS / name / f"{name}.svg").read_text(encoding="utf-8")
    if rng.random() < 0.9:
        text = _recoloured(text, rng)
    dropped = float(rng.choice([0.0, 0.0, 0.05, 0.15, 0.25]))
    parts = _SHAPE.split(text)
    text = "".join(part for part in parts if not (_SHAPE.fullmatch(part) and rng.random() < dropped))
    data = bytes(resvg_py.svg_to_bytes(svg_string=text, width=SIDE_PX, height=SIDE_PX))
    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture.convert("RGBA"))


def _recoloured(text: str, rng: np.random.Generator) -> str:
    turn, swing, phase = rng.uniform(0, 1), rng.uniform(0, 0.12), rng.uniform(0, 2 * np.pi)
    colourful, light = rng.uniform(0.6, 1.3), rng.uniform(0.75, 1.15)
    keeps_skin = rng.random() < 0.6

    def other(found: re.Match[str]) -> str:
        rgb = [int(found.group(0)[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
        hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
        is_skin = (hue < 0.12 or hue > 0.96) and value > 0.55
        if not (is_skin and keeps_skin):
            hue = (hue + turn + swing * np.sin(4 * np.pi * hue + phase)) % 1.0
        new = colorsys.hsv_to_rgb(hue, min(1.0, saturation * colourful), min(1.0, value * light))
        return "#" + "".join(f"{round(channel * 255):02x}" for channel in new)

    return _COLOUR.sub(other, text)


def figure(rng: np.random.Generator) -> Pixels:
    """A plain person in the place where THA3 expects one, of random shape and colours."""
    image = np.zeros((SIDE_PX, SIDE_PX, 4), np.uint8)

    def colour(low: Sequence[float] | float, high: Sequence[float] | float) -> Colour:
        r, g, b = (int(v) for v in rng.uniform(low, high, 3))
        return r, g, b, 255

    def whole(low: float, high: float) -> int:
        return int(rng.uniform(low, high))

    def oval(
        x: int, y: int, size: tuple[int, int], fill: Colour, arc: tuple[int, int] = (0, 360), line: int = -1
    ) -> None:
        cv2.ellipse(image, (x, y), size, 0, arc[0], arc[1], fill, line, cv2.LINE_AA)

    ink, hair, coat, iris = colour(10, 90), colour(30, 230), colour(20, 230), colour(40, 200)
    skin = colour([220, 190, 170], [255, 235, 225])
    oval(256, 480, (whole(110, 170), whole(200, 260)), coat, (180, 360))
    if rng.random() < 0.6:
        shade = (hair[0] * 7 // 10, hair[1] * 7 // 10, hair[2] * 7 // 10, 255)
        oval(256, 200, (whole(70, 110), whole(80, 170)), shade)
    oval(256, 140, (whole(66, 92), whole(76, 94)), hair)
    cv2.rectangle(image, (256 - whole(12, 22), 190), (256 + whole(12, 22), 250), skin, -1)
    oval(256, 145, (whole(50, 62), whole(50, 62)), skin)
    apart, wide, high = whole(21, 28), whole(10, 14), whole(8, 13)
    for x in (256 - apart, 256 + apart):
        oval(x, 143, (wide, high), (255, 255, 255, 255))
        cv2.circle(image, (x, 143), whole(6, 9), iris, -1, cv2.LINE_AA)
        oval(x, 141, (wide + 1, high), ink, (190, 350), int(rng.integers(1, 4)))
        oval(x, 124, (wide + 1, 5), ink, (200, 340), int(rng.integers(1, 4)))
    oval(256, 177, (whole(7, 13), whole(4, 8)), (150, 50, 60, 255))
    for _ in range(int(rng.integers(0, 9))):
        x = whole(200, 312)
        lock = np.array([[x - 14, 80], [x + 14, 80], [x + whole(-8, 8), whole(100, 140)]], np.int32)
        cv2.fillPoly(image, [lock], hair, cv2.LINE_AA)
    return image


def bent(image: Pixels, rng: np.random.Generator) -> Pixels:
    """`image` scaled, turned, moved and bent a little; perhaps mirrored, cut off, lighter, blurred, grained."""
    strength = float(rng.choice([0.5, 1.0, 1.3]))
    y, x = np.mgrid[0:SIDE_PX, 0:SIDE_PX].astype(np.float32)
    x, y = x - 256, y - 140  # about the face
    scale, wider = 1 + rng.uniform(-0.07, 0.07) * strength, 1 + rng.uniform(-0.05, 0.05) * strength
    turn = rng.uniform(-0.035, 0.035) * strength
    right, down = rng.uniform(-5, 5, 2) * strength
    u = (x * np.cos(turn) - y * np.sin(turn)) * scale * wider + 256 + right
    v = (x * np.sin(turn) + y * np.cos(turn)) * scale + 140 + down
    for cells, reach_px in ((6, 7.0), (12, 2.5)):
        coarse = rng.standard_normal((cells, cells, 2)).astype(np.float32) * np.float32(reach_px * strength)
        wave = cv2.resize(coarse, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)
        u, v = u + wave[..., 0], v + wave[..., 1]
    picture = image.astype(np.float32)
    picture[..., :3] *= picture[..., 3:] / 255.0
    places = np.stack([u, v], axis=-1).astype(np.float32)
    picture = np.clip(cv2.remap(picture, places, None, cv2.INTER_LANCZOS4, borderMode=cv2.BORDER_CONSTANT), 0, 255)
    picture[..., :3] = np.clip(picture[..., :3] * 255.0 / np.maximum(picture[..., 3:], 1.0), 0, 255)
    return _worn(picture, rng)


def _worn(picture: npt.NDArray[np.float32], rng: np.random.Generator) -> Pixels:
    if rng.random() < 0.5:
        picture = picture[:, ::-1].copy()
    if rng.random() < 0.3:
        picture[int(rng.uniform(330, 500)) :] = 0.0  # a bust
    if rng.random() < 0.5:
        picture[..., :3] = 255.0 * (picture[..., :3] / 255.0) ** rng.uniform(0.7, 1.4)
    if rng.random() < 0.35:
        picture[..., :3] = cv2.GaussianBlur(picture[..., :3], (0, 0), rng.uniform(0.6, 1.4))
    if rng.random() < 0.3:
        grain = rng.standard_normal((128, 128)).astype(np.float32) * np.float32(rng.uniform(3, 10))
        picture[..., :3] += cv2.resize(grain, (SIDE_PX, SIDE_PX))[..., None]
    out = np.rint(np.clip(picture, 0, 255)).astype(np.uint8)
    out[out[..., 3] == 0] = 0
    return np.ascontiguousarray(out)
