"""The mouth of a photo: lips that part and shut, and what is seen between them.

Lips are curves over the columns of a level picture. Showing a mouth moves the curves and everything between nose and
neck with them (`curves.moved_rows`); what opens between the lips is painted: upper teeth that stay with the skull,
lower teeth and tongue that go with the jaw, the dark of the mouth. Its light is the photo's own, taken from lips and
skin, and its teeth where the photo shows some.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from animator.puppet.curves import Columns, moved_rows, smoothstep, through
from animator.puppet.face_shape import Mouth

Rgb = npt.NDArray[np.uint8]

UPPER_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LOWER_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
UPPER_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
JAW = (132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361)

WIDEST_GAP = 0.66
"""Largest opening in parts of the mouth's half width. A loud "ah" opens about a third of the mouth's width."""
UPPER_SHARE = 0.16
"""Share of an opening that the upper lip makes; the jaw makes the rest."""
CHIN_SHARE = 0.66
"""How far the chin drops, in parts of the opening: the lower lip gives too."""
SHUT_GAP = 0.07
"""Lips that are this little apart in the photo (in parts of the half width) are shut in it."""
SEAM_SHARE = 0.38
"""Where open lips would meet, from the upper to the lower one: the jaw does most of the way."""


@dataclass(frozen=True, slots=True)
class Light:
    """Colours between the lips in this photo's light, float RGB."""

    teeth: tuple[float, float, float]
    flesh: tuple[float, float, float]
    dark: tuple[float, float, float]
    colourful: float
    """0 for a photo in black and white, 1 for one in colour."""


class MouthRig:
    """One photo's mouth. `draw` is called by one thread; it owns buffers."""

    def __init__(self, picture: Rgb, points: npt.NDArray[np.float32]) -> None:
        """`picture` uint8 RGB with the face level in it, `points` (478, 3) in its px."""
        size = picture.shape[0]
        xy = points[:, :2]
        left, right = xy[61], xy[291]
        self._half = half = float(right[0] - left[0]) / 2
        self._middle = middle = float(left[0] + right[0]) / 2
        face_px = float(xy[152, 1] - xy[10, 1])
        x0, x1 = max(0, int(middle - 2.3 * half)), min(size, int(middle + 2.3 * half) + 1)
        y0, y1 = max(0, int(xy[2, 1]) - 1), min(size, int(xy[152, 1] + 0.30 * face_px) + 1)
        self.box = (slice(y0, y1), slice(x0, x1))
        self._source = np.ascontiguousarray(picture[self.box])
        self._columns = np.arange(x0, x1, dtype=np.float32)
        self._rows = np.arange(y0, y1, dtype=np.float32)
        self._across = (self._columns - middle) / half
        self._x0, self._y0 = x0, y0

        soften = 0.03 * half
        curves = [
            through(xy[list(ids)], self._columns, soften)
            for ids in (UPPER_OUTER, UPPER_INNER, LOWER_INNER, LOWER_OUTER)
        ]
        top, upper, lower, bottom = curves
        lower = np.maximum(lower, upper)
        # A polyline through points leaves the corners a little open; there lips always meet.
        gap = float(np.interp(middle, self._columns, lower - upper))
        self.is_shut = gap < SHUT_GAP * half
        if self.is_shut:
            upper = lower = self._seam_of(picture, np.asarray((upper + lower) / 2, np.float32))
        else:  # teeth that are seen between the lips must not stay on them
            open_share = smoothstep((1.0 - np.abs(self._across)) / 0.25)
            upper, lower = upper - 0.035 * half * open_share, lower + 0.05 * half * open_share
            self._source = self._without_inside(upper, lower)
        top, bottom = np.minimum(top, upper - 0.5), np.maximum(bottom, lower + 0.5)
        nose = np.full_like(top, y0 + 1.0)
        jaw = through(xy[list(JAW)], self._columns, 0.1 * half)
        jaw = np.maximum(jaw, bottom + 0.12 * half)
        end = np.maximum(np.full_like(jaw, y1 - 2.0), jaw + 2.0)
        self._seen = [np.minimum(nose, top - 1.0), top, upper, lower, bottom, jaw, end]
        self._seam = upper + SEAM_SHARE * (lower - upper)
        self._seam_middle = float(np.interp(middle, self._columns, self._seam))
        within = np.abs(self._across)
        # How far columns take part in the jaw's drop: nothing at the side of the face.
        side = min(max(float(min(middle - xy[132, 0], xy[361, 0] - middle)) / half, 1.3), 2.2)
        self._reach = side * half
        self._jaw_share = smoothstep((side - within) / (0.95 * side))
        self._near_corner = np.where(within <= 1.0, within**2, np.exp(-(((within - 1.0) / 0.45) ** 2))).astype(
            np.float32
        )
        self._light = light_of(picture, points, None if self.is_shut else (self._columns, upper, lower))
        self._paint_teeth()
        self._shown_for: Mouth | None = None
        self._shown = self._source

    def _without_inside(self, upper: Columns, lower: Columns) -> Rgb:
        """The source with their colour in place of what is between its lips: shut ones would show its edges."""
        y = self._rows[:, None]
        reach = np.abs(self._across) < 1.06
        grow = 0.03 * self._half + 0.5
        mask = (y > upper - grow) & (y < lower + grow) & reach
        # The corners' shadow reaches beyond the points.
        grey = cv2.cvtColor(self._source, cv2.COLOR_RGB2GRAY).astype(np.float32)
        near = (y > upper - 0.10 * self._half) & (y < lower + 0.16 * self._half) & (np.abs(self._across) < 1.15)
        dark = grey < 0.55 * np.median(grey[near])
        mask = cv2.dilate((mask | (near & dark)).astype(np.uint8), np.ones((3, 3), np.uint8))
        filled: Rgb = cv2.inpaint(self._source, mask, 0.08 * self._half + 1.0, cv2.INPAINT_TELEA)
        return filled

    def _seam_of(self, picture: Rgb, guess: Columns) -> Columns:
        """Where shut lips meet: the darkest line near `guess`."""
        reach = max(2, round(0.07 * self._half))
        grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 0.8)
        shifts = np.arange(-reach, reach + 1, dtype=np.float32)
        rows = guess[None, :] + shifts[:, None]
        columns = np.broadcast_to(self._columns, rows.shape)
        looked = cv2.remap(grey, np.ascontiguousarray(columns), rows.astype(np.float32), cv2.INTER_LINEAR)
        looked = looked + 1.5 * (np.abs(shifts) / reach)[:, None] ** 2 * 8.0
        weight = np.exp(-(looked - looked.min(axis=0)) / 4.0)
        shift = (weight * shifts[:, None]).sum(axis=0) / weight.sum(axis=0)
        shift = np.where(np.abs(self._across) < 0.95, shift, 0.0).astype(np.float32)
        shift = cv2.GaussianBlur(shift[None], (0, 0), max(0.08 * self._half, 1.0), borderType=cv2.BORDER_REPLICATE)[0]
        return np.asarray(guess + shift, dtype=np.float32)

    def shape(self, mouth: Mouth) -> tuple[list[Columns], Columns, float]:
        """The curves to be shown, the source column of every column at the lips' height, and the gap in px."""
        half = self._half
        gap_px = mouth.gap * WIDEST_GAP * half
        at = self._source_columns(mouth.width)
        u = (at - self._middle) / half
        inside = np.maximum(1.0 - np.abs(u) ** (2.4 - 0.6 * mouth.round), 0.0) ** (0.75 - 0.15 * mouth.round)
        opened = gap_px * inside
        there = np.interp(at, self._columns, self._seam).astype(np.float32)
        near = np.interp(at, self._columns, self._near_corner).astype(np.float32)
        # Round lips smile less.
        there = there + 0.6 * mouth.round * smoothstep((1.3 - np.abs(u)) / 0.3) * (self._seam_middle - there)
        seam = there + near * (0.16 * gap_px - 0.13 * half * mouth.corners)

        def thick(outer: int, inner: int) -> Columns:
            lip = np.abs(self._seen[outer] - self._seen[inner])
            return np.asarray(np.interp(at, self._columns, lip), dtype=np.float32)

        upper = seam - UPPER_SHARE * opened
        lower = seam + (1.0 - UPPER_SHARE) * opened
        stretch = 0.12 * mouth.gap
        top = upper - thick(1, 2) * (1.0 - stretch + 0.22 * mouth.round)
        bottom = lower + thick(4, 3) * (1.0 - stretch + 0.16 * mouth.round)
        nose, jaw, end = self._seen[0], self._seen[5], self._seen[6]
        chin = jaw + self._jaw_share * (CHIN_SHARE * gap_px + self._closing(at))
        chin = np.minimum(np.maximum(chin, bottom + 1.0), end - 1.0)
        return [nose, np.maximum(top, nose + 1.0), upper, lower, bottom, chin, end], at, gap_px

    def _closing(self, at: Columns) -> float:
        """How far the chin comes up, in px (negative), where the photo's open mouth is shut."""
        opened = float(np.interp(self._middle, self._columns, self._seen[3] - self._seen[2]))
        return -0.7 * (1.0 - SEAM_SHARE) * opened

    def _source_columns(self, width: float) -> Columns:
        """Which column each column comes from at the height of the lips, for a mouth of `width` times its own."""
        x = self._columns - self._middle
        reach, end = width * self._half, self._reach
        distance = np.abs(x)
        inner = np.minimum(distance / reach, 1.0)
        outer = 1.0 - smoothstep((distance - reach) / (end - reach))
        pull = (self._half - reach) * inner * outer * np.sign(x)
        return np.asarray(self._columns + pull, dtype=np.float32)

    def draw(self, mouth: Mouth) -> Rgb:
        """The part of the picture in `box`, with the mouth as asked; uint8 RGB, not to be changed by the caller."""
        if mouth == self._shown_for:
            return self._shown
        shown, at, gap_px = self.shape(mouth)
        seen = [np.interp(at, self._columns, each).astype(np.float32) for each in self._seen]
        seen[0], seen[6] = self._seen[0], self._seen[6]
        rows = moved_rows(self._rows, seen, shown) - self._y0
        # Columns move at the lips' height; nothing at the nose and below the chin.
        middle = min(max(round(self._middle) - self._x0, 0), len(self._columns) - 1)
        above = smoothstep((self._rows - shown[0][middle]) / (shown[1][middle] - shown[0][middle]))
        below = 1.0 - smoothstep((self._rows - shown[4][middle]) / (0.8 * (shown[5][middle] - shown[4][middle])))
        across = (self._columns - self._x0) + (at - self._columns) * (above * below)[:, None]
        picture: Rgb = cv2.remap(
            self._source, across.astype(np.float32), rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        if not self.is_shut:
            self._paint_line(picture, shown[2], shown[3], at)
        if gap_px > 0.2:
            self._paint_inside(picture, shown[2], shown[3], at, gap_px, mouth)
        self._shown_for, self._shown = mouth, picture
        return picture

    def gap_px(self, mouth: Mouth) -> float:
        """The largest distance between the lips' inner edges in px."""
        shown, _, _ = self.shape(mouth)
        return float(np.max((shown[3] - shown[2])[np.abs(self._across) <= 1.0]))

    # --- between the lips ---------------------------------------------------------------------------------------

    def _paint_teeth(self) -> None:
        """Upper and lower row as RGBA float strips over the box's columns, drawn four times as large and made small."""
        width = len(self._columns)
        u = np.linspace(self._across[0], self._across[-1], 4 * width, dtype=np.float32)
        self._strip_px = tall = max(8, round(0.8 * self._half))
        teeth = np.array(self._light.teeth, np.float32)
        flesh = np.array(self._light.flesh, np.float32)

        def row(edges: list[float], biting: float, arch: float, sharp: float, bright: float) -> npt.NDArray[np.float32]:
            """RGBA (tall, width, 4); the biting edge of the middle at row `biting` of the strip, teeth above it."""
            y = np.linspace(0, tall, 4 * tall, endpoint=False, dtype=np.float32)[:, None] / self._half
            edge = biting - arch * u**2
            shade, cut = np.ones_like(u), np.zeros_like(u)
            for a, b in pairwise(edges):
                for sign in (1.0, -1.0):
                    place = (sign * u - a) / (b - a)
                    here = (place >= 0.0) & (place < 1.0)
                    round_off = np.abs(2.0 * place - 1.0)
                    cut = np.where(here, sharp * round_off**5, cut)
                    shade = np.where(here, 1.0 - 0.09 * round_off**10, shade)
            alpha = smoothstep((edge - cut - y) / 0.02 + 0.5) * (np.abs(u) < edges[-1])
            # Round as the arch of the jaw: what lies further back has less light.
            light = bright * shade * (1.0 - 0.80 * np.minimum(np.abs(u / edges[-1]), 1.0) ** 2.6)
            depth = np.clip((edge - y) / 0.5, 0.0, 1.0)
            light = light * (1.0 - 0.15 * depth)
            colour = np.broadcast_to(teeth, (*light.shape, 3)) * light[..., None]
            gum = smoothstep((edge - y - 0.40 + 0.08 * np.cos(np.pi * np.clip(np.abs(u) * 4.0, 0.0, 3.0))) / 0.05)[
                ..., None
            ]
            colour = colour * (1.0 - gum) + 0.9 * flesh * light[..., None] * gum
            strip = np.concatenate([colour * alpha[..., None], 255.0 * alpha[..., None]], axis=-1).astype(np.float32)
            small: npt.NDArray[np.float32] = cv2.resize(strip, (width, tall), interpolation=cv2.INTER_AREA)
            return small

        self._upper = row([0.0, 0.165, 0.305, 0.44, 0.56, 0.67, 0.77, 0.86, 0.94], 0.70, 0.13, 0.018, 1.0)
        # The lower row is the upper one upside down, with narrower teeth.
        self._lower = row([0.0, 0.105, 0.215, 0.335, 0.45, 0.55, 0.64, 0.73, 0.82], 0.70, 0.10, 0.014, 0.84)[
            ::-1
        ].copy()
        self._bite_px = 0.70 * self._half

    def _paint_line(self, picture: Rgb, upper: Columns, lower: Columns, at: Columns) -> None:
        """The shadow where lips meet, which a photo of open lips does not have; gone where they part."""
        y0, y1 = math.floor(float(upper.min()) - 3) - self._y0, math.ceil(float(lower.max()) + 4) - self._y0
        y = np.arange(y0, y1, dtype=np.float32)[:, None] + self._y0
        u = np.abs(at - self._middle) / self._half
        wide = 0.022 * self._half + 0.6
        strength = 0.42 * smoothstep((1.02 - u) / 0.12) * smoothstep((1.5 - (lower - upper)) / 1.5)
        shadow = 1.0 - strength * np.exp(-(((y - (upper + lower) / 2) / wide) ** 2))
        cut = picture[y0:y1].astype(np.float32)
        warm = 0.4 * self._light.colourful
        tint = np.stack(
            [shadow ** (1.0 - 0.75 * warm), shadow ** (1.0 + 0.25 * warm), shadow ** (1.0 + 0.25 * warm)], axis=-1
        )
        picture[y0:y1] = (cut * tint + 0.5).astype(np.uint8)

    def _paint_inside(
        self, picture: Rgb, upper: Columns, lower: Columns, at: Columns, gap_px: float, mouth: Mouth
    ) -> None:
        inside = np.flatnonzero(lower - upper > 0.05)
        if inside.size == 0:
            return
        x0, x1 = int(inside[0]), int(inside[-1]) + 1
        upper, lower = upper[x0:x1] - self._y0, lower[x0:x1] - self._y0
        y0 = max(0, math.floor(float(upper.min())) - 1)
        y1 = min(picture.shape[0], math.ceil(float(lower.max())) + 2)
        y = np.arange(y0, y1, dtype=np.float32)[:, None]
        half = self._half
        u = (at[x0:x1] - self._middle) / half
        # Teeth keep their place in the skull while the lips move over them.
        place = self._across[x0:x1]
        seam = float(np.interp(self._middle, self._columns, self._seam)) - self._y0
        deep = np.clip((y - upper) / np.maximum(lower - upper, 1.0), 0.0, 1.0)

        dark, flesh = (np.array(colour, np.float32) for colour in (self._light.dark, self._light.flesh))
        colour = dark * (0.70 + 0.45 * deep + 0.5 * np.abs(place) ** 2)[..., None]
        # The tongue: a soft mound that rises with the vowels of its tip, and lies with the jaw.
        rise = seam + (0.46 - 0.12 * mouth.tongue) * gap_px
        mound = rise + 0.30 * gap_px * (place / 0.62) ** 2
        tongue = smoothstep((y - mound) / (0.10 * half) + 0.5) * smoothstep((0.66 - np.abs(place)) / 0.14)
        groove = 1.0 - 0.18 * np.exp(-((place / 0.07) ** 2))
        lit = (0.62 + 0.30 * deep) * groove
        colour = colour + (tongue * lit)[..., None] * (flesh - colour / np.maximum(lit, 0.2)[..., None])
        # Lower teeth go with the jaw and stand behind the upper ones.
        colour = self._laid(
            colour, self._lower, x0, x1, y0, seam + 0.66 * gap_px + half * (0.02 + 0.25 * mouth.round), -1
        )
        colour = self._laid(colour, self._upper, x0, x1, y0, seam + half * (0.085 - 0.16 * mouth.round), 1)
        # Light falls in from the front: less under the upper lip, in the corners, and through a narrow gap.
        under = 0.84 + 0.16 * smoothstep((y - upper) / (0.09 * half))
        over = 0.80 + 0.20 * smoothstep((lower - y) / (0.06 * half))
        corner = 1.0 - 0.35 * np.abs(u) ** 4
        narrow = 0.85 + 0.15 * min(1.0, gap_px / (0.16 * half))
        lit = under * over * (corner * narrow)
        warm = self._light.colourful
        colour = colour * np.stack(
            [lit ** (1.0 - 0.15 * warm), lit ** (1.0 + 0.05 * warm), lit ** (1.0 + 0.15 * warm)], axis=-1
        )
        alpha = np.clip(y - upper + 0.5, 0.0, 1.0) * np.clip(lower - y + 0.5, 0.0, 1.0)
        alpha *= smoothstep((lower - upper) / 0.9)
        cut = picture[y0:y1, x0:x1]
        mixed = cut + alpha[..., None] * (colour - cut)
        picture[y0:y1, x0:x1] = np.clip(mixed + 0.5, 0.0, 255.0).astype(np.uint8)

    def _laid(
        self,
        colour: npt.NDArray[np.float32],
        strip: npt.NDArray[np.float32],
        x0: int,
        x1: int,
        y0: int,
        edge_y: float,
        way: int,
    ) -> npt.NDArray[np.float32]:
        """`colour` with a row of teeth over it whose biting edge is at `edge_y` of the box."""
        bite = self._bite_px if way > 0 else self._strip_px - self._bite_px
        top = edge_y - bite - y0  # where the strip's first row comes to lie
        placed = cv2.warpAffine(
            strip[:, x0:x1],
            np.array([[1.0, 0.0, 0.0], [0.0, 1.0, top]], np.float32),
            (x1 - x0, colour.shape[0]),
            flags=cv2.INTER_LINEAR,
        )
        alpha = placed[..., 3:] / 255.0
        return np.asarray(colour * (1.0 - alpha) + placed[..., :3], dtype=np.float32)


def light_of(
    picture: Rgb,
    points: npt.NDArray[np.float32],
    opening: tuple[Columns, Columns, Columns] | None,
) -> Light:
    """Colours between the lips for this photo.

    Teeth are as bright as the skin beside the mouth and half as coloured; where the photo's lips are apart
    (`opening`: columns and the curves of the inner edges) and something pale is between them, teeth have that colour.
    """
    xy = points[:, :2]
    cheeks = [_mean(picture, xy[k]) for k in (50, 280, 205, 425)]
    skin = np.max(np.stack(cheeks), axis=0)
    luma = float(skin @ np.array([0.299, 0.587, 0.114]))
    teeth = 0.45 * skin + 0.55 * luma
    teeth = teeth * min(1.12, 225.0 / max(float(teeth.max()), 1.0)) * np.array([1.0, 0.985, 0.93])
    if opening is not None:
        columns, upper, lower = opening
        found = [
            picture[int(y), int(x)]
            for x, a, b in zip(columns, upper, lower, strict=True)
            for y in range(int(a) + 1, int(b))
            if 0 <= y < picture.shape[0]
        ]
        if len(found) >= 12:
            pixels = np.array(found, np.float32)
            brightness = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
            pale = pixels[
                (pixels.max(axis=1) - pixels.min(axis=1) < 0.4 * pixels.max(axis=1)) & (brightness > 0.55 * luma)
            ]
            if len(pale) >= 12:
                order = np.argsort(pale.sum(axis=1))
                teeth = pale[order[len(order) // 2 :]].mean(axis=0)
    lip = np.mean(np.stack([_mean(picture, xy[k]) for k in (84, 314, 17, 181, 405)]), axis=0)
    flesh = np.array([0.90, 0.62, 0.60]) * (0.5 * lip + 0.5 * np.array([luma, 0.62 * luma, 0.58 * luma]))
    dark = np.array([0.27, 0.115, 0.105]) * luma
    # A photo without colour has none between the lips either.
    colourful = min(1.0, float(np.ptp(skin)) / max(0.22 * float(skin.max()), 1.0))
    weights = np.array([0.299, 0.587, 0.114])
    teeth, flesh, dark = (
        float(each @ weights) + colourful * (each - float(each @ weights)) for each in (teeth, flesh, dark)
    )
    red, green, blue = 0, 1, 2

    def three(each: npt.NDArray[np.float64]) -> tuple[float, float, float]:
        return float(each[red]), float(each[green]), float(each[blue])

    return Light(three(teeth), three(flesh), three(dark), colourful)


def _mean(picture: Rgb, at: npt.NDArray[np.float32], radius: int = 3) -> npt.NDArray[np.float64]:
    x, y = round(float(at[0])), round(float(at[1]))
    cut = picture[max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1].reshape(-1, 3)
    return np.asarray(cut.mean(axis=0) if len(cut) else np.full(3, 128.0))
