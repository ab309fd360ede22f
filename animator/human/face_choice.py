"""Which face of a photo is used, and whether it can be: everything else is refused in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from animator.human.landmarks import MIN_PRESENCE, Detection, Face, Points, Rgb, detect, find_points
from animator.human.photo import Photo, PhotoError

MIN_FACE_PX = 80
"""Hairline to chin; below this there is nothing to move."""
SOFT_FACE_PX = 150
"""Below this the picture will look soft."""
RIVAL = 0.6
"""A second face of this share of the largest one's width might be the one that is meant."""
MAX_TURN, NOTED_TURN = np.radians(32.0), np.radians(18.0)
"""How far a head may be turned or bent; behind a cheek there is nothing in the photo."""
MIN_SURE = 0.65
"""Least score of a detection that is taken for a face; a cat has 0.60, people 0.83 and more."""
MAX_APART = 0.12
"""How far the detector's eyes, nose and mouth may lie from the mesh's, on average, in parts of the face's width:
people in front of the camera have 0.03, faces that lie on their side or upside down 0.2."""
FLAT_SHARE = 0.3
"""Share of a face's pixels that differ from no neighbour: photos have grain (0.05 at most), drawings have areas
(0.5)."""


@dataclass(frozen=True, slots=True, eq=False)
class ChosenFace:
    """`picture` uint8 RGB, turned so that the face is upright; the face's `points` in its px; `notes` for the user."""

    picture: Rgb
    points: Points
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FoundFace:
    """The largest face of a picture: how often that was turned to the left by 90 degrees, and what was found in it."""

    turn: int
    picture: Rgb
    faces: list[Detection]
    points: Points


_LAY = {1: "on its left side", 3: "on its right side", 2: "upside down"}
"""How a picture lay that is upright after so many turns."""


def find_face(picture: Rgb, *, turns: bool = True) -> FoundFace | None:
    """The largest face of `picture`, turned upright where `turns` is set; None where there is none."""
    faces = detect(picture)
    found = _points(picture, faces)
    if found is not None:
        return FoundFace(0, picture, faces, found[0])
    best, upright = MAX_APART, None
    for turn in _LAY if turns else ():
        turned = np.ascontiguousarray(np.rot90(picture, turn))
        faces = detect(turned)
        found = _points(turned, faces)
        if found is not None and found[1] <= best:
            best, upright = found[1], FoundFace(turn, turned, faces, found[0])
    return upright


def no_face(picture: Rgb, what: str = "photo") -> PhotoError:
    """What is said of a picture without a face; `what` it is to the user."""
    if flat_share(picture) > FLAT_SHARE:
        return PhotoError(
            "No face was found; the picture looks like a drawing.",
            f"Use a {what} of a person here, or make the drawing an anime character.",
        )
    return PhotoError(
        f"No face was found in the {what}.", f"Use a {what} of one person who looks into the camera, in good light."
    )


def turned_note(turn: int, what: str = "photo") -> str:
    """What the user is told of a picture that lay otherwise."""
    return f"The {what} lay {_LAY[turn]}; it was turned upright."


def choose_face(photo: Photo, what: str = "photo") -> ChosenFace:
    """The face of `photo` that is used; `what` it is to the user ("photo" or "video").

    Raises:
        PhotoError: If there is none, more than one that could be meant, or one that cannot be moved; says what to
    change.
    """
    notes = list(photo.notes)
    found = find_face(photo.picture)
    if found is None:
        raise no_face(photo.picture, what)
    if found.turn:
        notes.append(turned_note(found.turn, what))
    picture, points = found.picture, found.points
    _refuse_rivals(found.faces, notes, what)
    xy = points[:468, :2]
    face_px = float(np.linalg.norm(xy[152] - xy[10]))
    if face_px < MIN_FACE_PX:
        raise PhotoError(
            f"The face is only {face_px:.0f} px high.", f"Use a {what} in which it is at least {SOFT_FACE_PX} px high."
        )
    if face_px < SOFT_FACE_PX:
        notes.append(f"The face is {face_px:.0f} px high and will look soft; {2 * SOFT_FACE_PX} px look better.")
    yaw, pitch = turn_of(points)
    if abs(yaw) > MAX_TURN:
        raise PhotoError(
            f"The head is turned aside by about {np.degrees(abs(yaw)):.0f}°.",
            f"Use a {what} that looks into the camera.",
        )
    if abs(pitch) > MAX_TURN:
        raise PhotoError(
            f"The head is bent by about {np.degrees(abs(pitch)):.0f}°.",
            f"Use a {what} that looks straight into the camera.",
        )
    if abs(yaw) > NOTED_TURN:
        notes.append(f"The head is turned a little aside; a {what} that looks into the camera moves better.")
    x0, y0 = np.maximum(xy.min(axis=0), 0).astype(int)
    x1, y1 = xy.max(axis=0).astype(int)
    if flat_share(picture[y0:y1, x0:x1]) > FLAT_SHARE:
        raise PhotoError(
            f"The picture looks like a drawing, not like a {what}.",
            f"Use a {what} of a person here, or make the drawing an anime character.",
        )
    if xy.min() < -0.08 * face_px or (xy > np.array(picture.shape[1::-1]) - 1 + 0.08 * face_px).any():
        raise PhotoError(f"The face is cut off by the {what}'s edge.", f"Use a {what} with some room around the head.")
    opened = float(np.linalg.norm(xy[13] - xy[14])) / max(float(np.linalg.norm(xy[61] - xy[291])), 1.0)
    if opened > 0.12:
        notes.append(f"The mouth is open in the {what} and is shut for talking; a {what} with shut lips looks better.")
    return ChosenFace(picture, points, tuple(notes))


def _points(picture: Rgb, faces: list[Detection]) -> tuple[Points, float] | None:
    """The points of the largest face, and how far the detector's lie from them; None where it is no upright face."""
    if not faces or faces[0].score < MIN_SURE:
        return None
    face = find_points(picture, faces[0])
    points = face.points
    same = np.stack([points[468, :2], points[473, :2], points[1, :2], (points[13, :2] + points[14, :2]) / 2])
    apart = float(np.linalg.norm(same - faces[0].points[:4], axis=1).mean()) / faces[0].width_px
    return (points, apart) if is_upright(face) and apart <= MAX_APART else None


def is_upright(face: Face) -> bool:
    """Whether the mesh sees a face there, and the right way up."""
    points = face.points
    upright = points[152, 1] > points[10, 1] and abs(roll_of(points)) < np.radians(50.0)
    return bool(face.presence >= MIN_PRESENCE and upright)


def roll_of(points: Points) -> float:
    """How far the line of the eyes is from level, in radians."""
    line = points[263, :2] - points[33, :2]
    return float(np.arctan2(line[1], line[0]))


def rivals_of(faces: list[Detection]) -> list[Detection]:
    """Which of `faces` might be meant as well as the largest, which is the first."""
    return [face for face in faces[1:] if face.width_px >= RIVAL * faces[0].width_px]


def _refuse_rivals(faces: list[Detection], notes: list[str], what: str) -> None:
    rivals = rivals_of(faces)
    if rivals:
        raise PhotoError(
            f"The {what} shows {1 + len(rivals)} faces of about the same size.", "Cut it to the one that is meant."
        )
    if len(faces) > 1:
        notes.append(f"The largest of {len(faces)} faces in the {what} is used.")


def turn_of(points: Points) -> tuple[float, float]:
    """How far the head is turned aside and bent, in radians, by the depth of the face's sides and of brow and chin."""
    side = points[454] - points[234]
    down = points[152] - points[10]
    yaw = np.arctan2(side[2], np.hypot(side[0], side[1]))
    pitch = np.arctan2(down[2], np.hypot(down[0], down[1]))
    return float(yaw), float(pitch)


def flat_share(picture: Rgb) -> float:
    """Share of pixels that are like all of their neighbours, to within what JPEG does to an even area."""
    if min(picture.shape[:2]) < 3:
        return 0.0
    kernel = np.ones((3, 3), np.uint8)
    spread = cv2.dilate(picture, kernel).astype(np.int16) - cv2.erode(picture, kernel)
    return float(np.mean(spread.max(axis=2) <= 1))
