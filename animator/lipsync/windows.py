"""Sound that is too long, or comes in pieces, for models that hear whole sounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from animator.lipsync.align import Scores
from animator.messages import Samples

RATE_HZ = 16_000
LONGEST_S = 20.0
"""Longer sound is heard in parts: a model's memory grows with length, and hama's ends at about 30 s."""
SEARCH_S = 4.0
"""A part ends at the quietest moment of its last seconds."""


def in_parts(log_probs: Callable[[Samples], Scores], samples: Samples, hop_s: float) -> Scores:
    """`log_probs` of sound of any length, in parts of at most LONGEST_S that begin on the grid of frames."""
    hop, longest, search = round(hop_s * RATE_HZ), round(LONGEST_S * RATE_HZ), round(SEARCH_S * RATE_HZ)
    parts: list[Scores] = []
    first = 0
    while len(samples) - first > longest:
        frames = samples[first + longest - search : first + longest].reshape(-1, hop)
        cut = first + longest - search + hop * int(np.argmin(np.square(frames).mean(axis=1)))
        parts.append(log_probs(samples[first:cut]))
        first = cut
    parts.append(log_probs(samples[first:]))
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


class WindowedStream:
    """Runs `log_probs` over a window of `context_s` before what is new and `look_ahead_s` after it.

    Frames are given once `look_ahead_s` of sound after them is there. Windows begin on the grid of frames.
    """

    def __init__(
        self,
        log_probs: Callable[[Samples], Scores],
        classes: int,
        hop_s: float,
        context_s: float,
        look_ahead_s: float,
    ) -> None:
        self._log_probs = log_probs
        self._hop = round(hop_s * RATE_HZ)
        self._context = round(context_s / hop_s)
        self._look_ahead = round(look_ahead_s * RATE_HZ)
        self._none: Scores = np.zeros((0, classes), np.float32)
        self._kept: Samples = np.zeros(0, np.float32)
        self._first = 0
        """Number of the frame that begins with the first kept sample."""
        self._given = 0

    def push(self, samples: Samples) -> Scores:
        """Take in 16 kHz mono; return the frames that are final now."""
        self._kept = np.concatenate([self._kept, samples])
        last = self._first + max(0, len(self._kept) - self._look_ahead) // self._hop
        return self._give(last)

    def finish(self) -> Scores:
        """The frames that were still open."""
        return self._give(self._first + -(-len(self._kept) // self._hop))

    def _give(self, last: int) -> Scores:
        if last <= self._given:
            return self._none
        scores = self._log_probs(self._kept)[self._given - self._first : last - self._first]
        if len(scores) < last - self._given and len(scores):
            # Models without padding give no frame for the last few samples: the one before stands in.
            scores = np.concatenate([scores, np.repeat(scores[-1:], last - self._given - len(scores), axis=0)])
        self._given += len(scores)
        drop = max(0, self._given - self._context - self._first)
        self._kept = self._kept[drop * self._hop :]
        self._first += drop
        return scores
