"""Which words of a growing transcript can be relied on: LocalAgreement-2 (Macháček et al., whisper_streaming). Pure."""

from __future__ import annotations

import re

_NOT_LETTERS = re.compile(r"[^\w']+")


class Agreement:
    """Words on which two hypotheses in a row agree, from the start, are committed and never change until `reset`."""

    def __init__(self) -> None:
        self._committed: list[str] = []
        self._last: list[str] = []

    def reset(self) -> None:
        """Begin a new utterance."""
        self._committed, self._last = [], []

    def feed(self, text: str) -> tuple[str, str]:
        """Take the newest hypothesis of the whole utterance; returns (committed words, the rest of it).

        Case and punctuation do not count when two words are compared. The committed words keep the spelling that they
        were committed with.
        """
        words = text.split()
        agreed = 0
        for older, newer in zip(self._last, words, strict=False):
            if _bare(older) != _bare(newer):
                break
            agreed += 1
        done = len(self._committed)
        if agreed > done and all(_bare(a) == _bare(b) for a, b in zip(self._committed, words, strict=False)):
            self._committed += words[done:agreed]
        self._last = words
        return " ".join(self._committed), " ".join(words[len(self._committed) :])


def _bare(word: str) -> str:
    return _NOT_LETTERS.sub("", word).casefold()
