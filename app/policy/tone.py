"""A tone to find out where a sound device is heard. Pure."""

from __future__ import annotations

import numpy as np

from animator.messages import Samples

NOTES_HZ = (523.25, 659.26, 783.99)
"""C5, E5, G5."""
NOTE_S = 0.18
LEVEL = 0.2
"""-14 dBFS: as loud as an ordinary voice."""
EDGE_S = 0.01


def trial_tone(sample_rate: int) -> Samples:
    """Three notes, mono float32, that begin and end without a click."""
    count = round(NOTE_S * sample_rate)
    at_s = np.arange(count) / sample_rate
    edge = np.minimum(1.0, np.minimum(at_s, at_s[::-1]) / EDGE_S)
    notes = [np.sin(2.0 * np.pi * hz * at_s) * edge for hz in NOTES_HZ]
    return np.asarray(LEVEL * np.concatenate(notes), np.float32)
