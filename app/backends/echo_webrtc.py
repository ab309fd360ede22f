"""WebRTC's echo canceller (AEC3) with the character's own voice as reference."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import soxr

from animator.messages import Samples
from app.messages import HEARING_RATE, AudioBlock

FRAME = HEARING_RATE // 100
"""AEC3 works on 10 ms."""
LEAD_MS = 30.0
"""The reference is given this much early, so that errors of the drivers' clocks never put it behind its echo."""
RESYNC_MS = 60.0
"""Clocks that differ by more than this were interrupted (a dropout, a device that came back)."""
KEEP_S = 2.0

Played = Callable[[], tuple[Samples, int, int]]
"""What the loudspeaker was handed since the last call: (mono, rate in Hz, host time when its end is heard)."""


class WebRtcEchoCanceller:
    """Keeps the loudspeaker's sound of the last seconds on a 16 kHz line of its own, and takes its echo out.

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
        late_ns = len(self._rest) * 1_000_000_000 // HEARING_RATE
        return replace(block, samples=clean, first_sample=first, heard_ns=block.heard_ns - late_ns)

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
