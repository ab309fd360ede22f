"""The live tier: plays a bake. A frame is a few small blends, one inverse of a flow and one `remap`; no PyTorch.

The networks' editor looks the face up bilinearly in linear light at places between pixels, then adds a correction.
How soft an edge comes out depends on where between the pixels it falls, so no stored picture can repeat it. The live
tier does the same sum: the face is moved in linear light, and only the flow and the correction are learned.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from animator.messages import Pixels, Pose
from animator.tha3 import live_nodes as n
from animator.tha3 import live_store
from animator.tha3.face import FACE_COLS, FACE_ROWS, SIZE_PX
from animator.tha3.likeness import LOOK_SIZE, Likeness, bundled
from animator.tha3.live_fit import Basis, turns_of
from animator.tha3.live_parts import FACE_PX, SCALE, Eyes, Faces, Mouth
from animator.tha3.live_store import BakeError
from animator.tha3.live_warp import Floats, Inverter, Layout, Region, grid, sample
from animator.tha3.pose import INDEX, clamp

_FULL_SCALE = 65535.0
"""Linear light in 16 bits."""
_GONE_AT = 24.0
"""Where the face is this far from the large art, of 255, the art's fine strokes are gone."""
_HEAD = [INDEX[name] for name in ("head_x", "head_y", "neck_z")]

Array = npt.NDArray[Any]
_Slices = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class _State:
    """Everything loaded so far. Replaced as a whole, so that a reload on another thread shows at once or not at all."""

    stages: Mapping[str, str]
    region: Region
    inverter: Inverter
    picture: Floats
    """The neutral picture with what the networks always add to it, (height,width,4), in 16-bit linear steps."""
    flow: Floats
    """Of the neutral pose."""
    face: Floats
    """The neutral face crop as the morpher leaves it, before rotator and editor, in 8-bit sRGB steps."""
    face_linear: Floats
    face_there: _Slices
    """Where the face crop lies in the region, and the part of the crop that does."""
    face_here: _Slices
    scratch: Floats
    """As `picture`, with the face last drawn."""
    mouth: Mouth | None = None
    eyes: Eyes | None = None
    faces: Faces | None = None
    motion: _Motion | None = None
    motion_stage: tuple[str, str] | None = None
    """The stage that `motion` was learned in, and its SHA-256."""
    large: _Large | None = None


class _Motion:
    """How the picture moves, learned from the runs of one stage."""

    def __init__(self, arrays: Mapping[str, Array], layout: Layout, stage: str, likeness: Likeness) -> None:
        region = layout.region
        turns, looks = arrays["turns"], arrays["looks"]
        runs = len(turns)
        if not 1 <= runs <= 1000 or turns.shape != (runs, 6) or looks.shape != (runs, LOOK_SIZE):
            raise BakeError(f"the baked runs of {stage!r} have an unexpected shape; bake the character again.")
        self.reach = n.REACH[stage]
        self._likeness = likeness
        self._runs = likeness.features(turns.astype(np.float32), looks.astype(np.float32))
        self._flow = _basis(arrays, "flow", runs, layout.size, 1.0)
        half = (region.height // 2, region.width // 2, 4)
        self._correction_shape = half
        self._correction = _basis(arrays, "correction", runs, int(np.prod(half)), _FULL_SCALE)
        self.detail: Floats = _checked(arrays, "detail", (region.height, region.width, 4)).astype(np.float32)

    def at(self, pose: Pose, look: Floats) -> tuple[Floats, Floats]:
        """The flow of `pose` as a vector and its correction (h/2,w/2,4), in 16-bit linear steps."""
        here = self._likeness.features(held(pose, self.reach)[None], look[None])
        alike = self._likeness.between(here, self._runs)[0]
        return self._flow.at(alike), self._correction.at(alike).reshape(self._correction_shape)


def held(pose: Pose, reach: float) -> Floats:
    """`turns_of` the pose with its head within `reach` and its body near where the head takes it."""
    pose = pose.copy()
    pose[_HEAD] = np.clip(pose[_HEAD], -reach, reach)
    turns = turns_of(pose)
    turns[3:5] = np.clip(turns[3:5], -n.BODY_EXTRA, n.BODY_EXTRA)
    return turns


class LiveFace:
    """Draws from a bake. `draw` belongs to one thread; `reload` may be called from another.

    Args:
        bake_folder: What `bake` returns or is still filling; its first stage must be there.
        large: The character's art, uint8 RGBA (1024,1024,4). With it frames are drawn at that size: the art itself is
            moved, and what the networks change is enlarged and put over it.

    Raises:
        BakeError: If the first stage is not there or is damaged.
        LikenessError: If the file of the kernel that comes along is missing or damaged.
        ValueError: If `large` has another shape.
    """

    tier = "live"

    def __init__(self, bake_folder: Path, large: Pixels | None = None) -> None:
        if large is not None and (large.shape != (2 * SIZE_PX, 2 * SIZE_PX, 4) or large.dtype != np.uint8):
            raise ValueError(f"large art is uint8 RGBA of shape (1024, 1024, 4), got {large.dtype} {large.shape}")
        self._folder = bake_folder
        self._likeness = bundled()
        self._large_art = large
        self.size_px = SIZE_PX if large is None else 2 * SIZE_PX
        self._state = self._load(None)
        self._drawn: tuple[_State, Pose, Pixels] | None = None
        self._face_drawn: tuple[_State, bytes, Floats, Floats, Floats] | None = None
        self._eyes_drawn: tuple[_State, bytes, Floats] | None = None
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
        """See `Face.draw`; (1024,1024,4) with large art. Head and body are held within what is baked (`REACH`)."""
        state = self._state
        pose, _ = clamp(pose)
        if self._drawn is not None and self._drawn[0] is state and np.array_equal(self._drawn[1], pose):
            return self._drawn[2].copy()
        look, picture, changed = self._face(state, pose)
        added: Any = 0.0
        flow = state.flow
        if state.motion is not None:
            flow, correction = state.motion.at(pose, look)
            whole = (state.region.width, state.region.height)
            added = cv2.resize(correction, whole, interpolation=cv2.INTER_LINEAR)
        if state.large is None:
            moved = sample(cv2.add(picture, added, dtype=cv2.CV_16U), state.inverter.places(flow))
        else:
            moved = state.large.draw(cv2.add(picture, added), changed, state.inverter.offsets(flow))
        out = np.zeros((self.size_px, self.size_px, 4), np.uint8)
        out[state.region.at_scale(self.size_px // SIZE_PX)] = _to_srgb(moved)
        self._drawn = (state, pose, out)
        return out.copy()

    def seen(self, pose: Pose) -> tuple[Floats, Floats]:
        """What the regression tells poses apart by: the turns (6,) and the look (48,) of `pose`."""
        pose, _ = clamp(pose)
        return held(pose, n.REACH["fine"]), self._face(self._state, pose)[0]

    def _face(self, state: _State, pose: Pose) -> tuple[Floats, Floats, Floats]:
        """The look, the neutral picture with its new face (linear 16-bit steps, not to be changed), and the change.

        The change is how far each pixel of the face crop is from the character's own art, in 8-bit steps.
        """
        key = pose[:39].tobytes()
        known = self._face_drawn
        if known is None or known[0] is not state or known[1] != key:
            change = np.zeros((FACE_PX, FACE_PX, 4), np.float32)
            if state.mouth is not None:
                state.mouth.add_to(change, pose)
            change += self._upper_face(state, pose)
            face = state.face + change
            # The scratch belongs to the state; its face alone is ever written.
            picture, there = state.scratch, state.face_there
            np.add(state.picture[there], (_to_linear(face) - state.face_linear)[state.face_here], out=picture[there])
            known = self._face_drawn = (state, key, self._likeness.look_of(change), picture, face)
        return known[2:]

    def _upper_face(self, state: _State, pose: Pose) -> Floats:
        """What eyes and brows change. They often rest while the mouth moves."""
        key = Eyes.key(pose)
        if self._eyes_drawn is None or self._eyes_drawn[0] is not state or self._eyes_drawn[1] != key:
            change = np.zeros((FACE_PX, FACE_PX, 4), np.float32)
            if state.eyes is not None:
                state.eyes.add_to(change, pose)
                if state.faces is not None:
                    state.faces.add_to(change, pose)
            self._eyes_drawn = (state, key, change)
        return self._eyes_drawn[2]

    def _load(self, known: _State | None) -> _State:
        on_disk = live_store.stages_on_disk(self._folder)
        first = _first(live_store.read_stage(self._folder, "first"))
        loaded = {"first": on_disk["first"]}
        parts: dict[str, Any] = {}
        talk: dict[str, Array] | None = None
        for stage, part, make in (
            ("mouth", "mouth", Mouth),
            ("talk", "mouth", Mouth),
            ("eyes", "eyes", Eyes),
            ("faces", "faces", Faces),
        ):
            if stage not in on_disk:
                continue
            if known is not None and known.stages.get(stage) == on_disk[stage]:
                parts.setdefault(part, getattr(known, part))
                loaded[stage] = on_disk[stage]
                continue
            try:
                arrays = live_store.read_stage(self._folder, stage)
                if stage == "talk":
                    talk = arrays
                if part not in parts:
                    parts[part] = make(arrays)
                loaded[stage] = on_disk[stage]
            except (BakeError, KeyError):
                continue
        # The best stage that says how to move is enough; others are only looked at if it turns out damaged.
        for stage in reversed(n.MOTION_STAGES):
            if stage not in on_disk:
                continue
            if "motion" in parts:
                loaded[stage] = on_disk[stage]
                continue
            try:
                if known is not None and known.motion_stage == (stage, on_disk[stage]):
                    parts["motion"] = known.motion
                else:
                    arrays = (
                        talk if stage == "talk" and talk is not None else live_store.read_stage(self._folder, stage)
                    )
                    parts["motion"] = _Motion(arrays, first.layout, stage, self._likeness)
                parts["motion_stage"] = (stage, on_disk[stage])
                loaded[stage] = on_disk[stage]
            except (BakeError, KeyError):
                loaded.pop(stage, None)
        return self._state_of(first, loaded, parts)

    def _state_of(self, first: _First, loaded: Mapping[str, str], parts: Mapping[str, Any]) -> _State:
        region = first.region
        # The region holds the whole character, and may cut the face crop where the crop is empty.
        top, bottom = max(FACE_ROWS.start, region.top), min(FACE_ROWS.stop, region.bottom)
        left, right = max(FACE_COLS.start, region.left), min(FACE_COLS.stop, region.right)
        there = (slice(top - region.top, bottom - region.top), slice(left - region.left, right - region.left))
        here = (
            slice(top - FACE_ROWS.start, bottom - FACE_ROWS.start),
            slice(left - FACE_COLS.start, right - FACE_COLS.start),
        )
        neutral = _to_linear(first.face)
        source = _to_linear(first.art.astype(np.float32))
        picture = source.copy()
        picture[there] = neutral[here]
        large = None
        if self._large_art is not None:
            large = _Large(self._large_art, source, first.art[there], region, there, here)
        motion: _Motion | None = parts.get("motion")
        picture += first.correction if motion is None else motion.detail * np.float32(_FULL_SCALE)
        inverter = Inverter(first.layout)
        return _State(
            loaded,
            region,
            inverter,
            picture,
            first.flow,
            first.face,
            neutral,
            there,
            here,
            picture.copy(),
            large=large,
            **parts,
        )


class _Large:
    """The character's art at twice the size, moved and changed like the small one."""

    def __init__(
        self, art: Pixels, source: Floats, face_art: Pixels, region: Region, there: _Slices, here: _Slices
    ) -> None:
        self._region = region
        self._there, self._here = there, here
        size = (2 * region.width, 2 * region.height)
        self._size = size
        self._fine = _to_linear(art[region.at_scale(2)].astype(np.float32))
        self._fine -= cv2.resize(source, size, interpolation=cv2.INTER_LINEAR)
        self._face_art = face_art.astype(np.float32)
        self._grid = grid(size[1], size[0])

    def draw(self, texture: Floats, face: Floats, offsets: Floats) -> Array:
        """The moved picture, uint16 linear, (2*height, 2*width, 4); `texture` is the small neutral picture's."""
        # Fine strokes belong to the art; where the networks have drawn something else, they go.
        change = np.abs(face[self._here] - self._face_art).max(axis=2)
        kept = 1.0 - np.minimum(cv2.blur(cv2.dilate(change, np.ones((3, 3), np.uint8)), (3, 3)) / _GONE_AT, 1.0)
        rows, columns = self._there
        here = (slice(2 * rows.start, 2 * rows.stop), slice(2 * columns.start, 2 * columns.stop))
        fine = self._fine[here].copy()
        enlarged = cv2.resize(texture, self._size, interpolation=cv2.INTER_LINEAR)
        fine *= cv2.resize(kept, (fine.shape[1], fine.shape[0]), interpolation=cv2.INTER_LINEAR)[:, :, None]
        face_there = enlarged[here] + fine
        drawn = cv2.add(enlarged, self._fine, dtype=cv2.CV_16U)
        drawn[here] = cv2.add(face_there, 0.0, dtype=cv2.CV_16U)
        places = cv2.resize(offsets, self._size, interpolation=cv2.INTER_LINEAR)
        places = cv2.scaleAdd(places, 2.0, self._grid)
        return sample(drawn, places)


@dataclass(frozen=True, slots=True)
class _First:
    """The first stage."""

    region: Region
    layout: Layout
    art: Pixels
    face: Floats
    flow: Floats
    correction: Floats


def _first(arrays: Mapping[str, Array]) -> _First:
    try:
        top, bottom, left, right = (int(v) for v in arrays["region"])
        region = Region(top, bottom, left, right)
        sound = 0 <= top < bottom <= SIZE_PX and 0 <= left < right <= SIZE_PX and not (top | bottom | left | right) & 1
        if not sound:
            raise BakeError("the bake's first stage has an impossible region; bake the character again.")
        whole = (region.height, region.width, 4)
        art = _checked(arrays, "art", whole, np.uint8)
        face = _checked(arrays, "face", (FACE_PX, FACE_PX, 4), np.int16)
        packed = _checked(arrays, "visible", (-(-region.height * region.width // 8),), np.uint8)
        visible = np.unpackbits(packed, count=region.height * region.width).reshape(region.height, region.width)
        layout = Layout(region, visible > 0)
        flow = _checked(arrays, "flow", (layout.size,))
        correction = _checked(arrays, "correction", whole)
    except (KeyError, ValueError, TypeError) as error:
        if isinstance(error, BakeError):
            raise
        raise BakeError("the bake's first stage is incomplete; bake the character again.") from error
    return _First(
        region,
        layout,
        art,
        face.astype(np.float32) / SCALE,
        flow.astype(np.float32),
        correction.astype(np.float32) * np.float32(_FULL_SCALE),
    )


def _checked(arrays: Mapping[str, Array], name: str, shape: tuple[int, ...], dtype: Any = np.float16) -> Array:
    array = arrays[name]
    if array.shape != shape or array.dtype != dtype:
        raise BakeError(f"the baked {name} has an unexpected shape {array.shape}; bake the character again.")
    return array


def _basis(arrays: Mapping[str, Array], name: str, runs: int, size: int, scale: float) -> Basis:
    count = len(arrays[f"{name}_directions"])
    mean = _checked(arrays, f"{name}_mean", (size,)).astype(np.float32) * np.float32(scale)
    directions = _checked(arrays, f"{name}_directions", (count, size)).astype(np.float32) * np.float32(scale)
    votes = _checked(arrays, f"{name}_votes", (runs, count), np.float32)
    return Basis(mean, directions, votes)


def _to_linear(steps: Floats) -> Floats:
    """8-bit sRGB steps (...,4) as 16-bit linear steps; alpha alike, but not bent."""
    index = np.clip(steps * np.float32(SCALE) + np.float32(0.5), 0.0, 255 * SCALE)
    out: Floats = _LINEAR[index.astype(np.uint16)]
    np.multiply(np.clip(steps[..., 3], 0.0, 255.0), np.float32(_FULL_SCALE / 255.0), out=out[..., 3])
    return out


def _to_srgb(linear: Array) -> Pixels:
    """16-bit linear (...,4) as 8-bit sRGB."""
    out: Pixels = np.take(_SRGB, linear)
    out[..., 3] = np.take(_ALPHA, linear[..., 3])
    return out


def _tables() -> tuple[Floats, Pixels, Pixels]:
    steps = np.arange(int(255 * SCALE) + 1) / (255 * SCALE)
    linear = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4) * _FULL_SCALE
    values = np.arange(65536) / _FULL_SCALE
    srgb = np.where(values <= 0.0031308, values * 12.92, 1.055 * values ** (1 / 2.4) - 0.055)
    return linear.astype(np.float32), np.rint(srgb * 255.0).astype(np.uint8), np.rint(values * 255.0).astype(np.uint8)


_LINEAR, _SRGB, _ALPHA = _tables()
"""IEC 61966-2-1, both ways, and 16-bit alpha as 8-bit."""
