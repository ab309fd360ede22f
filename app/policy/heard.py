"""What of a sentence was heard when it was broken off. Pure."""

from __future__ import annotations

import re

_WORD = re.compile(r"\S+")


def heard_text(text: str, share: float) -> str:
    """The words of `text` that had been spoken to their end after `share` in [0, 1] of its sound.

    A word takes time in proportion to its letters, which is right to about a word.
    """
    if share >= 1.0:
        return text
    words = list(_WORD.finditer(text))
    weights = [sum(c.isalnum() for c in m[0]) + 1.5 for m in words]
    total = sum(weights)
    at, end = 0.0, 0
    for match, weight in zip(words, weights, strict=True):
        at += weight
        if at > share * total + 1e-9:
            break
        end = match.end()
    return text[:end]
