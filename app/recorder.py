"""Recordings, replays and screenshots of the running show, on a thread of their own.

Pictures come from the camera stage as every viewer gets them, sound from the loudspeaker's tap, and both are placed by
the host times that they carry. Whatever fails here is one sentence, and the show goes on.
"""

from __future__ import annotations

import logging
import queue
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from animator.priority import GIVES_WAY_TO_THE_VOICE, give_way
from app.bus import Bus
from app.canvas import Canvas, Cutout, Overlay, Scene
from app.errors import AppError
from app.media_note import NOTE
from app.messages import Encoded, Frame
from app.policy.replay import ReplayRing
from app.policy.sound_line import SoundLine
from app.ports import RecordingEncoder, RecordingFile
from app.settings import RecordingSettings, Settings
from app.sound_tap import SoundTap
from app.stages.camera import CameraStage

_log = logging.getLogger(__name__)

STAGE = "recording"
WAITING_FRAMES = 20
"""A machine that cannot keep up leaves pictures out; it never holds up the camera, nor fills the memory."""
SOUND_BEHIND_NS = 300_000_000
"""Sound is handed over before it is heard. Where none has come so long after a picture, there was silence."""
GAP_NS = 2_000_000_000
"""Where no picture came for longer, the computer slept: hours of one picture and silence are nobody's recording."""
LEAST_BYTES = 100 << 20
"""Free on the disk before a recording is begun: some ten minutes at 720p."""

MakeEncoder = Callable[[str, int, int, float], RecordingEncoder]
"""Gives an encoder for a format, width, height and pictures a second, or raises AppError."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an encoder was made for."""

    format: str
    width_px: int
    height_px: int
    fps: float


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    work: Callable[[], None]
    done: Future[None]


class _Session:
    """One encoder from its first picture on."""

    def __init__(self, kind: _Kind, encoder: RecordingEncoder) -> None:
        self.kind = kind
        self.encoder = encoder
        self.sound: SoundLine | None = None
        self._start_ns = self._last_ns = 0
        self._last_index = -1
        self._wants_key = False
        self._canvas = Canvas(kind.width_px, kind.height_px)
        self._cutout = Cutout(kind.width_px, kind.height_px, bleeds=True)

    def begin_with_key(self) -> None:
        """A file begins with the next picture."""
        self._wants_key = True

    def picture(
        self, frame: Frame, scene: Scene, captions: Callable[[int, int], Overlay | None] = lambda *_: None
    ) -> list[Encoded]:
        """Encode what viewers see at `frame.due_ns`."""
        if self.sound is None:
            self._start_ns = frame.due_ns
            self.sound = SoundLine(frame.due_ns)
        elif frame.due_ns - self._last_ns > GAP_NS:
            gap_ns = frame.due_ns - self._last_ns - round(1e9 / self.kind.fps)
            self._start_ns += gap_ns
            self.sound.leave_out(gap_ns)
        self._last_ns = frame.due_ns
        index = round((frame.due_ns - self._start_ns) * self.kind.fps / 1e9)
        if index <= self._last_index:
            return []
        self._last_index = index
        key, self._wants_key = self._wants_key, False
        if self.encoder.has_alpha:
            return self.encoder.picture(self._cutout.place(frame.pixels, scene.placement), index, key=key)
        if scene is not self._canvas.scene:
            self._canvas.set_scene(scene)
        over = captions(self._canvas.width_px, self._canvas.height_px)
        return self.encoder.picture(self._canvas.place(frame.pixels, over), index, key=key)

    def sounds(self, tap: SoundTap, *, behind_ns: int) -> list[Encoded]:
        """Encode what was heard, and silence up to `behind_ns` before the end of the newest picture."""
        packets: list[Encoded] = []
        if self.sound is None:
            return packets
        for block in tap.take():
            packets += self.encoder.sound(self.sound.add(block.samples, block.sample_rate, block.heard_ns))
        end_ns = self._start_ns + round((self._last_index + 1) / self.kind.fps * 1e9)
        return packets + self.encoder.sound(self.sound.silence_until(end_ns - behind_ns))


class Recorder:
    """A FrameSink that records while it is asked to, and holds the last seconds while the settings want it.

    `record`, `toggle`, `screenshot` and `save_replay` return at once and may be called from any thread. Facts:
    `recording status`, `recording saved`, and `recording state` where something failed.
    """

    def __init__(
        self,
        bus: Bus,
        settings: Callable[[], Settings],
        camera: CameraStage,
        tap: SoundTap,
        scene: Callable[[], Scene],
        latest: Callable[[], Frame | None],
        make_encoder: MakeEncoder,
        default_folder: Callable[[], Path],
        now: Callable[[], datetime] = datetime.now,
        captions: Callable[[int, int], Overlay | None] = lambda *_: None,
    ) -> None:
        """`default_folder` gives the folder for settings that name none; `latest` the frame of a screenshot.

        `captions`, by the picture's width and height, lie over what is recorded with a background.
        """
        self._bus = bus
        self._settings = settings
        self._camera = camera
        self._tap = tap
        self._scene = scene
        self._latest = latest
        self._make_encoder = make_encoder
        self._default_folder = default_folder
        self._now = now
        self._captions = captions
        self._inbox: queue.SimpleQueue[Frame | _Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._session: _Session | None = None
        self._file: RecordingFile | None = None
        self._ring: ReplayRing | None = None
        self._stopped = False

    def start(self) -> None:
        """Begin; a replay that the settings want is held from now on."""
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()
        if self._settings().recording.replay:
            self._ask(lambda: self._hold(self._settings().recording))

    def stop(self, timeout_s: float = 1.8) -> None:
        """Finish what is being recorded; safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        self._inbox.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)

    def record(self, on: bool) -> None:
        """Begin a recording, or end it."""
        self._ask(lambda: self._record(on))

    def toggle(self) -> None:
        """Begin a recording where there is none, else end it."""
        self._ask(lambda: self._record(self._file is None))

    def screenshot(self) -> None:
        """Keep the picture of this moment."""
        self._ask(self._keep_screenshot)

    def save_replay(self) -> None:
        """Keep the last seconds."""
        self._ask(self._keep_replay)

    def configure(self, old: RecordingSettings, new: RecordingSettings) -> None:
        """Other settings count from now on; a recording that goes on keeps its own. Waits for it.

        Raises AppError where that cannot be, and then everything is as before.
        """
        if new.folder != old.folder:
            self._folder(new)
        if (new.replay, new.replay_s, new.format) != (old.replay, old.replay_s, old.format):
            self._ask(lambda: self._hold(new), told=False).result(30.0)

    # The camera's thread

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Nothing to open: the encoder is."""

    def send(self, frame: Frame) -> None:
        """Take a frame; never waits."""
        with self._lock:
            if self._waiting >= WAITING_FRAMES:
                self._dropped += 1
                return
            self._waiting += 1
        self._inbox.put(frame)

    def close(self) -> None:
        """No more frames come; what there is stays."""

    # The recorder's thread

    def _ask(self, work: Callable[[], None], *, told: bool = True) -> Future[None]:
        """Have `work` done after what came before; what it raises is said, or with `told` False only handed back."""
        job = _Job((lambda: self._guarded(work)) if told else work, Future())
        if self._stopped:
            job.done.set_result(None)
        else:
            self._inbox.put(job)
        return job.done

    def _run(self) -> None:
        give_way(GIVES_WAY_TO_THE_VOICE)  # and the threads of its encoders
        while (item := self._inbox.get()) is not None:
            if isinstance(item, _Job):
                try:
                    item.work()
                    item.done.set_result(None)
                except Exception as error:
                    item.done.set_exception(error)
                continue
            with self._lock:
                self._waiting -= 1
            if self._session is not None:
                session = self._session
                self._guarded(lambda frame=item, session=session: self._take(session, frame))  # type: ignore[misc]
        self._guarded(lambda: self._record(False))
        self._close_session()

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Say it; a recording that goes on is over, what was written of it stays."""
        if not isinstance(error, AppError):
            _log.error("the recorder failed with an unexpected %s", type(error).__name__, exc_info=error)
            error = AppError(
                f"Recording failed: an unexpected {type(error).__name__}.",
                "The show goes on; if it happens again, report it with the log file.",
            )
        self._bus.emit(STAGE, "state", state="failed", label="Recording", problem=error.problem, remedy=error.remedy)

    def _take(self, session: _Session, frame: Frame) -> None:
        try:
            packets = session.picture(frame, self._scene(), self._captions)
            packets += session.sounds(self._tap, behind_ns=SOUND_BEHIND_NS)
        except Exception:
            # An encoder that fails once fails with every picture.
            self._abandon()
            self._ring = None
            self._close_session()
            self._say_status()
            raise
        self._hand_on(packets)

    def _hand_on(self, packets: list[Encoded]) -> None:
        if self._ring is not None:
            for packet in packets:
                self._ring.add(packet)
        if self._file is not None:
            try:
                self._file.write(packets)
            except AppError:
                self._abandon()
                self._leave_if_unused()
                self._say_status()
                raise

    def _abandon(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.abandon()

    def _record(self, on: bool) -> None:
        if on and self._file is None:
            self._begin()
        elif not on and self._file is not None:
            self._end()

    def _begin(self) -> None:
        path = self._new_path("Kuchipaku", self._settings().recording.format)
        free = shutil.disk_usage(path.parent).free
        if free < LEAST_BYTES:
            raise AppError(
                f"Only {free >> 20} MB are free for recordings in {path.parent}.",
                "Free some disk space, or choose another folder.",
            )
        session = self._session_of(self._settings())
        self._file = session.encoder.file(path)
        self._dropped = 0
        session.begin_with_key()
        self._bus.emit(STAGE, "state", state="ready", label=path.name)
        self._say_status()

    def _end(self) -> None:
        file, session = self._file, self._session
        assert file is not None
        assert session is not None
        packets = session.sounds(self._tap, behind_ns=0)
        if self._ring is None:
            packets += session.encoder.finish()
        try:
            self._hand_on(packets)
            self._file = None
            file.close()
        finally:
            self._file = None
            self._refit()
            self._bus.emit(STAGE, "state", state="off", label="")
            self._say_status()
        if self._dropped:
            _log.warning("%d pictures were left out of a recording", self._dropped)
        self._say_saved("recording", file.path, file.duration_s, dropped=self._dropped)

    def _hold(self, settings: RecordingSettings) -> None:
        """Hold the last seconds as the settings say, or nothing any more."""
        if not settings.replay:
            self._ring = None
            self._leave_if_unused()
        else:
            self._ring = ReplayRing(settings.replay_s)
            try:
                self._session_of(self._settings(), settings.format)
            except AppError:
                self._ring = None
                raise
        self._say_status()

    def _keep_replay(self) -> None:
        packets = self._ring.packets() if self._ring is not None else []
        if self._ring is None or self._session is None:
            raise AppError("The last seconds are not being held.", "Switch on Instant replay on the page Output.")
        if not packets:
            raise AppError("Nothing has been seen yet that could be replayed.", "Try again in a moment.")
        file = self._session.encoder.file(self._new_path("Kuchipaku replay", self._session.kind.format))
        try:
            file.write(packets)
            file.close()
        except AppError:
            file.abandon()
            raise
        self._say_saved("replay", file.path, file.duration_s)

    def _keep_screenshot(self) -> None:
        frame = self._latest()
        if frame is None:
            raise AppError("There is no picture yet.", "Try again once the character is there.")
        camera = self._settings().camera
        picture = Cutout(camera.width_px, camera.height_px).place(frame.pixels, self._scene().placement)
        path = self._new_path("Kuchipaku", "png")
        try:
            note = PngInfo()
            note.add_text("Comment", NOTE)
            Image.fromarray(picture).save(path, compress_level=3, pnginfo=note)
        except OSError as error:
            path.unlink(missing_ok=True)
            raise AppError(
                f"The screenshot {path} cannot be written: {error.strerror or type(error).__name__}.",
                "Free some disk space, or choose another folder.",
            ) from error
        self._say_saved("screenshot", path, 0.0)

    def _session_of(self, settings: Settings, format: str | None = None) -> _Session:
        """An encoder for these settings; the one that runs where it fits, or something is being recorded with it."""
        camera = settings.camera
        wanted = _Kind(
            format or settings.recording.format, camera.width_px & ~3, camera.height_px & ~3, settings.face.fps
        )
        if self._session is not None and (self._session.kind == wanted or self._file is not None):
            return self._session
        encoder = self._make_encoder(wanted.format, wanted.width_px, wanted.height_px, wanted.fps)
        if self._ring is not None:  # packets of two encoders make no film
            self._ring = ReplayRing(settings.recording.replay_s)
        self._close_session()
        self._session = _Session(wanted, encoder)
        self._tap.take()
        self._tap.on = True
        self._camera.add(self)
        return self._session

    def _refit(self) -> None:
        """The recording is over: settings that have changed meanwhile count for what is held from now on."""
        if self._ring is None:
            self._close_session()
            return
        try:
            self._session_of(self._settings())
        except AppError:
            self._ring = None
            self._close_session()
            raise

    def _leave_if_unused(self) -> None:
        if self._file is None and self._ring is None:
            self._close_session()

    def _close_session(self) -> None:
        if self._session is not None:
            self._camera.remove(self)
            self._tap.on = False
            self._session = None

    def _folder(self, settings: RecordingSettings) -> Path:
        """The folder for recordings, made where it is not there. Raises AppError where nothing can be written in it."""
        folder = Path(settings.folder).expanduser() if settings.folder else self._default_folder()
        if not folder.is_absolute():
            raise AppError(
                f"{settings.folder!r} is no full path.", "Name the whole path of a folder, from its root on."
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".kuchipaku"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise AppError(
                f"Recordings cannot be kept in {folder}: {error.strerror or type(error).__name__}.",
                "Choose another folder on the page Output.",
            ) from error
        return folder

    def _new_path(self, name: str, suffix: str) -> Path:
        """A name that is free. Raises AppError for a folder that cannot be used."""
        folder = self._folder(self._settings().recording)
        stem = f"{name} {self._now():%Y-%m-%d %H-%M-%S}"
        path, number = folder / f"{stem}.{suffix}", 1
        while path.exists():
            number += 1
            path = folder / f"{stem} ({number}).{suffix}"
        return path

    def _say_status(self) -> None:
        path = str(self._file.path) if self._file is not None else ""
        self._bus.emit(STAGE, "status", on=self._file is not None, path=path, replay=self._ring is not None)

    def _say_saved(self, kind: str, path: Path, duration_s: float, dropped: int = 0) -> None:
        self._bus.emit(STAGE, "saved", kind=kind, path=str(path), duration_s=round(duration_s, 2), dropped=dropped)
