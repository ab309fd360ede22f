"""From any picture of a character to the art that THA3 can move: read, cut out, placed, and looked at.

Pure but for `read_art`. Every function may take a second, so the window calls them on a thread of its own.

Pictures come from strangers: kind and size are checked before anything is decoded.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from animator.character import (
    EYES_Y,
    LARGE_PX,
    MAX_FILE_BYTES,
    MAX_PIXELS,
    MIN_SIDE_PX,
    SIZE_PX,
    CharacterError,
    FaceGuess,
    check_image,
    find_face,
    read_limited,
)
from animator.messages import Pixels

WORK_PX = 2560
"""Larger art is brought down to this on its longer side. A head that takes a tenth of it still has 256 px, which is
what the face of 1024 px shows of it."""
KINDS = ("PNG", "JPEG", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")

Mask = npt.NDArray[np.bool_]
_Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Art:
    """A picture as it came: uint8 RGBA, straight alpha, shape (height, width, 4), at most WORK_PX on each side."""

    pixels: Pixels
    has_background: bool
    """Nothing, or nearly nothing, of it is transparent."""
    notes: tuple[str, ...] = ()


def read_art(file: Path) -> Art:
    """Read a PNG, JPEG or WebP.

    Raises:
        CharacterError: If it is none of these, too large, too small or damaged.
    """
    return decode_art(read_limited(file, MAX_FILE_BYTES, "The picture"))


def decode_art(data: bytes) -> Art:
    """As `read_art`, of a file's bytes."""
    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # what Pillow thinks a bomb is larger than what is allowed here
            with Image.open(BytesIO(data), formats=KINDS) as picture:
                _check_size(*picture.size)
                if getattr(picture, "n_frames", 1) > 1:
                    notes.append("The picture is animated; only its first frame is used.")
                image = picture.convert("RGBA")
    except CharacterError:
        raise
    except UnidentifiedImageError as error:
        raise CharacterError("This file is no picture that can be read.", "Give a PNG, a JPEG or a WebP.") from error
    except Exception as error:  # a decoder fed with a stranger's bytes may raise anything
        raise CharacterError("The picture is damaged and cannot be decoded.", "Export it again as PNG.") from error
    longer = max(image.size)
    if longer > WORK_PX:
        size = (round(image.width * WORK_PX / longer), round(image.height * WORK_PX / longer))
        image = image.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    pixels = np.array(image, dtype=np.uint8)
    pixels[pixels[:, :, 3] < 3] = 0
    return Art(pixels, _has_background(pixels), tuple(notes))


def _check_size(width_px: int, height_px: int) -> None:
    if width_px * height_px > MAX_PIXELS:
        raise CharacterError(
            f"The picture has {width_px}x{height_px} pixels, more than {MAX_PIXELS // 1_000_000} million.",
            "Scale it down.",
        )
    if min(width_px, height_px) < MIN_SIDE_PX:
        raise CharacterError(
            f"The picture has only {width_px}x{height_px} pixels.",
            f"Draw or export it with at least {MIN_SIDE_PX}x{MIN_SIDE_PX}.",
        )


def _has_background(pixels: Pixels) -> bool:
    # Cut-outs leave most of their upper corners empty, wherever the character stands.
    alpha = pixels[:, :, 3]
    height, width = alpha.shape
    corners = np.concatenate([alpha[: height // 6, : width // 6].ravel(), alpha[: height // 6, -width // 6 :].ravel()])
    return float(np.mean(corners > 200)) > 0.6 or float(np.mean(alpha > 200)) > 0.92


# --- the background -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """`pixels` as in Art, with everything around the character at alpha 0.

    `method`: "colour" where the background is one colour or a soft gradient; "guess" where a search had to tell the
    character from it, which may well take a part for the other.
    """

    pixels: Pixels
    method: Literal["colour", "guess"]


_MIN_KEPT, _MAX_KEPT = 0.02, 0.92
"""Shares of the picture that a character may cover."""
_PLAIN_SHARE = 0.85
"""So much of the border of the picture's upper part has to fit a smooth background."""
_NEAR = 7.0
"""Distance in CIE Lab up to which a pixel may belong to a plain background; JPEG adds its own noise to it."""
_SEARCH_PX = 480
"""GrabCut looks at this size: 1 to 2 s on one core."""


def remove_background(pixels: Pixels, *, by_colour: bool = True) -> Cutout:
    """Cut the character out of a picture whose background was drawn, `pixels` as in Art.

    Without `by_colour` it is searched for even where the background is plain: clothes in its very colour go with it.

    Raises:
        CharacterError: If the character cannot be told from the background.
    """
    lab = _lab(pixels)
    plain = _plain_background(lab) if by_colour else None
    if plain is not None:
        background, spread = plain
        kept = _in_front(lab, background, spread)
        share = float(np.mean(kept))
        if share <= _MIN_KEPT:
            raise _NOT_TOLD_APART
        if share < _MAX_KEPT:
            return Cutout(_cut(pixels, lab, background, kept), "colour")
    return Cutout(_cut_by_search(pixels), "guess")


def _lab(pixels: Pixels) -> _Floats:
    """CIE Lab, float32, L in [0, 100]."""
    lab: _Floats = cv2.cvtColor(pixels[:, :, :3].astype(np.float32) / 255.0, cv2.COLOR_RGB2Lab)
    return lab


def _plain_background(lab: _Floats) -> tuple[_Floats, float] | None:
    """A smooth background that explains the border: its Lab at every pixel, and how far the border strays from it.

    A quadratic over the picture, so that gradients and vignettes count as plain; None where there is none such.
    """
    height, width = lab.shape[:2]
    border = np.zeros((height, width), dtype=bool)
    edge = max(2, min(height, width) // 200)
    border[:edge] = border[:, :edge] = border[:, -edge:] = True  # not the lower edge: bodies are cut by it
    rows, columns = np.nonzero(border)
    step = max(1, len(rows) // 6000)
    rows, columns = rows[::step], columns[::step]
    colours = lab[rows, columns]
    terms = _terms(rows / height, columns / width)
    fits = np.linalg.norm(colours - np.median(colours, axis=0), axis=1) < 25.0
    for _ in range(4):
        if float(np.mean(fits)) < 0.4:
            return None
        weights, *_ = np.linalg.lstsq(terms[fits], colours[fits], rcond=None)
        away = np.linalg.norm(colours - terms @ weights, axis=1)
        fits = away < min(max(_NEAR, 2.5 * float(np.median(away[fits]))), 2.0 * _NEAR)
    # Further down, shoulders and skirts may well be cut by the edges.
    if float(np.mean(fits[rows < 0.6 * height])) < _PLAIN_SHARE:
        return None
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    model = _terms(y / height, x / width).astype(np.float32) @ weights.astype(np.float32)
    return model.astype(np.float32), float(np.percentile(away[fits], 98))


def _terms(y: npt.NDArray[np.floating], x: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.stack([np.ones_like(x), x, y, x * x, y * y, x * y], axis=-1)


def _in_front(lab: _Floats, background: _Floats, spread: float) -> Mask:
    """What is not background."""
    away = np.linalg.norm(lab - background, axis=2)
    near = away < max(_NEAR, 1.5 * spread)
    _, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=4)
    outside = np.unique(np.concatenate([labels[0], labels[:, 0], labels[:, -1]]))
    behind = np.isin(labels, outside[outside > 0])
    middle = background.reshape(-1, 3).mean(axis=0)
    if float(np.hypot(middle[1], middle[2])) > 30.0:
        # A colour that nobody is drawn in, as a green screen: also what shows through between arm and body goes. A
        # white or grey one stays there, or eyes and shirts would get holes.
        behind |= near
    return _without_specks(~behind)


def _without_specks(kept: Mask, share: float = 0.004) -> Mask:
    """Without parts that are smaller than a `share` of the largest one."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(kept.astype(np.uint8), connectivity=8)
    if count <= 2:
        return kept
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = 1 + np.flatnonzero(areas >= share * areas.max())
    return np.isin(labels, large)


def _cut(pixels: Pixels, lab: _Floats, background: _Floats, kept: Mask) -> Pixels:
    """Alpha of the mask, its outermost pixels as transparent as their colour is mixed, free of the background's."""
    away = np.linalg.norm(lab - background, axis=2)
    inner = cv2.erode(kept.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    rim = kept & ~inner
    # A pixel of the outline mixes what stands there with what is behind: by how much, the pixels beside it tell.
    strongest = cv2.dilate(np.where(kept, away, 0.0).astype(np.float32), np.ones((5, 5), np.uint8))
    alpha = kept.astype(np.float32)
    alpha[rim] = np.clip(away[rim] / np.maximum(strongest[rim], 1e-3), 0.0, 1.0)
    rgb = cv2.cvtColor(background, cv2.COLOR_Lab2RGB) * 255.0
    share = np.maximum(alpha, 0.15)[:, :, None]
    own = np.where(rim[:, :, None], (pixels[:, :, :3] - rgb * (1.0 - share)) / share, pixels[:, :, :3])
    return _joined(own, np.minimum(alpha * 255.0, pixels[:, :, 3]))


def _joined(rgb: npt.NDArray[np.floating], alpha: npt.NDArray[np.floating]) -> Pixels:
    result = np.empty((*alpha.shape, 4), dtype=np.uint8)
    result[:, :, :3] = np.clip(np.rint(rgb), 0, 255)
    result[:, :, 3] = np.rint(alpha)
    result[result[:, :, 3] < 3] = 0
    return result


def _cut_by_search(pixels: Pixels) -> Pixels:
    """GrabCut: the edges of the picture are taken for background, its middle for the character."""
    height, width = pixels.shape[:2]
    scale = min(1.0, _SEARCH_PX / max(height, width))
    size = (round(width * scale), round(height * scale))
    small = cv2.resize(np.ascontiguousarray(pixels[:, :, :3]), size, interpolation=cv2.INTER_AREA)
    rows, columns = small.shape[:2]
    guess = np.full((rows, columns), cv2.GC_PR_BGD, dtype=np.uint8)
    guess[rows // 10 :, columns // 5 : -columns // 5] = cv2.GC_PR_FGD
    guess[: max(2, rows // 40)] = cv2.GC_BGD
    side = max(2, columns // 40)
    guess[: rows * 2 // 3, :side] = guess[: rows * 2 // 3, -side:] = cv2.GC_BGD
    guess[rows // 2 :, columns * 9 // 20 : columns * 11 // 20] = cv2.GC_FGD
    try:
        cv2.setRNGSeed(20)  # the same picture is cut the same way every time
        cv2.grabCut(small, guess, None, np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_MASK)
    except cv2.error as error:
        raise _NOT_TOLD_APART from error
    kept = _without_specks((guess == cv2.GC_FGD) | (guess == cv2.GC_PR_FGD), share=0.3)
    if not _MIN_KEPT < float(np.mean(kept)) < _MAX_KEPT:
        raise _NOT_TOLD_APART
    soft = cv2.GaussianBlur(kept.astype(np.float32), (0, 0), 1.2)
    large = cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC)
    alpha = np.clip((large - 0.5) * 3.0 + 0.35, 0.0, 1.0)  # a little inside, where the background's colour is gone
    return _joined(pixels[:, :, :3].astype(np.float32), np.minimum(alpha * 255.0, pixels[:, :, 3]))


_NOT_TOLD_APART = CharacterError(
    "The character cannot be told from the background of this picture.",
    "Cut it out in a paint program and save it as PNG with a transparent background.",
)


# --- where the head belongs -----------------------------------------------------------------------------------------

MIN_SCALE, MAX_SCALE = 0.02, 8.0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the art lies on the face's 512 x 512 px: px of the face per px of the art, and its upper left corner."""

    scale: float
    left: float
    top: float

    def moved(self, right: float, down: float) -> Placement:
        """The art further to the right and down, in px of the face."""
        return replace(self, left=self.left + right, top=self.top + down)

    def zoomed(self, factor: float, x: float, y: float) -> Placement:
        """The art larger by `factor` around the place (x, y) of the face, within the limits of what makes sense."""
        scale = min(max(self.scale * factor, MIN_SCALE), MAX_SCALE)
        ratio = scale / self.scale
        return Placement(scale, x + (self.left - x) * ratio, y + (self.top - y) * ratio)


def placed(pixels: Pixels, placement: Placement, side_px: int = SIZE_PX) -> Pixels:
    """The art at its place, uint8 RGBA (side_px, side_px, 4); what it does not cover is empty."""
    height, width = pixels.shape[:2]
    side = SIZE_PX / placement.scale
    left, top = -placement.left / placement.scale, -placement.top / placement.scale
    # Only what is seen of the art, so that one at a fraction of its size does not fill a huge square first.
    factor = side_px / side
    crop = (max(0, int(left)), max(0, int(top)), min(width, int(left + side) + 2), min(height, int(top + side) + 2))
    canvas = Image.new("RGBa", (side_px, side_px))
    if crop[0] < crop[2] and crop[1] < crop[3]:
        seen = Image.fromarray(pixels[crop[1] : crop[3], crop[0] : crop[2]]).convert("RGBa")
        # Edges of the result on whole pixels; the box in the art is as exact as floats are.
        at = [(crop[0] - left) * factor, (crop[1] - top) * factor, (crop[2] - left) * factor, (crop[3] - top) * factor]
        x0, y0 = max(0, int(np.ceil(at[0]))), max(0, int(np.ceil(at[1])))
        x1, y1 = min(side_px, int(np.floor(at[2]))), min(side_px, int(np.floor(at[3])))
        if x1 > x0 and y1 > y0:
            box = (
                max(0.0, left + x0 / factor - crop[0]),
                max(0.0, top + y0 / factor - crop[1]),
                min(float(seen.width), left + x1 / factor - crop[0]),
                min(float(seen.height), top + y1 / factor - crop[1]),
            )
            canvas.paste(seen.resize((x1 - x0, y1 - y0), Image.Resampling.LANCZOS, box=box), (x0, y0))
    result = np.array(canvas.convert("RGBA"), dtype=np.uint8)
    result[result[:, :, 3] < 3] = 0
    return result


def whole(pixels: Pixels) -> Placement:
    """The whole art in the middle of the face's square, standing on its lower edge."""
    height, width = pixels.shape[:2]
    scale = min(SIZE_PX / width, SIZE_PX / height)
    return Placement(scale, (SIZE_PX - width * scale) / 2, SIZE_PX - height * scale)


def guess_placement(pixels: Pixels) -> Placement | None:
    """The placement at which the head lies where THA3 looks for it; None where no face was found.

    The art has to be cut out. Full figures, busts and heads are all tried.
    """
    solid = pixels[:, :, 3] > 127
    rows = np.flatnonzero(solid.sum(axis=1) >= max(2, pixels.shape[1] // 100))
    if rows.size == 0:
        return None
    # What lies as it should is left as its painter placed it.
    height, width = pixels.shape[:2]
    side = min(height, width)
    as_it_is = Placement(SIZE_PX / side, (width - side) / -2 * SIZE_PX / side, 0.0)
    if _fits(placed(pixels, as_it_is)):
        return as_it_is
    top, bottom = int(rows[0]), int(rows[-1])
    height = bottom - top + 1
    middle = float(np.median(np.nonzero(solid[top : top + max(1, height // 8)])[1]))
    found: list[tuple[float, Placement]] = []
    for size in (0.7, 1.7, 4.2):  # find_face looks from 0.4 to 2.4 of what it wants: these overlap
        scale = size * 448.0 / height
        tried = Placement(scale, 256 - middle * scale, 60 - top * scale)
        for _ in range(3):
            face = find_face(placed(pixels, tried))
            if face is None:
                break
            found.append((face.score, tried := _towards(tried, face)))
            if abs(face.scale - 1.0) < 0.06 and abs(face.x - 256) < 3 and abs(face.eyes_y - EYES_Y) < 3:
                break
        if found and _fits(placed(pixels, found[-1][1])):
            return _standing(pixels, found[-1][1], bottom)
    return max(found, key=lambda each: each[0])[1] if found else None


def _towards(placement: Placement, face: FaceGuess) -> Placement:
    return placement.zoomed(1.0 / face.scale, face.x, face.eyes_y).moved(256 - face.x, EYES_Y - face.eyes_y)


def _standing(pixels: Pixels, placement: Placement, bottom: int) -> Placement:
    """The same a little larger where that brings the figure, which ends at row `bottom`, down to the lower edge.

    THA3 likes bodies that are cut by it, and a head may well be somewhat larger than its box.
    """
    ends = placement.top + (bottom + 1) * placement.scale
    factor = (SIZE_PX - EYES_Y) / (ends - EYES_Y) if ends > EYES_Y else _MAX_GROWTH + 1.0
    if not 1.0 < factor <= _MAX_GROWTH:
        return placement
    larger = placement.zoomed(factor, 256.0, EYES_Y)
    return larger if _fits(placed(pixels, larger)) else placement


_MAX_GROWTH = 1.25


def _fits(image: Pixels) -> bool:
    try:
        check_image(image)
    except CharacterError:
        return False
    return True


def large_of(pixels: Pixels, placement: Placement) -> Pixels | None:
    """The art at LARGE_PX where it has that many pixels of its own, None elsewhere."""
    if placement.scale > SIZE_PX / LARGE_PX * 1.1:
        return None
    return placed(pixels, placement, LARGE_PX)


# --- the mouth ------------------------------------------------------------------------------------------------------

Mouth = Literal["open", "closed", "unknown"]
_NOT_SKIN = 14.0
"""Distance in CIE Lab from the cheeks' colour."""
_OPEN_PX = 3.2
"""Mean height of an open mouth at least, of a face of THA3's size: lines drawn for a shut one have 1 to 2.5."""


def mouth_of(image: Pixels) -> Mouth:
    """Whether the mouth is drawn open in `image`, uint8 RGBA (512, 512, 4) with the head at its place.

    THA3 opens a mouth to what is drawn in it: a line gives it nothing to show.
    """
    face = find_face(image)
    if face is None:
        return "unknown"
    s = face.scale
    rgb = image[:, :, :3].astype(np.float32) / 255.0
    lab: _Floats = cv2.cvtColor(rgb, cv2.COLOR_RGB2Lab)
    cheeks = np.concatenate([_box(lab, face.x + dx * s, face.eyes_y + 22 * s, 10 * s, 6 * s) for dx in (-17, 17)])
    x0, y0 = round(face.x - 20 * s), round(face.eyes_y + 20 * s)
    region = lab[y0 : round(face.eyes_y + 46 * s), x0 : round(face.x + 20 * s)]
    if region.size == 0 or cheeks.size == 0:
        return "unknown"
    other = np.linalg.norm(region - np.median(cheeks, axis=0), axis=2) > _NOT_SKIN
    outlines, _ = cv2.findContours(other.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    thickest = 0.0
    for outline in outlines:
        x, y, width, height = cv2.boundingRect(outline)
        is_cut = x == 0 or x + width == other.shape[1] or y + height == other.shape[0]  # hair, or the chin's edge
        off_px = abs(x + width / 2 + x0 - face.x)
        if is_cut or width < 6 * s or off_px > 8 * s:
            continue
        filled = np.zeros(other.shape, dtype=np.uint8)
        cv2.drawContours(filled, [outline], -1, 1, cv2.FILLED)  # teeth may be as light as skin
        thickest = max(thickest, float(filled.sum()) / width / s)
    if thickest == 0.0:
        return "unknown"
    return "open" if thickest >= _OPEN_PX else "closed"


def _box(lab: _Floats, x: float, y: float, width: float, height: float) -> _Floats:
    x0, y0 = round(x - width / 2), round(y - height / 2)
    return lab[max(0, y0) : round(y + height / 2), max(0, x0) : round(x + width / 2)].reshape(-1, 3)
