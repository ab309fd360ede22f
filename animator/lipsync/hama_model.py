"""`hama`'s phoneme CTC (4.7 MB, Apache-2.0, English and Korean) as an acoustic model."""

from __future__ import annotations

import sys
import threading
from typing import Any

import numpy as np

from animator.lipsync.align import Scores
from animator.lipsync.onset_bias import Biases, Row
from animator.lipsync.windows import WindowedStream, in_parts
from animator.messages import Samples

RATE_HZ = 16_000
FRAME_S = 0.020
"""One CTC frame is 320 samples (hama, `ASR_OUTPUT_FRAME_SAMPLES`)."""
BIAS_S = 0.0379
"""CTC emits a phoneme this much after its onset: median over 55 sentences by Piper's en_US-joe, text forced
(`python benchmarks/phones_bias.py hama --store` measures and prints this and the table below)."""
BIASES_S: Biases = {
    "": Row(0.0, -0.0011, 0.0037),
    "aɪ": Row(0.0185, 0.0247, 0.0197),
    "aʊ": Row(0.0142, 0.0187, 0.0175),
    "b": Row(-0.0053, -0.0146, -0.0022),
    "d": Row(-0.0057, -0.0089, 0.0008),
    "dʒ": Row(0.0107, 0.0092, 0.0174),
    "eɪ": Row(0.0175, 0.0210, 0.0241),
    "f": Row(0.0011, -0.0041, 0.0062),
    "h": Row(0.0036, 0.0038, 0.0026),
    "i": Row(0.0065, 0.0072, 0.0130),
    "j": Row(-0.0049, -0.0058, -0.0086),
    "k": Row(-0.0085, -0.0185, -0.0029),
    "l": Row(-0.0145, -0.0212, -0.0067),
    "m": Row(-0.0051, -0.0254, 0.0072),
    "n": Row(-0.0119, -0.0169, 0.0011),
    "oʊ": Row(0.0101, 0.0120, 0.0144),
    "p": Row(-0.0100, -0.0259, -0.0067),
    "s": Row(0.0064, 0.0030, 0.0178),
    "t": Row(-0.0025, 0.0015, -0.0047),
    "tʃ": Row(0.0067, -0.0003, 0.0141),
    "u": Row(0.0074, 0.0088, 0.0099),
    "v": Row(-0.0119, -0.0162, -0.0029),
    "w": Row(0.0141, 0.0148, 0.0180),
    "z": Row(-0.0045, -0.0058, -0.0001),
    "æ": Row(0.0084, 0.0058, 0.0134),
    "ð": Row(0.0035, -0.0004, 0.0051),
    "ŋ": Row(-0.0178, -0.0239, -0.0140),
    "ɐ": Row(-0.0077, -0.0101, -0.0086),
    "ɑ": Row(0.0224, 0.0281, 0.0260),
    "ɔ": Row(0.0148, 0.0249, 0.0132),
    "ɔɪ": Row(0.0101, 0.0157, 0.0138),
    "ə": Row(-0.0040, -0.0040, -0.0070),
    "ɚ": Row(-0.0165, -0.0197, -0.0145),
    "ɛ": Row(0.0154, 0.0175, 0.0187),
    "ɜ": Row(0.0023, 0.0018, 0.0074),
    "ɡ": Row(-0.0006, -0.0114, 0.0035),
    "ɪ": Row(0.0009, 0.0015, -0.0027),
    "ɹ": Row(-0.0057, -0.0121, 0.0039),
    "ɾ": Row(-0.0151, -0.0232, -0.0113),
    "ʃ": Row(-0.0004, -0.0031, 0.0039),
    "ʊ": Row(0.0151, 0.0204, 0.0188),
    "ʌ": Row(0.0111, 0.0162, 0.0069),
    "ʒ": Row(-0.0134, -0.0225, -0.0097),
    "θ": Row(0.0020, 0.0003, 0.0069),
}
"""What single sounds add to it, in s: anywhere, inside a word, at its beginning (`onset_bias.py`)."""
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
