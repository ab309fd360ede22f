"""`hama`'s phoneme CTC (4.7 MB, Apache-2.0, English and Korean) as an acoustic model."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np

from animator.lipsync.align import Scores
from animator.lipsync.onset_bias import NONE
from animator.lipsync.windows import WindowedStream, in_parts
from animator.messages import Samples

RATE_HZ = 16_000
FRAME_S = 0.020
"""One CTC frame is 320 samples (hama, `ASR_OUTPUT_FRAME_SAMPLES`)."""
BIAS_S = 0.036
"""CTC emits a phoneme this much after its onset: median over 216 sentences by Piper's en_US-joe, text forced
(`benchmarks/phones_bias.py hama`)."""
BIASES_S = NONE
LOOK_AHEAD_S = 0.12
"""What follows a frame changes it for longer (up to 0.2 s); this leaves 0.11 s to decide between phones."""
CONTEXT_S = 2.0
TARGET_PEAK = 0.7
"""The model was trained on speech at an ordinary level."""
SHORTEST_SAMPLES = 800
"""Less than this is padded: the native code expects a few frames."""


class HamaModel:
    """Log-probabilities by `hama`. ~0.06 s per second of sound on one core; calls are serialised."""

    name = "hama"
    silence: int | None = None
    hop_s = FRAME_S
    bias_s = BIAS_S
    biases_s = BIASES_S
    look_ahead_s = LOOK_AHEAD_S

    def __init__(self, model: Any) -> None:
        self._session = model.session
        self._lock = threading.Lock()
        tokens = list(model.decoder_tokens)
        blank, boundary = tokens.index("<blank>"), tokens.index("<wb>")
        kept = [i for i, token in enumerate(tokens) if not token.startswith("<") and token.strip()]
        self._kept = np.array(kept, np.intp)
        self._rest = np.array([blank, boundary], np.intp)
        self.symbols: tuple[str, ...] = ("", *(tokens[i] for i in kept))
        self.blank: int | None = 0

    @classmethod
    def load(cls) -> HamaModel | None:
        """The model, or None where the package is not installed or does not run (it has no Windows library)."""
        if sys.platform == "win32":
            return None
        try:
            from hama import ASRModel

            return cls(ASRModel())
        except (ImportError, OSError, RuntimeError, ValueError, AttributeError):
            return None

    def log_probs(self, samples: Samples) -> Scores:
        """Word boundaries count as blanks; class 0 is the blank."""
        peak = float(np.abs(samples).max(initial=0.0))
        scaled = np.clip(samples * np.float32(TARGET_PEAK / max(peak, 1e-4)), -1, 1).astype(np.float32)
        return in_parts(self._part, scaled, FRAME_S)

    def _part(self, scaled: Samples) -> Scores:
        if not len(scaled):
            return np.zeros((0, len(self.symbols)), np.float32)
        frames = -(-len(scaled) // round(FRAME_S * RATE_HZ))
        if len(scaled) < SHORTEST_SAMPLES:
            scaled = np.pad(scaled, (0, SHORTEST_SAMPLES - len(scaled)))
        feeds = {"waveform": scaled[None], "waveform_lengths": np.array([len(scaled)], np.int64)}
        with self._lock:
            found, lengths = self._session.run(["log_probs", "out_lengths"], feeds)
        scores = np.asarray(found[0][: min(int(lengths[0]), frames)], np.float32)
        if len(scores) < frames:
            scores = np.concatenate([scores, np.repeat(scores[-1:], frames - len(scores), axis=0)])
        rest = np.logaddexp.reduce(scores[:, self._rest], axis=1)
        return np.concatenate([rest[:, None], scores[:, self._kept]], axis=1).astype(np.float32)

    def stream(self) -> WindowedStream:
        """Windows with 2 s before and 0.16 s after what is new."""
        return WindowedStream(self.log_probs, len(self.symbols), FRAME_S, CONTEXT_S, LOOK_AHEAD_S)
