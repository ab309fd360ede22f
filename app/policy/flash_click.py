"""The sound of the lip-sync test: a click a second, with the moments at which the picture flashes. Pure."""

from __future__ import annotations

import numpy as np

from animator.messages import SpeechClip

CLICKS = 12
EVERY_S = 1.0
RATE_HZ = 48_000
CLICK_S = 0.012
"""Long enough to be loud on small loudspeakers, short enough to have one moment."""
CLICK_HZ = 1_800.0
"""Where ears are keen and every loudspeaker plays."""
PEAK = 0.5
DECAY_S = 0.003


def flash_click_clip(turn: int) -> SpeechClip:
    """CLICKS clicks of sound, the first after EVERY_S, that flash where they begin; nobody speaks in it."""
    at_s = tuple(EVERY_S * (k + 1) for k in range(CLICKS))
    time_s = np.arange(round(CLICK_S * RATE_HZ)) / RATE_HZ
    # A cosine begins at its peak: the onset is one sample sharp.
    click = PEAK * np.cos(2 * np.pi * CLICK_HZ * time_s) * np.exp(-time_s / DECAY_S)
    samples = np.zeros(round((at_s[-1] + EVERY_S) * RATE_HZ), np.float32)
    for each_s in at_s:
        first = round(each_s * RATE_HZ)
        samples[first : first + len(click)] = click
    return SpeechClip(turn, 0, samples, RATE_HZ, "", phones=(), last=True, flashes_s=at_s)
