"""The live tier: plays a bake. A frame is a few small blends, one inverse of a flow and one `remap`; no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animator.messages import Pixels, Pose
from animator.tha3 import live_nodes as n
from animator.tha3 import live_store
from animator.tha3.face import FACE_COLS, FACE_ROWS, SIZE_PX
from animator.tha3.live_mix import Scatter, between, corners, quadratic, simplex
from animator.tha3.live_store import BakeError
from animator.tha3.live_warp import Floats, Inverter, Region, sample
from animator.tha3.pose import INDEX, MOUTH, REST_SMIRK, SMIRK, clamp

_FACE_PX = 192
_SCALE = 16.0
_GONE_AT = 48.0
"""A pixel changed by this much, of 255, is no longer the neutral face's."""
_SIDE_RAMP_PX = 8
"""Left and right parts of the face are told apart at its middle, over a ramp this wide."""
_COARSE_LEVELS = (-n.HEAD_REACH, 0.0, n.HEAD_REACH)
_HEAD = tuple(INDEX[name] for name in ("head_x", "head_y", "neck_z"))

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class _Part:
    """Residuals of one part of the face, each cut to the part's box within the face crop."""

    box: tuple[slice, slice]
    residuals: Floats
    """(nodes, height*width*4), in 8-bit steps."""
    shape: tuple[int, int, int]

    @staticmethod
    def of(arrays: Mapping[str, Array], name: str, nodes: int) -> _Part:
        box, residuals = arrays[f"{name}_box"], arrays[f"{name}_residuals"]
        top, bottom, left, right = (int(v) for v in box)
        shape = (bottom - top, right - left, 4)
        inside = 0 <= top < bottom <= _FACE_PX and 0 <= left < right <= _FACE_PX
        if not inside or residuals.shape != (nodes, *shape) or residuals.dtype != np.int16:
            raise BakeError(f"the baked {name} have an unexpected shape {residuals.shape}; bake the character again.")
        return _Part(
            (slice(top, bottom), slice(left, right)), residuals.reshape(nodes, -1).astype(np.float32) / _SCALE, shape
        )

    def mix(self, weights: Sequence[tuple[int, float]]) -> Floats:
        """Weighted sum of residuals, (height, width, 4)."""
        index = [i for i, _ in weights]
        share = np.array([w for _, w in weights], np.float32)
        out: Floats = (share @ self.residuals[index]).reshape(self.shape)
        return out

    def left_side(self) -> Floats:
        """1 on the character's left (the viewer's right), 0 on the other side: (1, width, 1)."""
        columns = np.arange(_FACE_PX, dtype=np.float32)[self.box[1]]
        side = np.clip((columns - (_FACE_PX / 2 - 0.5)) / _SIDE_RAMP_PX + 0.5, 0.0, 1.0)
        return np.asarray(side[None, :, None], np.float32)


@dataclass(frozen=True, slots=True)
class _State:
    """Everything loaded so far. Replaced as a whole, so that a reload on another thread shows at once or not at all."""

    stages: Mapping[str, str]
    region: Region
    inverter: Inverter
    texture: Pixels
    flow: Floats
    face: Pixels
    """The neutral face crop as the morpher leaves it, before rotator and editor."""
    mouth: _Mouth | None = None
    eyes: _Eyes | None = None
    motion: _Motion | None = None


class _Mouth:
    """Six open-mouth parameters, corners and smirk."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        nodes = np.asarray(arrays["nodes"], np.float32)
        if nodes.ndim != 2 or nodes.shape[1] != 6 or not 1 <= len(nodes) <= 1000 or not np.isfinite(nodes).all():
            raise BakeError(f"the baked mouths have an unexpected shape {nodes.shape}; bake the character again.")
        self._scatter = Scatter(nodes)
        self._mouth = _Part.of(arrays, "mouth", len(nodes))
        self._changes = len(n.corner_changes())
        self._corners = _Part.of(arrays, "corners", 2 * self._changes)
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


class _Eyes:
    """Lids, irises and brows; each side of the face has its own weights."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        irises, winks, happy = len(n.IRIS_LEVELS) ** 2, len(n.WINK_LEVELS), len(n.HAPPY_WINK_LEVELS) - 1
        halves = len(n.LEVELS) - 1
        self._winks_at, self._happy_at = irises, irises + winks
        self._extras_at = self._happy_at + happy
        self._eyes = _Part.of(arrays, "eyes", self._extras_at + len(n.EYE_EXTRAS) * halves)
        self._brows = _Part.of(arrays, "brows", len(n.BROWS) * halves)
        self._eye_side, self._brow_side = self._eyes.left_side(), self._brows.left_side()
        seen = arrays["seen"]
        if seen.shape != (winks, *self._eyes.shape[:2]) or seen.dtype != np.uint8:
            raise BakeError(f"the baked eyes have an unexpected shape {seen.shape}; bake the character again.")
        self._seen = seen.astype(np.float32)[..., None] / 255.0

    def add_to(self, face: Floats, pose: Pose) -> None:
        """Add what eyes and brows change to `face` (192,192,4)."""
        _add_sides(face, self._eyes, self._eye_side, *(self._one_eye(pose, side) for side in ("right", "left")))
        _add_sides(face, self._brows, self._brow_side, *(self._one_brow(pose, side) for side in ("right", "left")))

    def weights_key(self, pose: Pose) -> bytes:
        """Equal keys draw equal eyes and brows."""
        return pose[:26].tobytes() + pose[37:39].tobytes()

    def _one_eye(self, pose: Pose, side: str) -> Floats | None:
        under: list[tuple[int, float]] = []
        gaze = (float(pose[INDEX["iris_rotation_x"]]), float(pose[INDEX["iris_rotation_y"]]))
        if gaze != (0.0, 0.0):
            size = len(n.IRIS_LEVELS)
            under += [(x * size + y, w) for (x, y), w in corners((n.IRIS_LEVELS, n.IRIS_LEVELS), gaze)]
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


@dataclass(slots=True)
class _Motion:
    """Flows over head and body poses, textures over head poses."""

    flows: Floats
    """(5,5,5,h,w,2): head_x, head_y, neck_z at `HEAD_LEVELS`."""
    body: dict[str, Floats] = field(default_factory=dict)
    """What each body parameter adds: body_y and body_z (5,h,w,2) at their levels with 0, breathing (2,h,w,2)."""
    textures: Array = field(default_factory=lambda: np.zeros(0, np.uint8))
    """(3,3,3,H,W,4) uint8."""

    @staticmethod
    def of(arrays: Mapping[str, Array], fine: Mapping[str, Array] | None, region: Region) -> _Motion:
        half = (region.height // 2, region.width // 2, 2)
        coarse_count, axis_count = len(n.COARSE), len(n.AXIS)
        bodies = len(n.BODY_NAMES) * len(n.BODY_LEVELS) + 1
        flows = _flows(arrays, "flows", coarse_count + axis_count, half)
        body = _flows(arrays, "body_flows", bodies, half)
        textures = arrays["textures"]
        if textures.shape != (coarse_count, region.height, region.width, 4) or textures.dtype != np.uint8:
            raise BakeError(f"the baked textures have an unexpected shape {textures.shape}; bake the character again.")
        inner = _flows(fine, "flows", len(n.INNER), half) if fine is not None else None
        table = _table(flows[:coarse_count], flows[coarse_count:], inner)
        rest = flows[n.COARSE.index((0.0, 0.0, 0.0))]
        per_name = len(n.BODY_LEVELS)
        added: dict[str, Floats] = {}
        for k, name in enumerate(n.BODY_NAMES):
            own = body[k * per_name : (k + 1) * per_name] - rest
            added[name] = np.concatenate([own[: per_name // 2], np.zeros((1, *half), np.float32), own[per_name // 2 :]])
        added["breathing"] = np.stack([np.zeros(half, np.float32), body[-1] - rest])
        return _Motion(table, added, textures.reshape(3, 3, 3, *textures.shape[1:]))

    def flow(self, pose: Pose) -> Floats:
        """How far each point moves in `pose`: (h,w,2)."""
        head = [float(pose[i]) for i in _HEAD]
        terms = [(self.flows[place], w) for place, w in corners((n.HEAD_LEVELS,) * 3, head)]
        for name, added in self.body.items():
            levels = (0.0, 1.0) if name == "breathing" else (*n.BODY_LEVELS[:2], 0.0, *n.BODY_LEVELS[2:])
            i, t = between(levels, float(pose[INDEX[name]]))
            terms += [(added[i], 1.0 - t), (added[i + 1], t)]
        first, weight = terms[0]
        out: Floats = first * np.float32(weight)
        for term, weight in terms[1:]:
            if weight > 0.0:
                cv2.scaleAdd(term, weight, out, out)
        return out

    def texture(self, pose: Pose) -> Pixels:
        """The neutral picture as it has to look in `pose`: (H,W,4), a copy."""
        terms = simplex((_COARSE_LEVELS,) * 3, [float(pose[i]) for i in _HEAD])
        place, share = terms[0]
        out: Pixels = self.textures[place]
        if len(terms) == 1:
            return out.copy()
        # Pairwise, each mix weighted by what it already holds: three roundings at most.
        for place, weight in terms[1:]:
            share += weight
            out = cv2.addWeighted(out, 1.0 - weight / share, self.textures[place], weight / share, 0.0)
        return out


class LiveFace:
    """Draws from a bake. `draw` belongs to one thread; `reload` may be called from another.

    Args:
        bake_folder: What `bake` returns or is still filling; its first stage must be there.

    Raises:
        BakeError: If the first stage is not there or is damaged.
    """

    tier = "live"

    def __init__(self, bake_folder: Path) -> None:
        self._folder = bake_folder
        self._state = self._load(None)
        self._drawn: tuple[_State, Pose, Pixels] | None = None
        self._face_drawn: tuple[_State, bytes, Floats, Floats] | None = None
        live_store.mark_used(bake_folder)

    @property
    def stages(self) -> frozenset[str]:
        """What is loaded, of `live_nodes.STAGES`, and "complete" where every part of the face moves."""
        loaded = frozenset(self._state.stages)
        return loaded | {"complete"} if loaded >= n.COMPLETE else loaded

    def reload(self) -> bool:
        """Take up stages that have been added since; True if there were any. Damaged ones are left out."""
        if dict(self._state.stages) == live_store.stages_on_disk(self._folder):
            return False
        before = self.stages
        self._state = self._load(self._state)
        return self.stages != before

    def draw(self, pose: Pose) -> Pixels:
        """See `Face.draw`. Head and body are held within what is baked (`HEAD_REACH`)."""
        state = self._state
        pose, _ = clamp(pose)
        if self._drawn is not None and self._drawn[0] is state and np.array_equal(self._drawn[1], pose):
            return self._drawn[2].copy()
        region = state.region
        if state.motion is None:
            flow, texture = state.flow, state.texture.copy()
        else:
            flow, texture = state.motion.flow(pose), state.motion.texture(pose)
        self._put_face(state, pose, texture)
        picture = sample(texture, state.inverter.places(flow))
        out = np.zeros((SIZE_PX, SIZE_PX, 4), np.uint8)
        out[region.full] = picture
        self._drawn = (state, pose, out)
        return out.copy()

    def _put_face(self, state: _State, pose: Pose, texture: Pixels) -> None:
        """Add what mouth, eyes and brows change to the texture, in place.

        The texture holds what the editor does to the neutral face. Where the face no longer is the neutral one, as
        under a closed lid, that has to go: there the new face starts from the neutral one without it.
        """
        key = pose[:39].tobytes()
        if self._face_drawn is None or self._face_drawn[0] is not state or self._face_drawn[1] != key:
            change = np.zeros((_FACE_PX, _FACE_PX, 4), np.float32)
            if state.mouth is not None:
                state.mouth.add_to(change, pose)
            if state.eyes is not None:
                state.eyes.add_to(change, pose)
            gone = np.minimum(np.abs(change).max(axis=2, keepdims=True) * np.float32(1.0 / _GONE_AT), 1.0)
            gone = cv2.blur(gone, (5, 5))[..., None]
            self._face_drawn = (state, key, change + gone * state.face, 1.0 - gone)
        added, kept = self._face_drawn[2:]
        region = state.region
        # The region holds the whole character, and may cut the face crop where the crop is empty.
        top, bottom = max(FACE_ROWS.start, region.top), min(FACE_ROWS.stop, region.bottom)
        left, right = max(FACE_COLS.start, region.left), min(FACE_COLS.stop, region.right)
        there = (slice(top - region.top, bottom - region.top), slice(left - region.left, right - region.left))
        here = (
            slice(top - FACE_ROWS.start, bottom - FACE_ROWS.start),
            slice(left - FACE_COLS.start, right - FACE_COLS.start),
        )
        new = texture[there] * kept[here] + added[here]
        texture[there] = cv2.convertScaleAbs(np.maximum(new, 0.0, out=new))

    def _load(self, known: _State | None) -> _State:
        on_disk = live_store.stages_on_disk(self._folder)
        first = live_store.read_stage(self._folder, "first")
        region, texture, flow = _first(first)
        loaded = {"first": on_disk["first"]}
        parts: dict[str, Any] = {}
        for stage, make in (("mouth", _Mouth), ("eyes", _Eyes)):
            if stage not in on_disk:
                continue
            if known is not None and known.stages.get(stage) == on_disk[stage]:
                parts[stage], loaded[stage] = getattr(known, stage), on_disk[stage]
                continue
            try:
                parts[stage] = make(live_store.read_stage(self._folder, stage))
                loaded[stage] = on_disk[stage]
            except (BakeError, KeyError):
                continue
        if "motion" in on_disk:
            wanted = _of_motion(on_disk)
            if known is not None and _of_motion(known.stages) == wanted:
                parts["motion"] = known.motion
                loaded |= wanted
            else:
                parts["motion"] = self._load_motion(region, wanted, loaded)
        return _State(loaded, region, Inverter(region.height, region.width), texture, flow, first["face"], **parts)

    def _load_motion(self, region: Region, wanted: Mapping[str, str], loaded: dict[str, str]) -> _Motion | None:
        fine: Mapping[str, Array] | None = None
        try:
            arrays = live_store.read_stage(self._folder, "motion")
            if "fine" in wanted:
                try:
                    fine = live_store.read_stage(self._folder, "fine")
                except BakeError:
                    fine = None
            motion = _Motion.of(arrays, fine, region)
        except (BakeError, KeyError):
            return None
        loaded["motion"] = wanted["motion"]
        if fine is not None:
            loaded["fine"] = wanted["fine"]
        return motion


def _first(arrays: Mapping[str, Array]) -> tuple[Region, Pixels, Floats]:
    try:
        top, bottom, left, right = (int(v) for v in arrays["region"])
        region = Region(top, bottom, left, right)
        texture, flow, face = arrays["texture"], arrays["flow"], arrays["face"]
    except (KeyError, ValueError, TypeError) as error:
        raise BakeError("the bake's first stage is incomplete; bake the character again.") from error
    sound = (
        0 <= top < bottom <= SIZE_PX
        and 0 <= left < right <= SIZE_PX
        and not (top | bottom | left | right) & 1
        and texture.shape == (region.height, region.width, 4)
        and texture.dtype == np.uint8
        and flow.shape == (region.height // 2, region.width // 2, 2)
        and flow.dtype == np.float16
        and face.shape == (_FACE_PX, _FACE_PX, 4)
    )
    if not sound:
        raise BakeError("the bake's first stage has an unexpected shape; bake the character again.")
    return region, texture, flow.astype(np.float32)


def _of_motion(stages: Mapping[str, str]) -> dict[str, str]:
    return {stage: digest for stage, digest in stages.items() if stage in ("motion", "fine")}


def _flows(arrays: Mapping[str, Array], name: str, count: int, half: tuple[int, int, int]) -> Floats:
    flows = arrays[name]
    if flows.shape != (count, *half) or flows.dtype != np.float16:
        raise BakeError(f"the baked {name} have an unexpected shape {flows.shape}; bake the character again.")
    return flows.astype(np.float32)


def _table(coarse: Floats, axis: Floats, inner: Floats | None) -> Floats:
    """Flows at all 5x5x5 head levels from those baked.

    Missing ones lie on the parabolas through the coarse ones, corrected by how far the baked nodes near the middle
    are off those parabolas; the correction is halved for each coordinate that is at the end of its range.
    """
    half = coarse.shape[1:]
    flat = coarse.reshape(27, -1)
    along = np.stack([quadratic(_COARSE_LEVELS, level) for level in n.HEAD_LEVELS])
    weights = np.einsum("xi,yj,zk->xyzijk", along, along, along).reshape(125, 27).astype(np.float32)
    table = (weights @ flat).reshape(5, 5, 5, -1)

    known: dict[tuple[float, ...], Floats] = dict(zip(n.AXIS, axis.reshape(len(axis), -1), strict=True))
    if inner is not None:
        known |= dict(zip(n.INNER, inner.reshape(len(inner), -1), strict=True))
    off = {head: flow - table[_place(head)] for head, flow in known.items()}
    for x, y, z in np.ndindex(5, 5, 5):
        head = (n.HEAD_LEVELS[x], n.HEAD_LEVELS[y], n.HEAD_LEVELS[z])
        # Only coordinates at ±0.25 are between coarse nodes.
        core = tuple(value if abs(value) == 0.25 else 0.0 for value in head)
        if core == (0.0, 0.0, 0.0):
            continue
        fading = np.float32(0.5 ** sum(abs(value) == n.HEAD_REACH for value in head))
        if core in off:
            table[x, y, z] += fading * off[core]
        else:
            for axis_number, value in enumerate(core):
                if value:
                    alone = tuple(value if k == axis_number else 0.0 for k in range(3))
                    table[x, y, z] += fading * off[alone]
    whole: Floats = table.reshape(5, 5, 5, *half)
    return whole


def _place(head: Sequence[float]) -> tuple[int, ...]:
    return tuple(n.HEAD_LEVELS.index(value) for value in head)


def _at(pose: Pose, name: str, side: str) -> float:
    return float(pose[INDEX[f"{name}_{side}"]])


def _levels(start: int, levels: Sequence[float], value: float) -> list[tuple[int, float]]:
    """Weights of residuals baked for `levels[1:]` at `start`; level 0 changes nothing."""
    if value <= 0.0:
        return []
    i, t = between(levels, value)
    return [(start + k - 1, w) for k, w in ((i, 1.0 - t), (i + 1, t)) if k > 0 and w > 0.0]


def _add_sides(face: Floats, part: _Part, side: Floats, right: Floats | None, left: Floats | None) -> None:
    if right is None and left is None:
        return
    there = face[part.box]
    if right is not None:
        there += right * (1.0 - side)
    if left is not None:
        there += left * side
