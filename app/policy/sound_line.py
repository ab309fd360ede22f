"""The sound of a recording on the host's time, out of blocks that the loudspeaker's own clock has counted. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr

from animator.messages import Samples

LINE_RATE = 48_000
"""Hz of what comes out."""
DROPOUT_NS = 60_000_000
"""A block that is heard so far from where the count says belongs to another run: the device stood still, or is new."""
DRIFT_NS = 3_000_000
"""The two clocks may come so far apart before that is put right, in a silence, where nobody hears it."""
SMOOTHING = 0.05
"""Of the distance, per block: the host times of single blocks tremble by some ms."""


class SoundLine:
    """Puts blocks of mono sound where they are heard, and silence everywhere else.

    Within a run of blocks only their samples count, so that no clock's jitter is heard. What each method returns goes
    right behind what was returned before: mono float32 at LINE_RATE. Not thread-safe.
    """

    def __init__(self, start_ns: int) -> None:
        """The line's first sample is heard at host time `start_ns`."""
        self._start_ns = start_ns
        self._written = 0
        self._rate = 0
        self._run_ns = 0
        self._run_samples = 0
        self._distance_ns = 0.0
        self._resample: Any = None
        self._skip = 0
        """Samples of the run that would lie on what is written already."""

    @property
    def samples(self) -> int:
        """Samples returned so far."""
        return self._written

    def add(self, samples: Samples, sample_rate: int, heard_ns: int) -> Samples:
        """A block whose first sample is heard at `heard_ns`; returns what the line grows by."""
        parts: list[Samples] = []
        distance_ns = heard_ns - (self._run_ns + self._run_samples * 1_000_000_000 // max(self._rate, 1))
        if sample_rate != self._rate or abs(distance_ns) > DROPOUT_NS:
            parts += self._begin_run(sample_rate, heard_ns)
        else:
            self._distance_ns += SMOOTHING * (distance_ns - self._distance_ns)
            if abs(self._distance_ns) > DRIFT_NS and not samples.any():
                parts += self._begin_run(sample_rate, heard_ns - round(distance_ns - self._distance_ns))
        self._run_samples += len(samples)
        parts.append(self._fitted(samples if self._resample is None else self._resample.resample_chunk(samples)))
        return np.concatenate(parts)

    def leave_out(self, gap_ns: int) -> None:
        """Time stood still for `gap_ns`: what is heard later lies so much earlier than its host time says."""
        self._start_ns += gap_ns

    def silence_until(self, host_ns: int) -> Samples:
        """Silence up to `host_ns`, where nothing is there yet; returns what the line grows by."""
        missing = self._place(host_ns) - self._written
        if missing <= 0:
            return np.zeros(0, np.float32)
        parts = self._end_run()
        missing = max(0, self._place(host_ns) - self._written)
        self._written += missing
        return np.concatenate([*parts, np.zeros(missing, np.float32)])

    def _place(self, host_ns: int) -> int:
        return round((host_ns - self._start_ns) * LINE_RATE / 1_000_000_000)

    def _begin_run(self, sample_rate: int, heard_ns: int) -> list[Samples]:
        parts = self._end_run()
        self._rate, self._run_ns = sample_rate, heard_ns
        self._resample = None
        if sample_rate != LINE_RATE:
            self._resample = soxr.ResampleStream(sample_rate, LINE_RATE, 1, dtype="float32")
        missing = self._place(heard_ns) - self._written
        self._skip = max(0, -missing)
        self._written += max(0, missing)
        return [*parts, np.zeros(max(0, missing), np.float32)]

    def _end_run(self) -> list[Samples]:
        """What the resampler still holds; the next block begins a run."""
        parts: list[Samples] = []
        if self._resample is not None:
            parts.append(self._fitted(self._resample.resample_chunk(np.zeros(0, np.float32), last=True)))
        self._resample, self._rate = None, 0
        self._run_ns = self._run_samples = 0
        self._distance_ns = 0.0
        return parts

    def _fitted(self, samples: Samples) -> Samples:
        skipped = min(self._skip, len(samples))
        self._skip -= skipped
        kept: Samples = samples[skipped:].astype(np.float32, copy=False)
        self._written += len(kept)
        return kept
