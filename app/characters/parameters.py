"""The 45 parameters of a face and the expressions made of them, for whoever shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from animator.character import EXPRESSION_KEYS
from animator.tha3 import pose
from animator.tha3.expressions import PRESETS

GROUPS = ("brows", "eyes", "gaze", "mouth", "head", "body")
_STARTS = {
    "eyebrow": "brows",
    "eye": "eyes",
    "iris_small": "eyes",
    "iris_rotation": "gaze",
    "mouth": "mouth",
    "head": "head",
    "neck": "head",
    "body": "body",
    "breathing": "body",
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of THA3's, with its range and the part of the face that it moves (one of GROUPS)."""

    name: str
    low: float
    high: float
    group: str

    @property
    def other_side(self) -> str:
        """The parameter of the other side; "" where there is none."""
        for here, there in (("_left", "_right"), ("_right", "_left")):
            if self.name.endswith(here):
                return self.name.removesuffix(here) + there
        return ""


def _group(name: str) -> str:
    start = max((start for start in _STARTS if name.startswith(start)), key=len)
    return _STARTS[start]


PARAMETERS: tuple[Parameter, ...] = tuple(
    Parameter(name, float(low), float(high), _group(name))
    for name, low, high in zip(pose.NAMES, pose.LOW, pose.HIGH, strict=True)
)
"""In THA3's own order."""


def expression_names(own: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What can be shown and changed: the eight of the keys, the character's own, then the app's other emotions."""
    return list(dict.fromkeys([*EXPRESSION_KEYS, *own, *sorted(PRESETS)]))


def values_of(name: str, own: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """All 45 values of expression `name`: the character's, else the app's; at rest where nobody knows it."""
    known: Mapping[str, float] = own.get(name) or PRESETS.get(name) or {}
    return {key: round(float(value), 2) for key, value in zip(pose.NAMES, pose.pose_of(**known), strict=True)}
