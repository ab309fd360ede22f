"""A voice and the one that speaks in its place: while it loads, where it fails, and until it is back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from app.errors import AppError
from app.messages import SpeechPiece
from app.policy.rests import Rests
from app.ports import SpeechSynth

GRACE_S = 3.0
"""So long a main voice may take to be ready before the other one says the greeting."""
RELOAD_S = 20.0
"""How often a voice that could not be loaded is tried again."""

OnChange = Callable[[str, AppError | None], None]
"""(name of the voice that speaks now, why the other one does not); the error is None where the main voice is back."""


class FailoverSynth:
    """Speaks with `main` and, sentence by sentence, with `fallback` where that fails. Each change is said once.

    `main` loads on a thread of its own: a server may take minutes. A sentence that breaks off in the middle ends there:
    its rest in another voice, or its beginning twice, would be worse.
    """

    def __init__(
        self,
        main: SpeechSynth,
        fallback: SpeechSynth,
        on_change: OnChange = lambda name, error: None,
        *,
        grace_s: float = GRACE_S,
        reload_s: float = RELOAD_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = main.name
        self._main = main
        self._fallback = fallback
        self._on_change = on_change
        self._grace_s = grace_s
        self._reload_s = reload_s
        self._clock_s = clock_s
        self._rests = Rests()
        self._lock = threading.Lock()
        self._main_ready = threading.Event()
        self._main_tried = threading.Event()
        self._main_error: AppError | None = None
        self._closed = threading.Event()
        self._is_main_down = False
        self._thread: threading.Thread | None = None

    def load(self) -> None:
        """Load the fallback, while the main voice loads by itself.

        Raises AppError, the main voice's, if neither can be loaded.
        """
        self._thread = threading.Thread(target=self._load_main, name="voice-load", daemon=True)
        self._thread.start()
        try:
            self._fallback.load()
        except AppError:
            while not self._main_tried.wait(0.1):
                if self._closed.is_set():
                    return
            if self._main_error is not None and not self._main_ready.is_set():
                raise self._main_error.again() from None
            return
        self._main_tried.wait(self._grace_s)
        if not self._main_ready.is_set():
            self.name = self._fallback.name

    def speak(self, text: str, should_stop: Callable[[], bool]) -> Iterator[SpeechPiece]:
        """Speak with whichever voice can. Raises AppError where none can."""
        error: AppError | None = self._main_error
        if self._main_ready.is_set() and self._rests.may_try():
            said_something = False
            start_s = self._clock_s()
            try:
                for piece in self._main.speak(text, should_stop):
                    if not said_something:
                        said_something = True
                        self._use_main()
                    yield piece
                if said_something or should_stop():
                    self._rests.succeeded()
                    return
                error = AppError(f"{self._main.name} said nothing.", "The next sentence tries again.")
            except AppError as caught:
                error = caught.kept()
            if should_stop():
                return
            self._rests.failed(self._clock_s() - start_s)
            self._use_fallback(error)
            if said_something:
                return
        try:
            self.name = self._fallback.name
            yield from self._fallback.speak(text, should_stop)
        except AppError:
            if error is not None:
                raise error.again() from None
            raise

    def close(self) -> None:
        """Close both; ends a load that waits. Safe to call twice."""
        self._closed.set()
        self._main.close()
        self._fallback.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _load_main(self) -> None:
        while not self._closed.is_set():
            try:
                self._main.load()
            except AppError as error:
                self._main_error = error.kept()
                if not self._closed.is_set():
                    self._use_fallback(error)
            except Exception as error:
                self._main_error = AppError(
                    f"{self._main.name} failed to load with an unexpected {type(error).__name__}.", "See the log file."
                )
                self._use_fallback(self._main_error)
            else:
                self._main_error = None
                self._main_ready.set()
                self._main_tried.set()
                if not self._closed.is_set():
                    self._use_main()
                return
            self._main_tried.set()
            self._closed.wait(self._reload_s)

    def _use_main(self) -> None:
        with self._lock:
            was_down, self._is_main_down = self._is_main_down, False
            is_news = was_down or self.name != self._main.name
            self.name = self._main.name
        if is_news:
            self._on_change(self.name, None)

    def _use_fallback(self, error: AppError) -> None:
        with self._lock:
            was_down, self._is_main_down = self._is_main_down, True
            self.name = self._fallback.name
        if not was_down:
            self._on_change(self.name, error)
