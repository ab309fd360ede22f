"""The face's parts as they are baked: what mouth, eyes and brows change in the neutral face crop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from animator.messages import Pose
from animator.tha3 import live_nodes as n
from animator.tha3.live_mix import Scatter, between, curve
from animator.tha3.live_store import BakeError
from animator.tha3.live_warp import Floats
from animator.tha3.pose import INDEX, MOUTH, REST_SMIRK, SMIRK

FACE_PX = 192
"""Side of the face crop."""
SCALE = 16.0
"""Residuals are int16 in 1/16 of an 8-bit step, so that adding several does not add up rounding."""
_SIDE_RAMP_PX = 8
"""Left and right parts of the face are told apart at its middle, over a ramp this wide."""
_CREST_WIDTH = 0.15
"""How far, in THA3's parameters, an expression's own correction reaches; wider ones hurt the faces between."""
_CREST_NOISE = 1e-2

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Part:
    """Residuals of one part of the face, each cut to the part's box within the face crop."""

    box: tuple[slice, slice]
    residuals: Floats
    """(nodes, height*width*4), in 8-bit steps."""
    shape: tuple[int, int, int]

    @staticmethod
    def of(arrays: Mapping[str, Array], name: str, nodes: int) -> Part:
        """The part `name`, checked. Raises BakeError for anything else than `nodes` residuals."""
        box, residuals = arrays[f"{name}_box"], arrays[f"{name}_residuals"]
        top, bottom, left, right = (int(v) for v in box)
        shape = (bottom - top, right - left, 4)
        inside = 0 <= top < bottom <= FACE_PX and 0 <= left < right <= FACE_PX
        if not inside or residuals.shape != (nodes, *shape) or residuals.dtype != np.int16:
            raise BakeError(f"the baked {name} have an unexpected shape {residuals.shape}; bake the character again.")
        return Part(
            (slice(top, bottom), slice(left, right)), residuals.reshape(nodes, -1).astype(np.float32) / SCALE, shape
        )

    def mix(self, weights: Sequence[tuple[int, float]]) -> Floats:
        """Weighted sum of residuals, (height, width, 4)."""
        index = [i for i, _ in weights]
        share = np.array([w for _, w in weights], np.float32)
        out: Floats = (share @ self.residuals[index]).reshape(self.shape)
        return out

    def left_side(self) -> Floats:
        """1 on the character's left (the viewer's right), 0 on the other side: (1, width, 1)."""
        columns = np.arange(FACE_PX, dtype=np.float32)[self.box[1]]
        side = np.clip((columns - (FACE_PX / 2 - 0.5)) / _SIDE_RAMP_PX + 0.5, 0.0, 1.0)
        return np.asarray(side[None, :, None], np.float32)


class Mouth:
    """Six open-mouth parameters, corners and smirk."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        nodes = np.asarray(arrays["nodes"], np.float32)
        if nodes.ndim != 2 or nodes.shape[1] != 6 or not 1 <= len(nodes) <= 1000 or not np.isfinite(nodes).all():
            raise BakeError(f"the baked mouths have an unexpected shape {nodes.shape}; bake the character again.")
        self._scatter = Scatter(nodes)
        self._mouth = Part.of(arrays, "mouth", len(nodes))
        self._changes = len(n.corner_changes())
        self._corners = Part.of(arrays, "corners", 2 * self._changes)
        self._side = self._corners.left_side()

    def add_to(self, face: Floats, pose: Pose) -> None:
        """Add what the mouth changes to `face` (192,192,4)."""
        face[self._mouth.box] += self._mouth.mix(self._scatter.weights(pose[MOUTH]))
        ajar = min(float(pose[MOUTH].sum()) / n.OPEN_AT, 1.0)
        for k, name in enumerate(n.CORNERS):
            right, left = _at(pose, name, "right"), _at(pose, name, "left")
            if right == 0.0 == left:
                continue
            face[self._corners.box] += self._change(k, ajar) * (right + (left - right) * self._side)
        smirk = float(pose[SMIRK]) - REST_SMIRK
        if smirk != 0.0:
            k, reach = (len(n.CORNERS), REST_SMIRK) if smirk < 0.0 else (len(n.CORNERS) + 1, 1.0 - REST_SMIRK)
            face[self._corners.box] += self._change(k, ajar) * np.float32(abs(smirk) / reach)

    def _change(self, k: int, ajar: float) -> Floats:
        return self._corners.mix([(k, 1.0 - ajar), (self._changes + k, ajar)])


class Eyes:
    """Lids, irises and brows; each side of the face has its own weights."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        irises, winks, happy = len(n.IRIS_LEVELS) ** 2, len(n.WINK_LEVELS), len(n.HAPPY_WINK_LEVELS) - 1
        halves = len(n.LEVELS) - 1
        self._winks_at, self._happy_at = irises, irises + winks
        self._extras_at = self._happy_at + happy
        self._eyes = Part.of(arrays, "eyes", self._extras_at + len(n.EYE_EXTRAS) * halves)
        self._brows = Part.of(arrays, "brows", len(n.BROWS) * halves)
        self._eye_side, self._brow_side = self._eyes.left_side(), self._brows.left_side()
        seen = arrays["seen"]
        if seen.shape != (winks, *self._eyes.shape[:2]) or seen.dtype != np.uint8:
            raise BakeError(f"the baked eyes have an unexpected shape {seen.shape}; bake the character again.")
        self._seen = seen.astype(np.float32)[..., None] / 255.0

    def add_to(self, face: Floats, pose: Pose) -> None:
        """Add what eyes and brows change to `face` (192,192,4)."""
        _add_sides(face, self._eyes, self._eye_side, *(self._one_eye(pose, side) for side in ("right", "left")))
        _add_sides(face, self._brows, self._brow_side, *(self._one_brow(pose, side) for side in ("right", "left")))

    @staticmethod
    def key(pose: Pose) -> bytes:
        """Equal keys draw equal eyes and brows."""
        return pose[:26].tobytes() + pose[37:39].tobytes()

    def _one_eye(self, pose: Pose, side: str) -> Floats | None:
        under: list[tuple[int, float]] = []
        gaze = (float(pose[INDEX["iris_rotation_x"]]), float(pose[INDEX["iris_rotation_y"]]))
        if gaze != (0.0, 0.0):
            size = len(n.IRIS_LEVELS)
            across = curve(n.IRIS_LEVELS, gaze[1])
            under += [(x * size + y, w * share) for x, w in curve(n.IRIS_LEVELS, gaze[0]) for y, share in across]
        for k, name in enumerate(n.EYE_EXTRAS):
            under += _levels(self._extras_at + k * (len(n.LEVELS) - 1), n.LEVELS, _at(pose, name, side))
        happy = _at(pose, "eye_happy_wink", side)
        happily = _levels(self._happy_at, n.HAPPY_WINK_LEVELS, happy)
        wink = _at(pose, "eye_wink", side)
        if not under and not happily and wink == 0.0:
            return None
        # Lids come last and hide what lies under them.
        out = self._eyes.mix(under) if under else np.zeros(self._eyes.shape, np.float32)
        if happily:
            out = out * self._seen_at(happy) + self._eyes.mix(happily)
        if wink > 0.0:
            i, t = between(n.WINK_LEVELS, wink)
            closing = self._eyes.mix([(self._winks_at + i, 1.0 - t), (self._winks_at + i + 1, t)])
            out = out * self._seen_at(wink) + closing
        return out

    def _seen_at(self, wink: float) -> Floats:
        i, t = between(n.WINK_LEVELS, wink)
        seen: Floats = self._seen[i] * np.float32(1.0 - t) + self._seen[i + 1] * np.float32(t)
        return seen

    def _one_brow(self, pose: Pose, side: str) -> Floats | None:
        weights: list[tuple[int, float]] = []
        for k, name in enumerate(n.BROWS):
            weights += _levels(k * (len(n.LEVELS) - 1), n.LEVELS, _at(pose, name, side))
        return self._brows.mix(weights) if weights else None


class Faces:
    """What expressions look like beyond the sum of their parts, in two layers: brows alone, then brows with lids."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self.brows = Layer(arrays, "browed", n.BROWS)
        self._whole = Layer(arrays, "faces", n.LID_NAMES)

    def add_to(self, face: Floats, pose: Pose) -> None:
        """Add what the sum of the parts leaves out to `face` (192,192,4)."""
        self.brows.add_to(face, pose)
        self._whole.add_to(face, pose)


class Layer:
    """What baked expressions show that the layers below do not.

    Two brow changes at once, or brows above shut eyes, are not what each adds alone. Each baked expression knows what
    was left out; between expressions that is interpolated by radial basis functions over `names`, side by side. Where
    one parameter moves alone, nothing is left out.
    """

    def __init__(self, arrays: Mapping[str, Array], name: str, names: Sequence[str]) -> None:
        poses = arrays[f"{name}_poses"]
        if poses.ndim != 2 or poses.shape[1] != len(INDEX) or poses.dtype != np.float32 or len(poses) > 1000:
            raise BakeError(f"the baked expressions have an unexpected shape {poses.shape}; bake the character again.")
        self._names = tuple(names)
        self._part = Part.of(arrays, name, len(poses))
        self._side = self._part.left_side()
        self._sides: list[tuple[Floats, npt.NDArray[np.float64]]] = []
        for side in ("right", "left"):
            known = self._places([*poses, *n.plain_poses(names)], side)
            inverse = np.linalg.inv(_near(known, known) + _CREST_NOISE * np.eye(len(known)))
            self._sides.append((known, inverse.astype(np.float64)))

    def add_to(self, face: Floats, pose: Pose) -> None:
        """Add what was left out to `face` (192,192,4)."""
        found: list[Floats | None] = []
        for (known, inverse), side in zip(self._sides, ("right", "left"), strict=True):
            place = self._places([pose], side)
            if not place.any():
                found.append(None)
                continue
            share = (_near(place, known) @ inverse)[0, : len(self._part.residuals)]
            found.append(self._part.mix([(int(i), float(share[i])) for i in np.flatnonzero(np.abs(share) > 0.01)]))
        _add_sides(face, self._part, self._side, *found)

    def _places(self, poses: Sequence[Pose], side: str) -> Floats:
        index = [INDEX[f"{name}_{side}"] for name in self._names]
        return np.stack([pose[index] for pose in poses])


def _near(one: Floats, other: Floats) -> npt.NDArray[np.float64]:
    apart = ((one[:, None].astype(np.float64) - other[None]) ** 2).sum(axis=2)
    return np.asarray(np.exp(-apart / (2 * _CREST_WIDTH**2)), np.float64)


def _at(pose: Pose, name: str, side: str) -> float:
    return float(pose[INDEX[f"{name}_{side}"]])


def _levels(start: int, levels: Sequence[float], value: float) -> list[tuple[int, float]]:
    """Weights of residuals baked for `levels[1:]` at `start`; level 0 changes nothing."""
    if value <= 0.0:
        return []
    i, t = between(levels, value)
    return [(start + k - 1, w) for k, w in ((i, 1.0 - t), (i + 1, t)) if k > 0 and w > 0.0]


def _add_sides(face: Floats, part: Part, side: Floats, right: Floats | None, left: Floats | None) -> None:
    if right is None and left is None:
        return
    there = face[part.box]
    if right is not None:
        there += right * (1.0 - side)
    if left is not None:
        there += left * side
