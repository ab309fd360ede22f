"""A second sound device that plays what a first one plays, at the same moment, though their clocks differ."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from app.policy.sample_clock import SampleClock

Samples = npt.NDArray[np.float32]

KEPT_S = 2.0
TAPS = 32
"""Samples that make one in between: -90 dB of error up to 15 kHz at 48 kHz."""
BEHIND = TAPS // 2
PHASES = 512
MARGIN_S = 0.006
"""So much more than was ever needed lies ready."""
START_S = 0.5
"""So long it is listened how early the first device hands over, before anything is played."""
LOOP_HZ = 0.1
MOST = 0.002
"""The pitch is changed by no more than 0.2 %, 3.5 cents: nobody hears it, and clocks differ by a tenth of that."""
RESYNC_S = 0.05
"""So far from its place it is put right by a jump, which is heard; else by the pace, or in a silence."""
SILENT_RESYNC_S = 0.003
LONGEST_LAG_S = 0.3
"""Where the second device has to be this late, its gaps are left as they are."""
LATER_S = 0.01
"""So much later after a gap."""
FADE_S = 0.004
SLACK_WINDOWS = 10
"""The lag is taken back to what the last so many seconds needed."""


def _table(cutoff: float) -> Samples:
    """Kaiser-windowed sinc, (PHASES + 1, TAPS): row j interpolates j / PHASES after the tap BEHIND - 1."""
    offsets = np.arange(TAPS)[None, :] - (BEHIND - 1) - np.arange(PHASES + 1)[:, None] / PHASES
    window = np.i0(9.0 * np.sqrt(np.clip(1.0 - (offsets / BEHIND) ** 2, 0.0, 1.0))) / np.i0(9.0)
    taps = np.sinc(offsets * cutoff) * window
    taps = taps / taps.sum(axis=1, keepdims=True)
    return np.asarray(taps, np.float32)


class SoundFollower:
    """Between a device that sets the pace and one that follows.

    `feed` belongs to the first device's thread, everything else to the second's; neither waits. The first device says
    when each of its blocks is heard, and so does the second: the sample is played that is heard at the first one then,
    or `lag_s` later where it does not come early enough. Its place is kept by playing up to 0.2 % faster or slower.
    """

    def __init__(self, source_hz: int, own_hz: int) -> None:
        self.source_hz, self.own_hz = source_hz, own_hz
        self.gaps = 0
        """How often it had nothing to play though the first one played."""
        self.jumps = 0
        self._ratio = source_hz / own_hz
        self._ring = np.zeros(int(KEPT_S * source_hz), np.float32)
        self._written = 0
        self._silent_from = 0
        """From this sample on nothing but silence was written."""
        self._source = SampleClock(source_hz)
        self._own = SampleClock(own_hz)
        self._pulled = 0
        self._lag = 0.0
        self._table = _table(1.0 if own_hz >= source_hz else 0.95 * own_hz / source_hz)
        self._at: float | None = None
        """Place in the source of the next sample to be played."""
        self._pace = 0.0
        self._slacks: deque[float] = deque(maxlen=SLACK_WINDOWS)
        self._slack = math.inf
        self._window_end = 0
        self._fade_in = self._was_dry = False

    @property
    def lag_s(self) -> float:
        """So much later than at the first device everything is heard."""
        return self._lag / self.source_hz

    @property
    def drift_ppm(self) -> float | None:
        """How much faster than the host's clock this device runs."""
        return self._own.drift_ppm()

    def off_s(self, host_ns: float) -> float | None:
        """How far what is played is behind its place, in s; None while nothing is played."""
        wanted = self._source.count_at(host_ns)
        return None if wanted is None or self._at is None else (wanted - self._lag - self._at) / self.source_hz

    def feed(self, samples: Samples, heard_ns: int | None) -> None:
        """The first device's next block, and when it is heard there; None where nobody knows."""
        if heard_ns is not None:
            self._source.note(self._written, heard_ns)
        start = self._written % len(self._ring)
        first = min(len(samples), len(self._ring) - start)
        self._ring[start : start + first] = samples[:first]
        self._ring[: len(samples) - first] = samples[first:]
        self._written += len(samples)
        if samples.any():
            self._silent_from = self._written

    def pull(self, frames: int, heard_ns: int) -> Samples:
        """The next `frames` samples of the second device, of which the first is heard at `heard_ns`."""
        self._own.note(self._pulled, heard_ns)
        own_ns = self._own.host_ns(self._pulled)
        self._pulled += frames
        heard = None if own_ns is None else self._source.count_at(own_ns)
        if heard is None:
            return np.zeros(frames, np.float32)
        need = frames * self._ratio
        self._note_slack(self._written - BEHIND - (heard + need))
        if self._at is None:
            if self._pulled < START_S * self.own_hz:
                return np.zeros(frames, np.float32)
            self._lag = self._lag_needed()
            self._go_to(heard - self._lag)
        assert self._at is not None
        off = heard - self._lag - self._at
        is_silent = self._silent_from <= self._at - BEHIND
        if is_silent and self._slacks:
            self._lag = min(self._lag, self._lag_needed())
            off = heard - self._lag - self._at
        # After a gap it fades in anyway: no better moment for a jump.
        if (
            self._fade_in
            or abs(off) > RESYNC_S * self.source_hz
            or (is_silent and abs(off) > SILENT_RESYNC_S * self.source_hz)
        ):
            if not is_silent and not self._fade_in:
                self.jumps += 1
            self._go_to(heard - self._lag)
            off = 0.0
        return self._play(frames, self._steps(off, frames))

    def bridge(self, frames: int, heard_ns: int, render: Callable[[int, int], Samples]) -> Samples:
        """As `pull` where the first device is gone: what is left of it, then what `render(count, heard_ns)` makes.

        `render` feeds what it makes; the count is of samples of the source.
        """
        if self._at is None or self._written - self._at > KEPT_S / 2 * self.source_hz:
            self._at = float(self._written)
        missing = math.ceil(self._at + frames * self._ratio) + BEHIND + 1 - self._written
        if missing > 0:
            ahead = (self._written - self._at) / self.source_hz
            render(missing, heard_ns + round(ahead * 1e9))
        return self._play(frames, self._ratio)

    def has_left(self) -> bool:
        """Whether something of the first device has not been played yet."""
        return self._at is not None and self._silent_from > self._at - BEHIND

    def rest(self) -> None:
        """Begin anew with the next block."""
        self._at = None
        self._own = SampleClock(self.own_hz)
        self._source = SampleClock(self.source_hz)
        self._pulled, self._pace = 0, 0.0
        self._slacks.clear()
        self._slack, self._window_end = math.inf, 0

    def _note_slack(self, slack: float) -> None:
        self._slack = min(self._slack, slack)
        if self._pulled >= self._window_end:
            if self._window_end:
                self._slacks.append(self._slack)
            self._slack = slack
            self._window_end = self._pulled + self.own_hz

    def _lag_needed(self) -> float:
        least = min([self._slack, *self._slacks])
        return min(LONGEST_LAG_S * self.source_hz, max(0.0, MARGIN_S * self.source_hz - least))

    def _go_to(self, place: float) -> None:
        self._at = max(place, float(self._written - len(self._ring) + TAPS))
        self._fade_in = True

    def _steps(self, off: float, frames: int) -> float:
        """Source samples per own sample: a PI loop over how far this device is behind."""
        omega = 2.0 * math.pi * LOOP_HZ
        self._pace += omega * omega * off / self.source_hz * frames / self.own_hz
        self._pace = min(MOST, max(-MOST, self._pace))
        pace = self._pace + math.sqrt(2.0) * omega * off / self.source_hz
        return self._ratio * (1.0 + min(MOST, max(-MOST, pace)))

    def _play(self, frames: int, step: float) -> Samples:
        assert self._at is not None
        places = self._at + np.arange(frames) * step
        self._at += frames * step
        count = frames
        is_dry = places[-1] + BEHIND + 1 > self._written
        if is_dry:
            count = int(np.searchsorted(places, self._written - BEHIND - 1, side="right"))
        out = np.zeros(frames, np.float32)
        if count:
            out[:count] = self._between(places[:count])
            if self._fade_in:
                self._fade(out[:count], up=True)
                self._fade_in = False
        if is_dry:
            if count:
                self._fade(out[:count], up=False)
            if not self._was_dry and self._silent_from > self._at - frames * step - BEHIND:
                self.gaps += 1
            if not self._was_dry:
                self._lag = min(LONGEST_LAG_S * self.source_hz, self._lag + LATER_S * self.source_hz)
            self._fade_in = True
        self._was_dry = is_dry
        return out

    def _between(self, places: npt.NDArray[np.floating[Any]]) -> Samples:
        whole = np.floor(places).astype(np.int64)
        first = int(whole[0]) - (BEHIND - 1)
        size = int(whole[-1]) + BEHIND + 1 - first
        start = first % len(self._ring)
        ends = min(size, len(self._ring) - start)
        source = self._ring[start : start + size]
        if ends < size:
            source = np.concatenate([source, self._ring[: size - ends]])
        phases = (places - whole) * PHASES
        rows = phases.astype(np.int64)
        part = (phases - rows).astype(np.float32)[:, None]
        taps = self._table[rows] + part * (self._table[rows + 1] - self._table[rows])
        windows = np.lib.stride_tricks.sliding_window_view(source, TAPS)[whole - whole[0]]
        return np.asarray(np.einsum("ij,ij->i", windows, taps), np.float32)

    def _fade(self, samples: Samples, *, up: bool) -> None:
        count = min(len(samples), int(FADE_S * self.own_hz))
        ramp = np.linspace(0.0, 1.0, count, dtype=np.float32)
        if up:
            samples[:count] *= ramp
        else:
            samples[len(samples) - count :] *= ramp[::-1]
