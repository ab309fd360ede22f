"""The one file of the animator that reads the computer's clock and sleeps."""

from __future__ import annotations

import time


class SystemClock:
    """The computer's monotonic clock. `perf_counter_ns` is system-wide, so both processes agree on it.

    `time.monotonic` ticked every 15.6 ms on Windows before Python 3.13 (cpython gh-88494).
    """

    def now_ns(self) -> int:
        """Host time in ns, monotonic, arbitrary origin."""
        return time.perf_counter_ns()

    def sleep_until(self, host_ns: int) -> None:
        """Sleep until `host_ns`; return at once if it has passed."""
        left_ns = host_ns - time.perf_counter_ns()
        if left_ns > 0:
            time.sleep(left_ns / 1e9)
