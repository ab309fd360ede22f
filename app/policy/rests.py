"""How long a voice that failed is left alone. Pure."""

from __future__ import annotations

from dataclasses import dataclass

MAX_REST = 7
SLOW_S = 2.0
"""A failure that took longer was heard as a silence: the next try waits longer too."""
_SLOW_REST = 3


@dataclass(slots=True)
class Rests:
    """Counts in sentences: 0, 1, 3, 7, 7, … after failures in a row, at least 3 after one that took long."""

    _failures: int = 0
    _left: int = 0

    def may_try(self) -> bool:
        """Whether the next sentence is tried with it; each call is one sentence."""
        if self._left:
            self._left -= 1
            return False
        return True

    def failed(self, took_s: float) -> None:
        """It failed after `took_s`."""
        self._failures += 1
        self._left = min(MAX_REST, (1 << (self._failures - 1)) - 1)
        if took_s > SLOW_S:
            self._left = max(self._left, _SLOW_REST)

    def succeeded(self) -> None:
        """It spoke."""
        self._failures = self._left = 0
