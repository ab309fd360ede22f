"""The animator as a child process: started, fed, watched and started again when it dies."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import subprocess
import sys
import threading
import uuid
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from animator.border import Header, anchor_message, clip_message, read_message, write_message
from animator.frames import FrameSlots, shared_folder
from animator.messages import PlayoutAnchor, SpeechClip, SpeechTime
from app.bus import Teller
from app.errors import AppError
from app.messages import Frame

logger = logging.getLogger(__name__)

STAGE = "avatar"
RESTARTS = 3
"""A worker that dies more often than this stays down until a character is chosen again."""
CLOSE_TIMEOUT_S = 1.5
CLIPS_KEPT = 32
"""What is said again to a process that is started in mid-sentence."""
NO_MUSETALK = {
    "problem": "The face's process ended twice while MuseTalk got ready. The photo puppet draws instead.",
    "remedy": "Choose the engine again on the page Face; the log says more.",
}
HEARD_KEPT = 8
"""Clips before the one that sounds: a sentence may have come in pieces."""


@dataclass(frozen=True, slots=True)
class AnimatorOptions:
    """How to start the worker.

    `tier`: auto, live or exact; `stepped`: frames only on request (films); `large`: art that is larger than the face
    is drawn at its own size; `phonemes`: the phone model ("own", "hama" or a path), "" for the best that runs;
    `mouth_offset_ms`: how much later than the sound the mouth is shown.

    `engine`: "tha3", or "musetalk", which draws photos with MuseTalk's files in `musetalk_weights` ("best" or "fast";
    on "cuda" or, with small networks, "cpu") and everything else as "tha3" does.
    """

    weights: Path
    cache: Path
    engine: str = "tha3"
    tier: str = "auto"
    fps: float = 30.0
    stepped: bool = False
    large: bool = False
    phonemes: str = ""
    mouth_offset_ms: int = 0
    musetalk_weights: Path = Path()
    musetalk_quality: str = "best"
    musetalk_device: str = "cuda"


def worker_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The worker's environment: NumPy's products on one thread, where the user has not said otherwise.

    A product split over two threads waits for both, and beside Whisper and the brain the second one is not always
    given a core: 5 % of the frames came too late, with one thread none.
    """
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1"}
    return {**one_thread, **environment}


class AnimatorProcess:
    """Keeps `app.ports.AvatarHost`. All methods may be called from any thread, `latest` from one at a time."""

    def __init__(self, bus: Teller, options: AnimatorOptions) -> None:
        self._bus = bus
        self._options = options
        self._engine = options.engine
        self._why: dict[str, str] = {}
        """Why it is not the engine of the options."""
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._slots: FrameSlots | None = None
        self._mouth_offset_ms = options.mouth_offset_ms
        self._frame: Frame | None = None
        self._frame_key = (0, 0)
        self._seq = itertools.count(1)
        self._generation = 0
        self._character: str | None = None
        self._restarts_left = RESTARTS
        self._closing = False
        self._reader: threading.Thread | None = None
        self._stepped: dict[int, threading.Event] = {}
        self._step_ids = itertools.count(1)
        self._loaded = threading.Event()
        self._load_problem: AppError | None = None
        # Under `_sending`:
        self._hears = False
        """Whether the process has said that it is ready: what is spoken before that is told then, once."""
        self._clips: deque[SpeechClip] = deque(maxlen=CLIPS_KEPT)
        self._anchor: PlayoutAnchor | None = None
        self._expression = "neutral"
        self._feeling = ("neutral", 1.0)
        self._is_again = False
        """Whether this process has taken the place of one that died."""

    def start(self) -> None:
        """Start the process; returns before it is ready. The fact `avatar state` says when."""
        self._bus.emit(STAGE, "state", state="starting", label="Starting the face")
        self._spawn()

    def _spawn(self) -> None:
        path = shared_folder() / f"kuchipaku-{uuid.uuid4().hex}.frames"
        options = self._options
        command = [sys.executable, "-m", "animator.worker", "--frames", str(path)]
        command += ["--weights", str(options.weights), "--cache", str(options.cache), "--engine", self._engine]
        command += ["--tier", options.tier, "--fps", str(options.fps)]
        command += ["--phonemes", options.phonemes, "--mouth-offset-ms", str(self._mouth_offset_ms)]
        if self._engine == "musetalk":
            command += ["--musetalk-weights", str(options.musetalk_weights)]
            command += ["--musetalk-quality", options.musetalk_quality]
            command += ["--musetalk-device", options.musetalk_device]
        if options.stepped:
            command.append("--stepped")
        if options.large:
            command.append("--large")
        root = Path(__file__).resolve().parents[2]  # the animator package lies beside app, installed or not
        process = subprocess.Popen(
            command,
            cwd=root,
            env=worker_environment(os.environ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with self._sending:
            self._hears = False
        with self._lock:
            self._process = process
            self._generation += 1
            generation = self._generation
        reader = threading.Thread(
            target=self._read, args=(process, path, generation), name="animator-events", daemon=True
        )
        errors = threading.Thread(target=self._drain_errors, args=(process,), name="animator-stderr", daemon=True)
        self._reader = reader
        reader.start()
        errors.start()

    def _drain_errors(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                logger.warning("animator: %s", line.decode(errors="replace").rstrip())

    def _read(self, process: subprocess.Popen[bytes], path: Path, generation: int) -> None:
        assert process.stdout is not None
        with process.stdout:
            while True:
                try:
                    message = read_message(process.stdout)
                except OSError:
                    break
                if message is None:
                    break
                self._take(message[0], path, generation)
        code = process.wait()
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        self._ended(code)

    def _take(self, header: Header, path: Path, generation: int) -> None:
        event = header.get("event")
        data: dict[str, Any] = {key: value for key, value in header.items() if key not in ("event", "bytes")}
        if event == "ready":
            slots = FrameSlots.attach(path)
            with self._lock:
                self._slots = slots
                self._frame_key = (generation, 0)
            self._bus.emit(STAGE, "state", state="busy", label="Loading the character")
            if self._character is not None:
                self._send({"type": "load", "character": self._character})
            self._speak_again()
        elif event == "stepped":
            waiter = self._stepped.pop(int(header["id"]), None)
            if waiter:
                waiter.set()
        elif event == "character":
            self._load_problem = None
            self._restarts_left = RESTARTS
            self._bus.emit(STAGE, "character", name=Path(str(header["path"])).stem)
            why = {key: str(header[key]) for key in ("problem", "remedy") if header.get(key)} or self._why
            self._bus.emit(STAGE, "state", state="ready", label=f"Face ({header['tier']})", **why)
            self._loaded.set()
            self._look_again()
        elif event in ("problem", "failed"):
            problem, remedy = str(header["problem"]), str(header.get("remedy") or "Run `kuchipaku doctor`.")
            self._load_problem = AppError(problem, remedy)
            state = "failed" if self._frame is None or event == "failed" else "ready"
            label = f"Face ({header['tier']})" if header.get("tier") else "Face"
            self._bus.emit(STAGE, "state", state=state, label=label, problem=problem, remedy=remedy)
            self._loaded.set()
        elif isinstance(event, str):
            self._bus.emit(STAGE, event, **data)

    def _ended(self, code: int) -> None:
        for waiter in list(self._stepped.values()):
            waiter.set()
        if self._closing:
            return
        if self._restarts_left > 0:
            if self._engine == "musetalk" and self._restarts_left < RESTARTS:
                self._engine, self._why = "tha3", dict(NO_MUSETALK)
            self._restarts_left -= 1
            self._bus.emit(STAGE, "state", state="starting", label="Restarting the face")
            logger.warning("the animator process ended with code %s; starting it again", code)
            self._is_again = True
            self._spawn()
            return
        problem = f"The face process ended with code {code}, {RESTARTS + 1} times in a row."
        remedy = "Choose the character again, or run `kuchipaku doctor`; the last picture stays on screen."
        self._load_problem = AppError(problem, remedy)
        self._bus.emit(STAGE, "state", state="failed", label="Face", problem=problem, remedy=remedy)
        self._loaded.set()

    def _send(self, header: Header, payload: bytes = b"") -> None:
        # A lock of its own: a full pipe must not hold up whoever asks for the newest frame. A process that has just
        # died is noticed and restarted by the reader thread.
        with self._sending:
            self._write(header, payload)

    def _write(self, header: Header, payload: bytes = b"") -> None:
        process = self._process
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                write_message(process.stdin, header, payload)

    def _speak_again(self) -> None:
        """Tell a process that is ready now what is being said: it may have been started in the middle of it."""
        with self._sending:
            self._hears = True
            for clip in self._clips:
                self._write(*clip_message(clip))
            if self._anchor is not None:
                self._write(anchor_message(self._anchor))

    def _look_again(self) -> None:
        """Have the character that is there again look as before."""
        with self._sending:
            again, self._is_again = self._is_again, False
            if again and self._expression != "neutral":
                self._write({"type": "express", "name": self._expression})
            if again and self._feeling[0] != "neutral":
                name, intensity = self._feeling
                self._write({"type": "feel", "name": name, "intensity": intensity})

    def push(self, clip: SpeechClip) -> None:
        """Send a clip ahead of its sound."""
        with self._sending:
            self._clips.append(clip)
            if self._hears:
                self._write(*clip_message(clip))

    def anchor(self, anchor: PlayoutAnchor) -> None:
        """Say what is heard when."""
        with self._sending:
            self._anchor = anchor
            while self._clips and (self._clips[0].turn, self._clips[0].index) < (
                anchor.turn,
                anchor.index - HEARD_KEPT,
            ):
                self._clips.popleft()
            if self._hears:
                self._write(anchor_message(anchor))

    def clear(self, before_turn: int) -> None:
        """Drop older turns; the mouth comes to rest."""
        with self._sending:
            self._clips = deque((clip for clip in self._clips if clip.turn >= before_turn), CLIPS_KEPT)
            self._write({"type": "clear", "before_turn": before_turn})

    def express(self, name: str) -> None:
        """The user's wish: show an expression; "neutral" lets go of it."""
        self._expression = name
        self._send({"type": "express", "name": name})

    def feel(self, name: str, intensity: float) -> None:
        """Show an emotion at `intensity` in [0, 1], where the user has chosen no expression."""
        self._feeling = (name, intensity)
        self._send({"type": "feel", "name": name, "intensity": intensity})

    def gesture(self, name: str) -> None:
        """Make a gesture: nod, shake, tilt, bow or lean."""
        self._send({"type": "gesture", "name": name})

    def preview(self, values: Mapping[str, float] | None) -> None:
        """Show these parameters by name in place of the expression, until None ends it. Nothing is kept."""
        self._send({"type": "preview", "values": None if values is None else dict(values)})

    def mouth_offset(self, offset_ms: int) -> None:
        """Show the mouth so much later than the sound (negative: earlier), from now on and after a restart."""
        self._mouth_offset_ms = offset_ms
        self._send({"type": "mouth_offset", "ms": offset_ms})

    def think(self, turn: int, on: bool) -> None:
        """The brain works on `turn`: look away until it is heard. `on` False: it no longer does."""
        if not self._options.stepped:  # a film's time stands still while the answer is made
            self._send({"type": "think", "turn": turn, "on": on})

    def load(self, character: str) -> None:
        """Switch the character (folder or PNG path); the face before stays until the new one can be drawn."""
        self._loaded.clear()
        self._character = character
        self._load_problem = None
        if self._process is None or self._process.poll() is not None:
            self._restarts_left = RESTARTS
            self.start()
        elif self._slots is not None:
            self._bus.emit(STAGE, "state", state="busy", label="Loading the character")
            self._send({"type": "load", "character": character})

    def wait_loaded(self, timeout_s: float) -> None:
        """Wait until the character is fully ready; raises AppError if it could not be."""
        if not self._loaded.wait(timeout_s):
            raise AppError(
                f"The face was not ready within {timeout_s:.0f} s.", "Try again; run `kuchipaku doctor` if it stays so."
            )
        if self._load_problem is not None:
            raise self._load_problem

    def step(self, speech: SpeechTime | None, host_ns: int, timeout_s: float = 30.0) -> Frame:
        """Draw one frame at `host_ns` and return it (stepped mode). Raises AppError if none comes."""
        step_id = next(self._step_ids)
        waiter = self._stepped[step_id] = threading.Event()
        place = None if speech is None else [speech.turn, speech.index, speech.time_s]
        self._send({"type": "step", "id": step_id, "speech": place, "host_ns": host_ns})
        answered = waiter.wait(timeout_s)
        frame = self.latest()
        if not answered or frame is None:
            raise self._load_problem or AppError("The face drew no frame.", "Run `kuchipaku doctor`.")
        return frame

    def latest(self) -> Frame | None:
        """The newest frame, or None before the first. The last one stays while the process restarts."""
        with self._lock:
            slots, generation = self._slots, self._generation
            if slots is None or (generation, slots.latest_seq()) == self._frame_key:
                return self._frame
            read = slots.read()
            if read is None:
                return self._frame
            seq, due_ns, _turn, pixels = read
            self._frame_key = (generation, seq)
            self._frame = Frame(next(self._seq), pixels, due_ns)
            return self._frame

    def close(self) -> None:
        """End the process within 2 s; safe to call twice."""
        self._closing = True
        self._loaded.set()  # nobody is to wait for what will never come
        self._send({"type": "quit"})
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
            try:
                process.wait(CLOSE_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        reader = self._reader
        if reader is not None and reader is not threading.current_thread():
            reader.join(CLOSE_TIMEOUT_S)
        with self._lock:
            if self._slots is not None:
                self._slots.close()
                self._slots = None
