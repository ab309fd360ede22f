"""Captions as viewers see them on the picture: shaped, broken into two lines, outlined.

HarfBuzz shapes and draws (`uharfbuzz`): Devanagari joins and reorders its letters, which a plain look-up of glyphs does
not. A line is drawn once; of one that is being spoken only the part that has been heard is laid over the picture.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import uharfbuzz as hb

from app.canvas import Box, Overlay
from app.fonts import Typeface, Typefaces
from app.policy.caption_lines import LINES, Line, at_hand, lines_of

Mask = npt.NDArray[np.uint8]
"""uint8 (height, width): 255 is opaque."""

SIZE = 0.052
"""Of the canvas's shorter side: what the browser source has, too."""
SMALLEST_PX = 16.0
LINE_HEIGHT = 1.4
OUTLINE = 0.09
"""Width of the outline on each side. All three in parts of the size."""
WIDTH = 0.9
BOTTOM = 0.04
"""In parts of the canvas's width, and of its height below the last line."""
INK = (16, 18, 30)
"""sRGB of the outline; the letters are white."""
SIZES_KEPT = 2
"""Canvases of so many sizes are painted for: the camera's and that of recordings."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Letters of one face, `start` to `end` of the text."""

    start: int
    end: int
    face: Typeface


@dataclass(frozen=True, slots=True, eq=False)
class _Glyph:
    face: Typeface
    glyph: int
    cluster: int
    """Which character of the text it draws, or begins to draw."""
    x: float
    y: float
    """From the start of the line and from the baseline, up, in parts of the size."""


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One line: the masks of letters and outline, and where each character begins, in px from their left edge."""

    line: Line
    letters: Mask
    shape: Mask
    """Letters and outline together."""
    left: int
    top: int
    begins_px: tuple[float, ...]


class CaptionPainter:
    """Draws captions for a canvas of one size. Not thread-safe."""

    def __init__(self, width_px: int, height_px: int, faces: Typefaces) -> None:
        self._width_px, self._height_px = width_px, height_px
        self._faces = faces
        self._size_px = max(SMALLEST_PX, SIZE * min(width_px, height_px))
        self._text = ""
        self._lines: list[Line] = []
        self._drawn: dict[tuple[Line, int], _Drawn | None] = {}
        self._width_of_token = lru_cache(4096)(self._shaped_width)

    def paint(self, text: str, heard: int) -> Overlay | None:
        """What lies over the picture while the first `heard` characters of a sentence have begun to sound.

        Takes some 2 ms for a new line, less for another word of one that is there. None where nothing is to be seen.
        """
        if text != self._text:
            self._text, self._drawn = text, {}
            self._lines = lines_of(text, WIDTH * self._width_px / self._size_px, self._width)
        shown = at_hand(self._lines, heard)
        rows = min(LINES, len(self._lines))
        parts = [
            (drawn, width)
            for number, line in enumerate(shown)
            if (drawn := self._line(line, rows - number)) is not None and (width := _heard_px(drawn, heard)) > 0
        ]
        return _overlay(parts) if parts else None

    def _line(self, line: Line, rows_below: int) -> _Drawn | None:
        key = (line, rows_below)
        if key not in self._drawn:
            self._drawn[key] = self._draw(line, rows_below)
        return self._drawn[key]

    def _draw(self, line: Line, rows_below: int) -> _Drawn | None:
        glyphs, width = self._shape(self._text, line.start, line.end)
        left_px = (self._width_px - width * self._size_px) / 2
        pitch_px = LINE_HEIGHT * self._size_px
        baseline_px = round((1 - BOTTOM) * self._height_px - rows_below * pitch_px + 0.75 * pitch_px)
        # Room for the outline, and for marks above and below the line.
        edge_px = max(2, round(OUTLINE * self._size_px))
        box = Box(
            round(left_px) - 3 * edge_px,
            baseline_px - round(1.15 * self._size_px) - edge_px,
            round(left_px + width * self._size_px) + 3 * edge_px,
            baseline_px + round(0.5 * self._size_px) + edge_px,
        ).within(self._width_px, self._height_px)
        letters = _draw_letters(glyphs, self._size_px, left_px - box.left, baseline_px - box.top, box)
        if not letters.any():
            return None
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * edge_px + 1, 2 * edge_px + 1))
        shape: Mask = cv2.GaussianBlur(cv2.dilate(letters, disc), (3, 3), 0)
        begins = _begins(glyphs, self._text, line, width)
        begins_px = tuple(left_px - box.left + x * self._size_px for x in begins)
        return _Drawn(line, letters, cv2.max(shape, letters), box.left, box.top, begins_px)

    # Shaping

    def _width(self, part: str) -> float:
        """In parts of the size."""
        return sum(self._width_of_token(token) for token in _TOKENS.findall(part))

    def _shaped_width(self, token: str) -> float:
        return self._shape(token, 0, len(token))[1]

    def _shape(self, text: str, start: int, end: int) -> tuple[list[_Glyph], float]:
        """The glyphs of a part of a text in their places, and how wide they are together."""
        glyphs, x = [], 0.0
        for run in self._runs(text, start, end):
            buffer = hb.Buffer()
            buffer.add_codepoints(
                [ord(letter) for letter in text], item_offset=run.start, item_length=run.end - run.start
            )
            buffer.guess_segment_properties()
            buffer.direction = "ltr"  # words of a script that runs the other way are shaped by their letters' own forms
            hb.shape(run.face.font, buffer)
            scale = 1 / run.face.font.scale[0]
            for info, at in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
                place = (x + at.x_offset * scale, at.y_offset * scale)
                glyphs.append(_Glyph(run.face, info.codepoint, info.cluster, *place))
                x += at.x_advance * scale
        return glyphs, x

    def _runs(self, text: str, start: int, end: int) -> Iterator[_Run]:
        run: _Run | None = None
        for first, last in _words(text, start, end):
            face = self._face(text[first:last])
            pieces = [(first, last, face)] if face is not None else self._letter_by_letter(text, first, last)
            for piece_start, piece_end, piece_face in pieces:
                if piece_face is None:
                    continue
                if run is not None and run.face is piece_face:
                    run = _Run(run.start, piece_end, piece_face)
                else:
                    if run is not None:
                        yield run
                    run = _Run(piece_start, piece_end, piece_face)
        if run is not None:
            yield run

    def _letter_by_letter(self, text: str, start: int, end: int) -> Iterator[tuple[int, int, Typeface | None]]:
        for first, last in _clusters(text, start, end):
            face = self._face(text[first:last])
            # A pictograph that no font has is left out; a letter that none has is worth its empty box.
            is_picture = unicodedata.category(text[first]) == "So"
            yield first, last, face if face is not None or is_picture else self._faces.fallback

    def _face(self, letters: str) -> Typeface | None:
        seen = "".join(letter for letter in letters if not letter.isspace() and unicodedata.category(letter) != "Cf")
        return self._faces.for_letters(seen or " ")


class CaptionLayer:
    """The captions that lie over pictures just now, for canvases of every size. Thread-safe.

    They are drawn on the thread that tells of them, never on one that sends pictures.
    """

    def __init__(self, faces: Callable[[], Typefaces] = Typefaces) -> None:
        self._make_faces = faces
        self._faces: Typefaces | None = None
        self._on = False
        self._said = ("", 0)
        self._lock = threading.Lock()
        self._painters: dict[tuple[int, int], CaptionPainter | None] = {}
        self._overlays: dict[tuple[int, int], Overlay | None] = {}

    def switch(self, on: bool) -> None:
        """Show them from now on, or no longer."""
        with self._lock:
            self._on = on
            self._overlays = {}
            if not on:
                self._said = ("", 0)

    def show(self, text: str, heard: int) -> None:
        """Of a sentence so many characters have begun to sound; "" for none. Takes some ms."""
        if not self._on:
            return
        with self._lock:
            self._said = (text, heard)
            self._overlays = {size: self._paint(size) for size in self._painters}

    def at(self, width_px: int, height_px: int) -> Overlay | None:
        """What lies over a canvas of this size. Returns at once; one of a new size has them with the next word."""
        size = (width_px, height_px)
        if size not in self._painters:
            self._welcome(size)
        return self._overlays.get(size)

    def _welcome(self, size: tuple[int, int]) -> None:
        with self._lock:
            kept = dict(list(self._painters.items())[-(SIZES_KEPT - 1) :])
            self._painters = {**kept, size: None}

    def _paint(self, size: tuple[int, int]) -> Overlay | None:
        text, heard = self._said
        if not text:
            return None
        painter = self._painters[size]
        if painter is None:
            if self._faces is None:
                self._faces = self._make_faces()
            painter = self._painters[size] = CaptionPainter(*size, self._faces)
        return painter.paint(text, heard)


_TOKENS = re.compile(r"\s+|[^\s\u2e80-\U0003ffff]+|.", re.DOTALL)
"""What is measured once: words, spaces, and single characters of East Asia."""


def _words(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for word in re.compile(r"\S+\s*|\s+").finditer(text, start, end):
        yield word.span()


def _clusters(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Letters with the marks that belong to them."""
    first = start
    for at in range(start + 1, end + 1):
        if at == end or unicodedata.category(text[at]) not in ("Mn", "Mc", "Me", "Cf"):
            yield first, at
            first = at


def _draw_letters(glyphs: list[_Glyph], size_px: float, left_px: float, baseline_px: float, box: Box) -> Mask:
    raster = hb.RasterDraw()
    raster.extents = hb.RasterExtents(0, 0, max(1, box.width), max(1, box.height), max(1, box.width))
    for glyph in glyphs:
        scale = size_px / glyph.face.font.scale[0]
        x, y = left_px + glyph.x * size_px, baseline_px - glyph.y * size_px
        raster.transform = (scale, 0.0, 0.0, -scale, x, y)
        raster.draw_glyph(glyph.face.font, glyph.glyph)
    image = raster.render()
    if image is None:
        return np.zeros((box.height, box.width), np.uint8)
    extents = image.extents
    flat = np.frombuffer(image.buffer, np.uint8)
    return flat.reshape(extents.height, extents.stride)[:, : extents.width].copy()


def _begins(glyphs: list[_Glyph], text: str, line: Line, width: float) -> list[float]:
    """Where each character of the line begins, in parts of the size; one more for the line's end.

    A space begins in its middle: the word before it has an outline.
    """
    found = [width] * (line.end - line.start + 1)
    for glyph in glyphs:
        at = glyph.cluster - line.start
        if 0 <= at < len(found):
            found[at] = min(found[at], glyph.x)
    # A character without a glyph of its own, such as a vowel sign, begins where the next one does.
    for at in range(len(found) - 2, -1, -1):
        found[at] = min(found[at], found[at + 1])
    for at, letter in enumerate(text[line.start : line.end]):
        if letter.isspace():
            found[at] = (found[at] + found[at + 1]) / 2
    return found


def _heard_px(drawn: _Drawn, heard: int) -> int:
    """So much of a line is seen, in px from its left edge."""
    line = drawn.line
    if heard >= line.end:
        return len(drawn.letters[0])
    if heard <= line.start:
        return 0
    return max(0, round(drawn.begins_px[heard - line.start]))


def _overlay(parts: list[tuple[_Drawn, int]]) -> Overlay:
    left = min(drawn.left for drawn, _ in parts)
    top = min(drawn.top for drawn, _ in parts)
    right = max(drawn.left + width for drawn, width in parts)
    bottom = max(drawn.top + drawn.letters.shape[0] for drawn, _ in parts)
    letters = np.zeros((bottom - top, right - left), np.uint8)
    shape = np.zeros_like(letters)
    for drawn, width in parts:
        rows = slice(drawn.top - top, drawn.top - top + drawn.letters.shape[0])
        columns = slice(drawn.left - left, drawn.left - left + width)
        # The lines' rooms overlap: marks above one reach into the other.
        letters[rows, columns] = cv2.max(letters[rows, columns], drawn.letters[:, :width])
        shape[rows, columns] = cv2.max(shape[rows, columns], drawn.shape[:, :width])
    # White letters over ink, each multiplied by its own alpha: ink shows where the letters leave the shape free.
    ink = cv2.subtract(shape, letters)
    channels = [cv2.add(letters, cv2.multiply(ink, float(value), scale=1 / 255)) for value in INK]
    hidden = cv2.bitwise_not(shape)
    return Overlay(Box(left, top, right, bottom), cv2.merge(channels), cv2.merge([hidden] * 3))
