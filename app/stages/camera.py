"""Frames to every sink, at every deadline: the newest one, or the last again where no newer one has come."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from animator.messages import Pixels
from animator.timebase import Clock, FrameClock
from app.bus import Bus
from app.errors import AppError
from app.messages import Frame
from app.ports import FrameSink

logger = logging.getLogger(__name__)

STAGE = "camera"


class CameraStage:
    """Owns the deadline of the outgoing picture. Sinks may be added and removed while it runs (any thread)."""

    def __init__(
        self, bus: Bus, clock: Clock, latest: Callable[[], Frame | None], size_px: tuple[int, int], fps: float
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._latest = latest
        self._width_px, self._height_px = size_px
        self._fps = fps
        self._lock = threading.Lock()
        self._sinks: list[FrameSink] = []
        self._sending = threading.RLock()
        """Held while a sink is given a frame: none is closed under the hands of whoever fills it."""
        self._instead: Pixels | None = None
        self._has_sink = threading.Event()
        """Set while there is a sink, and at the end: with nobody to send to there is no deadline to wake for."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, sink: FrameSink) -> None:
        """Open `sink` and send it every frame from now on. Raises its AppError if it cannot be opened."""
        sink.open(self._width_px, self._height_px, self._fps)
        with self._lock:
            self._sinks.append(sink)
            self._has_sink.set()

    def remove(self, sink: FrameSink) -> None:
        """Stop sending to `sink` and close it; nothing happens if it is not there."""
        with self._lock:
            if sink not in self._sinks:
                return
            self._sinks.remove(sink)
            if not self._sinks:
                self._has_sink.clear()
        with self._sending:
            sink.close()

    def set_fps(self, fps: float) -> None:
        """Send so many pictures a second from now on, and open later sinks for that. Any thread."""
        self._fps = fps

    def show_instead(self, pixels: Pixels | None) -> None:
        """Send this picture, uint8 RGBA and square, in place of every frame from the next one on; None: frames again.

        Any thread. The picture is not copied and must not change.
        """
        self._instead = pixels

    def start(self) -> None:
        """Begin sending."""
        self._thread = threading.Thread(target=self._run, name=STAGE, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """End the loop and close every sink; safe to call twice."""
        self._stopping.set()
        self._has_sink.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            self._thread = None
        with self._lock:
            sinks, self._sinks = self._sinks, []
        for sink in sinks:
            sink.close()

    def _run(self) -> None:
        fps = self._fps
        frame_clock = FrameClock(self._clock.now_ns(), fps)
        last_seq = 0
        sent = repeated = 0
        while not self._stopping.is_set():
            if not self._has_sink.is_set():
                self._has_sink.wait()
                frame_clock = FrameClock(self._clock.now_ns(), fps)
                continue
            if fps != self._fps:
                fps = self._fps
                frame_clock = FrameClock(self._clock.now_ns(), fps)
            due_ns = frame_clock.next_due_ns(self._clock.now_ns())
            self._clock.sleep_until(due_ns)
            with self._lock:
                sinks = list(self._sinks)
            if not sinks:
                continue
            frame = self._latest()
            instead = self._instead
            if instead is not None:  # also where the face has drawn nothing yet, or nothing more
                frame = Frame(last_seq if frame is None else frame.seq, instead, due_ns)
            if frame is None:
                continue
            sent += 1
            repeated += frame.seq == last_seq
            last_seq = frame.seq
            shown = Frame(frame.seq, frame.pixels, due_ns)
            for sink in sinks:
                self._send(sink, shown)
            if sent % int(fps) == 0:
                self._bus.emit(STAGE, "frames", sent=sent, repeated=repeated)

    def _send(self, sink: FrameSink, frame: Frame) -> None:
        with self._sending:
            with self._lock:
                if sink not in self._sinks:  # removed meanwhile
                    return
            self._give(sink, frame)

    def _give(self, sink: FrameSink, frame: Frame) -> None:
        try:
            sink.send(frame)
        except Exception as error:  # a sink that breaks is dropped; the others and the show go on
            logger.exception("a frame sink failed")
            self.remove(sink)
            problem = getattr(error, "problem", "A picture could not be sent to the camera.")
            remedy = getattr(error, "remedy", "Switch the camera off and on again.")
            self._bus.emit(STAGE, "state", state="failed", label="Camera", problem=problem, remedy=remedy)


class CameraSwitch:
    """Switches one sink (the virtual camera) on and off and tells the window how it went. Any thread."""

    def __init__(self, bus: Bus, stage: CameraStage, make: Callable[[], FrameSink]) -> None:
        self._bus = bus
        self._stage = stage
        self._make = make
        self._sink: FrameSink | None = None
        self._lock = threading.RLock()

    @property
    def is_on(self) -> bool:
        """Whether a camera is open."""
        return self._sink is not None

    @property
    def device(self) -> str:
        """What the open camera is called; "" where none is open."""
        return str(getattr(self._sink, "device", ""))

    def switch(self, on: bool) -> None:
        """Open or close the camera. A camera that cannot be opened is said, with what to install, and raised."""
        with self._lock:
            self._close()
            if not on:
                self._bus.emit(STAGE, "state", state="off", label="Camera off")
                return
            self._bus.emit(STAGE, "state", state="starting", label="Opening the camera")
            try:
                self._open()
            except AppError as error:
                self._say_failed(error)
                raise

    def change(self, make: Callable[[], FrameSink]) -> None:
        """Use the sinks of `make` from now on; one that is open is opened again.

        Raises AppError where that cannot be, and goes on with the one before.
        """
        with self._lock:
            old, self._make = self._make, make
            if not self.is_on:
                return
            self._close()  # first: it may be the same device
            try:
                self._open()
            except AppError:
                self._make = old
                try:
                    self._open()
                except AppError as error:
                    self._say_failed(error)
                raise

    def _open(self) -> None:
        sink = self._make()
        self._stage.add(sink)
        self._sink = sink
        self._bus.emit(STAGE, "state", state="ready", label=f"Camera: {getattr(sink, 'device', 'on')}")

    def _close(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            self._stage.remove(sink)

    def _say_failed(self, error: AppError) -> None:
        self._bus.emit(STAGE, "state", state="failed", label="No camera", problem=error.problem, remedy=error.remedy)
