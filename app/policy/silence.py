"""When a character begins to talk by itself, and with what. Pure; the clock is passed in."""

from __future__ import annotations

from collections.abc import Sequence

OPENERS = (
    "So, what's on your mind?",
    "It's a bit quiet. What have you been up to today?",
    "Hey, are you still there? Tell me something nice.",
    "I was just thinking, what music do you like best?",
    "Quick question: would you rather be at the sea or in the mountains?",
    "If you could eat anything right now, what would it be?",
)
REQUEST = (
    "(Nobody has spoken for a while. Say one short, friendly thing to start talking again, about something new or "
    "about what you two talked of. Do not mention this note or the silence's length.)"
)
"""Asks the brain for an opener."""


class SpeakFirst:
    """Decides whether it is time to break the silence: after `after_s` (0: never), `times` in a row at most.

    Times are in s on any clock that only grows. Not thread-safe.
    """

    def __init__(self, after_s: float, times: int = 2) -> None:
        self._after_s = after_s
        self._times = times
        self._quiet_since_s: float | None = None
        self._in_a_row = 0
        self._last_opener = ""
        self._next = 0

    def heard_user(self) -> None:
        """The user spoke or wrote: the count begins anew."""
        self._in_a_row = 0
        self._quiet_since_s = None

    def due(self, now_s: float, *, is_busy: bool) -> bool:
        """Whether to begin to talk now. `is_busy`: a turn is open, somebody speaks, or models are still loading."""
        if self._after_s <= 0:
            return False
        if is_busy:
            self._quiet_since_s = None
            return False
        if self._quiet_since_s is None:
            self._quiet_since_s = now_s
        return self._in_a_row < self._times and now_s - self._quiet_since_s >= self._after_s

    def began(self) -> None:
        """A turn was begun by itself."""
        self._in_a_row += 1
        self._quiet_since_s = None

    def opener(self, own: Sequence[str] = ()) -> str:
        """What to say where the brain has no idea: one of `own` or the neutral ones, never twice in a row."""
        choice = tuple(own) or OPENERS
        for _ in range(len(choice)):
            text = choice[self._next % len(choice)]
            self._next += 1
            if text != self._last_opener or len(choice) == 1:
                break
        self._last_opener = text
        return text
