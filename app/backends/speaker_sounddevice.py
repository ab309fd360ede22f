"""The computer's loudspeaker through PortAudio."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr

from animator.messages import PlayoutAnchor, Samples, SpeechClip
from animator.timebase import Clock
from app.backends.portaudio import STREAMS, Registry, Ring, chosen, device_error, import_sounddevice
from app.errors import AppError
from app.sound_tap import SoundTap

_log = logging.getLogger(__name__)

FADE_MS = 25
ANCHOR_EVERY_S = 0.1
_TICK_S = 0.01
DUCK_DB = -12.0
DUCK_MS = 25
PLAYED_S = 2.0
MIN_LATENCY_S = 0.06
"""Shorter buffers run dry when another thread holds Python's lock for a moment."""


@dataclass(slots=True, eq=False)
class _Queued:
    turn: int
    index: int
    samples: Samples
    number: int
    at: int = 0


class SoundDeviceSpeaker:
    """One output stream that stays open, silence between clips.

    The callback copies, and notes what is heard when; a helper thread turns the notes into calls. Clips are
    brought to the device's own rate before they are queued. `underruns` counts the times the device ran dry.
    """

    def __init__(
        self,
        clock: Clock,
        device: str | int | None = None,
        *,
        volume: float = 1.0,
        sounddevice: Any = None,
        streams: Registry = STREAMS,
        tap: SoundTap | None = None,
    ) -> None:
        """`tap` gets what is played, for recordings."""
        self._tap = tap
        self.name = "loudspeaker"
        self.underruns = 0
        self._clock = clock
        self._device = device if device != "" else None
        self._volume = volume
        self._sounddevice = sounddevice
        self._streams = streams
        self._stream: Any = None
        self._using = threading.Lock()
        """Held while the stream is opened or closed, from `pause` to `go_on`, and while a clip is taken."""
        self._rate = 48_000
        self._queue: deque[_Queued] = deque()
        self._number = 0
        self._clear_to = 0
        """Clips up to this number are faded out and dropped. Written by `clear`, read by the callback."""
        self._fade_at = 0
        self._fade = np.zeros(0, np.float32)
        self._next_anchor_ns = 0
        self._starts: deque[tuple[int, int, int, int]] = deque(maxlen=512)
        self._ends: deque[tuple[int, int, int]] = deque(maxlen=512)
        """What the callback notes for the helper: (turn, index, sample, host_ns) and (turn, index, host_ns)."""
        self._latency_ns = 0
        self._gain = self._wanted_gain = 1.0
        self._played = Ring(1)
        self._played_end_ns = 0
        self._ramp = np.zeros(0, np.float32)
        self._closed = threading.Event()
        self._helper: threading.Thread | None = None
        self._on_anchor: Callable[[PlayoutAnchor], None] = lambda anchor: None
        self._on_played: Callable[[int, int], None] = lambda turn, index: None

    def open(self, on_anchor: Callable[[PlayoutAnchor], None], on_played: Callable[[int, int], None]) -> None:
        """Open the device and start the helper; raises AppError with a remedy where there is none."""
        self._on_anchor, self._on_played = on_anchor, on_played
        sd = self._sounddevice or import_sounddevice()
        try:
            try:
                with self._using:
                    self._open(sd)
            except Exception:
                if not self._streams.look_again(sd, ("output", self._device)):
                    raise
                with self._using:
                    self._open(sd)
        except AppError:
            raise
        except Exception as error:  # PortAudioError, ValueError for unknown names, and whatever a driver raises
            raise device_error("loudspeaker", self._device, error) from error
        self._streams.opened(self, ("output", self._device))
        self._closed.clear()
        self._helper = threading.Thread(target=self._help, name="speaker-helper", daemon=True)
        self._helper.start()

    def _open(self, sd: Any) -> None:
        device = chosen(sd, self._device, "output")
        info = sd.query_devices(device, "output")
        self._rate = int(info["default_samplerate"])
        self._fade = np.linspace(1.0, 0.0, self._rate * FADE_MS // 1000, dtype=np.float32)
        self._ramp = np.arange(1, self._rate + 1, dtype=np.float32)
        self._played = Ring(int(PLAYED_S * self._rate))
        try:
            self._stream = sd.OutputStream(
                samplerate=self._rate,
                device=device,
                channels=max(1, min(2, int(info["max_output_channels"]))),
                dtype="float32",
                blocksize=0,
                latency=max(MIN_LATENCY_S, float(info["default_low_output_latency"])),
                callback=self._callback,
            )
            self._latency_ns = int(float(self._stream.latency) * 1e9)
            self._stream.start()
        except Exception:
            self._close_stream()
            raise
        self.name = str(info["name"])

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def may_pause(self) -> bool:
        """Whether nothing sounds."""
        return not self._queue

    def pause(self) -> None:
        """Let go of the device for a moment; clips wait."""
        self._using.acquire()
        self._close_stream()

    def go_on(self) -> None:
        """Play again; a device that is gone is noticed by the next clip."""
        try:
            self._open(self._sounddevice or import_sounddevice())
        except Exception as error:
            _log.info("the loudspeaker did not come back: %s", type(error).__name__)
        finally:
            self._using.release()

    def play(self, clip: SpeechClip) -> None:
        """Queue a clip. Raises AppError where the device was lost."""
        with self._using:
            if self._stream is None or not self._stream.active:
                raise AppError(
                    f"The loudspeaker {self.name!r} was lost.",
                    "Plug it in again: it is taken up within a few seconds; or choose another one.",
                )
            samples = clip.samples
            if clip.sample_rate != self._rate:
                samples = soxr.resample(samples, clip.sample_rate, self._rate, quality="HQ")
            self._number += 1
            self._queue.append(_Queued(clip.turn, clip.index, samples * np.float32(self._volume), self._number))

    def queued_s(self) -> float:
        """Seconds still to be played."""
        return sum(len(queued.samples) - queued.at for queued in list(self._queue)) / self._rate

    def clear(self) -> None:
        """Fade out within FADE_MS and drop what is queued."""
        self._clear_to = self._number

    def duck(self, on: bool) -> None:
        """Lower the voice by DUCK_DB within DUCK_MS, or bring it back."""
        self._wanted_gain = 10.0 ** (DUCK_DB / 20.0) if on else 1.0

    def played(self) -> tuple[Samples, int, int]:
        """What was handed to the device since the last call: (mono, rate in Hz, host time when its end is heard).

        For echo cancellation; silence is in it as well. Called by one thread.
        """
        end_ns = self._played_end_ns
        return self._played.read(), self._rate, end_ns

    def close(self) -> None:
        """Stop and release the device; safe to call twice."""
        self._streams.closed(self)
        self._closed.set()
        with self._using:
            self._close_stream()
        self._queue.clear()
        if self._helper is not None and self._helper is not threading.current_thread():
            self._helper.join(1.0)

    def _callback(self, outdata: Any, frames: int, time: Any, status: Any) -> None:
        """PortAudio's thread: copies only; never waits, logs or calls out."""
        if status.output_underflow:
            self.underruns += 1
            self._next_anchor_ns = 0  # what follows is heard later than was thought: say so at once
        # Some drivers leave the DAC's time empty; then the stream's own latency is the best guess.
        ahead_s = time.outputBufferDacTime - time.currentTime
        is_told = time.outputBufferDacTime > 0.0 and 0.0 <= ahead_s < 5.0
        ahead_ns = int(ahead_s * 1e9) if is_told else self._latency_ns
        heard_ns = self._clock.now_ns() + ahead_ns
        done = 0
        while done < frames and self._queue:
            head = self._queue[0]
            fading = head.number <= self._clear_to
            if fading and head.at == 0 and self._fade_at == 0:
                self._queue.popleft()
                continue
            count = min(frames - done, len(head.samples) - head.at)
            if fading:
                count = min(count, len(self._fade) - self._fade_at)
            else:
                self._note(head, heard_ns + done * 1_000_000_000 // self._rate)
            piece = head.samples[head.at : head.at + count]
            if fading:
                piece = piece * self._fade[self._fade_at : self._fade_at + count]
                self._fade_at += count
            outdata[done : done + count] = piece[:, None]
            head.at += count
            done += count
            if fading and (self._fade_at >= len(self._fade) or head.at >= len(head.samples)):
                while self._queue and self._queue[0].number <= self._clear_to:
                    self._queue.popleft()
                self._fade_at = 0
            elif head.at >= len(head.samples):
                self._queue.popleft()
                if not fading:
                    end_ns = heard_ns + done * 1_000_000_000 // self._rate
                    self._ends.append((head.turn, head.index, end_ns))
        outdata[done:] = 0.0
        if self._gain != self._wanted_gain or self._gain != 1.0:
            self._apply_gain(outdata, frames)
        self._played_end_ns = heard_ns + frames * 1_000_000_000 // self._rate
        self._played.write(outdata[:, 0])
        if self._tap is not None and self._tap.on:
            self._tap.put(outdata[:, 0].copy(), self._rate, heard_ns)

    def _apply_gain(self, outdata: Any, frames: int) -> None:
        step = (1.0 - 10.0 ** (DUCK_DB / 20.0)) / (self._rate * DUCK_MS / 1000)
        low, high = min(self._gain, self._wanted_gain), max(self._gain, self._wanted_gain)
        sign = 1.0 if self._wanted_gain > self._gain else -1.0
        gains = np.clip(self._gain + sign * step * self._ramp[:frames], low, high)
        outdata *= gains[:, None]
        self._gain = float(gains[-1])

    def _note(self, head: _Queued, heard_ns: int) -> None:
        if head.at == 0 or heard_ns >= self._next_anchor_ns:
            self._starts.append((head.turn, head.index, head.at, heard_ns))
            self._next_anchor_ns = heard_ns + int(ANCHOR_EVERY_S * 1e9)

    def _help(self) -> None:
        """Helper thread."""
        while not self._closed.wait(_TICK_S):
            self._report()

    def _report(self) -> None:
        """Anchors at once (they may lie in the near future), ends of clips when they are heard."""
        while self._starts:
            turn, index, sample, host_ns = self._starts.popleft()
            self._on_anchor(PlayoutAnchor(turn, index, sample, self._rate, host_ns))
        while self._ends and self._clock.now_ns() >= self._ends[0][2]:
            turn, index, _ = self._ends.popleft()
            self._on_played(turn, index)
        stream = self._stream
        if stream is not None and not stream.active:
            # Unplugged: whoever waits for the end of these clips must not wait forever.
            while self._queue and not self._closed.is_set():
                lost = self._queue.popleft()
                self._on_played(lost.turn, lost.index)
