"""The character for other programs of this computer, over the graphics card: Spout on Windows, Syphon on macOS.

Written from the libraries' own sources and documentation (SpoutGL 0.1.1, syphon-python 0.1.1); run with stand-ins only.
Both get straight alpha, as everything here does, since OBS mixes sources by straight alpha: its Spout plugin in the
composite mode Default, its Syphon client with Allow Transparency.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from animator.messages import Pixels
from app.errors import AppError
from app.messages import Frame
from app.policy.sharing import WAYS, Way, how_to_install

logger = logging.getLogger(__name__)

NAME = "Kuchipaku"
"""What the character is called in other programs."""
OPEN_S = 10.0
"""So long a library may take until it is ready: the first use of a graphics card wakes it."""
CLOSE_S = 2.0
GL_RGBA = 0x1908
"""Source: the OpenGL registry."""


class Outlet(Protocol):
    """One library. Made, used and closed on one thread: an OpenGL context belongs to the thread that made it."""

    way: Way

    def open(self) -> None:
        """Be seen by other programs. Raises AppError, or whatever the library raises."""
        ...

    def send(self, pixels: Pixels) -> None:
        """Show uint8 RGBA of shape (height, width, 4), top row first, straight alpha; of any size, which may change."""
        ...

    def close(self) -> None:
        """Be seen no more; also after an `open` that failed."""
        ...


class SpoutOutlet:
    """Through SpoutGL. Its functions take their arguments by position only, and say False where they fail."""

    way = WAYS["win32"]

    def __init__(self) -> None:
        self._sender: Any = None

    def open(self) -> None:
        """Make a sender with an OpenGL context of its own."""
        try:
            import SpoutGL
        except ImportError as error:
            raise _missing(self.way, error) from error
        sender = SpoutGL.SpoutSender()
        if not sender.createOpenGL():
            raise AppError(
                "Spout found no OpenGL on this computer.",
                "Update the driver of the graphics card, or use the browser source.",
            )
        self._sender = sender
        sender.setSenderName(NAME)

    def send(self, pixels: Pixels) -> None:
        """Send one picture; Spout follows its size by itself."""
        height_px, width_px = pixels.shape[:2]
        # Not inverted: a shared texture begins at the top, as our rows do. 0: no frame buffer is bound.
        if not self._sender.sendImage(np.ascontiguousarray(pixels), width_px, height_px, GL_RGBA, False, 0):
            raise AppError("Spout did not take a picture.", "Switch it off and on again; OBS has to use the same card.")

    def close(self) -> None:
        """Let go of the name, then of the context."""
        sender, self._sender = self._sender, None
        if sender is not None:
            sender.releaseSender()
            sender.closeOpenGL()


class SyphonOutlet:
    """Through syphon-python's Metal server."""

    way = WAYS["darwin"]

    def __init__(self) -> None:
        self._server: Any = None
        self._texture: Any = None
        self._size_px = (0, 0)
        self._pool: Callable[[], Any] = lambda: None
        self._new_texture: Callable[..., Any] = lambda *_: None
        self._fill: Callable[..., Any] = lambda *_: None

    def open(self) -> None:
        """Make a server on the system's first card."""
        try:
            import objc
            import syphon
            from syphon.utils.numpy import copy_image_to_mtl_texture
            from syphon.utils.raw import create_mtl_texture
        except ImportError as error:
            raise _missing(self.way, error) from error
        self._pool, self._new_texture, self._fill = objc.autorelease_pool, create_mtl_texture, copy_image_to_mtl_texture
        with self._pool():
            self._server = syphon.SyphonMetalServer(NAME)
            if self._server.context is None:  # Objective-C's way to say that it failed
                raise AppError("Syphon could not start.", "Restart the Mac, or use the browser source.")

    def send(self, pixels: Pixels) -> None:
        """Publish one picture, where anybody looks."""
        # A thread without a run loop has no pool of its own: what Metal makes for a frame would stay for good.
        with self._pool():
            if not self._server.has_clients:
                return
            height_px, width_px = pixels.shape[:2]
            if self._size_px != (width_px, height_px):
                self._texture = self._new_texture(self._server.device, width_px, height_px)
                self._size_px = width_px, height_px
            self._fill(pixels, self._texture)
            # Syphon's pictures begin at the bottom, as OpenGL's do, and our rows at the top.
            self._server.publish_frame_texture(self._texture, is_flipped=True)

    def close(self) -> None:
        """Stop the server."""
        server, self._server, self._texture = self._server, None, None
        if server is not None and server.context is not None:
            with self._pool():
                server.stop()


class FrameSharing:
    """A FrameSink for an outlet, which gets the newest frame on a thread of its own. Any thread; `send` never waits."""

    def __init__(self, make: Callable[[], Outlet]) -> None:
        self._make = make
        self._changed = threading.Condition()
        self._newest: Pixels | None = None
        self._is_ready = False
        self._is_over = False
        self._error: AppError | None = None
        self._thread: threading.Thread | None = None

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Start; the size is each frame's own. Raises AppError where the library is missing or refuses."""
        self._thread = threading.Thread(target=self._run, name="sharing", daemon=True)
        self._thread.start()
        with self._changed:
            self._changed.wait_for(lambda: self._is_ready or self._error is not None, OPEN_S)
            error = self._error
            if error is None and not self._is_ready:
                error = AppError(
                    "The graphics card did not answer.", "Switch it on again; restart the computer if need be."
                )
        if error is not None:
            self.close()
            raise error

    def send(self, frame: Frame) -> None:
        """Show this frame next, instead of one that still waits. Raises AppError where the library has failed."""
        with self._changed:
            if self._error is not None:
                raise self._error
            self._newest = frame.pixels
            self._changed.notify_all()

    def close(self) -> None:
        """Stop; safe to call twice."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(CLOSE_S)

    def _run(self) -> None:
        outlet = self._make()
        try:
            outlet.open()
            with self._changed:
                self._is_ready = True
                self._changed.notify_all()
            while (pixels := self._next()) is not None:
                outlet.send(pixels)
        except Exception as error:  # whatever a library of the system's raises
            self._fail(outlet, error)
        finally:
            try:
                outlet.close()
            except Exception:
                logger.exception("%s could not be closed", outlet.way.name)

    def _next(self) -> Pixels | None:
        with self._changed:
            self._changed.wait_for(lambda: self._is_over or self._newest is not None)
            pixels, self._newest = self._newest, None
            return None if self._is_over else pixels

    def _fail(self, outlet: Outlet, error: Exception) -> None:
        if not isinstance(error, AppError):
            logger.error("%s failed", outlet.way.name, exc_info=error)
            error = AppError(
                f"{outlet.way.name} failed: {error}", "Switch it off and on again, or use the browser source."
            )
        with self._changed:
            self._error = error
            self._changed.notify_all()


def _missing(way: Way, error: ImportError) -> AppError:
    return AppError(f"The library for {way.name} does not load: {error}.", how_to_install(way))
