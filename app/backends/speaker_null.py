"""No loudspeaker: plays at the clock's pace without a sound, so that the show goes on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from animator.messages import PlayoutAnchor, SpeechClip
from animator.timebase import Clock
from app.sound_tap import SoundTap

ANCHOR_EVERY_S = 0.1
_LONG_AGO_NS = -(10**18)


class NullSpeaker:
    """Keeps a loudspeaker's promises for machines without one."""

    name = "no sound"

    def __init__(self, clock: Clock, tap: SoundTap | None = None) -> None:
        """`tap` gets what would be heard, for recordings."""
        self._clock = clock
        self._tap = tap
        self._changed = threading.Condition()
        self._clips: deque[SpeechClip] = deque()
        self._began_ns: int | None = None
        self._closed = True
        self._thread: threading.Thread | None = None
        self._on_anchor: Callable[[PlayoutAnchor], None] = lambda anchor: None
        self._on_played: Callable[[int, int], None] = lambda turn, index: None

    def open(self, on_anchor: Callable[[PlayoutAnchor], None], on_played: Callable[[int, int], None]) -> None:
        """Start the thread that plays."""
        self._on_anchor, self._on_played = on_anchor, on_played
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="speaker-null", daemon=True)
        self._thread.start()

    def play(self, clip: SpeechClip) -> None:
        """Queue a clip."""
        with self._changed:
            self._clips.append(clip)
            self._changed.notify_all()

    def queued_s(self) -> float:
        """Seconds still to be played."""
        with self._changed:
            total_s = sum(clip.duration_s for clip in self._clips)
            if self._began_ns is not None and self._clips:
                total_s -= min(self._clips[0].duration_s, (self._clock.now_ns() - self._began_ns) / 1e9)
        return max(0.0, total_s)

    def clear(self) -> None:
        """Drop what is queued."""
        with self._changed:
            self._clips.clear()
            self._began_ns = None
            self._changed.notify_all()

    def duck(self, on: bool) -> None:
        """Silence cannot get quieter."""

    def close(self) -> None:
        """End the thread; safe to call twice."""
        with self._changed:
            self._closed = True
            self._clips.clear()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def _run(self) -> None:
        end_ns = _LONG_AGO_NS
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or bool(self._clips))
                if self._closed:
                    return
                clip = self._clips[0]
                now_ns = self._clock.now_ns()
                # Clips that follow each other leave no gap.
                began_ns = end_ns if now_ns - end_ns < 50_000_000 else now_ns
                self._began_ns = began_ns
            end_ns = began_ns + round(clip.duration_s * 1e9)
            if self._play_through(clip, began_ns, end_ns):
                self._on_played(clip.turn, clip.index)
            else:
                end_ns = _LONG_AGO_NS

    def _play_through(self, clip: SpeechClip, began_ns: int, end_ns: int) -> bool:
        """Publish anchors until the clip's end; False if it was cleared on the way."""
        at_ns = began_ns
        while True:
            with self._changed:
                if self._closed or not self._clips or self._clips[0] is not clip:
                    return False
                if at_ns >= end_ns:
                    self._clips.popleft()
                    self._began_ns = None
                    return True
            sample = round((at_ns - began_ns) * clip.sample_rate / 1e9)
            self._on_anchor(PlayoutAnchor(clip.turn, clip.index, sample, clip.sample_rate, at_ns))
            now_ns, at_ns = at_ns, min(end_ns, at_ns + int(ANCHOR_EVERY_S * 1e9))
            if self._tap is not None:
                end = round((at_ns - began_ns) * clip.sample_rate / 1e9)
                self._tap.put(clip.samples[sample:end], clip.sample_rate, now_ns)
            self._sleep_until(at_ns, clip)

    def _sleep_until(self, host_ns: int, clip: SpeechClip) -> None:
        """In steps of 20 ms, so that `clear` and `close` are not kept waiting."""
        while self._clock.now_ns() < host_ns:
            with self._changed:
                if self._closed or not self._clips or self._clips[0] is not clip:
                    return
            self._clock.sleep_until(min(host_ns, self._clock.now_ns() + 20_000_000))
