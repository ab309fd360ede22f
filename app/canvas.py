"""The picture that viewers get: the character placed on a background of another size. Pure.

The window's stage and the virtual camera place by the same `piece`, before the same `Scene.behind`, so that both show
one picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from animator.messages import Pixels
from app import test_card

Picture: TypeAlias = npt.NDArray[np.uint8]
"""uint8 RGB, sRGB, shape (height, width, 3)."""
Colour: TypeAlias = tuple[int, int, int]
"""sRGB, 0 to 255 each."""
Background: TypeAlias = Literal["theme", "transparent", "colour", "picture", "green"]

BACKDROP_TOP = (58, 66, 110)
BACKDROP_BOTTOM = (24, 27, 48)
"""sRGB. A calm night blue that light and dark hair both stand out from."""
KEY_GREEN = (0, 255, 0)
"""What streaming software keys out where it is told "green" and nothing else."""
SAFE_AREA = 0.05
"""Margin of the safe area, as a share of width and of height. Source: EBU R 95, graphics safe area."""
ZOOMS = (0.25, 4.0)
"""Least and largest zoom."""
REACH = 2.0
"""Furthest from the middle, in parts of the canvas."""


def gradient(width_px: int, height_px: int) -> Picture:
    """Our default background: BACKDROP_TOP above to BACKDROP_BOTTOM below."""
    share = np.linspace(0.0, 1.0, height_px, dtype=np.float32)[:, None]
    column = np.asarray(BACKDROP_TOP, np.float32) * (1 - share) + np.asarray(BACKDROP_BOTTOM, np.float32) * share
    return np.repeat(np.rint(column).astype(np.uint8)[:, None, :], width_px, axis=1)


@dataclass(frozen=True, slots=True)
class Glow:
    """The background of a window's theme: a fall from `top` to `bottom` with light in its middle."""

    top: Colour
    bottom: Colour
    light: Colour

    def picture(self, width_px: int, height_px: int) -> Picture:
        """This background at a size; some milliseconds at 1280 x 720."""
        # So soft a fall is worked out small and enlarged: the window draws it anew with every step of a resize.
        small_w, small_h = max(2, width_px // 8), max(2, height_px // 8)
        down = np.linspace(0.0, 1.0, small_h, dtype=np.float32)[:, None, None]
        fall = np.asarray(self.top, np.float32) * (1 - down) + np.asarray(self.bottom, np.float32) * down
        across_px = (np.arange(small_w, dtype=np.float32) + 0.5) * (width_px / small_w) - width_px / 2
        down_px = (np.arange(small_h, dtype=np.float32) + 0.5) * (height_px / small_h) - height_px / 2
        far = np.hypot(across_px[None, :], down_px[:, None]) / (0.55 * max(width_px, height_px))
        light = (0.35 * np.clip(1.0 - far, 0.0, 1.0))[..., None].astype(np.float32)
        mixed = np.ascontiguousarray(fall * (1 - light) + np.asarray(self.light, np.float32) * light)
        large = cv2.resize(mixed, (width_px, height_px), interpolation=cv2.INTER_LINEAR)
        # Eight bits per channel show a soft fall as bands; a grain of less than one step hides them.
        large += _grain(width_px, height_px)
        picture: Picture = cv2.convertScaleAbs(large)
        return picture


@cache
def _grain_tile() -> npt.NDArray[np.float32]:
    return np.random.default_rng(1).uniform(-0.7, 0.7, size=(128, 128, 1)).astype(np.float32)


def _grain(width_px: int, height_px: int) -> npt.NDArray[np.float32]:
    tile = _grain_tile()
    times = (-(-height_px // tile.shape[0]), -(-width_px // tile.shape[1]), 1)
    return np.tile(tile, times)[:height_px, :width_px]


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the character is: `zoom` in ZOOMS, `x` and `y` in [-REACH, REACH].

    At 1, 0, 0 it stands at the bottom centre, as high as the canvas. `x` moves it to the right and `y` down, in parts
    of the canvas's width and height. Larger, it grows around its middle; smaller, it goes on standing on the lower
    edge.
    """

    zoom: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def moved(self, across: float, down: float) -> Placement:
        """The same, moved by parts of the canvas; no further than REACH."""
        return Placement(self.zoom, _within(self.x + across, REACH), _within(self.y + down, REACH))

    def zoomed(self, factor: float, at_x: float, at_y: float, aspect: float) -> Placement:
        """`factor` times as large, with what is at (`at_x`, `at_y`) staying there.

        Args:
            factor: Above 0; the result stays in ZOOMS.
            at_x: In parts of the canvas's width from its left edge.
            at_y: In parts of its height from its upper edge.
            aspect: The canvas's width by its height.
        """
        zoom = min(ZOOMS[1], max(ZOOMS[0], self.zoom * factor))
        grown = zoom / self.zoom
        rest_x, rest_y = 0.5, _floor(self.zoom, aspect)
        # The middle of the lower edge moves away from the point that stays.
        x = at_x + (rest_x + self.x - at_x) * grown - rest_x
        y = at_y + (rest_y + self.y - at_y) * grown - _floor(zoom, aspect)
        return Placement(zoom, _within(x, REACH), _within(y, REACH))


def _within(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))


def _floor(zoom: float, aspect: float) -> float:
    """How far below the canvas's upper edge the lower edge of the shown part is at y = 0, in parts of the height."""
    side = min(1.0, aspect)  # of the shown square at zoom 1, in parts of the height
    return 1.0 + max(0.0, zoom - 1.0) * side / 2


@dataclass(frozen=True, slots=True)
class Scene:
    """What the character stands before, and where.

    `glow` is the theme's own background; without it that is the gradient. Nothing that viewers are sent can be
    transparent: they see the theme's background.
    """

    placement: Placement = field(default_factory=Placement)
    background: Background = "theme"
    colour: Colour = (43, 45, 58)
    picture: Picture | None = field(default=None, compare=False)
    glow: Glow | None = None
    picture_file: str = ""
    """Where `picture` was read from."""
    card: bool = False
    """Viewers see the test card instead."""

    def with_glow(self, glow: Glow) -> Scene:
        """The same in another theme."""
        return replace(self, glow=glow)

    def behind(self, width_px: int, height_px: int) -> Picture:
        """The background at a size, in memory of its own."""
        if self.background == "green":
            return _plain(KEY_GREEN, width_px, height_px)
        if self.background == "colour":
            return _plain(self.colour, width_px, height_px)
        if self.background == "picture" and self.picture is not None:
            return covering(self.picture, width_px, height_px)
        return gradient(width_px, height_px) if self.glow is None else self.glow.picture(width_px, height_px)


def _plain(colour: Colour, width_px: int, height_px: int) -> Picture:
    return np.full((height_px, width_px, 3), colour, np.uint8)


def colour_of(text: str) -> Colour:
    """The colour that "#rrggbb" says. Raises ValueError for anything else."""
    if len(text) != 7 or text[0] != "#":
        raise ValueError(f"a colour is # and six hexadecimal digits, got {text!r}")
    value = int(text[1:], 16)
    return value >> 16, value >> 8 & 255, value & 255


def covering(picture: Picture, width_px: int, height_px: int) -> Picture:
    """The middle of `picture`, as large as covers that size; nothing is stretched."""
    have_h, have_w = picture.shape[:2]
    scale = max(width_px / have_w, height_px / have_h)
    cut_w, cut_h = min(have_w, max(1, round(width_px / scale))), min(have_h, max(1, round(height_px / scale)))
    left, top = (have_w - cut_w) // 2, (have_h - cut_h) // 2
    cut = np.ascontiguousarray(picture[top : top + cut_h, left : left + cut_w])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    covered: Picture = cv2.resize(cut, (width_px, height_px), interpolation=way)
    return covered


VIEW_LEFT, VIEW_TOP, VIEW_SIDE = 0.125, 0.047, 0.75
"""The part of a frame that is as high as the canvas at zoom 1, as shares of its side: THA3 wants a head of a quarter
of the frame with room around it, which is too far away for a stream. This square holds head, shoulders and chest, with
room to lean."""


def view_of(pixels: Pixels) -> Pixels:
    """The part of a frame that is shown where there is no canvas: a square, contiguous copy."""
    side = pixels.shape[0]
    left, top, size = round(VIEW_LEFT * side), round(VIEW_TOP * side), round(VIEW_SIDE * side)
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


@dataclass(frozen=True, slots=True)
class Box:
    """Whole px; `right` and `bottom` are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Never negative for a box that `piece` or `within` gave."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """As `width`."""
        return self.bottom - self.top

    def within(self, width_px: int, height_px: int) -> Box:
        """The part of it that lies on a canvas."""
        return Box(max(0, self.left), max(0, self.top), min(width_px, self.right), min(height_px, self.bottom))

    @property
    def rows(self) -> slice:
        """For an array's first axis."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """For an array's second axis."""
        return slice(self.left, self.right)


@dataclass(frozen=True, slots=True)
class Piece:
    """The part `source` of a frame fills, in px of the canvas, `left`, `top`, `width` and `height`.

    They are no whole numbers, and may stick out of the canvas by less than a frame's pixel.
    """

    source: Box
    left: float
    top: float
    width: float
    height: float

    def target(self) -> Box:
        """The same in whole px."""
        return Box(round(self.left), round(self.top), round(self.left + self.width), round(self.top + self.height))


def piece(side_px: int, width_px: int, height_px: int, placement: Placement, only: Box | None = None) -> Piece | None:
    """What of a frame is seen on a canvas, and where; None if it is outside.

    Args:
        side_px: The frame's side.
        width_px: The canvas's width.
        height_px: The canvas's height.
        placement: Where the character is.
        only: Frame px that matter, such as those that are not transparent; None: all.
    """
    only = only or Box(0, 0, side_px, side_px)
    scale = min(width_px, height_px) * placement.zoom / (VIEW_SIDE * side_px)
    left = (0.5 + placement.x) * width_px - (VIEW_LEFT + VIEW_SIDE / 2) * side_px * scale
    floor = _floor(placement.zoom, width_px / height_px) + placement.y
    top = floor * height_px - (VIEW_TOP + VIEW_SIDE) * side_px * scale
    source = Box(
        max(only.left, math.floor(-left / scale)),
        max(only.top, math.floor(-top / scale)),
        min(only.right, math.ceil((width_px - left) / scale)),
        min(only.bottom, math.ceil((height_px - top) / scale)),
    )
    if source.width <= 0 or source.height <= 0:
        return None
    return Piece(
        source, left + source.left * scale, top + source.top * scale, source.width * scale, source.height * scale
    )


def opaque_box(pixels: Pixels) -> Box | None:
    """Where a frame is not transparent; None where it is so everywhere."""
    left, top, width, height = cv2.boundingRect(cv2.extractChannel(pixels, 3))
    return Box(left, top, left + width, top + height) if width else None


def premultiplied(pixels: Pixels) -> Pixels:
    """RGBA with straight alpha as RGBA whose colours are multiplied by it, in memory of its own.

    Hidden pixels are black: scaling colour and alpha apart would draw a dark rim.
    """
    mixed: Pixels = cv2.cvtColor(pixels, cv2.COLOR_RGBA2mRGBA)
    return mixed


def resized(pixels: Pixels, side_px: int) -> Pixels:
    """A frame at another size, straight alpha, in memory of its own."""
    way = cv2.INTER_AREA if side_px < pixels.shape[0] else cv2.INTER_LINEAR
    return _straight(cv2.resize(premultiplied(pixels), (side_px, side_px), interpolation=way), bleeds=False)


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """What is laid over the picture, such as captions."""

    box: Box
    colour: Picture
    """Multiplied by its alpha, as large as `box`."""
    hidden: Picture
    """255 less the alpha, three times over: how much of what lies under it is seen."""


class _Buffers:
    """Memory that is used again: new megabytes with every frame cost more than what is written into them."""

    def __init__(self) -> None:
        self._held: dict[str, npt.NDArray[np.uint8]] = {}

    def get(self, name: str, *shape: int) -> npt.NDArray[np.uint8]:
        """What is held under this name, whatever is in it."""
        found = self._held.get(name)
        if found is None or found.shape != shape:
            found = self._held[name] = np.empty(shape, np.uint8)
        return found


class Canvas:
    """Places frames in a scene. Not thread-safe: owns buffers."""

    def __init__(self, width_px: int, height_px: int, background: Picture | None = None) -> None:
        """`background` replaces the scene's until `set_scene`; by default frames stand before the gradient."""
        if background is not None and background.shape != (height_px, width_px, 3):
            raise ValueError(f"a background must be uint8 {(height_px, width_px, 3)}, got {background.shape}")
        self.width_px = width_px
        self.height_px = height_px
        self.scene = Scene()
        self._behind = gradient(width_px, height_px) if background is None else background.copy()
        self._out = self._behind.copy()
        self._covered: list[Box] = []
        self._seen: Box | None = None
        """Where frames have not been transparent."""
        self._card: Picture | None = None
        self._cards = 0
        self._buffers = _Buffers()

    def set_scene(self, scene: Scene) -> None:
        """Place in another scene from now on. Cheap where only the placement is another one."""
        old, self.scene = self.scene, scene
        looks = (scene.background, scene.colour, scene.glow)
        if not scene.card:
            self._card = None
        if looks != (old.background, old.colour, old.glow) or scene.picture is not old.picture:
            self._behind = scene.behind(self.width_px, self.height_px)
            self._out = self._behind.copy()
            self._covered = []
        if scene.placement != old.placement:
            self._seen = None

    def place(self, pixels: Pixels, over: Overlay | None = None) -> Picture:
        """A frame in the scene, with what is laid over it. The returned picture is reused by the next call."""
        if self.scene.card:
            return self._test_card()
        for box in self._covered:
            area = (box.rows, box.columns)
            self._out[area] = self._behind[area]
        self._covered.clear()
        size_px = (self.width_px, self.height_px)
        self._seen, placed = _place(pixels, size_px, self.scene.placement, self._seen, self._buffers)
        if placed is not None:
            self._lay_character(*placed)
        if over is not None:
            area = (over.box.rows, over.box.columns)
            under = self._buffers.get("under", over.box.height, over.box.width, 3)
            cv2.multiply(self._out[area], over.hidden, dst=under, scale=1 / 255)
            cv2.add(under, over.colour, dst=under)
            self._out[area] = under
            self._covered.append(over.box)
        return self._out

    def _lay_character(self, shown: Box, seen: Pixels) -> None:
        area = (shown.rows, shown.columns)
        colour, hidden = (self._buffers.get(name, shown.height, shown.width, 3) for name in ("colour", "hidden"))
        veil = self._buffers.get("veil", shown.height, shown.width)
        cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB, dst=colour)
        cv2.extractChannel(seen, 3, dst=veil)
        cv2.cvtColor(cv2.bitwise_not(veil, dst=veil), cv2.COLOR_GRAY2RGB, dst=hidden)
        cv2.multiply(self._behind[area], hidden, dst=hidden, scale=1 / 255)
        cv2.add(hidden, colour, dst=colour)
        self._out[area] = colour
        self._covered.append(shown)

    def _test_card(self) -> Picture:
        if self._card is None:
            self._card = test_card.draw(self.width_px, self.height_px)
        test_card.mark(self._card, self._cards)
        self._cards += 1
        return self._card


def _place(
    pixels: Pixels, size_px: tuple[int, int], placement: Placement, seen: Box | None, buffers: _Buffers
) -> tuple[Box | None, tuple[Box, Pixels] | None]:
    """`seen` with this frame, and the frame's part on a canvas: where, and its pixels, multiplied by their alpha.

    The pixels lie in `buffers`.
    """
    side = pixels.shape[0]
    box = opaque_box(pixels)
    seen = grown(seen, box, side)
    if box is None or seen is None:
        return seen, None
    found = piece(side, *size_px, placement, seen)
    if found is None:
        return seen, None
    source, target = found.source, found.target()
    if target.width <= 0 or target.height <= 0:
        return seen, None
    part = buffers.get("part", source.height, source.width, 4)
    cv2.cvtColor(pixels[source.rows, source.columns], cv2.COLOR_RGBA2mRGBA, dst=part)
    # Far smaller, a linear look-up would skip pixels and flicker.
    way = cv2.INTER_AREA if target.height * 1.5 < source.height else cv2.INTER_LINEAR
    scaled = buffers.get("scaled", target.height, target.width, 4)
    cv2.resize(part, (target.width, target.height), dst=scaled, interpolation=way)
    shown = target.within(*size_px)
    if shown.width <= 0 or shown.height <= 0:
        return seen, None
    top, left = shown.top - target.top, shown.left - target.left
    return seen, (shown, scaled[top : top + shown.height, left : left + shown.width])


class Cutout:
    """Places frames before nothing: what a `Canvas` of that size shows, with straight alpha. Not thread-safe."""

    def __init__(self, width_px: int, height_px: int, *, bleeds: bool = False) -> None:
        """With `bleeds` the colours go on a little behind the edge, where alpha is 0.

        Whoever encodes colour at half the size would otherwise mix the edge with black.
        """
        self._out = np.zeros((height_px, width_px, 4), np.uint8)
        self._bleeds = bleeds
        self._placement = Placement()
        self._covered: Box | None = None
        self._seen: Box | None = None
        self._buffers = _Buffers()

    def place(self, pixels: Pixels, placement: Placement) -> Pixels:
        """A frame, RGBA, (height, width, 4). The returned picture is reused by the next call."""
        if self._covered is not None:
            self._out[self._covered.rows, self._covered.columns] = 0
            self._covered = None
        if placement != self._placement:
            self._placement, self._seen = placement, None
        height_px, width_px = self._out.shape[:2]
        self._seen, placed = _place(pixels, (width_px, height_px), placement, self._seen, self._buffers)
        if placed is None:
            return self._out
        shown, part = placed
        self._out[shown.rows, shown.columns] = _straight(part, self._bleeds)
        self._covered = shown
        return self._out


_BLEED_PX = 8


def _straight(part: Pixels, bleeds: bool) -> Pixels:
    """RGBA whose colours are no longer multiplied by alpha."""
    out: Pixels = cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_mRGBA2RGBA)
    if not bleeds:
        return out
    height, width = part.shape[:2]
    small_size = (max(1, width // _BLEED_PX), max(1, height // _BLEED_PX))
    small = cv2.cvtColor(cv2.resize(part, small_size, interpolation=cv2.INTER_AREA), cv2.COLOR_mRGBA2RGBA)
    around = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
    around[..., 3] = 0
    hidden = cv2.compare(cv2.extractChannel(out, 3), 0, cv2.CMP_EQ)
    cv2.copyTo(around, hidden, out)
    return out


_STEP_PX = 16


def grown(seen: Box | None, box: Box | None, side_px: int) -> Box | None:
    """`seen` and `box` together, with a transparent edge around them, in coarse steps.

    A part that is cut out of frames only ever grows: rounding it to whole px anew with each frame would make the
    picture tremble.
    """
    if seen is not None and max(seen.right, seen.bottom) > side_px:
        seen = None  # of frames of another size
    if box is None:
        return seen
    box = Box(
        max(0, (box.left - 1) // _STEP_PX * _STEP_PX),
        max(0, (box.top - 1) // _STEP_PX * _STEP_PX),
        min(side_px, -(-(box.right + 1) // _STEP_PX) * _STEP_PX),
        min(side_px, -(-(box.bottom + 1) // _STEP_PX) * _STEP_PX),
    )
    if seen is None:
        return box
    return Box(
        min(seen.left, box.left),
        min(seen.top, box.top),
        max(seen.right, box.right),
        max(seen.bottom, box.bottom),
    )


_KR, _KB = 0.2126, 0.0722
_Y = np.array([_KR, 1 - _KR - _KB, _KB])
BT709_LIMITED = np.array(
    [
        [*(_Y * 219 / 255), 16.0],
        [*((np.array([0.0, 0.0, 1.0]) - _Y) / (2 * (1 - _KB)) * 224 / 255), 128.0],
        [*((np.array([1.0, 0.0, 0.0]) - _Y) / (2 * (1 - _KR)) * 224 / 255), 128.0],
    ]
)
"""Rows Y, Cb, Cr; columns R, G, B, offset; 8-bit limited range (ITU-R BT.709-6, sections 3 and 4)."""


def i420(picture: Picture) -> npt.NDArray[np.uint8]:
    """RGB (h, w, 3), both even, as BT.709 limited-range I420 (h * 3 / 2, w): what OBS takes a webcam's picture for.

    pyvirtualcam's own RGB path and OpenCV convert by BT.601, which such viewers show with a colour shift (a red of
    200, 0, 0 as 217, 19, 0). Matrix: ITU-R BT.709, limited range; no value is off by more than 1.
    """
    height, width = picture.shape[:2]
    size, quarter = width * height, width * height // 4
    out = np.empty(size + 2 * quarter, np.uint8)
    small_shape = (height // 2, width // 2)
    small = cv2.resize(picture, small_shape[::-1], interpolation=cv2.INTER_AREA)
    # All three rows at once: OpenCV has vector code for three channels to three (0.4 ms at 720p), not to one (1.4 ms).
    cv2.extractChannel(cv2.transform(picture, BT709_LIMITED), 0, dst=out[:size].reshape(height, width))
    chroma = cv2.transform(small, BT709_LIMITED)
    cv2.extractChannel(chroma, 1, dst=out[size : size + quarter].reshape(small_shape))
    cv2.extractChannel(chroma, 2, dst=out[size + quarter :].reshape(small_shape))
    return out.reshape(height * 3 // 2, width)
