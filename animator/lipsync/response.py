"""How wide a THA3 mouth parameter really opens the mouth, and the way back. Pure.

The parameters are far from linear: below about 0.12-0.25 nothing moves, and mouth_uuu at 1 opens a fifth of
what mouth_aaa does. How wide a shape opens is therefore reckoned as an opening, so that a vowel at half the
loudness is seen half as open, and a mouth that closes over 60 ms is seen to close over 60 ms. Measured on four
characters with the separable weights: changed area in the mouth, relative to mouth_aaa = 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Mouth = npt.NDArray[np.float32]
"""The six parameters in the order of `animator.tha3.pose.MOUTH_NAMES`, float32, shape (..., 6)."""

MAX_SUM = 1.2
"""Beyond this sum of the six parameters the shapes only smear (they compose and saturate)."""

DEAD_ZONE = np.array([0.12, 0.25, 0.25, 0.20, 0.12, 0.20], dtype=np.float32)
"""Largest parameter per channel at which nothing is seen to move yet."""
PASS_DEAD_ZONE = 0.08

# (parameter, opening) per channel. Strictly rising, so that there is a way back: the dead zones, which are truly
# flat, get openings too small to see.
_CURVES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((0.0, 0.0), (0.12, 0.01), (0.25, 0.25), (0.5, 0.56), (0.75, 0.80), (1.0, 1.00)),  # aaa
    ((0.0, 0.0), (0.25, 0.005), (0.5, 0.03), (0.75, 0.05), (1.0, 0.06)),  # iii
    ((0.0, 0.0), (0.20, 0.01), (0.25, 0.02), (0.5, 0.15), (0.75, 0.21), (1.0, 0.22)),  # uuu
    ((0.0, 0.0), (0.20, 0.01), (0.25, 0.10), (0.5, 0.31), (0.75, 0.47), (1.0, 0.58)),  # eee
    ((0.0, 0.0), (0.12, 0.01), (0.25, 0.22), (0.5, 0.45), (0.75, 0.61), (1.0, 0.72)),  # ooo
    ((0.0, 0.0), (0.20, 0.01), (0.25, 0.09), (0.5, 0.22), (0.75, 0.28), (1.0, 0.34)),  # delta
)
_PARAMETER = tuple(np.array([p for p, _ in curve]) for curve in _CURVES)
_OPENING = tuple(np.array([y for _, y in curve]) for curve in _CURVES)


def openings(mouth: npt.ArrayLike) -> Mouth:
    """Opening of each channel for parameters in [0, 1], shape (..., 6); 1 is the area of mouth_aaa = 1."""
    mouth = np.asarray(mouth, dtype=np.float32)
    channels = [np.interp(mouth[..., i], _PARAMETER[i], _OPENING[i]) for i in range(6)]
    return np.stack(channels, axis=-1).astype(np.float32)


def parameters(opening: npt.ArrayLike) -> Mouth:
    """Parameters in [0, 1] that give these openings per channel, shape (..., 6); the inverse of `openings`."""
    opening = np.asarray(opening, dtype=np.float32)
    channels = [np.interp(opening[..., i], _OPENING[i], _PARAMETER[i]) for i in range(6)]
    return np.stack(channels, axis=-1).astype(np.float32)


def scaled(mouth: npt.ArrayLike, share: npt.ArrayLike) -> Mouth:
    """The mouth opened only `share` in [0, 1] as wide; parameters (..., 6), share () or (..., 1); 0 at share 0.

    A parameter that is seen is brought down to its dead zone, not to 0, so that the opening shrinks evenly; the
    dead zone itself is crossed in the last PASS_DEAD_ZONE.
    """
    mouth = np.asarray(mouth, dtype=np.float32)
    share = np.asarray(share, dtype=np.float32)
    shrunk = np.where(mouth > DEAD_ZONE, DEAD_ZONE + (mouth - DEAD_ZONE) * share, mouth * share)
    return np.asarray(shrunk * np.minimum(1.0, share / PASS_DEAD_ZONE), dtype=np.float32)


def limited(mouth: Mouth) -> Mouth:
    """The mouth within [0, 1] and with a sum of at most MAX_SUM."""
    mouth = np.clip(mouth, 0.0, 1.0)
    total = float(mouth.sum())
    return mouth if total <= MAX_SUM else np.asarray(mouth * (MAX_SUM / total), dtype=np.float32)


def area(mouth: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Open area of the whole mouth, shape (...): 0 shut, 1 as open as mouth_aaa = 1. Channels add and saturate."""
    return np.asarray(np.minimum(openings(mouth).sum(axis=-1), 1.04), dtype=np.float32)
