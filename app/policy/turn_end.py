"""Whether the user has finished or only pauses, from what a turn detector and the words say. Pure.

Three things decide how long a pause may last: how finished the sound is (smart-turn's probability), whether the words
so far can end there ("because" cannot), and the user's patience setting. The longest is the hard stop.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PAUSE_MS = 128
"""Quiet after which the user may have finished: the guess is decoded and the turn detector asked for the first time."""

_WAITS_MS: tuple[tuple[float, float], ...] = ((0.0, 1800.0), (0.05, 1300.0), (0.25, 900.0), (0.5, 640.0))
"""(probability, ms of quiet that it takes at least): between two rows in a straight line.

Speakers pause 250 to 700 ms inside a sentence, and no detector knows a finished clause from a finished turn, so even
a sure one waits that long; it costs nothing, because the answer is being prepared meanwhile. The measured distributions
are in docs/investigations/turn-taking.md."""

_FIRST_WEIGHT = 0.6

_UNFINISHED = frozenset(
    re.findall(
        r"\S+",
        "and or but because cause if while a an the of to my your their our i'm you're it's we're he's she's "
        "they're what's um uh er erm aur lekin kyunki matlab magar ya और लेकिन क्योंकि मतलब मगर या けど から ので "
        "えっと あの その",
    )
)
_LATIN = re.compile(r"[A-Za-z]")
_LAST_WORD = re.compile(r"([^\W_]+(?:['’][^\W_]+)?)[^\w]*$")


@dataclass(frozen=True, slots=True)
class TurnEndOptions:
    """How patient the listener is."""

    patience: float = 1.0
    """0.5 answers quickly and may cut in; 2 waits for slow talkers."""
    ask_at_ms: tuple[int, ...] = (PAUSE_MS, 416, 896, 1408)
    """Lengths of quiet at which the turn detector is asked (again: silence itself is telling). Not at the moment of the
    decision, which would have to wait for it."""
    hard_stop_ms: int = 2500
    """Nobody waits longer, whatever the detector says (times patience)."""
    without_detector_ms: int = 600
    """Fixed pause where no turn detector is there."""

    def __post_init__(self) -> None:
        if not 0.25 <= self.patience <= 4.0:
            raise ValueError(f"patience must be from 0.25 to 4, got {self.patience!r}")


class TurnEnd:
    """One pause after another. Not thread-safe."""

    def __init__(self, options: TurnEndOptions | None = None, *, has_detector: bool = True) -> None:
        self.options = options or TurnEndOptions()
        self._has_detector = has_detector
        self._asked = 0
        self._first: float | None = None
        self.probability: float | None = None
        """What the detector says of this pause: its first answer and, with less weight, its newest. Silence alone
        talks it into "finished", so asking again adds less than asking once."""
        self._is_unfinished = False

    def reset(self) -> None:
        """The user speaks (again): a new pause knows nothing yet."""
        self._asked = 0
        self._first = self.probability = None
        self._is_unfinished = False

    def is_due(self, quiet_ms: float) -> bool:
        """Whether the detector is to be asked now that it has been quiet for `quiet_ms`."""
        steps = self.options.ask_at_ms
        return self._has_detector and self._asked < len(steps) and quiet_ms >= steps[self._asked]

    def answer(self, quiet_ms: float, probability: float) -> None:
        """The detector's `probability` in [0, 1] that the user has finished."""
        while self.is_due(quiet_ms):
            self._asked += 1
        if self._first is None:
            self._first = probability
        self.probability = _FIRST_WEIGHT * self._first + (1 - _FIRST_WEIGHT) * probability

    def words(self, text: str) -> None:
        """What was heard so far in this turn."""
        self._is_unfinished = sounds_unfinished(text)

    def wait_ms(self) -> float:
        """The quiet after which the turn is over, by what is known now."""
        hard_ms = self.options.hard_stop_ms * self.options.patience
        if not self._has_detector:
            wait_ms = float(self.options.without_detector_ms) * self.options.patience
        elif self.probability is None:
            wait_ms = hard_ms
        else:
            wait_ms = _wait_ms(self.probability) * self.options.patience
        if self._is_unfinished:
            wait_ms = max(wait_ms * 1.5, 1200.0 * self.options.patience)
        return min(wait_ms, hard_ms)

    def is_over(self, quiet_ms: float) -> bool:
        """Whether the turn is over after `quiet_ms`."""
        return quiet_ms >= self.wait_ms()


def _wait_ms(probability: float) -> float:
    low = _WAITS_MS[0]
    for high in _WAITS_MS[1:]:
        if probability < high[0]:
            share = (probability - low[0]) / (high[0] - low[0])
            return low[1] + (high[1] - low[1]) * share
        low = high
    return low[1]


def sounds_unfinished(text: str) -> bool:
    """Whether more must come after these words: "and so", "I like the", "well, um…".

    Whisper ends what it takes for a whole English sentence with a full stop: 25 of 26 true ends, 29 of 38 pauses.
    """
    stripped = text.rstrip()
    if stripped.endswith(("-", "—", ",", "...", "…")):
        return True
    if stripped.endswith(("?", "!", "？", "！")):
        return False
    if _LATIN.search(stripped) and not stripped.endswith("."):
        return True
    match = _LAST_WORD.search(stripped)
    return match is not None and match[1].lower().replace("’", "'") in _UNFINISHED
