"""The browser source: listens while the settings want it. What became of it is told in the fact `browser status`."""

from __future__ import annotations

import threading
from collections.abc import Callable

from app.bus import Bus
from app.errors import AppError
from app.ports import BrowserPage
from app.settings import BrowserSettings
from app.stages.camera import CameraStage

STAGE = "browser"


class BrowserSwitch:
    """Switches it on, off and to another port. All methods may be called from any thread.

    The fact holds on, port, problem and remedy; the token is in no fact, or it would be in every trace.
    """

    def __init__(self, bus: Bus, stage: CameraStage, make: Callable[[int], BrowserPage]) -> None:
        """`stage` gives the frames; `make` gives a page for a port, or raises AppError."""
        self._bus = bus
        self._stage = stage
        self._make = make
        self._page: BrowserPage | None = None
        self._settings = BrowserSettings()
        self._lock = threading.Lock()

    def change(self, wanted: BrowserSettings) -> None:
        """Do as these settings say. Raises AppError where that cannot be; what was there goes on."""
        with self._lock:
            page, was = self._page, self._settings
            if page is None or not wanted.on or wanted.port != was.port:
                try:
                    page = self._opened(wanted.port) if wanted.on else None
                except AppError as error:
                    self._tell(wanted.port, error)
                    raise
                old, self._page = self._page, page
                if old is not None:
                    self._stage.remove(old)
            self._settings = wanted
            if page is not None:
                page.show_captions(wanted.captions)
            self._tell(wanted.port)

    def caption(self, text: str, heard: int) -> None:
        """Show what is being said on the page, where there is one."""
        page = self._page
        if page is not None:
            page.caption(text, heard)

    def _opened(self, port: int) -> BrowserPage:
        page = self._make(port)
        page.start()
        self._stage.add(page)
        return page

    def _tell(self, port: int, error: AppError | None = None) -> None:
        problem, remedy = ("", "") if error is None else (error.problem, error.remedy)
        self._bus.emit(STAGE, "status", on=self._page is not None, port=port, problem=problem, remedy=remedy)
