"""One sound device that plays the voice: the one that sets the pace, or one that follows it."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from animator.messages import Samples
from animator.timebase import Clock
from app.backends.portaudio import Registry, Ring, chosen, device_error
from app.backends.pulse import THROUGH, Sink, routed_to, sink_called, sinks
from app.errors import AppError
from app.policy.cables import REMEDIES, cables_of
from app.policy.sample_clock import SampleClock
from app.policy.sound_follow import SoundFollower
from app.policy.tone import trial_tone

_log = logging.getLogger(__name__)

MIN_LATENCY_S = 0.06
"""Shorter buffers run dry when another thread holds Python's lock for a moment."""
LEAST_AHEAD_S = 0.002
"""No device plays sooner what it has just asked for, but for once after it ran dry."""
LEAD_S = 0.04
"""So much longer is the buffer of a device that others follow: what it gets early, they can play in time."""
PLAYED_S = 2.0
OTHER_RATES_HZ = (48_000, 44_100)
"""Asked for where a device does not take the rate that its driver states."""
FIRST_CABLE = "\0cable"
"""In place of a device: the first virtual cable that is found."""
SERVER_HZ = 48_000
"""Of a sound server whose sink is not known: what most run at."""
_INVALID_RATE = "-9997"
_opening = threading.Lock()

Serve = Callable[["SoundOutlet", int, int], Samples]
"""(who asks, frames, host time in ns at which the first is heard) → mono samples at the outlet's rate."""


class SoundOutlet:
    """A stream on a device that may go and come back. `serve` is called on PortAudio's thread, and never waits."""

    def __init__(
        self,
        what: str,
        device: str | int | None,
        clock: Clock,
        streams: Registry,
        serve: Serve,
        may_pause: Callable[[], bool],
        *,
        volume: float = 1.0,
        lead_s: float = 0.0,
    ) -> None:
        """`what` it is in the user's words, such as "loudspeaker"."""
        self.what = what
        self.name = what
        self.rate = 48_000
        self.volume = volume
        """0 to 1; a change is heard within a block, without a click. Any thread."""
        self.underruns = 0
        self.calls = 0
        """Times that the device asked. A device that was pulled out may not say so, but asks no more."""
        self.peak = 0.0
        """Of what was played since somebody set it to 0."""
        self.clock = SampleClock(self.rate)
        self.follower = SoundFollower(self.rate, self.rate)
        self.bridging = False
        """Whether it sets the pace and still plays out of `follower`. The callback's own."""
        self.fresh = False
        """Whether `follower` is to begin anew: set by any thread, taken back by the callback."""
        self.sink: Sink | None = None
        """Of the sound server, where the device is one."""
        self._device = device if device != "" else None
        self._clock = clock
        self._streams = streams
        self._serve = serve
        self._may_pause = may_pause
        self._lead_s = lead_s
        self._stream: Any = None
        self._sd: Any = None
        self._source_rate: int | None = None
        self._using = threading.Lock()
        """Held while the stream is opened or closed, and from `pause` to `go_on`."""
        self._count = 0
        self._gain = volume
        self._tone = np.zeros(0, np.float32)
        self._latency_ns = self._usual_ns = 0
        self._is_dry = False
        self._played = Ring(1)
        self._played_end_ns = 0

    @property
    def is_open(self) -> bool:
        """Whether its stream runs, as far as the driver says."""
        stream = self._stream
        return stream is not None and bool(stream.active)

    @property
    def is_paused(self) -> bool:
        """Whether it is being opened or closed, or lets go for a moment."""
        return self._using.locked()

    def open(self, sd: Any, source_rate: int | None) -> None:
        """Open the device; it follows a source of `source_rate` Hz, by default one of its own rate.

        Raises AppError with a remedy.
        """
        self._sd, self._source_rate = sd, source_rate
        key = ("output", self._device)
        try:
            try:
                with self._using:
                    self._open()
            except Exception:
                if not self._streams.look_again(sd, key):
                    raise
                with self._using:
                    self._open()
        except AppError:
            raise
        except Exception as error:  # PortAudioError, ValueError for unknown names, and whatever a driver raises
            device = self._device if self._device != FIRST_CABLE else self.name
            raise device_error(self.what, device, error) from error
        self._streams.opened(self, key)

    def _open(self) -> None:
        sd = self._sd
        with _target(sd, self._device) as (device, name, self.sink):
            info = sd.query_devices(device, "output")
            stated = int(info["default_samplerate"])
            # PortAudio tells the rate of ALSA's plugin; the server would convert it once more.
            first = self.sink.rate_hz if self.sink is not None else SERVER_HZ if info["name"] in THROUGH else stated
            for rate in dict.fromkeys((first, stated, *OTHER_RATES_HZ)):
                try:
                    self._start(sd, device, info, rate)
                    break
                except Exception as error:
                    self._close_stream()
                    if _INVALID_RATE not in str(error) or rate == OTHER_RATES_HZ[-1]:
                        raise
        self.name = name if self.sink is not None else str(info["name"])

    def _start(self, sd: Any, device: str | int | None, info: Any, rate: int) -> None:
        self.rate = rate
        source = self._source_rate if self._source_rate is not None else rate
        self.follower = SoundFollower(source, rate)
        self.clock = SampleClock(rate)
        self.bridging = self.fresh = False
        self._count = 0
        self._gain = self.volume
        self._tone = self._tone[:0]
        self._played = Ring(int(PLAYED_S * rate))
        self._stream = sd.OutputStream(
            samplerate=rate,
            device=device,
            channels=max(1, min(2, int(info["max_output_channels"]))),
            dtype="float32",
            blocksize=0,
            latency=max(MIN_LATENCY_S, float(info["default_low_output_latency"])) + self._lead_s,
            callback=self._callback,
        )
        self._latency_ns, self._usual_ns = int(float(self._stream.latency) * 1e9), 0
        self._stream.start()

    def _close_stream(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def close(self) -> None:
        """Let go of the device; safe to call twice."""
        self._streams.closed(self)
        with self._using:
            try:
                self._close_stream()
            except Exception as error:  # a device that is gone
                _log.info("the %s could not be closed: %s", self.what, type(error).__name__)

    def may_pause(self) -> bool:
        """Whether nothing sounds here."""
        return not self.is_open or self._may_pause()

    def pause(self) -> None:
        """Let go of the device for a moment."""
        self._using.acquire()
        self._close_stream()

    def go_on(self) -> None:
        """Play again; a device that is gone is lost."""
        try:
            self._open()
        except Exception as error:
            _log.info("the %s did not come back: %s", self.what, type(error).__name__)
        finally:
            self._using.release()

    def add_tone(self) -> None:
        """Play the test tone here, beside what is played."""
        self._tone = trial_tone(self.rate)

    def played(self) -> tuple[Samples, int, int]:
        """What was handed to the device since the last call: (mono, rate in Hz, host time when its end is heard)."""
        end_ns = self._played_end_ns
        return self._played.read(), self.rate, end_ns

    def _callback(self, outdata: Any, frames: int, time: Any, status: Any) -> None:
        """PortAudio's thread: copies only; never waits, logs or calls out."""
        self.calls += 1
        if status.output_underflow:
            self.underruns += 1
        # Some drivers leave the DAC's time empty; then the stream's own latency is the best guess. ALSA's plugin for
        # PulseAudio says "now" for seconds after an underrun, though its buffer is full again: then what was usual is.
        ahead_s = time.outputBufferDacTime - time.currentTime
        was_dry, self._is_dry = self._is_dry, ahead_s < LEAST_AHEAD_S
        if time.outputBufferDacTime > 0.0 and LEAST_AHEAD_S <= ahead_s < 5.0:
            ahead_ns = int(ahead_s * 1e9)
            self._usual_ns += int(0.02 * (ahead_ns - self._usual_ns)) if self._usual_ns else ahead_ns
        elif time.outputBufferDacTime > 0.0 and ahead_s >= 0.0 and not was_dry:
            ahead_ns = int(ahead_s * 1e9)
        else:
            ahead_ns = self._usual_ns or self._latency_ns
        heard_ns = self._clock.now_ns() + ahead_ns
        self.clock.note(self._count, heard_ns)
        self._count += frames
        mono = self._serve(self, frames, heard_ns)
        if len(tone := self._tone):
            mono = mono.copy()
            count = min(frames, len(tone))
            mono[:count] += tone[:count]
            self._tone = tone[count:]
        if self._gain != self.volume:
            mono = mono * np.linspace(self._gain, self.volume, frames, dtype=np.float32)
            self._gain = self.volume
        elif self._gain != 1.0:
            mono = mono * np.float32(self._gain)
        outdata[:] = mono[:, None]
        self.peak = max(self.peak, float(np.abs(mono).max(initial=0.0)))
        self._played_end_ns = heard_ns + frames * 1_000_000_000 // self.rate
        self._played.write(mono)


@contextmanager
def _target(sd: Any, device: str | int | None) -> Iterator[tuple[str | int | None, str, Sink | None]]:
    """The device as PortAudio knows it, its name for people, and the sink of the sound server that is behind it.

    Raises AppError where no cable is there, ValueError where no such device is.
    """
    if device == FIRST_CABLE:
        names = [str(info["name"]) for info in sd.query_devices() if info["max_output_channels"] > 0]
        found = cables_of(names)
        null = next((sink for sink in sorted(sinks(), key=lambda sink: not sink.is_own) if sink.is_null), None)
        if not found and null is None:
            remedy = REMEDIES.get(sys.platform, REMEDIES["linux"])
            raise AppError("No virtual cable was found for the stream.", remedy)
        device = found[0] if found else null.name if null is not None else None
    try:
        number = chosen(sd, device, "output")
    except ValueError:
        sink = sink_called(device) if isinstance(device, str) else None
        if sink is None:
            raise
        with _opening, routed_to(sink):
            yield _server(sd), sink.description, sink
    else:
        yield number, device if isinstance(device, str) else "", None


def _server(sd: Any) -> str | int | None:
    for name in THROUGH:
        with contextlib.suppress(ValueError):
            return chosen(sd, name, "output")
    raise ValueError(
        "the sound server is not among PortAudio's devices (Debian/Ubuntu: apt install libasound2-plugins)"
    )
