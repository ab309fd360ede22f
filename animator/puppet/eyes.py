"""The eyes of a photo: lids that shut, irises that look aside, brows that move."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.puppet.curves import Columns, Field, moved_rows, smoothstep, through
from animator.puppet.face_shape import Eye

Rgb = npt.NDArray[np.uint8]

# Right and left eye: upper and lower edge, brow, all from the outside to the inside; iris.
UPPER = {"right": (33, 246, 161, 160, 159, 158, 157, 173, 133), "left": (263, 466, 388, 387, 386, 385, 384, 398, 362)}
LOWER = {"right": (33, 7, 163, 144, 145, 153, 154, 155, 133), "left": (263, 249, 390, 373, 374, 380, 381, 382, 362)}
BROW = {"right": (70, 63, 105, 66, 107), "left": (300, 293, 334, 296, 336)}
BROW_UNDER = {"right": (46, 53, 52, 65, 55), "left": (276, 283, 282, 295, 285)}
IRIS = {"right": 468, "left": 473}

LASH = 0.10
"""Thickness of the lid's edge with its lashes, in parts of the eye's half width: it moves, but is not stretched."""
SKIN = 0.42
"""Height of the skin above it that is stretched over a shut eye."""
MEET = 0.82
"""Where the lids meet, from the upper to the lower edge."""


class EyeRig:
    """One photo's eye and its brow. `draw` is called by one thread."""

    def __init__(self, picture: Rgb, points: npt.NDArray[np.float32], side: str) -> None:
        """`picture` uint8 RGB with the face level in it, `points` (478, 3) in its px; `side` the person's."""
        size = picture.shape[0]
        xy = points[:, :2]
        outer, inner = xy[UPPER[side][0]], xy[UPPER[side][-1]]
        self._half = half = abs(float(inner[0] - outer[0])) / 2
        self._middle = middle = float(inner[0] + outer[0]) / 2
        nose_x = float(xy[168, 0])
        way = 1.0 if inner[0] > outer[0] else -1.0
        # From beyond the brow's tail to the middle of the nose.
        far = middle - way * 2.1 * half
        low_x, high_x = sorted((far, nose_x))
        x0, x1 = max(0, int(low_x)), min(size, int(high_x) + 1)
        brow_y = float(xy[list(BROW[side]), 1].min())
        eye_y = float((outer[1] + inner[1]) / 2)
        y0 = max(0, int(brow_y - 0.75 * (eye_y - brow_y)))
        y1 = min(size, int(eye_y + 1.0 * half) + 1)
        self.box = (slice(y0, y1), slice(x0, x1))
        self._source = np.ascontiguousarray(picture[self.box])
        self._x0, self._y0 = x0, y0
        self._columns = columns = np.arange(x0, x1, dtype=np.float32)
        self._rows = np.arange(y0, y1, dtype=np.float32)
        self._across = (columns - middle) / half
        soften = 0.06 * half
        upper = through(xy[list(UPPER[side])], columns, soften)
        lower = through(xy[list(LOWER[side])], columns, soften)
        lower = np.maximum(lower, upper)
        brow = (
            through(xy[list(BROW[side])], columns, 0.1 * half)
            + through(xy[list(BROW_UNDER[side])], columns, 0.1 * half)
        ) / 2
        lash = np.full_like(upper, LASH * half)
        skin = np.minimum(np.full_like(upper, SKIN * half), np.maximum(0.45 * (upper - brow), 2.0))
        top = np.full_like(upper, y0 + 1.0)
        end = np.full_like(upper, y1 - 2.0)
        brow = np.clip(brow, top + 1.0, upper - lash - skin - 1.0)
        self._seen = [
            top,
            brow,
            upper - lash - skin,
            upper - lash,
            upper,
            lower,
            np.minimum(lower + 0.5 * half, end),
            end,
        ]
        inside = np.abs(self._across)
        # What the lids' edges do ends at the eye's corners.
        self._lid = smoothstep((1.06 - inside) / 0.30)
        # The brow moves as a whole and fades out over nose and temple.
        brow_x = xy[list(BROW[side]), 0]
        inner_end = abs(nose_x - columns) / max(abs(nose_x - float(brow_x[-1])), 1.0)
        tail = way * (columns - float(brow_x[0])) / half
        self._brow = smoothstep(inner_end) * smoothstep((tail + 0.75) / 0.75)
        self._inner = np.clip(
            way * (columns - float(brow_x[0])) / max(abs(float(brow_x[-1] - brow_x[0])), 1.0), 0.0, 1.0
        )
        iris = xy[IRIS[side]]
        self._iris_x = float(iris[0])
        self.iris_px = (round(float(iris[0])), round(float(iris[1])))
        """Middle of the iris in the picture."""
        self._white = smoothstep((1.0 - np.abs(columns - self._iris_x) / (0.95 * half)) / 0.75)
        self._skin, self._lashes = self._made_up_lid(upper, lower)
        self._rest = Eye(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        self._shown_for = self._rest
        self._shown = self._source

    def _made_up_lid(self, upper: Columns, lower: Columns) -> tuple[Field, npt.NDArray[np.float32]]:
        """What a shut lid looks like, float RGB as large as the source, and the colour of the lashes.

        The skin around the eye, drawn in over it: in the photo hardly any of the lid is seen.
        """
        y, half = self._rows[:, None], self._half
        near = np.abs(self._across) < 1.1
        eye = (y > upper - 0.18 * half) & (y < lower + 0.10 * half) & near
        skin = cv2.inpaint(self._source, eye.astype(np.uint8), 0.3 * half + 1.0, cv2.INPAINT_TELEA)
        skin = cv2.GaussianBlur(skin, (0, 0), 0.10 * half + 0.5).astype(np.float32)
        # The hollow above an open eye is in shadow; a lid that comes down is in the light of the skin around.
        around = ((y > lower + 0.25 * half) & (y < lower + 0.6 * half)) | (
            (y > upper - 0.6 * half) & (y < upper - 0.3 * half)
        )
        lit = self._source[around & (np.abs(self._across) < 0.8)].astype(np.float32)
        if len(lit) and eye.any():
            bright = lit[np.argsort(lit.sum(axis=1))[len(lit) // 2 :]].mean(axis=0)
            skin += 0.55 * (bright - skin[eye].mean(axis=0))
        edge = (np.abs(y - upper) < 0.12 * half) & (np.abs(self._across) < 0.8)
        pixels = self._source[edge].astype(np.float32)
        if len(pixels) < 8:
            return skin, np.full(3, 40.0, np.float32)
        order = np.argsort(pixels.sum(axis=1))
        return skin, np.asarray(pixels[order[: max(len(order) // 6, 4)]].mean(axis=0), dtype=np.float32)

    def _shut_lid(self, picture: Rgb, upper: Columns, up: Columns, shut: Columns) -> None:
        """Lay the made-up lid over what the stretched skin shows between the open lid's edge and where it is now."""
        half = self._half
        y0 = max(int(float(upper.min()) - 0.3 * half) - self._y0, 0)
        y1 = min(int(float(up.max()) + 0.2 * half) + 2 - self._y0, picture.shape[0])
        y = self._rows[y0:y1, None]
        cut = picture[y0:y1].astype(np.float32)
        down = up - upper
        cover = smoothstep((y - upper + 0.16 * half) / (0.16 * half)) * np.clip(up - y + 1.0, 0.0, 1.0)
        cover = cover * smoothstep(down / (0.20 * half)) * smoothstep((1.0 - np.abs(self._across)) / 0.35)
        # A lid is round: lighter in its middle, and it throws a little shadow where it ends.
        light = 0.90 + 0.08 * smoothstep((up - y) / np.maximum(down, 1.0))
        cut += (0.9 * cover)[..., None] * (self._skin[y0:y1] * light[..., None] - cut)
        line = np.exp(-(((y - up) / (0.055 * half + 0.45)) ** 2)) * smoothstep((1.0 - np.abs(self._across)) / 0.2)
        line = 0.75 * line * smoothstep(shut / 0.6)
        cut += line[..., None] * (self._lashes - cut)
        picture[y0:y1] = np.clip(cut + 0.5, 0.0, 255.0).astype(np.uint8)

    def draw(self, eye: Eye) -> Rgb:
        """The part of the picture in `box` with the eye as asked; uint8 RGB, not to be changed by the caller."""
        if eye == self._shown_for:
            return self._shown
        if eye == self._rest:
            self._shown_for, self._shown = eye, self._source
            return self._source
        top, brow, crease, edge, upper, lower, under, end = self._seen
        half = self._half
        raise_px = 2.0 * half * self._brow * (eye.brow_outer + (eye.brow_inner - eye.brow_outer) * self._inner)
        tall = lower - upper
        shut = eye.shut * self._lid
        up = upper + MEET * np.minimum(shut, 1.0) * tall
        low = lower - self._lid * tall * np.minimum(max(eye.shut, 0.0) * (1.0 - MEET) + 0.3 * eye.lower, 1.0 - MEET)
        up = np.minimum(up, low)
        brow_shown = np.clip(brow - raise_px, top + 0.5, crease - 1.0)
        crease_shown = np.clip(crease - 0.3 * raise_px + 0.10 * (up - upper), brow_shown + 0.5, None)
        edge_shown = np.maximum(up - (upper - edge), crease_shown + 0.5)
        shown = [top, brow_shown, crease_shown, edge_shown, up, low, np.maximum(under, low + 0.5), end]
        rows = moved_rows(self._rows, self._seen, shown)
        # The ball behind the lids does not move with them; it turns.
        y = self._rows[:, None]
        inside = np.clip(y - up + 0.5, 0.0, 1.0) * np.clip(low - y + 0.5, 0.0, 1.0) * smoothstep((low - up) / 1.2)
        look_x, look_y = eye.look_x * half, eye.look_y * half
        ball_rows = np.clip(y - look_y * self._white, upper + 0.5, np.maximum(lower - 0.5, upper + 0.5))
        ball_columns = self._columns - look_x * self._white - self._x0
        columns = np.broadcast_to(self._columns - self._x0, rows.shape).astype(np.float32)
        lids = cv2.remap(self._source, columns, rows - self._y0, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        ball = cv2.remap(
            self._source,
            np.broadcast_to(ball_columns, rows.shape).astype(np.float32),
            (ball_rows - self._y0).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        weight = inside.astype(np.float32)
        picture: Rgb = cv2.blendLinear(ball, lids, weight, 1.0 - weight)
        if eye.shut > 0.0:
            self._shut_lid(picture, upper, up, shut)
        self._shown_for, self._shown = eye, picture
        return picture
