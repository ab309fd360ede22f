"""Fades between things that move, in closed form and without a kink, also from the middle of other fades."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Values: TypeAlias = npt.NDArray[np.float32]
Curve: TypeAlias = Callable[[float], Values]
"""Values by host time in s."""

KEPT_S = 2.0
"""Fades that ended longer ago than this when a new one begins are forgotten; longer than any fade or lag here."""
MAX_FADES = 32


def smoothstep(x: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """0 below 0, 1 above 1, and 3x² - 2x³ between: no slope at either end. float32."""
    x = np.clip(np.asarray(x, dtype=np.float32), 0.0, 1.0)
    return np.asarray(x * x * (3.0 - 2.0 * x), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Fade:
    target: Curve
    since_s: float
    begins_s: npt.NDArray[np.float64]
    """When each value starts to move."""
    fade_s: Values

    def at(self, before: Values, time_s: float) -> Values:
        share = smoothstep((time_s - self.begins_s) / self.fade_s)
        return np.asarray(before + share * (self.target(time_s) - before), dtype=np.float32)


class Crossfade:
    """A curve that is faded to others, one after the other; each goes on moving while it fades out.

    Every fade is smooth where it starts and ends, and so is whatever comes of several at once: nothing pops. One
    thread may call `to` while another calls `at`; the list of fades is replaced as a whole.
    """

    def __init__(self, first: Curve) -> None:
        self._first = first
        self._fades: tuple[_Fade, ...] = ()

    def to(self, target: Curve, since_s: float, fade_s: npt.ArrayLike, delay_s: npt.ArrayLike = 0.0) -> None:
        """Fade to `target` from host time `since_s` on, within `fade_s` (positive; one, or one per value).

        `delay_s`, too, may be given per value: what leads has less of it.
        """
        fade = _Fade(
            target,
            since_s,
            since_s + np.asarray(delay_s, dtype=np.float64),
            np.asarray(fade_s, dtype=np.float32),
        )
        fades = self._fades
        for i in range(len(fades) - 1, -1, -1):
            if float(np.max(fades[i].begins_s + fades[i].fade_s)) + KEPT_S <= since_s:
                fades = fades[i:]  # it has arrived, so nothing of what was before it is left
                break
        self._fades = (*fades, fade)[-MAX_FADES:]

    def at(self, time_s: float) -> Values:
        """The values at host time `time_s`, float32; a copy."""
        fades = self._fades
        values = np.array(self._first(time_s), dtype=np.float32)
        for fade in fades:
            values = fade.at(values, time_s)
        return values
