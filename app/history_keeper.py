"""Writes what is said into the history, on a thread of its own, while the setting allows it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from animator.timebase import Clock
from app.bus import Bus
from app.errors import AppError
from app.history_store import HistoryStore, Said
from app.messages import Fact
from app.policy.talk_log import Spoken, TalkLog

EVERY_S = 0.5
"""How often facts are read: nobody waits for them, and a kill loses at most the turn that is under way."""


class HistoryKeeper:
    """Follows `bus` from its making on. `start` and `stop` once each; `stop` writes what is left and waits for it.

    Nothing said ever reaches a log: where the file cannot be used, the fact `history state` says so, once.
    """

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        now_s: Callable[[], float],
        store: HistoryStore,
        character: Callable[[], str],
        wanted: Callable[[], bool],
    ) -> None:
        """`character` names who is talked with, `wanted` says whether it is to be kept; both from any thread."""
        self._bus = bus
        self._clock = clock
        self._now_s = now_s
        self._store = store
        self._character = character
        self._wanted = wanted
        self._tap = bus.tap()
        self._log = TalkLog()
        self._talked_with = character()
        self._failed = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="history", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self, timeout_s: float = 1.5) -> None:
        """Write what is left and close the file; safe to call twice, and without `start`."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_S):
            self._read()
        self._read()
        self._write(self._log.finish(), self._talked_with)
        self._store.close()

    def _read(self) -> None:
        told: list[Spoken] = []
        for fact in self._tap.drain():
            told += self._take(fact)
            if (fact.stage, fact.event) == ("avatar", "character"):
                # What was said to the one before belongs to that one.
                self._write(told + self._log.finish(), self._talked_with)
                told, self._talked_with = [], self._character()
        self._write(told, self._talked_with)

    def _take(self, fact: Fact) -> list[Spoken]:
        with contextlib.suppress(KeyError, TypeError, ValueError):  # it says less than its name promises
            return self._log.take(fact)
        return []

    def _write(self, told: list[Spoken], character: str) -> None:
        if not told or not self._wanted():
            return
        now_s, now_ns = self._now_s(), self._clock.now_ns()
        messages = [
            Said(character, now_s - (now_ns - each.at_ns) / 1e9, each.who, each.text, each.cut) for each in told
        ]
        try:
            self._store.add(messages)
        except AppError as error:
            if not self._failed:  # said once; the talk goes on without
                self._failed = True
                self._bus.emit(
                    "history", "state", state="failed", label="History", problem=error.problem, remedy=error.remedy
                )
