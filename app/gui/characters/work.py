"""Work that takes longer than a frame: done on a pool's thread, its outcome told on the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from animator.character import CharacterError
from app.errors import AppError

_log = logging.getLogger(__name__)


class _Told(QObject):
    """What one piece of work tells."""

    done = Signal(int, object)
    failed = Signal(int, str, str)


class _Piece(QRunnable):
    def __init__(self, serial: int, act: Callable[[], Any], told: _Told) -> None:
        super().__init__()
        self._serial = serial
        self._act = act
        self._told = told

    def run(self) -> None:
        """On the pool's thread; nothing here touches a widget."""
        try:
            outcome = self._act()
        except (AppError, CharacterError) as error:
            self._tell(self._told.failed, error.problem, error.remedy)
        except Exception as error:  # the window goes on, and says so
            _log.error("work for the page of the characters failed: %s", type(error).__name__)
            problem = f"This failed with an unexpected {type(error).__name__}."
            self._tell(self._told.failed, problem, "Try it again; if it stays so, report it with the log.")
        else:
            self._tell(self._told.done, outcome)

    def _tell(self, signal: Any, *values: object) -> None:
        try:
            signal.emit(self._serial, *values)
        except RuntimeError:
            return  # the window has closed meanwhile


class Work(QObject):
    """One kind of work of one widget: what is begun anew makes the outcome of what was begun before void."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._serial = 0
        self._told = _Told(self)
        self._told.done.connect(self._done)
        self._told.failed.connect(self._failed)
        self._on_done: Callable[[Any], None] = lambda outcome: None
        self._on_failed: Callable[[str, str], None] = lambda problem, remedy: None
        self.is_busy = False

    def begin(
        self, act: Callable[[], Any], on_done: Callable[[Any], None], on_failed: Callable[[str, str], None]
    ) -> None:
        """Run `act` aside; then `on_done` with what it returned, or `on_failed` with problem and remedy."""
        self._serial += 1
        self._on_done, self._on_failed = on_done, on_failed
        self.is_busy = True
        QThreadPool.globalInstance().start(_Piece(self._serial, act, self._told))

    def forget(self) -> None:
        """Whatever runs, nobody waits for it any more."""
        self._serial += 1
        self.is_busy = False

    def _done(self, serial: int, outcome: object) -> None:
        if serial == self._serial:
            self.is_busy = False
            self._on_done(outcome)

    def _failed(self, serial: int, problem: str, remedy: str) -> None:
        if serial == self._serial:
            self.is_busy = False
            self._on_failed(problem, remedy)
