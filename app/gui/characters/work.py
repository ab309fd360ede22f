"""Work that takes longer than a frame: done on a pool's thread, its outcome told on the GUI thread."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from animator.character import CharacterError
from app.errors import AppError
from app.gui.background import in_background

_log = logging.getLogger(__name__)


class Work(QObject):
    """One kind of work of one widget: what is begun anew makes the outcome of what was begun before void."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._serial = 0
        self.is_busy = False

    def begin(
        self, act: Callable[[], Any], on_done: Callable[[Any], None], on_failed: Callable[[str, str], None]
    ) -> None:
        """Run `act` aside; then `on_done` with what it returned, or `on_failed` with problem and remedy."""
        self.forget()
        serial = self._serial
        self.is_busy = True

        def done(outcome: Any) -> None:
            if serial == self._serial:
                self.is_busy = False
                on_done(outcome)

        def failed(error: AppError) -> None:
            if serial == self._serial:
                self.is_busy = False
                on_failed(error.problem, error.remedy)

        in_background(self, lambda: _told(act), done, failed)

    def forget(self) -> None:
        """Whatever runs, nobody waits for it any more."""
        self._serial += 1
        self.is_busy = False


def _told(act: Callable[[], Any]) -> Any:
    """What `act` gives; whatever it raises becomes an AppError. On the pool's thread."""
    try:
        return act()
    except AppError:
        raise
    except CharacterError as error:
        raise AppError(error.problem, error.remedy) from error
    except Exception as error:  # the window goes on, and says so
        _log.error("work for the page of the characters failed: %s", type(error).__name__)
        problem = f"This failed with an unexpected {type(error).__name__}."
        raise AppError(problem, "Try it again; if it stays so, report it with the log.") from error
