"""A photo made ready to move: the face level and in its place, its points, and who is in front of what.

Pure but for the networks that it runs.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from animator.human.landmarks import Points, Rgb, run

SIZE_PX = 512
FACE_SHARE = 0.30
"""Height of the face, hairline to chin, in parts of the portrait, where the photo has that much around it."""
EYES_AT = 0.335
"""Height of the eyes. The canvas shows rows 0.047 to 0.797 of a frame (`app/canvas.py`)."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """One face, level and in its place.

    `picture` is uint8 RGB (side, side, 3), `points` float32 (478, 3) in its px, `person` uint8 (side, side) with 255
    for the person, `behind` uint8 RGB: the picture with the person taken out.
    """

    picture: Rgb
    points: Points
    person: npt.NDArray[np.uint8]
    behind: Rgb


def portrait_of(picture: Rgb, points: Points, side_px: int = SIZE_PX) -> Portrait:
    """Cut the portrait around the face whose `points` these are out of `picture`, the eyes level."""
    placed = placed_at(picture.shape[1], picture.shape[0], points, side_px)
    cut, moved = cut_at(picture, placed, side_px), moved_by(points, placed)
    person = person_of(cut, moved)
    return Portrait(cut, moved, person, behind(cut, person))


def cut_at(picture: Rgb, placed: npt.NDArray[np.float64], side_px: int = SIZE_PX) -> Rgb:
    """The square of `picture` that `placed` (2, 3) brings to px of the portrait, uint8 RGB (side, side, 3)."""
    scale = float(np.hypot(placed[0, 0], placed[1, 0]))
    if scale < 0.67:
        picture = cv2.GaussianBlur(picture, (0, 0), 0.4 / scale)
    cut: Rgb = cv2.warpAffine(
        picture,
        placed,
        (side_px, side_px),
        flags=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cut


def moved_by(points: Points, placed: npt.NDArray[np.float64]) -> Points:
    """Points (..., 478, 3) of the picture in px of the portrait, float32."""
    moved = points.astype(np.float64)
    moved[..., :2] = moved[..., :2] @ placed[:, :2].T + placed[:, 2]
    moved[..., 2] *= float(np.hypot(placed[0, 0], placed[1, 0]))
    return moved.astype(np.float32)


def placed_at(width: int, height: int, points: Points, side_px: int = SIZE_PX) -> npt.NDArray[np.float64]:
    """From px of the photo to px of the portrait: a turn, a scale and a shift, (2, 3)."""
    xy = points[:, :2].astype(np.float64)
    eyes = xy[263] - xy[33]
    angle = float(np.arctan2(eyes[1], eyes[0]))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, sin], [-sin, cos]])
    level = xy @ turn.T
    face_px = float(level[152, 1] - level[10, 1])
    side = face_px / FACE_SHARE
    # No more than the photo has, so that no more than a turn's corners has to be made up.
    side = min(side, min(width, height) / (abs(cos) + abs(sin)) if abs(angle) > 0.03 else min(width, height))
    eyes_y = float(level[[33, 133, 362, 263], 1].mean())
    middle_x = float((level[234, 0] + level[454, 0]) / 2)
    centre = np.array([middle_x, eyes_y + (0.5 - EYES_AT) * side])
    # Keep the square inside the photo.
    in_photo = turn.T @ centre
    room = side * (abs(cos) + abs(sin)) / 2
    in_photo[0] = np.clip(in_photo[0], min(room, width / 2), max(width - room, width / 2))
    in_photo[1] = np.clip(in_photo[1], min(room, height / 2), max(height - room, height / 2))
    scale = side_px / side
    matrix = turn * scale
    return np.concatenate([matrix, (np.full(2, side_px / 2) - matrix @ in_photo)[:, None]], axis=1)


def person_of(picture: Rgb, points: Points) -> npt.NDArray[np.uint8]:
    """How much of each pixel is the person: uint8 (side, side). The face itself always is."""
    side = picture.shape[0]
    small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    rough = run("person", small[None])[0][0, :, :, 0]
    rough = cv2.resize(rough, (side, side), interpolation=cv2.INTER_LINEAR)
    fine = _guided(picture, rough, max(2, side // 85), 1e-3)
    fine = np.clip((fine - 0.5) * 1.5 + 0.5, 0.0, 1.0)
    hull = cv2.convexHull(points[:468, :2].astype(np.int32))
    face = np.zeros((side, side), np.float32)
    cv2.fillConvexPoly(face, hull, 1.0)
    mixed: npt.NDArray[np.uint8] = np.rint(255.0 * np.maximum(fine, cv2.GaussianBlur(face, (0, 0), side / 200))).astype(
        np.uint8
    )
    return mixed


def _guided(picture: Rgb, values: npt.NDArray[np.float32], radius: int, smooth: float) -> npt.NDArray[np.float32]:
    """`values` with the picture's own edges: the guided filter of He, Sun and Tang (2010), by grey levels."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(each: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        blurred: npt.NDArray[np.float32] = cv2.blur(each, window)
        return blurred

    mean_grey, mean_values = mean(grey), mean(values)
    slope = (mean(grey * values) - mean_grey * mean_values) / (mean(grey * grey) - mean_grey**2 + smooth)
    offset = mean_values - slope * mean_grey
    fine: npt.NDArray[np.float32] = mean(slope) * grey + mean(offset)
    return fine


def behind(picture: Rgb, person: npt.NDArray[np.uint8]) -> Rgb:
    """The picture with the person replaced by what is around: pulled in from ever coarser pictures."""
    side = picture.shape[0]

    def grown(px: int) -> npt.NDArray[np.float32]:
        wide = cv2.dilate(person, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * px + 1, 2 * px + 1)))
        taken: npt.NDArray[np.float32] = np.clip(wide.astype(np.float32) / 255.0 * 4.0, 0.0, 1.0)
        return taken

    # Colours come from further away, where no hair shines through; what is seen beside the person stays as it is.
    known = 1.0 - grown(max(3, side // 50))
    levels: list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]] = []
    colour, weight = picture.astype(np.float32) * known[..., None], known
    while True:
        levels.append((colour, weight))
        if min(colour.shape[:2]) <= 2:
            break
        size = (max(1, colour.shape[1] // 2), max(1, colour.shape[0] // 2))
        colour, weight = (cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (colour, weight))
    total = max(float(weight.sum()), 1e-6)
    filled = np.broadcast_to(
        colour.sum(axis=(0, 1)) / total if total > 1e-3 else picture.mean(axis=(0, 1)), (*weight.shape, 3)
    ).astype(np.float32)
    for colour, weight in reversed(levels):
        filled = cv2.resize(filled, (colour.shape[1], colour.shape[0]), interpolation=cv2.INTER_LINEAR)
        have = np.clip(weight, 0.0, 1.0)[..., None]
        filled = colour + (1.0 - have) * filled
    taken = cv2.GaussianBlur(grown(2), (0, 0), 1.5)[..., None]
    made: Rgb = np.clip(picture + taken * (filled - picture) + 0.5, 0.0, 255.0).astype(np.uint8)
    return made
