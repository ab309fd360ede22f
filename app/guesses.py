"""What is known of an utterance that may be over: shared by the stages that listen, decode and answer."""

from __future__ import annotations

import threading

EAGER_FROM = 0.35
"""Probability that the user has finished from which an answer is prepared before it is decided."""


class Guesses:
    """One pause at a time. The vad thread opens and closes it, the stt thread decodes it; each may be first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open: tuple[int, int] | None = None
        self._is_prepared = False
        self._verdict: tuple[int, int, float] | None = None
        self._text: tuple[int, int, str] | None = None
        self._is_settled = False
        self._partial: tuple[int, int, str] | None = None

    def pause(self, turn: int, revision: int) -> None:
        """The user may have finished (vad thread)."""
        with self._changed:
            self._open, self._is_prepared = (turn, revision), False

    def resume(self) -> bool:
        """The user goes on, or the turn is over; whether an answer was being prepared for the pause (vad thread)."""
        with self._changed:
            was_prepared, self._is_prepared, self._open = self._is_prepared, False, None
            self._changed.notify_all()
            return was_prepared

    def judge(self, turn: int, revision: int, probability: float) -> str | None:
        """What the turn detector says of a pause, in [0, 1] (vad thread).

        The words up to it where they are settled already and only now an answer is to be prepared, else None.
        """
        with self._changed:
            self._verdict = (turn, revision, probability)
            self._changed.notify_all()
            text = self._text if self._is_settled and self._open == (turn, revision) else None
            if self._is_prepared or probability < EAGER_FROM or text is None or text[:2] != (turn, revision):
                return None
            self._is_prepared = bool(text[2])
            return text[2] or None

    def prepare(self, turn: int, revision: int, timeout_s: float) -> bool:
        """Whether an answer is to be prepared; waits a moment for the detector's answer (stt thread).

        From then on `resume` says so: what is prepared has to be taken back.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._open != (turn, revision) or (self._verdict or (0, 0, 0.0))[:2] == (turn, revision),
                timeout_s,
            )
            verdict = self._verdict
            if self._open != (turn, revision) or verdict is None or verdict[:2] != (turn, revision):
                return False
            if self._is_prepared or verdict[2] < EAGER_FROM:
                return False
            self._is_prepared = True
            return True

    def decoded(self, turn: int, revision: int, text: str, *, is_settled: bool) -> None:
        """What the sound up to that pause says (stt thread).

        An answer may be prepared from it only where it `is_settled`: the whole turn, in words that will not change.
        """
        with self._changed:
            self._text, self._is_settled = (turn, revision, text), is_settled

    def decoded_partial(self, turn: int, number: int, text: str) -> None:
        """What sound `number` says so far (stt thread)."""
        with self._changed:
            self._partial = (turn, number, text)

    def text(self, turn: int, revision: int) -> str | None:
        """The words up to that pause; None until they are known (vad thread)."""
        with self._changed:
            return self._text[2] if self._text is not None and self._text[:2] == (turn, revision) else None

    def take_partial(self, turn: int, number: int) -> str | None:
        """The newest words of sound `number`, once (vad thread)."""
        with self._changed:
            if self._partial is None or self._partial[:2] != (turn, number):
                return None
            text, self._partial = self._partial[2], None
            return text
