"""The voice through PortAudio: to what the user hears, to what streaming software hears, or to both."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import soxr

from animator.messages import PlayoutAnchor, Samples, SpeechClip
from animator.timebase import Clock
from app.backends.portaudio import STREAMS, Registry, import_sounddevice
from app.backends.pulse import sinks
from app.backends.sound_outlet import LEAD_S, SoundOutlet
from app.errors import AppError
from app.messages import SoundStatus
from app.policy.voice_queue import VoiceQueue
from app.sound_tap import SoundTap

_log = logging.getLogger(__name__)

_TICK_S = 0.01
LOOK_EVERY_S = 0.1
STALLED_S = 1.5
"""A device that has not asked for so long is gone, whatever its driver says. PulseAudio's null sink was seen to ask for
nothing for 0.8 s while another stream came to it."""
SETTLED_S = 4.0
"""Not asked of a stream that was just opened: such a sink first plays what it has made in advance, up to 2 s."""
RETRY_S = 0.5
HOLD_S = 3.0
"""So long the voice waits for a device before it goes on unheard: a sound server starts anew within that."""
LOG_EVERY_S = 600.0
STATUS_EVERY = 3
"""Looks between two reports while something sounds."""
SINK_EVERY = 20
"""Looks between two questions to a sound server: 10 ms of work every 2 s."""
SILENT_RATE_HZ = 48_000


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the voice goes: `part` is "headphones" or "stream", `what` the device in the user's words."""

    part: str
    what: str
    device: str | int | None = None
    volume: float = 1.0


LOUDSPEAKER = Destination("headphones", "loudspeaker")


class SoundDeviceSpeaker:
    """Output streams that stay open, silence between clips.

    The first device that is there sets the pace: what it plays when is what mouth and captions follow. Another one
    plays the same at the same moment (`SoundFollower`). Where the one that sets the pace is lost, the other does from
    the very next sample on; a lost device is opened again as soon as it is there, follows, and sets the pace again once
    nothing sounds. Without any device the voice waits for HOLD_S, and then goes on unheard.

    The callbacks copy, and note what is heard when; a helper thread turns the notes into calls, and a keeper looks
    after the devices. Clips are brought to the rate of the first device before they are queued.
    """

    def __init__(
        self,
        clock: Clock,
        destinations: Sequence[Destination] | str | int | None = (LOUDSPEAKER,),
        *,
        sounddevice: Any = None,
        streams: Registry = STREAMS,
        tap: SoundTap | None = None,
        tell: Callable[[tuple[SoundStatus, ...]], None] = lambda status: None,
    ) -> None:
        """`tap` gets what is said, before any volume, for recordings.

        `tell` is told how the devices are, on the keeper's thread: after every change, and while something sounds. One
        device may be given alone. Without any, the voice keeps time in silence.
        """
        if destinations is None or isinstance(destinations, (str, int)):
            destinations = (Destination("headphones", "loudspeaker", destinations),)
        self._tap = tap
        self._tell = tell
        self._clock = clock
        self._sounddevice = sounddevice
        self._queue = VoiceQueue(SILENT_RATE_HZ)
        self._parts = tuple(each.part for each in destinations)
        self._outlets = tuple(
            SoundOutlet(
                each.what,
                each.device,
                clock,
                streams,
                self._serve,
                lambda: not self._queue,
                volume=each.volume,
                # Whoever comes first is followed by the others.
                lead_s=LEAD_S if at == 0 and len(destinations) > 1 else 0.0,
            )
            for at, each in enumerate(destinations)
        )
        self._troubles: dict[SoundOutlet, AppError] = {}
        self._underruns = 0
        self._master: SoundOutlet | None = None
        """Who sets the pace; None while there is no device."""
        self._rendering = threading.Lock()
        """Never waited for by a callback: who does not get it plays silence."""
        self._without_since_ns: int | None = None
        self._unheard_ns: int | None = None
        """Host time up to which the voice has gone on unheard."""
        self._closed = threading.Event()
        self._threads: list[threading.Thread] = []
        self._told: tuple[SoundStatus, ...] | None = None
        self._on_anchor: Callable[[PlayoutAnchor], None] = lambda anchor: None
        self._on_played: Callable[[int, int], None] = lambda turn, index: None

    @property
    def name(self) -> str:
        """The devices that play."""
        names = [outlet.name for outlet in self._outlets if outlet not in self._troubles]
        return " + ".join(names) if names else ("loudspeaker" if self._outlets else "no sound")

    @property
    def underruns(self) -> int:
        """Times that the device that sets the pace ran dry."""
        return self._outlets[0].underruns if self._outlets else 0

    def open(self, on_anchor: Callable[[PlayoutAnchor], None], on_played: Callable[[int, int], None]) -> None:
        """Open the devices and start the threads; raises AppError with a remedy where none can be opened.

        One that cannot be opened beside another is told of, and tried again.
        """
        self._on_anchor, self._on_played = on_anchor, on_played
        self._troubles.clear()
        self._master = None
        sd = self._sounddevice or (import_sounddevice() if self._outlets else None)
        rate: int | None = None
        for outlet in self._outlets:
            try:
                outlet.open(sd, rate)
            except AppError as error:
                self._troubles[outlet] = error
                continue
            if rate is None:
                rate = outlet.rate
                self._queue = VoiceQueue(rate)
                self._master = outlet
        if self._outlets and self._master is None:
            raise self._troubles[self._outlets[0]]
        self._without_since_ns = None
        self._unheard_ns = self._clock.now_ns()
        self._closed.clear()
        self._threads = [
            threading.Thread(target=self._help, name="speaker-helper", daemon=True),
            threading.Thread(target=self._keep, name="speaker-keeper", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def play(self, clip: SpeechClip) -> None:
        """Queue a clip."""
        samples = clip.samples
        if clip.sample_rate != self._queue.rate:
            samples = soxr.resample(samples, clip.sample_rate, self._queue.rate, quality="HQ")
        self._queue.add(clip.turn, clip.index, np.asarray(samples, np.float32))

    def queued_s(self) -> float:
        """Seconds still to be played."""
        return self._queue.seconds()

    def clear(self) -> None:
        """Fade out within 25 ms and drop what is queued."""
        self._queue.clear()

    def duck(self, on: bool) -> None:
        """Lower the voice by 12 dB within 25 ms, or bring it back."""
        self._queue.duck(on)

    def set_volume(self, part: str, volume: float) -> None:
        """How loud "headphones" or "stream" is, from 0 to 1, from now on. Any thread."""
        for outlet in self._outlets_of(part):
            outlet.volume = volume

    def test(self, part: str) -> None:
        """Play a short tone on "headphones" or "stream" alone. Raises AppError where that one does not play."""
        outlets = self._outlets_of(part)
        if not outlets:
            raise AppError("This sound device is switched off.", "Switch it on, then test it.")
        for outlet in outlets:
            error = self._troubles.get(outlet)
            if error is not None:
                raise error
            outlet.add_tone()

    def played(self) -> tuple[Samples, int, int]:
        """What was handed to the first device since the last call: (mono, rate in Hz, host time when its end is heard).

        For echo cancellation; silence is in it as well. Called by one thread.
        """
        if not self._outlets:
            return np.zeros(0, np.float32), SILENT_RATE_HZ, self._clock.now_ns()
        return self._outlets[0].played()

    def close(self) -> None:
        """Stop and release the devices; safe to call twice."""
        self._closed.set()
        for outlet in self._outlets:
            outlet.close()
        self._queue.empty()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(1.0)

    # Callbacks' threads

    def _serve(self, outlet: SoundOutlet, frames: int, heard_ns: int) -> Samples:
        follower = outlet.follower
        if outlet.fresh:
            outlet.fresh = outlet.bridging = False
            follower.rest()
        if self._master is not outlet:
            outlet.bridging = False
            return follower.pull(frames, heard_ns)
        if outlet.rate == self._queue.rate and not follower.has_left():
            if outlet.bridging:
                outlet.bridging = False
                follower.rest()
            return self._render(outlet, frames, heard_ns)
        outlet.bridging = True
        return follower.bridge(frames, heard_ns, lambda count, at_ns: self._render(outlet, count, at_ns))

    def _render(self, outlet: SoundOutlet | None, frames: int, heard_ns: int) -> Samples:
        """The next samples, for whoever sets the pace; the others get a copy."""
        mono = np.zeros(frames, np.float32)
        if not self._rendering.acquire(blocking=False):
            return mono
        try:
            if self._master is not outlet:
                return mono
            if outlet is not None and outlet.underruns != self._underruns:
                self._underruns = outlet.underruns
                self._queue.say_again()
            self._queue.render(mono, heard_ns)
            for other in self._outlets:
                if other is not outlet or other.bridging:
                    other.follower.feed(mono, heard_ns)
            if self._tap is not None and self._tap.on:
                self._tap.put(mono, self._queue.rate, heard_ns)
        finally:
            self._rendering.release()
        return mono

    # The helper's thread

    def _help(self) -> None:
        while not self._closed.wait(_TICK_S):
            self._go_on_unheard()
            self._report()

    def _report(self) -> None:
        """Anchors at once (they may lie in the near future), ends of clips when they are heard."""
        queue = self._queue
        while queue.starts:
            turn, index, sample, host_ns = queue.starts.popleft()
            self._on_anchor(PlayoutAnchor(turn, index, sample, queue.rate, host_ns))
        while queue.ends and self._clock.now_ns() >= queue.ends[0][2]:
            turn, index, _ = queue.ends.popleft()
            self._on_played(turn, index)

    def _go_on_unheard(self) -> None:
        now_ns = self._clock.now_ns()
        since_ns = self._without_since_ns
        if self._master is not None or (since_ns is not None and now_ns - since_ns < HOLD_S * 1e9):
            self._unheard_ns = now_ns
            return
        from_ns = self._unheard_ns if self._unheard_ns is not None else now_ns
        frames = (now_ns - from_ns) * self._queue.rate // 1_000_000_000
        if frames > 0:
            self._render(None, min(frames, self._queue.rate), from_ns)
            self._unheard_ns = from_ns + frames * 1_000_000_000 // self._queue.rate

    # The keeper's thread

    def _keep(self) -> None:
        watches = [_Watch(outlet, self._clock) for outlet in self._outlets]
        looks = 0
        self._say()
        logged_ns = self._clock.now_ns()
        while not self._closed.wait(LOOK_EVERY_S):
            changed = False
            for watch in watches:
                changed |= self._look_after(watch)
            self._choose_master()
            looks += 1
            if changed or (looks % STATUS_EVERY == 0):
                self._say()
            if self._clock.now_ns() - logged_ns >= LOG_EVERY_S * 1e9:
                logged_ns = self._clock.now_ns()
                self._log_clocks()

    def _look_after(self, watch: _Watch) -> bool:
        outlet = watch.outlet
        if outlet not in self._troubles:
            if not watch.is_lost():
                return False
            self._lose(outlet)
            watch.retry_at_ns = self._clock.now_ns()
            return True
        if self._clock.now_ns() < watch.retry_at_ns:
            return False
        try:
            outlet.open(self._sounddevice or import_sounddevice(), self._queue.rate)
        except AppError as error:
            is_new = self._troubles[outlet].problem != error.problem and watch.has_tried
            if is_new:
                self._troubles[outlet] = error
            watch.has_tried = True
            watch.retry_at_ns = self._clock.now_ns() + int(RETRY_S * 1e9)
            return is_new
        if self._closed.is_set():  # meanwhile
            outlet.close()
            return False
        watch.begin()
        del self._troubles[outlet]
        _log.info("the %s is back", outlet.what)
        return True

    def _lose(self, outlet: SoundOutlet) -> None:
        _log.info("the %s was lost", outlet.what)
        self._troubles[outlet] = AppError(
            f"The {outlet.what} {outlet.name!r} was lost.",
            "Plug it in again: it is taken up within a few seconds; or choose another one.",
        )
        # Before it is closed, which may take its time: the other one goes on at once.
        self._choose_master()
        outlet.close()

    def _choose_master(self) -> None:
        there = [outlet for outlet in self._outlets if outlet not in self._troubles]
        master = self._master
        if master in there and (master is there[0] or self._queue):
            return
        if not there and master is None:
            return
        with self._rendering:
            self._master = there[0] if there else None
            self._queue.say_again()
            if master in there and master is not None:
                master.fresh = True  # it follows from now on
        self._without_since_ns = None if there else self._clock.now_ns()

    def _say(self) -> None:
        status = tuple(self._status(part, outlet) for part, outlet in zip(self._parts, self._outlets, strict=True))
        if status != self._told:
            self._told = status
            self._tell(status)

    def _status(self, part: str, outlet: SoundOutlet) -> SoundStatus:
        error = self._troubles.get(outlet)
        peak, outlet.peak = outlet.peak, 0.0
        is_master = outlet is self._master
        drift = outlet.clock.drift_ppm()
        follower = outlet.follower
        return SoundStatus(
            part=part,
            device=outlet.name,
            sets_pace=is_master,
            problem=error.problem if error is not None else "",
            remedy=error.remedy if error is not None else "",
            peak_db=round(20.0 * float(np.log10(max(peak, 1e-3))), 1),
            drift_ppm=None if drift is None or error is not None else round(drift),
            lag_ms=0 if is_master or error is not None else round(follower.lag_s * 1000),
            gaps=outlet.underruns + (0 if is_master else follower.gaps),
        )

    def _log_clocks(self) -> None:
        for outlet in self._outlets:
            drift = outlet.clock.drift_ppm()
            if drift is not None and outlet not in self._troubles:
                _log.info(
                    "the %s runs %+.0f ppm against the picture's clock, %.0f ms behind the first; gaps: %d",
                    outlet.what,
                    drift,
                    0.0 if outlet is self._master else outlet.follower.lag_s * 1000,
                    outlet.underruns,
                )

    def _outlets_of(self, part: str) -> list[SoundOutlet]:
        return [outlet for name, outlet in zip(self._parts, self._outlets, strict=True) if name == part]


class _Watch:
    """Whether a device still asks for sound. Time in which nobody looked does not count."""

    def __init__(self, outlet: SoundOutlet, clock: Clock) -> None:
        self.outlet = outlet
        self._clock = clock
        self.retry_at_ns = 0
        self.has_tried = False
        self._looks = 0
        self.begin()

    def begin(self) -> None:
        """It has just been opened."""
        self.has_tried = False
        self._calls = self.outlet.calls
        self._quiet_s = STALLED_S - SETTLED_S
        self._looked_ns = self._clock.now_ns()

    def _has_no_sink(self) -> bool:
        """A sound server moves a stream whose sink was taken away to another one: the voice would be heard twice."""
        sink = self.outlet.sink
        self._looks += 1
        if sink is None or self._looks % SINK_EVERY:
            return False
        there = sinks()
        return bool(there) and all(other.name != sink.name for other in there)

    def is_lost(self) -> bool:
        """To be asked every LOOK_EVERY_S."""
        now_ns = self._clock.now_ns()
        passed_s = min((now_ns - self._looked_ns) / 1e9, 2 * LOOK_EVERY_S)
        self._looked_ns = now_ns
        if self.outlet.is_paused:
            self.begin()
            return False
        if not self.outlet.is_open or self._has_no_sink():
            return True
        calls = self.outlet.calls
        self._quiet_s = min(self._quiet_s, 0.0) if calls != self._calls else self._quiet_s
        self._quiet_s += passed_s
        self._calls = calls
        return self._quiet_s >= STALLED_S
