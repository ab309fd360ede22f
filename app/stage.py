"""The plain parts of the line: a bounded channel, a thread with a loop, and the current turn."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Literal, TypeVar

from animator.priority import give_way
from app.bus import Bus
from app.errors import AppError

T = TypeVar("T")
WhenFull = Literal["drop oldest", "wait", "latest wins"]

_log = logging.getLogger(__name__)


class Channel(Generic[T]):
    """A bounded edge between two threads; `when_full` says what gives.

    "drop oldest" counts what it drops in `dropped`; "wait" makes the sender wait; "latest wins" keeps one item.
    """

    def __init__(self, limit: int, when_full: WhenFull) -> None:
        if limit < 1:
            raise ValueError(f"limit must be at least 1, got {limit!r}")
        self._limit = 1 if when_full == "latest wins" else limit
        self._when_full: WhenFull = when_full
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Add an item; False if the channel is closed. Waits only where `when_full` is "wait"."""
        with self._changed:
            if self._when_full == "wait":
                self._changed.wait_for(lambda: self._closed or len(self._items) < self._limit)
            if self._closed:
                return False
            while len(self._items) >= self._limit:
                self._items.popleft()
                self.dropped += 1
            self._items.append(item)
            self._changed.notify_all()
            return True

    def get(self) -> T | None:
        """Take the oldest item; waits for one. None once the channel is closed, whatever was left in it."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._items))
            if self._closed:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def discard(self, unwanted: Callable[[T], bool]) -> int:
        """Drop every queued item that is `unwanted`; how many those were."""
        with self._changed:
            kept = deque(item for item in self._items if not unwanted(item))
            count = len(self._items) - len(kept)
            self._items = kept
            self._changed.notify_all()
            return count

    def close(self) -> None:
        """Wake everybody; nothing goes in or out any more."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()

    def __len__(self) -> int:
        with self._changed:
            return len(self._items)


class Stage(Generic[T]):
    """A thread with one loop: load once, then take items until the inbox closes.

    What fails is said in a state fact and costs that item, never the line. Subclasses override `load` and `handle`,
    and `recover` where an item that failed must still be closed downstream.
    """

    name = "stage"
    gives_way = False
    """Whether its work takes longer than a picture, and waits for whoever draws or sends one."""

    def __init__(self, bus: Bus, inbox: Channel[T]) -> None:
        self.bus = bus
        self.inbox = inbox
        self.loaded = threading.Event()
        """Set once loading is over, well or badly."""
        self.stopping = threading.Event()
        self.between_items = threading.Lock()
        """Held while loading and while an item is worked on: who holds it may exchange what the stage works with."""
        self.label = ""
        self._thread: threading.Thread | None = None

    def load(self) -> str:
        """Get ready, on the stage's own thread; returns the label that the user reads."""
        return ""

    def handle(self, item: T) -> None:
        """Work on one item."""
        raise NotImplementedError

    def recover(self, item: T) -> None:
        """Called after `handle` raised: close what `item` left open downstream."""

    def start(self) -> None:
        """Start the thread. Daemonic, because a model that is being loaded cannot be interrupted."""
        self._thread = threading.Thread(target=self._run, name=f"line-{self.name}", daemon=True)
        self._thread.start()

    def request_stop(self) -> None:
        """Ask the loop to end; returns at once."""
        self.stopping.set()
        self.inbox.close()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; False if it is still running."""
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def say_state(self, state: str) -> None:
        """Publish the stage's state with its label."""
        self.bus.emit(self.name, "state", state=state, label=self.label)

    def say_failed(self, error: Exception) -> None:
        """Publish a failure in the user's words. A programmer's mistake is logged with its traceback as well."""
        if isinstance(error, AppError):
            problem, remedy = error.problem, error.remedy
        else:
            # Only the kind of error: its message may quote what somebody said.
            _log.error("%s: unexpected %s", self.name, type(error).__name__, exc_info=_without_message(error))
            problem = f"The {self.name} stage hit an unexpected {type(error).__name__}."
            remedy = "The show goes on; if it happens again, report it with the log file."
        self.bus.emit(self.name, "state", state="failed", label=self.label, problem=problem, remedy=remedy)

    def _run(self) -> None:
        if self.gives_way:
            give_way()
        self.say_state("starting")
        try:
            with self.between_items:
                self.label = self.load()
            if not self.stopping.is_set():
                self.say_ready()
        except Exception as error:
            if not self.stopping.is_set():  # a load that was broken off is no failure
                self.say_failed(error)
        self.loaded.set()
        self.run_loop()

    def say_ready(self) -> None:
        """Publish that loading went well."""
        self.say_state("ready")

    def run_loop(self) -> None:
        """Take items until the inbox closes. Sources override this."""
        while (item := self.inbox.get()) is not None:
            with self.between_items:
                self._work_on(item)

    def _work_on(self, item: T) -> None:
        try:
            self.handle(item)
        except Exception as error:
            self.say_failed(error)
            try:
                self.recover(item)
            except Exception as second_error:
                self.say_failed(second_error)


def _without_message(error: Exception) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    """Exception info for the log that shows where it broke, but not the message."""
    return RuntimeError, RuntimeError(type(error).__name__), error.__traceback__


class Turns:
    """The number of the turn that counts; whatever carries an older one is dropped. Thread-safe."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Held while a turn is minted and the older one cleared, and while a clip is handed out: never both at once."""
        self._current = 0

    @property
    def current(self) -> int:
        """The newest turn; 0 before the first."""
        return self._current

    def mint(self) -> int:
        """Begin a new turn; every older one is over."""
        with self.lock:
            self._current += 1
            return self._current

    def is_current(self, turn: int) -> bool:
        """Whether `turn` still counts."""
        return turn == self._current
