"""The puppet as a whole: a prepared portrait and a pose in, a frame out."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.human.portrait import Portrait
from animator.messages import Pixels, Pose
from animator.puppet.eyes import EyeRig
from animator.puppet.face_shape import eye_of, head_of, mouth_of
from animator.puppet.head import HeadRig
from animator.puppet.mouth import MouthRig


class PuppetFace:
    """Draws one portrait. `draw` is called by one thread; it owns buffers. Keeps `animator.tha3.face.Face`."""

    tier = "photo puppet"

    def __init__(self, portrait: Portrait, *, cut_out: bool = False, ai_mark: bool = True) -> None:
        """`cut_out`: what is not the person is transparent; `ai_mark`: a corner says that a machine moves this face."""
        picture, points = portrait.picture, portrait.points
        self.size_px = picture.shape[0]
        self._points = points
        self._mouth = MouthRig(picture, points)
        self._eyes = {side: EyeRig(picture, points, side) for side in ("right", "left")}
        self._head = HeadRig(points, portrait.person)
        self._cut_out = cut_out
        self._person = np.dstack([picture, portrait.person])
        self._behind = portrait.behind
        self._mark = mark_of(self.size_px) if ai_mark else None

    @property
    def mouth(self) -> MouthRig:
        """The mouth, for measurements."""
        return self._mouth

    @property
    def eyes(self) -> dict[str, EyeRig]:
        """The eyes by the person's side, for measurements."""
        return self._eyes

    def landmarks(self, ids: tuple[int, ...]) -> list[tuple[int, int]]:
        """Where points of the mesh lie in a frame at rest, whole px."""
        return [(round(float(self._points[i, 0])), round(float(self._points[i, 1]))) for i in ids]

    def draw(self, pose: Pose) -> Pixels:
        """The frame for a THA3 pose: uint8 RGBA (side, side, 4), the caller's own."""
        person = self._person
        for side, rig in self._eyes.items():
            person[(*rig.box, slice(0, 3))] = rig.draw(eye_of(pose, side))
        person[(*self._mouth.box, slice(0, 3))] = self._mouth.draw(mouth_of(pose))
        maps = self._head.maps(head_of(pose))
        moved = cv2.remap(person, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        frame = np.asarray(moved) if self._cut_out else _over(moved, self._behind)
        if self._mark is not None:
            _stamp(frame, self._mark)
        return frame


def _over(person: Pixels, behind: npt.NDArray[np.uint8]) -> Pixels:
    """The person before the background, opaque."""
    alpha = cv2.extractChannel(person, 3)
    shown = cv2.cvtColor(person, cv2.COLOR_RGBA2RGB)
    front = alpha.astype(np.float32) * np.float32(1 / 255)
    mixed = cv2.blendLinear(shown, behind, front, 1.0 - front)
    out: Pixels = cv2.cvtColor(mixed, cv2.COLOR_RGB2RGBA)
    return out


MARK_TEXT = "AI photo puppet"
MARK_PLACE = (0.145, 0.775)
"""Left edge and lower edge of the mark, in parts of the frame: in a corner of what canvases show of it at zoom 1."""


def mark_of(side_px: int) -> tuple[int, int, npt.NDArray[np.uint8]]:
    """The mark for frames of that size: left, top and its pixels, uint8 RGBA."""
    scale = side_px / 512
    font, size, thick = cv2.FONT_HERSHEY_SIMPLEX, 0.42 * scale, max(1, round(scale))
    (width, height), under = cv2.getTextSize(MARK_TEXT, font, size, thick)
    pad = round(5 * scale)
    mark = np.zeros((height + under + 2 * pad, width + 2 * pad, 4), np.uint8)
    mark[..., 3] = 110
    shape = np.zeros(mark.shape[:2], np.uint8)
    cv2.putText(shape, MARK_TEXT, (pad, pad + height), font, size, 255, thick, cv2.LINE_AA)
    mark[..., :3] = shape[..., None]
    mark[..., 3] = np.maximum(mark[..., 3], (shape * 0.9).astype(np.uint8))
    return round(MARK_PLACE[0] * side_px), round(MARK_PLACE[1] * side_px) - mark.shape[0], mark


def _stamp(frame: Pixels, mark: tuple[int, int, npt.NDArray[np.uint8]]) -> None:
    left, top, pixels = mark
    cut = frame[top : top + pixels.shape[0], left : left + pixels.shape[1]]
    share = pixels[..., 3:].astype(np.float32) / 255.0
    cut[..., :3] = np.rint(cut[..., :3] * (1.0 - share) + pixels[..., :3] * share).astype(np.uint8)
    cut[..., 3] = np.maximum(cut[..., 3], pixels[..., 3])
