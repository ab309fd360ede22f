"""Whether what was said is meant for the character: its name in the words, or soon after it was spoken to. Pure."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable

_WORD = re.compile(r"[^\W_]+")
_ALIKE = 0.8
"""Whisper writes names as it likes: "Haru" comes as "Harru", "Harue", "Ha ru". difflib's ratio; "hair" has 0.75."""


def names(text: str, name: str) -> bool:
    """Whether `text` calls somebody `name`, spelled as a recogniser may spell it."""
    wanted = "".join(_WORD.findall(name.lower()))
    words = _WORD.findall(text.lower())
    pairs = [a + b for a, b in itertools.pairwise(words)]
    return any(
        word == wanted or (len(word) > 2 and _ratio(word, wanted) >= _ALIKE) for word in [*words, *pairs] if word
    ) or (not wanted.isascii() and wanted in text)


def _ratio(a: str, b: str) -> float:
    return difflib.SequenceMatcher(None, a, b).ratio()


class WakeWord:
    """Lets through what names the character, and for a while what follows. Not thread-safe (stt thread).

    `now_ns` is the host's clock.
    """

    def __init__(self, name: str, follow_up_s: float, now_ns: Callable[[], int]) -> None:
        self._name = name
        self._follow_up_ns = int(follow_up_s * 1e9)
        self._now_ns = now_ns
        self._awake_until_ns = 0

    def accept(self, text: str) -> str:
        """`text`, or "" where it is not meant for the character."""
        if not text.strip():
            return ""
        now_ns = self._now_ns()
        if names(text, self._name) or now_ns < self._awake_until_ns:
            self._awake_until_ns = now_ns + self._follow_up_ns
            return text
        return ""
