"""Settings on their way into force: checked, put to work, kept in the file, and told.

What takes its time (a model that loads, a device that opens) happens on a thread of that part of the show, one change
after the other, so that the gate stays free and two parts never wait for each other.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.bus import Bus
from app.errors import AppError
from app.settings import Settings, Value, value_of, with_value

_log = logging.getLogger(__name__)

Apply = Callable[[Settings, Settings], None]
"""Puts a change to work, given the settings before and after it; raises AppError where that is not possible, and then
everything must be as before."""
AT_ONCE = ""
"""The part whose changes are made on the thread that asks for them: they take no time."""


def nothing_to_do(old: Settings, new: Settings) -> None:
    """Whoever uses the setting hears of it by the fact."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    name: str
    """The setting, "" for other work."""
    work: Callable[[], None]


class Changes:
    """The settings in force, and the one way to change them. `keep` writes one into the file (any thread).

    Facts: `settings changed` once a setting is in force, `settings refused` where it cannot be, `settings state` where
    it is in force and could not be kept, and again when it could, with the next one that is kept.
    """

    def __init__(
        self,
        bus: Bus,
        settings: Settings,
        keep: Callable[[str, Value], None],
        *,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:
        """`tidy` is called after each piece of work, on its thread."""
        self._bus = bus
        self._settings = settings
        self._keep = keep
        self._tidy = tidy
        self._keeping = threading.Lock()
        self._unkept: dict[str, Value] = {}
        """What is in force and could not be kept yet."""
        self._routes: dict[str, tuple[str, Apply]] = {}
        self._changed = threading.Condition()
        self._jobs: dict[str, deque[_Job]] = {}
        self._open = 0
        self._stopped = False

    @property
    def settings(self) -> Settings:
        """What is in force now. Any thread."""
        return self._settings

    def route(self, names: Iterable[str], part: str, apply: Apply) -> None:
        """Let `apply` put the settings `names` (or whole tables) to work, on the thread of `part`."""
        for name in names:
            self._routes[name] = (part, apply)

    def change(self, name: str, value: Value) -> None:
        """Put a setting in force and keep it. Returns at once; a fact says how it went.

        Of several values of one setting that wait, the newest counts.
        """
        try:
            with_value(self._settings, name, value)
        except AppError as error:
            self._refuse(name, value, error)
            return
        part, apply = self._routes.get(name) or self._routes.get(name.split(".")[0]) or (AT_ONCE, nothing_to_do)
        job = _Job(name, lambda: self._apply(name, value, apply))
        if part == AT_ONCE:
            job.work()
        else:
            self._queue(part, job)

    def run(self, part: str, work: Callable[[], None]) -> None:
        """Do other work on the thread of `part`, in turn with its changes. What it raises is said."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self._say("gate", part, _told(error))

        self._queue(part, _Job("", guarded))

    def note(self, name: str, value: Value) -> None:
        """A setting is in force by another way (a key, a start argument): tell it, and do not keep it."""
        with self._changed:
            self._settings = with_value(self._settings, name, value)
        self._bus.emit("settings", "changed", name=name, value=value)

    def keep(self, name: str, value: Value) -> None:
        """A setting is in force by another way: tell it and keep it."""
        self.note(name, value)
        with self._keeping:
            self._unkept.pop(name, None)
            try:
                self._keep(name, value)
            except AppError as error:
                self._unkept[name] = value
                self._say("settings", "Settings", error)
                return
            if self._unkept:
                self._keep_what_waits()

    def _keep_what_waits(self) -> None:
        """The file can be written again: nothing of what was set meanwhile is lost at the next start."""
        for name, value in list(self._unkept.items()):
            try:
                self._keep(name, value)
            except AppError as error:
                self._say("settings", "Settings", error)
                return
            del self._unkept[name]
        self._bus.emit("settings", "state", state="ready", label="Settings")

    def wait_until_settled(self, timeout_s: float) -> bool:
        """Wait until every change that was asked for is in force or refused."""
        with self._changed:
            return self._changed.wait_for(lambda: self._open == 0, timeout_s)

    def stop(self) -> None:
        """Drop what waits; what is being done ends by itself."""
        with self._changed:
            self._stopped = True
            for jobs in self._jobs.values():
                self._open -= len(jobs)
                jobs.clear()
            self._changed.notify_all()

    def _queue(self, part: str, job: _Job) -> None:
        with self._changed:
            if self._stopped:
                return
            jobs = self._jobs.get(part)
            if jobs is None:
                jobs = self._jobs[part] = deque()
                threading.Thread(target=self._work, args=(jobs,), name=f"settings-{part}", daemon=True).start()
            if job.name:
                older = [waiting for waiting in jobs if waiting.name == job.name]
                for waiting in older:
                    jobs.remove(waiting)
                self._open -= len(older)
            jobs.append(job)
            self._open += 1
            self._changed.notify_all()

    def _work(self, jobs: deque[_Job]) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or bool(jobs))
                if self._stopped:
                    return
                job = jobs.popleft()
            try:
                job.work()
                self._tidy()
            finally:
                with self._changed:
                    self._open -= 1
                    self._changed.notify_all()

    def _apply(self, name: str, value: Value, apply: Apply) -> None:
        old = self._settings
        try:
            new = with_value(old, name, value)
            apply(old, new)
        except Exception as error:
            self._refuse(name, value, _told(error))
        else:
            self.keep(name, value_of(new, name))

    def _refuse(self, name: str, value: Value, error: AppError) -> None:
        if not self._stopped:
            problem, remedy = error.problem, error.remedy
            self._bus.emit("settings", "refused", name=name, value=value, problem=problem, remedy=remedy)

    def _say(self, stage: str, label: str, error: AppError) -> None:
        if not self._stopped:
            self._bus.emit(stage, "state", state="failed", label=label, problem=error.problem, remedy=error.remedy)


def _told(error: Exception) -> AppError:
    if isinstance(error, AppError):
        return error
    # Only the kind of error: its message may hold an address with a key in it.
    _log.error("a setting failed with an unexpected %s", type(error).__name__)
    return AppError(
        f"That could not be done: an unexpected {type(error).__name__}.",
        "What was in force stays; if it happens again, report it with the log file.",
    )
