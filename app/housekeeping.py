"""What a show tidies up while nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.bus import Bus
from app.messages import Fact

AFTER_S = 0.5
"""So long after the last word of a turn: by then the stages have let go of what they worked on."""


class Housekeeping:
    """Hands memory back to the system after each turn: a voice and a Whisper need tens of megabytes for some seconds.

    Without it the free pages of a long talk add up to a hundred megabytes and more that nobody else can use.
    """

    def __init__(self, bus: Bus, give_back: Callable[[], None], *, after_s: float = AFTER_S) -> None:
        """`give_back` is called on a thread of its own."""
        self._give_back = give_back
        self._after_s = after_s
        self._wanted = threading.Event()
        self._over = threading.Event()
        bus.listen(self._follow)
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)
        self._thread.start()

    def _follow(self, fact: Fact) -> None:
        if (fact.stage, fact.event) in (("playback", "turn_finished"), ("playback", "stopped")):
            self._wanted.set()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            if self._over.wait(self._after_s):
                return
            self._wanted.clear()
            self._give_back()

    def stop(self) -> None:
        """Tidy up no more; safe to call twice."""
        self._over.set()
        self._wanted.set()
