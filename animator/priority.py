"""Which thread waits for which where there are more threads than cores."""

from __future__ import annotations

import logging
import os
import sys
import threading

_log = logging.getLogger(__name__)

GIVES_WAY = 5
"""Steps of niceness. On two cores a picture of 18 ms took 50 beside a voice on two threads of the same priority, and
was late; five steps below, the voice gets a quarter of a core that both want."""
GIVES_WAY_TO_THE_VOICE = 10
"""For what also the voice and the hearing do not wait for: an answer that is thought ahead, a recording."""


def give_way(steps: int = GIVES_WAY) -> None:
    """Have this thread, and those that it starts from now on, wait for all others, for good.

    For work that takes longer than a picture. Twice is as once. Only Linux does that per thread; elsewhere nothing
    happens.
    """
    if sys.platform == "linux":
        try:
            own = os.getpriority(os.PRIO_PROCESS, os.getpid())
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), own + steps)
        except OSError as error:
            _log.debug("the thread's priority stays: %s", error)
