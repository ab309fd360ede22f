"""Notices when the window's thread is held up."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

HELD_UP_MS = 50.0
"""What a test fails at: a hitch that everybody sees, on any machine.

16 ms are judged by benchmarks/held_up.py, on a machine that does nothing else. On one whose caches other guests use the
same clicks took 17 ms, and 46 once, in all of three windows.
"""
LOOPS = 40_000
LOOP_MS = 1.33
"""CPU time of so many additions on the machine that limits in ms were set on (an AMD EPYC, nothing else running)."""


def slowness() -> float:
    """How many times as long as there this machine takes for anything, at least 1: the median of nine short looks.

    Two cores may be one core's two threads, and other guests' work is in nobody's count: the same loop took 13 ms and
    37 within minutes.
    """
    took_ms = []
    for _ in range(9):
        begun_s, total = time.thread_time(), 0
        for number in range(LOOPS):
            total += number
        took_ms.append(1000 * (time.thread_time() - begun_s))
    return max(1.0, sorted(took_ms)[4] / LOOP_MS)


class Watchdog(QObject):
    """Notes how long the GUI thread keeps the event loop from a timer that is always due.

    Each gap counts with the smaller of its wall time and its CPU time (of all threads: Qt scales on its pool): what
    other programs take from a busy machine is not the window's doing, and pool threads side by side count once.
    """

    def __init__(self, cpu: Callable[[], float] = time.process_time) -> None:
        """`cpu` tells CPU time in s: `time.thread_time` where what other threads do meanwhile holds nothing up."""
        super().__init__()
        self._cpu = cpu
        self.gaps_ms: list[float] = []
        self._slowness = slowness()
        self._last = self._now()
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _now(self) -> tuple[float, float]:
        return time.perf_counter(), self._cpu()

    def _beat(self) -> None:
        now = self._now()
        self.gaps_ms.append(1000 * min(now[0] - self._last[0], now[1] - self._last[1]))
        self._last = now

    def stop(self) -> None:
        self._timer.stop()
        self._slowness = (self._slowness + slowness()) / 2

    @property
    def longest_ms(self) -> float:
        """The longest gap, in ms of the machine that limits were set on."""
        return max(self.gaps_ms) / self._slowness
