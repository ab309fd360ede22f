"""Films of an answer: two cameras for one show.

`FilmSpeaker` takes the speaker's place and films the animator frame by frame on the speech's own time, as fast as
the machine can (`say`, `reply`). `LiveFilm` films the running show as viewers see it, at its real pace
(`reply --realtime`): what was late is late in it.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

import numpy as np

from animator.messages import Pixels, PlayoutAnchor, SpeechClip, SpeechTime
from animator.timebase import LEAD_S, TAIL_S, Playout
from app.messages import Frame
from app.ports import Speaker

LEAD_IN_S = 0.5
"""Of the character at rest before it speaks."""
LEAD_OUT_S = 0.7
"""After its last word."""
ANCHOR_EVERY_S = 0.1


class Film(Protocol):
    """What a film is written to (`app.backends.video_file.VideoFile`)."""

    def frame(self, pixels: Pixels) -> None:
        """Add one frame."""
        ...

    def sound(self, samples: np.ndarray, sample_rate: int) -> None:
        """Add sound after what is there."""
        ...

    def silence_until(self, time_s: float) -> None:
        """Fill with silence up to `time_s`."""
        ...


class SteppedFace(Protocol):
    """A face that draws on request (`AnimatorProcess` with `stepped`)."""

    def step(self, speech: SpeechTime | None, host_ns: int) -> Frame:
        """Draw the frame of `host_ns`."""
        ...


class FilmSpeaker:
    """Keeps `app.ports.Speaker` on film time: time stands still while the next clip is being made.

    One thread of its own asks for the frames; anchors and played-out clips are reported from it.
    """

    def __init__(self, film: Film, face: SteppedFace, fps: int) -> None:
        self._film = film
        self._face = face
        self._fps = fps
        self._clips: queue.SimpleQueue[SpeechClip | None] = queue.SimpleQueue()
        self._queued_s = 0.0
        self._frames = 0
        self._time_s = 0.0
        self._playout = Playout()
        self._thread: threading.Thread | None = None
        self._on_anchor: Callable[[PlayoutAnchor], None] = lambda _: None
        self._on_played: Callable[[int, int], None] = lambda *_: None
        self.problem: Exception | None = None
        """Why filming stopped early."""
        self._closing = threading.Event()

    def open(self, on_anchor: Callable[[PlayoutAnchor], None], on_played: Callable[[int, int], None]) -> None:
        """Start filming; the first clip ends the wait."""
        self._on_anchor, self._on_played = on_anchor, on_played
        self._thread = threading.Thread(target=self._run, name="film", daemon=True)
        self._thread.start()

    def play(self, clip: SpeechClip) -> None:
        """Queue a clip; returns at once."""
        self._queued_s += clip.duration_s
        self._clips.put(clip)

    def queued_s(self) -> float:
        """Seconds of speech that are not on film yet."""
        return max(0.0, self._queued_s)

    def clear(self) -> None:
        """Nothing interrupts a film: one question, one answer."""

    def duck(self, on: bool) -> None:
        """Nobody interrupts."""

    def finish(self, timeout_s: float = 60.0) -> None:
        """Film what is queued and the lead-out, then stop. Call when the last clip has been given."""
        self._clips.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)

    def close(self) -> None:
        """Stop at once; what is on film stays. Safe to call twice."""
        self._closing.set()
        self._clips.put(None)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(5.0)
            self._thread = None

    def _run(self) -> None:
        try:
            while (clip := self._clips.get()) is not None and not self._closing.is_set():
                try:
                    self._film_clip(clip)
                finally:
                    self._queued_s -= clip.duration_s
                    self._on_played(clip.turn, clip.index)
            if self._frames:
                self._film_until(self._time_s + LEAD_OUT_S)
        except Exception as error:
            self.problem = error
            self._drain()

    def _drain(self) -> None:
        """Filming is over, but the line is not to wait for clips that will never be filmed."""
        while not self._closing.is_set() and (clip := self._clips.get()) is not None:
            self._on_played(clip.turn, clip.index)

    def _film_clip(self, clip: SpeechClip) -> None:
        if self._frames == 0:
            self._film_until(LEAD_IN_S - LEAD_S)
            self._time_s = LEAD_IN_S
        start_s = self._time_s
        self._film.silence_until(start_s)
        self._film.sound(clip.samples, clip.sample_rate)
        if len(clip.samples):
            self._playout.add_clip(clip.turn, clip.index, clip.duration_s)
            anchor = PlayoutAnchor(clip.turn, clip.index, 0, clip.sample_rate, round(start_s * 1e9))
            self._playout.anchor(anchor)
            self._on_anchor(anchor)
        self._time_s = start_s + clip.duration_s
        # The last moments wait for the next clip, whose lips may start before its sound.
        end_s = self._time_s - LEAD_S
        while (heard_s := self._frames / self._fps + ANCHOR_EVERY_S) < end_s and not self._closing.is_set():
            self._film_until(heard_s)
            if heard_s > start_s:
                sample = round((heard_s - start_s) * clip.sample_rate)
                anchor = PlayoutAnchor(clip.turn, clip.index, sample, clip.sample_rate, round(heard_s * 1e9))
                self._on_anchor(anchor)
        self._film_until(end_s)

    def _film_until(self, time_s: float) -> None:
        while self._frames / self._fps < time_s and not self._closing.is_set():
            host_ns = self._frames * 1_000_000_000 // self._fps
            frame = self._face.step(self._playout.speech_time(host_ns), host_ns)
            self._film.frame(frame.pixels)
            self._frames += 1


class LiveFilm:
    """Films the live show: a FrameSink for the pictures, told of every clip and anchor for the sound.

    The film begins LEAD_IN_S before the first word and ends when `finish` is called. Pictures come on the camera's
    thread, clips and anchors on others.
    """

    def __init__(self, film: Film, fps: int) -> None:
        self._film = film
        self._fps = fps
        self._lock = threading.Lock()
        self._waiting: deque[Frame] = deque(maxlen=round(fps * (LEAD_IN_S + LEAD_S + TAIL_S)))
        self._clips: dict[tuple[int, int], SpeechClip] = {}
        self._starts_ns: dict[tuple[int, int], int] = {}
        self._start_ns: int | None = None
        self._last: Pixels | None = None
        self._frames = 0

    def open(self, width_px: int, height_px: int, fps: float) -> None:
        """Nothing to open: the film is."""

    def clip(self, clip: SpeechClip) -> None:
        """A clip is about to be played."""
        with self._lock:
            self._clips[clip.turn, clip.index] = clip

    def anchor(self, anchor: PlayoutAnchor) -> None:
        """What is heard when; the first anchor of each clip places its sound."""
        with self._lock:
            start_ns = anchor.host_ns - round(anchor.sample / anchor.sample_rate * 1e9)
            self._starts_ns.setdefault((anchor.turn, anchor.index), start_ns)
            if self._start_ns is None:
                self._start_ns = start_ns - round(LEAD_IN_S * 1e9)

    def send(self, frame: Frame) -> None:
        """Take the picture of one deadline."""
        with self._lock:
            if self._start_ns is None:
                self._waiting.append(frame)
                return
            while self._waiting:
                self._place(self._waiting.popleft())
            self._place(frame)

    def _place(self, frame: Frame) -> None:
        assert self._start_ns is not None
        index = round((frame.due_ns - self._start_ns) / 1e9 * self._fps)
        while self._frames <= index:
            # A deadline that nobody met shows the picture before, as a viewer saw it.
            shown = frame.pixels if self._frames == index or self._last is None else self._last
            self._film.frame(shown)
            self._frames += 1
        self._last = frame.pixels

    def finish(self) -> None:
        """Lay the sound under the picture. Call when nothing sends any more."""
        with self._lock:
            if self._start_ns is None:
                return
            for key in sorted(self._starts_ns):
                clip = self._clips.get(key)
                if clip is None:
                    continue
                self._film.silence_until((self._starts_ns[key] - self._start_ns) / 1e9)
                self._film.sound(clip.samples, clip.sample_rate)

    def close(self) -> None:
        """The stage lets go; the film is finished by `finish`."""


class FilmedSpeaker:
    """A speaker with a `LiveFilm` beside it; keeps `app.ports.Speaker`."""

    def __init__(self, speaker: Speaker, film: LiveFilm) -> None:
        self._speaker = speaker
        self._film = film

    def open(self, on_anchor: Callable[[PlayoutAnchor], None], on_played: Callable[[int, int], None]) -> None:
        """Open the speaker; anchors go to the film as well."""

        def both(anchor: PlayoutAnchor) -> None:
            self._film.anchor(anchor)
            on_anchor(anchor)

        self._speaker.open(both, on_played)

    def play(self, clip: SpeechClip) -> None:
        """Queue a clip."""
        self._film.clip(clip)
        self._speaker.play(clip)

    def queued_s(self) -> float:
        """Seconds of sound still to be played."""
        return self._speaker.queued_s()

    def clear(self) -> None:
        """Drop what is queued."""
        self._speaker.clear()

    def duck(self, on: bool) -> None:
        """Lower the voice, or bring it back."""
        self._speaker.duck(on)

    def close(self) -> None:
        """Stop."""
        self._speaker.close()
