"""Work that may wait, away from the window's thread: a credential store that asks to be unlocked, the check-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal

from app.errors import AppError


class _Outcome(QObject):
    came = Signal(object)
    failed = Signal(object)


class _Task(QRunnable):
    def __init__(self, work: Callable[[], Any], outcome: _Outcome) -> None:
        super().__init__()
        self._work = work
        self._outcome = outcome

    def run(self) -> None:
        try:
            found = self._work()
        except AppError as error:
            self._tell(self._outcome.failed, error)
        except Exception as error:
            unexpected = AppError(f"That ended with an unexpected {type(error).__name__}.", "Try it again.")
            self._tell(self._outcome.failed, unexpected)
        else:
            self._tell(self._outcome.came, found)

    @staticmethod
    def _tell(signal: Any, value: object) -> None:
        try:
            signal.emit(value)
        except RuntimeError:
            return  # the window is gone, and with it whoever asked


def in_background(
    owner: QObject, work: Callable[[], Any], done: Callable[[Any], None], failed: Callable[[AppError], None]
) -> None:
    """Run `work` on a thread of the pool; `done` or `failed` is called on the window's thread while `owner` lives.

    Args:
        owner: Whose end makes the outcome uninteresting.
        work: A pure function; it touches no widget.
        done: Takes what `work` returned.
        failed: Takes the AppError that it raised, or one that names another error's kind.
    """
    outcome = _Outcome(owner)

    def finish(act: Callable[[Any], None], value: Any) -> None:
        outcome.deleteLater()
        act(value)

    outcome.came.connect(lambda value: finish(done, value))
    outcome.failed.connect(lambda error: finish(failed, error))
    QThreadPool.globalInstance().start(_Task(work, outcome))
