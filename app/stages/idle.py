"""What is done while nobody waits for it: a look at the clock some ten times a second."""

from __future__ import annotations

from collections.abc import Callable

from app.bus import Bus
from app.stage import Channel, Stage

EVERY_S = 0.1


class IdleStage(Stage[None]):
    """Calls `look` every 0.1 s until the line stops. Never in anybody's way: it says nothing of itself but failures."""

    name = "idle"

    def __init__(self, bus: Bus, look: Callable[[], None]) -> None:
        super().__init__(bus, Channel(1, "latest wins"))
        self._look = look
        self._has_failed = False

    def say_state(self, state: str) -> None:
        """Nobody needs to know."""

    def run_loop(self) -> None:
        """Look until the end."""
        while not self.stopping.wait(EVERY_S):
            try:
                self._look()
                self._has_failed = False
            except Exception as error:
                if not self._has_failed:  # said once, not ten times a second
                    self.say_failed(error)
                self._has_failed = True
