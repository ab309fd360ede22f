"""Expressions: named poses, and the fade from one to the next as a pure function of host time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from animator.character import DEFAULT_EXPRESSIONS
from animator.messages import Pose
from animator.tha3 import pose as p
from animator.tha3.crossfade import Crossfade, Curve, smoothstep
from animator.tha3.emotions import EMOTIONS

PRESETS: Mapping[str, Mapping[str, float]] = {**DEFAULT_EXPRESSIONS, **EMOTIONS}
"""What every character can show: the short set of the keys 1 to 8, then the emotions. A character's own file replaces
or adds to them."""

NEUTRAL = "neutral"
FADE_S = 0.240
"""A face takes 200-300 ms to change its expression."""
HEAD_FADE_S = 0.420
"""A head is heavier than a brow."""
_FADES_S = np.full(45, FADE_S, dtype=np.float32)
_FADES_S[p.BODY] = HEAD_FADE_S

_LIDS = slice(12, 14)
_HAPPY_LIDS = slice(14, 16)
LIDS_SHUT = 0.9
"""Lids that an expression sets to this or more are shut."""
LIDS_AJAR, HAPPY_LIDS_AJAR = 0.1, 0.25
"""Where they are meanwhile: eye_wink, and eye_happy_wink."""
LIDS_HALF, LIDS_SNAP = 0.5, 0.7
SHUT_S, SHUT_EVERY_S = 1.8, 5.5
LID_S = 0.100
HAPPY_LIDS_OPEN = 0.3
"""Up to here eye_happy_wink is an open eye; the live face blurs between this and 1."""
SHUT_FROM = 0.5
"""An emotion as strong as this smiles with shut eyes, if it does so at all."""

CORNERS = slice(32, 36)
"""mouth_lowered_corner and mouth_raised_corner."""
CORNERS_WHILE_SPEAKING = 0.4
"""Share of the corners that is left while speaking: a full smile would widen every vowel."""


def expression_poses(expressions: Mapping[str, Mapping[str, float]]) -> dict[str, Pose]:
    """Every preset and every one of `expressions` (which win) as a pose; values are clamped to their ranges.

    Raises:
        ValueError: If a name is no THA3 parameter; the message names expression and parameter.
    """
    poses: dict[str, Pose] = {}
    for name, values in {**PRESETS, **expressions}.items():
        try:
            poses[name] = p.clamp(p.pose_of(**values))[0]
        except ValueError as error:
            raise ValueError(f"expression {name!r}: {error}; expected names such as eye_wink or mouth_smirk") from None
    return poses


def at_intensity(pose: Pose, neutral: Pose, intensity: float) -> Pose:
    """`pose` shown with `intensity` in [0, 1] instead of fully: so far from `neutral`. float32 (45,).

    Lids that smile stay shut or stay open: half shut they are no eye (HAPPY_LIDS_OPEN).
    """
    shown = np.asarray(neutral + np.float32(intensity) * (pose - neutral), dtype=np.float32)
    smiling = pose[_HAPPY_LIDS]
    between = (shown[_HAPPY_LIDS] > HAPPY_LIDS_OPEN) & (smiling > HAPPY_LIDS_OPEN)
    stay = smiling if intensity >= SHUT_FROM else np.float32(HAPPY_LIDS_OPEN)
    shown[_HAPPY_LIDS] = np.where(between, stay, shown[_HAPPY_LIDS])
    return shown


def drawable_lids(happy_wink: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """eye_happy_wink as the live face draws it well: up to half as it is, then shut from one frame to the next.

    It is baked at 0.5 and at 1, and what lies between is a grey blur.
    """
    held = np.minimum(happy_wink, np.float32(LIDS_HALF))
    return np.where(happy_wink >= LIDS_SNAP, np.float32(1.0), held).astype(np.float32)


def shut_share(since_s: float) -> float:
    """How far lids that an expression shuts are shut, in [0, 1], `since_s` after it was set.

    Nobody beams with shut eyes for a whole answer: SHUT_S shut, then ajar, and shut again every SHUT_EVERY_S.
    """
    phase_s = since_s % SHUT_EVERY_S if since_s > 0.0 else 0.0
    opening = float(smoothstep((phase_s - SHUT_S) / LID_S))
    closing = float(smoothstep((phase_s - SHUT_EVERY_S + LID_S) / LID_S))
    return 1.0 - opening + closing


class ExpressionFader:
    """The expression over time: fades within FADE_S (the head within HEAD_FADE_S), also from the middle of a fade.

    One thread at a time may call `set`, any `pose_at`. `under` is what shows where nothing is set: an expression fader
    of its own for a layer above another, a face at rest otherwise.
    """

    def __init__(
        self, expressions: Mapping[str, Mapping[str, float]] | None = None, under: Curve | None = None
    ) -> None:
        self._poses = expression_poses(expressions or {})
        neutral = self._poses[NEUTRAL]
        self._under: Curve = under if under is not None else lambda _: neutral
        self._fades = Crossfade(self._under)
        self.name = NEUTRAL
        self.intensity = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """What can be shown."""
        return tuple(self._poses)

    def set(self, name: str, time_s: float, intensity: float = 1.0) -> None:
        """Fade to `name`, starting at host time `time_s`; `intensity` in [0, 1] is how much of it shows.

        "neutral" lets go: what is under this layer shows again.

        Raises:
            ValueError: If there is no such expression (the message lists those there are), or no such intensity.
        """
        if name not in self._poses:
            raise ValueError(f"there is no expression called {name!r}; there are {', '.join(self._poses)}")
        if not 0.0 <= intensity <= 1.0:
            raise ValueError(f"got intensity {intensity!r}; expected a number from 0 to 1")
        if name == self.name and intensity == self.intensity:
            return
        self.name, self.intensity = name, intensity
        self._fades.to(self._under if name == NEUTRAL else self._curve(name, intensity, time_s), time_s, _FADES_S)

    def _curve(self, name: str, intensity: float, since_s: float) -> Curve:
        pose = at_intensity(self._poses[name], self._poses[NEUTRAL], intensity)
        opened = pose.copy()
        for lids, ajar in ((_LIDS, LIDS_AJAR), (_HAPPY_LIDS, HAPPY_LIDS_AJAR)):
            opened[lids] = np.where(pose[lids] >= LIDS_SHUT, ajar, pose[lids])
        if np.array_equal(opened, pose):
            return lambda _: pose
        return lambda time_s: np.asarray(opened + shut_share(time_s - since_s) * (pose - opened), dtype=np.float32)

    def pose_at(self, time_s: float) -> Pose:
        """The expression at host time `time_s`, float32 (45,); a copy."""
        return self._fades.at(time_s)


def while_speaking(expression: Pose, activity: float) -> Pose:
    """What speech leaves of an expression: `activity` in [0, 1] takes its open mouth away and eases its corners.

    Its smirk goes to `REST_SMIRK`, with which spoken mouths are baked.
    """
    adapted = expression.copy()
    adapted[p.MOUTH] *= 1.0 - activity
    adapted[CORNERS] *= 1.0 - (1.0 - CORNERS_WHILE_SPEAKING) * activity
    adapted[p.SMIRK] += (p.REST_SMIRK - adapted[p.SMIRK]) * activity
    return adapted
