"""Expressions: named poses, and the fade from one to the next as a pure function of host time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from animator.character import DEFAULT_EXPRESSIONS
from animator.messages import Pose
from animator.tha3 import pose as p

PRESETS: Mapping[str, Mapping[str, float]] = DEFAULT_EXPRESSIONS
"""What every character can show; a character's own file replaces or adds to them."""

NEUTRAL = "neutral"
FADE_S = 0.240
"""A face takes 200-300 ms to change its expression."""

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


class ExpressionFader:
    """The expression over time: fades within FADE_S, also from the middle of a fade. One thread at a time."""

    def __init__(self, expressions: Mapping[str, Mapping[str, float]] | None = None) -> None:
        self._poses = expression_poses(expressions or {})
        self._from = self._poses[NEUTRAL]
        self._since_s = -1e9
        self.name = NEUTRAL

    @property
    def names(self) -> tuple[str, ...]:
        """What can be shown."""
        return tuple(self._poses)

    def set(self, name: str, time_s: float) -> None:
        """Fade to `name`, starting at host time `time_s`.

        Raises:
            ValueError: If there is no such expression; the message lists those there are.
        """
        if name not in self._poses:
            raise ValueError(f"there is no expression called {name!r}; there are {', '.join(self._poses)}")
        if name == self.name:
            return
        self._from, self._since_s, self.name = self.pose_at(time_s), time_s, name

    def pose_at(self, time_s: float) -> Pose:
        """The expression at host time `time_s`, float32 (45,); a copy."""
        x = min(max((time_s - self._since_s) / FADE_S, 0.0), 1.0)
        share = np.float32(x * x * (3.0 - 2.0 * x))
        return np.asarray(self._from + share * (self._poses[self.name] - self._from), dtype=np.float32)


def while_speaking(expression: Pose, activity: float) -> Pose:
    """What speech leaves of an expression: `activity` in [0, 1] takes its open mouth away and eases its corners.

    Its smirk goes to `REST_SMIRK`, with which spoken mouths are baked.
    """
    adapted = expression.copy()
    adapted[p.MOUTH] *= 1.0 - activity
    adapted[CORNERS] *= 1.0 - (1.0 - CORNERS_WHILE_SPEAKING) * activity
    adapted[p.SMIRK] += (p.REST_SMIRK - adapted[p.SMIRK]) * activity
    return adapted
