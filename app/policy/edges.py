"""Where a clip of speech begins and ends: little silence before it, one breath after it. Pure."""

from __future__ import annotations

import numpy as np

from animator.messages import Phone, Samples
from app.policy.levels import dbfs, speech_dbfs

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
