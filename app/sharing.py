"""Spout or Syphon switched on and off, as the settings want it. What became of it is told in `sharing status`."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.bus import Bus
from app.errors import AppError
from app.ports import FrameSink
from app.stages.camera import CameraStage

STAGE = "sharing"


class SharingSwitch:
    """All methods may be called from any thread. The fact holds on, problem and remedy."""

    def __init__(self, bus: Bus, stage: CameraStage, make: Callable[[], FrameSink]) -> None:
        """`stage` gives the frames; `make` gives a sink that is not open yet, or raises AppError."""
        self._bus = bus
        self._stage = stage
        self._make = make
        self._sink: FrameSink | None = None
        self._lock = threading.Lock()

    def switch(self, on: bool) -> None:
        """Open or close it. Raises AppError where it cannot be opened; it is off then."""
        with self._lock:
            if not on:
                old, self._sink = self._sink, None
                if old is not None:
                    self._stage.remove(old)
                self._tell()
                return
            if self._sink is not None:
                return
            try:
                sink = self._make()
                self._stage.add(sink, lambda error: self._note_lost(sink, error))
            except AppError as error:
                self._tell(error)
                raise
            self._sink = sink
            self._tell()

    def _note_lost(self, sink: FrameSink, error: AppError) -> None:
        # On the stage's thread, which `switch` may be waiting for in `remove`: no waiting for the lock here.
        threading.Thread(target=self._lose, args=(sink, error), name="sharing-lost", daemon=True).start()

    def _lose(self, sink: FrameSink, error: AppError) -> None:
        with self._lock:
            if self._sink is sink:  # else it was switched off meanwhile
                self._sink = None
                self._tell(error)

    def _tell(self, error: AppError | None = None) -> None:
        problem, remedy = ("", "") if error is None else (error.problem, error.remedy)
        self._bus.emit(STAGE, "status", on=self._sink is not None, problem=problem, remedy=remedy)
