"""WebRTC's echo canceller (AEC3) with the character's own voice as reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import soxr

from animator.messages import Samples
from app.messages import HEARING_RATE, AudioBlock
from app.policy.echo_path import FRAME, PARTITIONS, EchoPath

LEAD_MS = 30.0
"""The reference is given this much early, so that errors of the drivers' clocks never put it behind its echo."""
RESYNC_MS = 60.0
"""Clocks that differ by more than this were interrupted (a dropout, a device that came back)."""
KEEP_S = 2.0
GATE_DB = 15.0
"""Sound of which the canceller takes more than this away is nearly all echo; what is left of it still sounds like
speech to a detector, above all in the first second, while the canceller learns the room."""
GATE_GAIN = 0.02
USER_DB = 10.0
"""Somebody else speaks where the linear echo path explains less than this of the sound (less still while the path is
not known well), once it explains KNOWN_DB of the character's own voice alone."""
KNOWN_DB = 10.0
KNOWN_FRAMES = 100
MARGIN_DB = 8.0
LEARNING_FRAMES = 500
"""Until the path is known, what comes in while the character speaks is silenced, but for at most so long (5 s of its
voice): AEC3 alone lets whole words of an echo through in its second second."""
NO_ECHO_FRAMES = 120
"""So many more loud frames of its voice than loud frames of the microphone (1.2 s): headphones."""
_NO_ECHO = 10.0 ** (-50.0 / 20.0)
_FAR_LOUD = 10.0 ** (-35.0 / 20.0)
USER_HOLD_FRAMES = 12
"""So long (120 ms) a voice is taken to go on after its last such frame."""
_FAR_HOLD_FRAMES = PARTITIONS + 10
"""The path has to be fed until its last echo has gone by, or it would take up an old one when the voice returns."""
_FAR_ACTIVE = 10.0 ** (-55.0 / 20.0)
_RECENT_DECAY = 10.0 ** (-0.6 / 20.0)
_TAIL = 10.0 ** (-14.0 / 20.0)
_LOUD = 10.0 ** (-40.0 / 20.0)
_QUIET = 10.0 ** (-58.0 / 20.0)
_SMOOTHING = 0.7
"""Of the two powers, per 10 ms."""
KNOWN_RISE, KNOWN_FALL_DB = 0.02, 0.01
"""Per frame of 10 ms."""

Played = Callable[[], tuple[Samples, int, int]]
"""What the loudspeaker was handed since the last call: (mono, rate in Hz, host time when its end is heard)."""


class WebRtcEchoCanceller:
    """Keeps the loudspeaker's sound of the last seconds on a 16 kHz line of its own, and takes its echo out.

    AEC3 removes all of the character's voice, and while both speak much of the user's: he would have to shout. So a
    linear echo path (`EchoPath`) runs beside it. Where that does not explain the sound, somebody speaks, and what it
    leaves is passed on; everywhere else there is nothing but echo, and silence is. Where no linear path can be learnt
    (a loudspeaker that distorts), AEC3's output is used, less what was nothing but echo.

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
        self._known_db = 0.0
        self._recent_level = 0.0
        self._has_headphones = False
        self._learnt_frames = self._silent_frames = self._known_frames = 0
        self._user_frames = 0
        self._far_frames = 0
        """So long the character's voice may still be in the room."""
        self.resyncs = 0

    def cancel(self, block: AudioBlock) -> AudioBlock:
        """The block without echo. The first block is 10 ms shorter where its length is no multiple of 10 ms."""
        self._take_played()
        near = np.concatenate([self._rest, block.samples]) if len(self._rest) else block.samples
        first = block.first_sample - len(self._rest)
        count = len(near) // FRAME * FRAME
        self._rest = near[count:].copy()
        late_ns = len(self._rest) * 1_000_000_000 // HEARING_RATE
        if not count:
            return replace(block, samples=near[:0], first_sample=first, heard_ns=block.heard_ns - late_ns)
        self._tie(block)
        far = self._reference(first, count)
        clean = np.asarray(self._processor.process(np.ascontiguousarray(near[:count]), far), np.float32)
        clean = self._gate(near[:count], clean, far)
        return replace(block, samples=clean, first_sample=first, heard_ns=block.heard_ns - late_ns)

    def _gate(self, near: Samples, clean: Samples, far: Samples) -> Samples:
        """Choose for each frame: the sound as it is, the user's voice over the echo, AEC3's output, or silence."""
        out = clean.copy()
        for start in range(0, len(near), FRAME):
            frame = slice(start, start + FRAME)
            self._far_frames = _FAR_HOLD_FRAMES if _level(far[frame]) > _FAR_ACTIVE else self._far_frames - 1
            if self._far_frames <= 0:
                out[frame] = near[frame]  # nothing to cancel: the user's voice as it is
                continue
            rest = self._path.step(near[frame], far[frame])
            is_user = self._is_user(near[frame], rest)
            self._look_for_headphones(near[frame], far[frame])
            if is_user:
                out[frame] = rest
            elif self._is_known:
                out[frame] *= np.float32(GATE_GAIN)
            elif self._learnt_frames < LEARNING_FRAMES:
                self._learnt_frames += 1
                out[frame] *= np.float32(GATE_GAIN)
            elif _level(clean[frame]) * 10.0 ** (GATE_DB / 20.0) < _level(near[frame]):
                out[frame] *= np.float32(GATE_GAIN)
        return out

    def _is_user(self, near: Samples, rest: Samples) -> bool:
        """Whether somebody else is heard in this frame or was a moment ago."""
        near_power, rest_power = _level(near) ** 2, _level(rest) ** 2
        self._near_power += (1 - _SMOOTHING) * (near_power - self._near_power)
        self._rest_power += (1 - _SMOOTHING) * (rest_power - self._rest_power)
        explained_db = 10.0 * np.log10(self._near_power / max(self._rest_power, 1e-12))
        if near_power > _LOUD**2:
            # How well is the room known? A user only ever makes it look worse, so it falls slowly.
            if explained_db > self._known_db:
                self._known_db += KNOWN_RISE * (explained_db - self._known_db)
            else:
                self._known_db = max(0.0, self._known_db - KNOWN_FALL_DB)
            self._known_frames += self._known_db > KNOWN_DB
        # An echo's late end is no voice, however little of it the path explains.
        self._recent_level = max(self._recent_level * _RECENT_DECAY, _level(near - rest))
        floor = max(_QUIET, self._recent_level * _TAIL)
        limit_db = min(USER_DB, max(0.0, self._known_db - MARGIN_DB)) if not self._has_headphones else USER_DB
        if self._is_known and explained_db < limit_db and rest_power > floor**2:
            self._user_frames = USER_HOLD_FRAMES
        elif self._user_frames:
            self._user_frames -= 1
        return self._user_frames > 0

    def _look_for_headphones(self, near: Samples, far: Samples) -> None:
        """Where nothing of its voice reaches the microphone there is no path to be learnt."""
        if _level(far) < _FAR_LOUD:
            return
        if _level(near) > _NO_ECHO:
            self._silent_frames = max(0, self._silent_frames - 3)
        else:
            self._silent_frames = min(2 * NO_ECHO_FRAMES, self._silent_frames + 1)
        self._has_headphones = self._silent_frames >= (1 if self._has_headphones else NO_ECHO_FRAMES)

    @property
    def _is_known(self) -> bool:
        return self._has_headphones or self._known_frames >= KNOWN_FRAMES

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
