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
AFTER = 0.15
"""Of a frame's time: so much after the face's deadline its picture goes out. On cores of half their speed a quarter
before had 2.5 % of the pictures twice, where the face missed 0.6 % of its deadlines."""


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
        self._lost: dict[int, Callable[[AppError], None]] = {}
        """By the sink's id: who is told when it breaks."""
        self._sending = threading.RLock()
        """Held while a sink is given a frame: none is closed under the hands of whoever fills it."""
        self._instead: Pixels | None = None
        self._has_sink = threading.Event()
        """Set while there is a sink, and at the end: with nobody to send to there is no deadline to wake for."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, sink: FrameSink, lost: Callable[[AppError], None] | None = None) -> None:
        """Open `sink` and send it every frame from now on. Raises its AppError if it cannot be opened.

        A sink that breaks is closed and gets nothing more; `lost` is then told why, on the stage's thread.
        """
        sink.open(self._width_px, self._height_px, self._fps)
        with self._lock:
            self._sinks.append(sink)
            if lost is not None:
                self._lost[id(sink)] = lost
            self._has_sink.set()

    def remove(self, sink: FrameSink) -> None:
        """Stop sending to `sink` and close it; nothing happens if it is not there."""
        with self._lock:
            if sink not in self._sinks:
                return
            self._sinks.remove(sink)
            self._lost.pop(id(sink), None)
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
            if frame is not None:
                # The face draws in the time before its own deadlines. Asked while it is about to be done, it has a new
                # picture one time and none the next. A little after a deadline it has it, even one that took too long.
                frame_clock.follow(frame.due_ns + round(AFTER * 1e9 / fps))
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
            with self._lock:
                lost = self._lost.get(id(sink))
            self.remove(sink)
            if not isinstance(error, AppError):
                error = AppError("A picture could not be sent.", "Switch it off and on again.")
            if lost is not None:
                lost(error)
            else:
                self._bus.emit(
                    STAGE, "state", state="failed", label="Camera", problem=error.problem, remedy=error.remedy
                )


RETRY_S = 1.0
"""So often a camera that was lost is looked for: viewers have their picture back within 2 s."""


class CameraSwitch:
    """Switches one sink (the virtual camera) on and off and tells the window how it went. Any thread.

    A camera that is lost while it is on is opened again as soon as that can be: it may have been unplugged, its module
    exchanged, or another program may have taken it. Meanwhile the state is "starting", with problem and remedy.
    """

    def __init__(
        self, bus: Bus, stage: CameraStage, make: Callable[[], FrameSink], *, retry_s: float = RETRY_S
    ) -> None:
        self._bus = bus
        self._stage = stage
        self._make = make
        self._retry_s = retry_s
        self._sink: FrameSink | None = None
        self._lock = threading.RLock()
        self._searching: threading.Event | None = None
        """Set to end the search for a camera; None while there is none."""

    @property
    def is_on(self) -> bool:
        """Whether a camera is open, or one is waited for."""
        return self._sink is not None or self._searching is not None

    @property
    def device(self) -> str:
        """What the open camera is called; "" where none is open."""
        return str(getattr(self._sink, "device", ""))

    def switch(self, on: bool, *, patiently: bool = False) -> None:
        """Open or close the camera.

        One that cannot be opened is said, with what to do, and raised; where it is switched on `patiently`, it is
        waited for instead.
        """
        with self._lock:
            self._close()
            if not on:
                self._bus.emit(STAGE, "state", state="off", label="Camera off")
                return
            self._bus.emit(STAGE, "state", state="starting", label="Opening the camera")
            try:
                self._open()
            except AppError as error:
                if patiently:
                    self._search(error)
                    return
                self._say_failed(error)
                raise

    def change(self, make: Callable[[], FrameSink]) -> None:
        """Use the sinks of `make` from now on; one that is open is opened again.

        Raises AppError where that cannot be, and goes on with the one before.
        """
        with self._lock:
            old, self._make = self._make, make
            if self._sink is None:
                return  # whoever waits for a camera waits for this one
            self._close()  # first: it may be the same device
            try:
                self._open()
            except AppError:
                self._make = old
                try:
                    self._open()
                except AppError as error:
                    self._search(error)
                raise

    def stop(self) -> None:
        """Look for no camera any more; the one that is open is the stage's to close."""
        with self._lock:
            self._end_search()

    def _open(self) -> None:
        sink = self._make()
        self._stage.add(sink, lambda error: self._note_lost(sink, error))
        self._sink = sink
        self._bus.emit(STAGE, "state", state="ready", label=f"Camera: {getattr(sink, 'device', 'on')}")

    def _close(self) -> None:
        self._end_search()
        sink, self._sink = self._sink, None
        if sink is not None:
            self._stage.remove(sink)

    def _note_lost(self, sink: FrameSink, error: AppError) -> None:
        # On the stage's thread, which whoever holds the lock may be waiting for: the search takes the lock.
        self._search(error, sink)

    def _search(self, error: AppError, lost: FrameSink | None = None) -> None:
        over = threading.Event()
        threading.Thread(target=self._look, args=(over, error, lost), name="camera-search", daemon=True).start()
        if lost is None:
            self._searching = over

    def _look(self, over: threading.Event, error: AppError, lost: FrameSink | None) -> None:
        with self._lock:
            if lost is not None:
                if self._sink is not lost:
                    return  # switched off, or exchanged, meanwhile
                self._sink, self._searching = None, over
            if over.is_set():
                return
            self._say_searching(error)
        while not over.wait(self._retry_s):
            with self._lock:
                if over.is_set():
                    return
                try:
                    self._open()
                except AppError as again:
                    if (again.problem, again.remedy) != (error.problem, error.remedy):
                        error = again
                        self._say_searching(error)
                else:
                    self._searching = None
                    return

    def _end_search(self) -> None:
        if self._searching is not None:
            self._searching.set()
            self._searching = None

    def _say_searching(self, error: AppError) -> None:
        self._say("starting", "Waiting for the camera", error)

    def _say_failed(self, error: AppError) -> None:
        self._say("failed", "No camera", error)

    def _say(self, state: str, label: str, error: AppError) -> None:
        self._bus.emit(STAGE, "state", state=state, label=label, problem=error.problem, remedy=error.remedy)
