"""WebRTC's echo canceller (AEC3) with the character's own voice as reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import soxr

from animator.messages import Samples
from app.messages import HEARING_RATE, AudioBlock
from app.policy.echo_path import FRAME, EchoPath

LEAD_MS = 30.0
"""The reference is given this much early, so that errors of the drivers' clocks never put it behind its echo."""
RESYNC_MS = 60.0
"""Clocks that differ by more than this were interrupted (a dropout, a device that came back)."""
KEEP_S = 2.0
GATE_DB = 15.0
"""Sound of which the canceller takes more than this away is nearly all echo; what is left of it still sounds like
speech to a detector, above all in the first second, while the canceller learns the room."""
GATE_GAIN = 0.02
USER_DB = 6.0
"""Somebody else speaks where the linear echo path explains less than this of the sound, once it explains KNOWN_DB of
the character's own voice alone."""
KNOWN_DB = 12.0
USER_HOLD_FRAMES = 12
"""So long (120 ms) a voice is taken to go on after its last such frame."""
_FAR_DECAY = 10.0 ** (-1.5 / 20.0)
"""1.5 dB per 10 ms: a room of 0.4 s."""
_FAR_ACTIVE = 10.0 ** (-55.0 / 20.0)
_QUIET = 10.0 ** (-58.0 / 20.0)
_SMOOTHING = 0.7
"""Of the two powers, per 10 ms."""
_KNOWN_SMOOTHING = 0.98

Played = Callable[[], tuple[Samples, int, int]]
"""What the loudspeaker was handed since the last call: (mono, rate in Hz, host time when its end is heard)."""


class WebRtcEchoCanceller:
    """Keeps the loudspeaker's sound of the last seconds on a 16 kHz line of its own, and takes its echo out.

    AEC3 removes all of the character's voice, and while both speak much of the user's: he would have to shout. So a
    linear echo path (`EchoPath`) runs beside it. Where that does not explain the sound, somebody speaks, and what it
    leaves is passed on; everywhere else it is AEC3's output, or silence where that was nothing but echo.

    Both devices count their own samples; the two counts are tied together by host time once, and again where they
    have come apart. In between no clock's jitter moves them. Lives on the capture thread.
    """

    def __init__(self, played: Played) -> None:
        # Imported here: not every machine that draws a face has it.
        from pywebrtc_audio import AudioProcessor

        self._played = played
        self._processor: Any = AudioProcessor(
            HEARING_RATE, 1, echo_cancellation=True, noise_suppression=True, high_pass_filter=True
        )
        self._resample: Any = None
        self._rate = 0
        self._far: Samples = np.zeros(0, np.float32)
        """The reference, from sample number `_far_first` of the loudspeaker's own count on."""
        self._far_first = 0
        self._far_end_ns = 0
        self._offset: int | None = None
        """Far sample number minus near sample number."""
        self._rest: Samples = np.zeros(0, np.float32)
        self._path = EchoPath()
        self._near_power = self._rest_power = 1e-9
        self._near_known = self._rest_known = 1e-9
        self._is_known = False
        self._user_frames = 0
        self._far_level = 0.0
        """Of the reference, with a room's decay after it."""
        self.resyncs = 0

    def cancel(self, block: AudioBlock) -> AudioBlock:
        """The block without echo. The first block is 10 ms shorter where its length is no multiple of 10 ms."""
        self._take_played()
        near = np.concatenate([self._rest, block.samples]) if len(self._rest) else block.samples
        first = block.first_sample - len(self._rest)
        count = len(near) // FRAME * FRAME
        self._rest = near[count:].copy()
        if not count:
            return replace(block, samples=near[:0], first_sample=first)
        self._tie(block)
        far = self._reference(first, count)
        clean = np.asarray(self._processor.process(np.ascontiguousarray(near[:count]), far), np.float32)
        clean = self._gate(near[:count], clean, far)
        late_ns = len(self._rest) * 1_000_000_000 // HEARING_RATE
        return replace(block, samples=clean, first_sample=first, heard_ns=block.heard_ns - late_ns)

    def _gate(self, near: Samples, clean: Samples, far: Samples) -> Samples:
        """Choose for each frame: the user's voice over the echo, AEC3's output, or silence."""
        out = clean.copy()
        for start in range(0, len(near), FRAME):
            frame = slice(start, start + FRAME)
            self._far_level = max(self._far_level * _FAR_DECAY, _level(far[frame]))
            if self._far_level < _FAR_ACTIVE:
                continue
            rest = self._path.step(near[frame], far[frame])
            if self._is_user(near[frame], rest):
                out[frame] = rest
            elif _level(clean[frame]) * 10.0 ** (GATE_DB / 20.0) < _level(near[frame]):
                out[frame] *= np.float32(GATE_GAIN)
        return out

    def _is_user(self, near: Samples, rest: Samples) -> bool:
        """Whether somebody else is heard in this frame or was a moment ago."""
        near_power, rest_power = _level(near) ** 2, _level(rest) ** 2
        self._near_power += (1 - _SMOOTHING) * (near_power - self._near_power)
        self._rest_power += (1 - _SMOOTHING) * (rest_power - self._rest_power)
        explained_db = 10.0 * np.log10(self._near_power / max(self._rest_power, 1e-12))
        if explained_db > USER_DB or self._user_frames == 0:
            # The character alone, as far as is known: how well is the room known?
            self._near_known += (1 - _KNOWN_SMOOTHING) * (min(near_power, 1.0) - self._near_known)
            self._rest_known += (1 - _KNOWN_SMOOTHING) * (rest_power - self._rest_known)
        known_db = 10.0 * np.log10(self._near_known / max(self._rest_known, 1e-12))
        if known_db > KNOWN_DB:
            self._is_known = True
        if self._is_known and explained_db < USER_DB and rest_power > _QUIET**2:
            self._user_frames = USER_HOLD_FRAMES
        elif self._user_frames:
            self._user_frames -= 1
        return self._user_frames > 0

    def _take_played(self) -> None:
        samples, rate, end_ns = self._played()
        if rate and rate != self._rate:
            self._rate = rate
            self._resample = soxr.ResampleStream(rate, HEARING_RATE, 1, dtype="float32", quality="LQ")
            self._offset = None
        if not len(samples):
            return
        new = np.asarray(self._resample.resample_chunk(samples), np.float32)
        self._far = np.concatenate([self._far, new])
        surplus = len(self._far) - round(KEEP_S * HEARING_RATE)
        if surplus > 0:
            self._far, self._far_first = self._far[surplus:], self._far_first + surplus
        self._far_end_ns = end_ns

    def _tie(self, block: AudioBlock) -> None:
        if not self._far_end_ns or not block.heard_ns:
            return
        far_end = self._far_first + len(self._far)
        near_end = block.first_sample + len(block.samples)
        ahead = (block.heard_ns - self._far_end_ns) * HEARING_RATE / 1e9 + LEAD_MS * HEARING_RATE / 1000
        offset = round(far_end + ahead - near_end)
        if self._offset is None or abs(offset - self._offset) > RESYNC_MS * HEARING_RATE / 1000:
            self.resyncs += self._offset is not None
            self._offset = offset

    def _reference(self, first: int, count: int) -> Samples:
        """The loudspeaker's sound for near samples [first, first + count); silence where nothing is known."""
        far = np.zeros(count, np.float32)
        if self._offset is None:
            return far
        start = first + self._offset - self._far_first
        low, high = max(0, start), min(len(self._far), start + count)
        if high > low:
            far[low - start : high - start] = self._far[low:high]
        return far


def _level(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples))))
