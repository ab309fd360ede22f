"""One face followed through the frames of a video. Runs the networks of `landmarks.py`; keeps no frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from animator.human.face_choice import MIN_SURE, find_face, is_upright, no_face, rivals_of
from animator.human.landmarks import Detection, Points, Rgb, detect, find_again, find_points
from animator.human.video import FPS, VideoError

BRIDGED = round(0.4 * FPS)
"""So many frames on end may be without the face."""
SEARCH_EVERY = 5
"""Until the face is found, so many frames are gone on by: a search costs four detections."""
LOOK_AGAIN_EVERY = FPS
"""The detector looks once a second, whether another face is there, and whether what is followed is still one."""
CUT_OFF = 0.08
"""A face of which more lies beyond the edge, in parts of its height, is no more in the picture."""
LEAP, LONG_LEAP = (1.4, 0.5), (2.0, 1.5)
"""How much a face may grow or shrink, and how far it may go in parts of its height: from one frame to the next, and
while it is not seen. What is further away is somebody else."""
_SHARP_PX = 128
_CUT_IT = "Cut the video to where the face is seen, or record it again."


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Where a face is in each of n frames.

    `turn`: how often each frame has to be turned to the left by 90 degrees. `size_px`: width and height of the frames
    then. `points` float32 (n, 478, 3) in their px, of any value where not `seen` (n,). `sharpness` float64 (n,): the
    more, the sharper; 0 where the face is not seen.
    """

    turn: int
    size_px: tuple[int, int]
    points: Points
    seen: npt.NDArray[np.bool_]
    sharpness: npt.NDArray[np.float64]


def followed(frames: Iterable[Rgb], on_frame: Callable[[int], None] = lambda count: None) -> Followed:
    """Find the face in `frames`, which come at 25 a second, and follow it.

    Args:
        frames: uint8 RGB, all of one size.
        on_frame: Told how many frames have been looked at.

    Raises:
        PhotoError: If no face is found (VideoError: or it is lost for longer than 0.4 s, or another as large is there);
            says what to change.
    """
    turn, size_px = 0, (0, 0)
    first: Rgb | None = None
    before: Points | None = None
    last: Points | None = None
    track: list[Points | None] = []
    sharpness: list[float] = []
    lost = 0
    is_found = False
    for number, frame in enumerate(frames):
        first = frame if first is None else first
        picture = np.ascontiguousarray(np.rot90(frame, turn)) if turn else frame
        points: Points | None
        if not is_found:
            points = None
            if number % SEARCH_EVERY == 0 and (found := find_face(picture)) is not None:
                turn, picture, points, is_found = found.turn, found.picture, found.points, True
                size_px = picture.shape[1], picture.shape[0]
                _refuse_rivals(found.faces, number)
                if number > BRIDGED:
                    raise VideoError(f"No face is seen in the first {number / FPS:.1f} s.", _CUT_IT)
        else:
            points = _next(picture, before, last, is_checked=number % LOOK_AGAIN_EVERY == 0, number=number)
        lost = 0 if points is not None else lost + 1
        if is_found and lost > BRIDGED:
            raise VideoError(f"The face is lost at {(number + 1 - lost) / FPS:.1f} s.", _CUT_IT)
        track.append(points)
        sharpness.append(0.0 if points is None else sharpness_of(picture, points))
        before = points
        last = last if points is None else points
        on_frame(number + 1)
    if not is_found:
        assert first is not None, "a video has a frame"
        raise no_face(first, "video")
    none = np.zeros((478, 3), np.float32)
    return Followed(
        turn,
        size_px,
        np.stack([none if each is None else each for each in track]),
        np.array([each is not None for each in track]),
        np.array(sharpness),
    )


def _next(picture: Rgb, before: Points | None, last: Points | None, *, is_checked: bool, number: int) -> Points | None:
    """The face's points in the next frame: from those `before`, or found anew near the `last`; None if not seen."""
    if is_checked:
        faces = detect(picture)
        _refuse_rivals(faces, number)
        if before is not None and faces and faces[0].score >= MIN_SURE and not _is_in(faces[0], before):
            before = None  # what was followed is no face any more
    if before is not None:
        face = find_again(picture, before)
        if is_upright(face) and is_whole(face.points, picture) and _is_near(face.points, before, LEAP):
            return face.points
    sure = [each for each in detect(picture) if each.score >= MIN_SURE]
    for each in sure:
        face = find_points(picture, each)
        near = last is None or _is_near(face.points, last, LONG_LEAP)
        if near and is_upright(face) and is_whole(face.points, picture):
            return face.points
    return None


def _refuse_rivals(faces: list[Detection], number: int) -> None:
    sure = [each for each in faces if each.score >= MIN_SURE]
    if sure and rivals_of(sure):
        raise VideoError(
            f"At {number / FPS:.1f} s the video shows {1 + len(rivals_of(sure))} faces of about the same size.",
            "Cut it to the one that is meant.",
        )


def _is_in(face: Detection, points: Points) -> bool:
    """Whether the middle of the face that was followed lies within the one that was detected."""
    x, y = points[:468, :2].mean(axis=0)
    x0, y0, x1, y1 = face.box
    return bool(x0 <= x <= x1 and y0 <= y <= y1)


def height_of(points: Points) -> float:
    """From the hairline to the chin, in px."""
    return float(np.linalg.norm(points[152, :2] - points[10, :2]))


def is_whole(points: Points, picture: Rgb) -> bool:
    """Whether the face lies in the picture, up to what may be cut off of a photo's too."""
    xy, room = points[:468, :2], CUT_OFF * height_of(points)
    return bool(xy.min() >= -room and (xy <= np.array(picture.shape[1::-1]) - 1 + room).all())


def _is_near(points: Points, before: Points, leap: tuple[float, float]) -> bool:
    growth, way = leap
    now_px, then_px = height_of(points), max(height_of(before), 1.0)
    moved_px = float(np.linalg.norm(points[:468, :2].mean(axis=0) - before[:468, :2].mean(axis=0)))
    return 1 / growth <= now_px / then_px <= growth and moved_px <= way * then_px


def sharpness_of(picture: Rgb, points: Points) -> float:
    """Variance of the Laplacian of the face at one size: a hand's or a head's blur makes it small."""
    height, width = picture.shape[:2]
    low = np.clip(points[:468, :2].min(axis=0), 0, [width - 2, height - 2]).astype(int)
    high = np.clip(points[:468, :2].max(axis=0), low + 2, [width, height]).astype(int)
    cut = cv2.cvtColor(picture[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2GRAY)
    small = cv2.resize(cut, (_SHARP_PX, _SHARP_PX), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(small, cv2.CV_64F).var())
