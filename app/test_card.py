"""The test card: what the camera shows while other programs are being set up for it. Pure.

Bars and greys whose values are known show wrong colours, the circle a wrong shape, the border what is cut off, and the
counter frames that are lost or shown twice.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Picture: TypeAlias = npt.NDArray[np.uint8]
"""uint8 RGB, sRGB, shape (height, width, 3)."""

BARS = (
    (255, 255, 255),
    (255, 255, 0),
    (0, 255, 255),
    (0, 255, 0),
    (255, 0, 255),
    (255, 0, 0),
    (0, 0, 255),
    (0, 0, 0),
)
"""sRGB, from left to right."""
GREYS = 11
"""From black to white in equal steps."""
PANEL = (24, 27, 48)
CELLS = 16
"""The counter's squares: a binary number whose highest digit is on the left, white is 1."""
_BARS_END, _GREYS_END = 0.62, 0.74
"""In parts of the height."""


def draw(width_px: int, height_px: int) -> Picture:
    """The card without its counter, for a canvas of even sides."""
    card: Picture = np.empty((height_px, width_px, 3), np.uint8)
    bars_end, greys_end = _even(_BARS_END * height_px), _even(_GREYS_END * height_px)
    for number, colour in enumerate(BARS):
        card[:bars_end, _even(number * width_px / len(BARS)) :] = colour
    for number in range(GREYS):
        card[bars_end:greys_end, _even(number * width_px / GREYS) :] = round(255 * number / (GREYS - 1))
    card[greys_end:] = PANEL
    _draw_shape(card, bars_end)
    _write(card, f"Kuchipaku   {width_px} x {height_px}", greys_end)
    return card


def mark(card: Picture, number: int) -> None:
    """Write the number of a picture into the counter; it begins anew after 65,535."""
    height, width = card.shape[:2]
    left, top, side = _cells(width, height)
    for digit in range(CELLS):
        is_set = number >> (CELLS - 1 - digit) & 1
        at = left + 2 * side * digit
        card[top : top + side, at : at + side] = 255 if is_set else 0
        # A rim shows where a digit is that is not set.
        cv2.rectangle(card, (at - 1, top - 1), (at + side, top + side), (120, 128, 160), 1)


def read(card: Picture) -> int:
    """The number in a card's counter, also of a card that has been coded and decoded."""
    height, width = card.shape[:2]
    left, top, side = _cells(width, height)
    middle = card[top + side // 2, left + side // 2 : left + 2 * side * CELLS : 2 * side].mean(axis=1)
    return int("".join("1" if digit > 127 else "0" for digit in middle), 2)


def _even(value: float) -> int:
    """Edges at even places: colour has half the resolution on its way to viewers."""
    return round(value / 2) * 2


def _cells(width_px: int, height_px: int) -> tuple[int, int, int]:
    """Left and top of the first cell, and a cell's side."""
    side = max(2, _even(width_px * 0.6 / (2 * CELLS - 1)))
    return _even((width_px - side * (2 * CELLS - 1)) / 2), _even(0.89 * height_px), side


def _draw_shape(card: Picture, bars_end: int) -> None:
    height, width = card.shape[:2]
    line = max(2, _even(min(width, height) / 240))
    centre, radius = (width // 2, bars_end // 2), round(min(width, bars_end) * 0.42)
    for colour, more in (((0, 0, 0), line), ((255, 255, 255), 0)):  # to be seen on every bar
        cv2.circle(card, centre, radius, colour, line + more, cv2.LINE_AA)
        cv2.line(card, (centre[0] - radius, centre[1]), (centre[0] + radius, centre[1]), colour, line + more)
        cv2.line(card, (centre[0], centre[1] - radius), (centre[0], centre[1] + radius), colour, line + more)
    cv2.rectangle(card, (0, 0), (width - 1, height - 1), (255, 255, 255), 2)


def _write(card: Picture, text: str, top: int) -> None:
    height, width = card.shape[:2]
    size_px = min(0.075 * height, 0.05 * width)
    font = ImageFont.load_default(size_px)
    image = Image.fromarray(card[top:])
    middle = ((_cells(width, height)[1] - top) / 2, width / 2)
    ImageDraw.Draw(image).text((middle[1], middle[0]), text, fill=(238, 240, 250), font=font, anchor="mm")
    card[top:] = np.asarray(image)
    card[-2:] = card[:, :2] = card[:, -2:] = 255
