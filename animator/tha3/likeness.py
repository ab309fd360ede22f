"""How much two poses of a character have in common: the kernel behind the live face's regression. Pure, but for a file.

The networks are rough in the pose, and no formula of ours knew where. So this kernel was learned: from what the
networks made of a few hundred drawings, in such a way that, of a drawing that it has not seen, a few runs tell the
most about the app's own motion (`animator.tha3.training`, `assets/face/README.md`). It belongs to the networks, not to
a character, and comes along in one file.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

BUNDLED = Path(__file__).parents[2] / "assets" / "face" / "likeness.npz"
LOOK_PX = 24
"""The face's change is seen at this size."""
LOOK_SIZE = 48
"""Numbers that say what is seen of an expression."""
TURNS = 6
TURN_SCALES = np.array([2.0, 2.0, 2.0, 10.0, 10.0, 1.0])
"""Bring head_x, head_y, neck_z, the body's extra turn and lean, and breath to a size of about 1."""
_BALLS = 3
FORWARD = 1.5
"""How much larger the small network sees the turns than the rest of the kernel does."""
_LARGEST_BYTES = 8 * 1024 * 1024


class LikenessError(ValueError):
    """The kernel's file is not what it should be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the kernel compares of n poses. All float64."""

    head: Doubles
    """(n,3)"""
    extra: Doubles
    """(n,3): body and breath."""
    look: Doubles
    """(n,48)"""
    traits: Doubles
    """(n,64), of a small network."""
    balls: tuple[tuple[Doubles, Doubles], ...]
    """Places in three spaces, each (n,54), in which only near poses have anything in common, and their squares (n,)."""


class Likeness:
    """The learned kernel.

    Args:
        arrays: What the file holds; see `assets/face/README.md`.

    Raises:
        LikenessError: If an array is missing, has another shape, or holds something else than finite numbers.
    """

    def __init__(self, arrays: dict[str, npt.NDArray[np.floating]]) -> None:
        def get(name: str, *shape: int | None) -> Doubles:
            array = arrays.get(name, np.zeros(()))
            fits = array.ndim == len(shape) and array.dtype.kind == "f"
            if not fits or any(want not in (None, have) for want, have in zip(shape, array.shape, strict=True)):
                raise LikenessError(
                    f"the live face's kernel holds {array.dtype} {array.shape} for {name!r}; reinstall the program."
                )
            if not np.isfinite(array).all():
                raise LikenessError(f"the live face's kernel has no finite {name!r}; reinstall the program.")
            return np.asarray(array, np.float64)

        self._eye: Floats = get("look", LOOK_PX * LOOK_PX * 3, LOOK_SIZE).astype(np.float32)
        self._head, self._extra = get("head", 3), get("extra", 3)
        self._tied = get("tied", 5)
        self._near, self._near_look = get("near", _BALLS, TURNS), get("near_look", _BALLS, LOOK_SIZE)
        self._much = get("much", _BALLS, 2)
        self.noise = float(get("noise", 1)[0])
        """How much of a run is its own and does not follow from the pose."""
        into = get("into", None, TURNS + LOOK_SIZE)
        width = len(into)
        on, out = get("on", width, width), get("out", None, width)
        self._layers = ((into, get("into_bias", width)), (on, get("on_bias", width)))
        self._out = (out, get("out_bias", len(out)))

    def look_of(self, change: Floats) -> Floats:
        """What the networks see of an expression: float32 (48,).

        Args:
            change: float32 (192,192,4), the face crop less the neutral one, in 8-bit sRGB steps.
        """
        small = cv2.resize(change, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_AREA)[:, :, :3]
        return np.asarray(small.ravel() @ self._eye, np.float32)

    def features(self, turns: Floats, looks: Floats) -> Features:
        """What is compared of poses: `turns` (n,6) as `live_fit.turns_of` gives them, `looks` (n,48)."""
        scaled = turns * TURN_SCALES
        look = looks.astype(np.float64)
        hidden = np.concatenate([scaled * FORWARD, look], axis=1)
        for weights, bias in self._layers:
            hidden = np.tanh(hidden @ weights.T + bias)
        balls = []
        for near, near_look in zip(self._near, self._near_look, strict=True):
            place = np.concatenate([scaled * near, look * near_look], axis=1)
            balls.append((place, (place**2).sum(axis=1)))
        traits = hidden @ self._out[0].T + self._out[1]
        return Features(scaled[:, :3] * self._head, scaled[:, 3:] * self._extra, look, traits, tuple(balls))

    def between(self, one: Features, other: Features) -> Doubles:
        """How much n poses have in common with m others: (n,m)."""
        line, square, extra_turned, seen, seen_turned = self._tied
        turned = one.head @ other.head.T
        out = (
            line * (1.0 + turned)
            + square * turned**2
            + (one.extra @ other.extra.T) * (1.0 + extra_turned * turned)
            + seen * (one.look @ other.look.T) * (1.0 + seen_turned * turned)
            + one.traits @ other.traits.T
        )
        for (here, squares), (there, other_squares), (still, moving) in zip(
            one.balls, other.balls, self._much, strict=True
        ):
            apart = squares[:, None] + other_squares[None] - 2.0 * (here @ there.T)
            out += np.exp(np.minimum(-0.5 * apart, 0.0)) * (still + moving * turned)
        return np.asarray(out, np.float64)


@lru_cache(maxsize=1)
def bundled() -> Likeness:
    """The kernel that comes along.

    Raises:
        LikenessError: If its file is missing or damaged.
    """
    return read(BUNDLED)


def read(path: Path) -> Likeness:
    """The kernel of a file. Raises LikenessError."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise LikenessError(f"{path.name} is larger than the live face's kernel can be; reinstall the program.")
        # np.load leaves a damaged file open.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as archive:
            return Likeness({name: archive[name] for name in archive.files})
    except FileNotFoundError:
        raise LikenessError(
            f"The live face's kernel is missing: expected {path}. Reinstall, or restore the assets folder."
        ) from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, LikenessError):
            raise
        raise LikenessError(f"{path.name} cannot be read ({type(error).__name__}); reinstall the program.") from error
