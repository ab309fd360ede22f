"""Notices when the window's thread is held up."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer


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
