"""Sounds whose phones a test can read off: each phone is a level, and a model that hears levels."""

from __future__ import annotations

import numpy as np

from animator.lipsync.align import Scores
from animator.lipsync.windows import WindowedStream
from animator.messages import Samples

RATE = 16_000
SYMBOLS = ("", "p", "b", "m", "f", "t", "s", "n", "l", "k", "h", "ɑ", "i", "u", "ɛ", "ə", "oʊ", "aɪ")
_QUIETEST = 0.2
_STEP = 0.04


def say(*phones: tuple[str, int]) -> Samples:
    """Sound of (symbol, ms) one after the other; "" is silence, "?" a sound that is none of the symbols."""
    pieces = []
    for symbol, ms in phones:
        level = 0.0 if symbol == "" else 0.19 if symbol == "?" else _QUIETEST + _STEP * SYMBOLS.index(symbol)
        pieces.append(np.full(ms * RATE // 1000, level))
    sound = np.concatenate(pieces)
    return (sound * np.where(np.arange(len(sound)) % 2, 1.0, -1.0)).astype(np.float32)


class CodedModel:
    """Hears `say`. Frame-wise (10 ms, silence), or as CTC (20 ms, a peak at each beginning, then blanks)."""

    name = "coded"
    symbols = SYMBOLS
    bias_s = 0.0
    look_ahead_s = 0.08

    def __init__(self, *, ctc: bool = False, sure: float = 0.9) -> None:
        self.hop_s = 0.02 if ctc else 0.01
        self.blank: int | None = 0 if ctc else None
        self.silence: int | None = None if ctc else 0
        self._sure = sure
        self.calls = 0

    def log_probs(self, samples: Samples) -> Scores:
        self.calls += 1
        hop = round(self.hop_s * RATE)
        frames = -(-len(samples) // hop)
        levels = np.median(np.abs(np.pad(samples, (0, frames * hop - len(samples))).reshape(frames, hop)), axis=1)
        classes = np.where(levels < 0.1, 0, np.round((levels - _QUIETEST) / _STEP)).astype(int)
        if self.blank is not None:
            classes = np.where(np.diff(classes, prepend=-1) == 0, 0, classes)
        others = (1 - self._sure) / (len(SYMBOLS) - 1)
        scores = np.full((frames, len(SYMBOLS)), np.log(others))
        scores[np.arange(frames), classes] = np.log(self._sure)
        scores[levels == np.float32(0.19)] = np.log(1 / len(SYMBOLS))
        return scores.astype(np.float32)

    def stream(self) -> WindowedStream:
        return WindowedStream(self.log_probs, len(SYMBOLS), self.hop_s, 1.0, self.look_ahead_s)
