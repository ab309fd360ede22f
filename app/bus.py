"""Facts go up through the tap, commands come in at the gate. No Qt, no I/O."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from app.messages import Command, Fact


class Subscription:
    """One reader's bounded view of the facts; the oldest fall out when the reader is slow."""

    def __init__(self, limit: int) -> None:
        self._facts: deque[Fact] = deque(maxlen=limit)

    def offer(self, fact: Fact) -> None:
        """Add a fact; never waits. Called from any thread."""
        self._facts.append(fact)

    def drain(self) -> list[Fact]:
        """Take every fact that has come since the last call, oldest first."""
        facts: list[Fact] = []
        while True:
            try:
                facts.append(self._facts.popleft())
            except IndexError:
                return facts


class Teller(Protocol):
    """Where facts go."""

    def emit(self, stage: str, event: str, **data: Any) -> None:
        """Publish a fact."""
        ...


class Bus:
    """The one place where stages and consumers meet. Thread-safe."""

    def __init__(self, now_ns: Callable[[], int]) -> None:
        self._now_ns = now_ns
        # Reentrant: a signal handler may emit while the main thread is in here.
        self._lock = threading.RLock()
        self._subscriptions: list[Subscription] = []
        self._listeners: list[Callable[[Fact], None]] = []
        self._latest: dict[tuple[str, str], Fact] = {}
        self.gate: queue.SimpleQueue[Command] = queue.SimpleQueue()

    def emit(self, stage: str, event: str, **data: Any) -> None:
        """Publish a fact, stamped now. Cheap enough for any thread but an audio callback."""
        fact = Fact(self._now_ns(), stage, event, data)
        with self._lock:
            self._latest[stage, event] = fact
            subscriptions, listeners = list(self._subscriptions), list(self._listeners)
        for subscription in subscriptions:
            subscription.offer(fact)
        for listener in listeners:
            listener(fact)

    def tap(self, limit: int = 2048) -> Subscription:
        """Subscribe. Read `snapshot()` once afterwards to learn what had happened before."""
        subscription = Subscription(limit)
        with self._lock:
            self._subscriptions.append(subscription)
        return subscription

    def listen(self, listener: Callable[[Fact], None]) -> None:
        """Call `listener` with every fact, on the emitting thread (the trace writer, tests). It must not wait."""
        with self._lock:
            self._listeners.append(listener)

    def snapshot(self) -> dict[tuple[str, str], Fact]:
        """The newest fact of each stage and event."""
        with self._lock:
            return dict(self._latest)
