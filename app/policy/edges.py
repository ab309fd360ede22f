"""Where a clip of speech begins and ends: little silence before it, one breath after it. Pure."""

from __future__ import annotations

import numpy as np

from animator.messages import Phone, Samples
from app.policy.levels import dbfs, fade_edges, speech_dbfs

CLAUSE_PAUSE_S = 0.10
SENTENCE_PAUSE_S = 0.25
"""Silence after a clip that ends with a comma, or with a full stop: what joins two clips like one breath."""
LEAD_IN_S = 0.05
QUIET_BELOW_SPEECH_DB = 25.0
"""A voice's own breath and noise lie further below its speech than this."""


def pause_after(text: str) -> float:
    """Seconds of silence that belong after `text`."""
    return CLAUSE_PAUSE_S if text.rstrip().endswith((",", ";", ":", "-", "、", "，")) else SENTENCE_PAUSE_S


def quiet_dbfs(samples: Samples, sample_rate: int) -> float:
    """Below this level nothing of the speech in `samples` is heard."""
    return speech_dbfs(samples, sample_rate) - QUIET_BELOW_SPEECH_DB


def trim(
    samples: Samples,
    sample_rate: int,
    phones: list[Phone] | None,
    pause_s: float,
    quiet_below_dbfs: float = -45.0,
) -> tuple[Samples, list[Phone] | None]:
    """Bring the silence before the first sound to at most LEAD_IN_S and that after the last one to `pause_s`.

    Only what is really silent is cut; `phones` move with the sound and end where it ends.
    """
    block = max(1, sample_rate // 200)
    count = -(-len(samples) // block)
    loud = [k for k in range(count) if dbfs(samples[k * block : (k + 1) * block]) > quiet_below_dbfs]
    if not loud:
        return samples, phones
    first = max(0, loud[0] * block - round(LEAD_IN_S * sample_rate))
    end = min(len(samples), (loud[-1] + 1) * block) + round(pause_s * sample_rate)
    kept = samples[first : min(end, len(samples))]
    kept = np.pad(kept, (0, end - first - len(kept)))
    if phones is None:
        return kept, None
    offset_s, length_s = first / sample_rate, len(kept) / sample_rate
    moved: list[Phone] = []
    for phone in phones:
        start_s, end_s = max(0.0, phone.start_s - offset_s), min(length_s, phone.end_s - offset_s)
        if end_s > start_s:
            moved.append(Phone(phone.ipa, start_s, end_s))
    if moved and moved[-1].end_s < length_s:
        if moved[-1].ipa:
            moved.append(Phone("", moved[-1].end_s, length_s))
        else:
            moved[-1] = Phone("", moved[-1].start_s, length_s)
    return kept, moved


def finished(samples: Samples, sample_rate: int, text: str) -> Samples:
    """A whole clause's sound with the silence that belongs around it, and edges that do not click."""
    kept, _ = trim(samples, sample_rate, None, pause_after(text), quiet_dbfs(samples, sample_rate))
    return fade_edges(kept, sample_rate)


class PieceCutter:
    """Cuts sound that streams in into pieces that can be played one after another.

    The first piece is short, so that the voice starts early; later ones are longer. Each ends where the sound is
    softest, because a loudspeaker of another rate resamples each piece by itself, and a seam in a loud vowel is heard.
    """

    def __init__(self, sample_rate: int, text: str, *, first_s: float = 0.35, later_s: float = 0.7) -> None:
        self._rate = sample_rate
        self._text = text
        self._wanted_s = first_s
        self._later_s = later_s
        self._held = np.zeros(0, np.float32)
        self._has_begun = False
        self._lead_dropped = False

    def feed(self, samples: Samples) -> list[Samples]:
        """Take what came; the pieces that are complete now (none or one)."""
        self._held = np.concatenate([self._held, samples])
        self._drop_lead()
        if len(self._held) < self._wanted_s * self._rate:
            return []
        cut = self._softest()
        piece, self._held = self._held[:cut], self._held[cut:]
        piece = self._edged(piece, is_end=False)
        self._has_begun = True
        self._wanted_s = self._later_s
        return [piece]

    def finish(self) -> Samples:
        """What is left, with the silence that belongs behind the clause."""
        rest, self._held = self._held, np.zeros(0, np.float32)
        pause = np.zeros(round(pause_after(self._text) * self._rate), np.float32)
        if not len(rest):
            return pause if self._has_begun else rest
        block = max(1, self._rate // 200)
        quiet = quiet_dbfs(rest, self._rate) if dbfs(rest) > STREAM_QUIET_DBFS else STREAM_QUIET_DBFS
        end = len(rest)
        while end > 0 and dbfs(rest[max(0, end - block) : end]) <= quiet:
            end -= block
        return np.concatenate([self._edged(rest[: max(0, end)], is_end=True), pause])

    def _drop_lead(self) -> None:
        if self._lead_dropped:
            return
        block = max(1, self._rate // 200)
        keep = round(LEAD_IN_S * self._rate)
        for at in range(0, len(self._held) - block + 1, block):
            if dbfs(self._held[at : at + block]) > STREAM_QUIET_DBFS:
                self._held = self._held[max(0, at - keep) :]
                self._lead_dropped = True
                return
        # All silent so far: only as much as could stand before the first sound.
        self._held = self._held[-(keep + block) :]

    def _softest(self) -> int:
        block = max(1, self._rate // 200)
        start = len(self._held) * 2 // 3
        levels = [dbfs(self._held[at : at + block]) for at in range(start, len(self._held) - block + 1, block)]
        return start + int(np.argmin(levels)) * block + block // 2 if levels else len(self._held)

    def _edged(self, piece: Samples, *, is_end: bool) -> Samples:
        return fade_edges(piece, self._rate, 1.0 if self._has_begun and not is_end else 2.0)


STREAM_QUIET_DBFS = -55.0
"""Before anything was heard of a stream, nothing softer is taken for speech."""
