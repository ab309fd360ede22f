"""The puppet as a whole: a prepared portrait and a pose in, a frame out."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from animator.human.mark import mark_of, stamp
from animator.human.portrait import Portrait
from animator.messages import Pixels, Pose
from animator.puppet.eyes import EyeRig
from animator.puppet.face_shape import eye_of, head_of, mouth_of
from animator.puppet.head import HeadRig
from animator.puppet.mouth import MouthRig

Box = tuple[slice, slice]
"""Rows and columns of a picture."""
MARK_TEXT = "AI photo puppet"


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
        self._opacity = np.ascontiguousarray(portrait.person)
        straight = np.dstack([picture, portrait.person])
        # Colours are kept multiplied by alpha: so the person is laid over the background by one product and one sum.
        self._person: Pixels = cv2.cvtColor(straight, cv2.COLOR_RGBA2mRGBA)
        self._behind: Pixels = cv2.cvtColor(portrait.behind, cv2.COLOR_RGB2RGBA)
        self._edges = [_edge(portrait.person, box) for box in self._boxes()]
        self._mark = mark_of(MARK_TEXT, self.size_px) if ai_mark else None

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

    def _boxes(self) -> list[Box]:
        return [self._mouth.box, *(rig.box for rig in self._eyes.values())]

    def draw_around(self, picture: Pixels, pose: Pose) -> Pixels:
        """The frame for a THA3 pose whose mouth somebody else painted: uint8 RGBA (side, side, 4), the caller's own.

        `picture` (uint8 RGBA, same size) shows the portrait at rest with that mouth; eyes and brows are laid over it in
        place, then the head is moved with whatever is in it.
        """
        for side, rig in self._eyes.items():
            picture[(*rig.box, slice(0, 3))] = rig.draw(eye_of(pose, side))
        cv2.insertChannel(self._opacity, picture, 3)
        return self._moved(cv2.cvtColor(picture, cv2.COLOR_RGBA2mRGBA), pose)

    def draw(self, pose: Pose) -> Pixels:
        """The frame for a THA3 pose: uint8 RGBA (side, side, 4), the caller's own."""
        parts = [self._mouth.draw(mouth_of(pose)), *(rig.draw(eye_of(pose, side)) for side, rig in self._eyes.items())]
        for box, part, edge in zip(self._boxes(), parts, self._edges, strict=True):
            self._person[(*box, slice(0, 3))] = part if edge is None else cv2.multiply(part, edge, scale=1 / 255)
        frame = self._moved(self._person, pose)
        if self._mark is not None:
            stamp(frame, self._mark)
        return frame

    def _moved(self, person: Pixels, pose: Pose) -> Pixels:
        """`person`, multiplied by alpha, with the head where `pose` has it, before what is behind."""
        maps = self._head.maps(head_of(pose))
        moved = cv2.remap(person, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.cvtColor(moved, cv2.COLOR_mRGBA2RGBA)) if self._cut_out else _over(moved, self._behind)


def _edge(person: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.uint8] | None:
    """How much of a part is the person, as uint8 of three channels; None where all of it is."""
    cut = person[box]
    return None if cut.size == 0 or int(cut.min()) == 255 else np.repeat(cut[..., None], 3, axis=2)


def _over(person: Pixels, behind: Pixels) -> Pixels:
    """The person, multiplied by alpha, before the background; opaque."""
    open_ = cv2.bitwise_not(cv2.extractChannel(person, 3))
    shown: Pixels = cv2.multiply(behind, cv2.merge([open_, open_, open_, open_]), scale=1 / 255)
    return np.asarray(cv2.add(person, shown, dst=shown))
