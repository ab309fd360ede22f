"""Who the brain is to be. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Persona:
    """A character as the brain knows it. `name` is what its memory is kept under; "" where nothing is to be kept."""

    text: str
    """The system message."""
    name: str = ""
    fallback_line: str = ""
    """Spoken where nobody can answer; empty: the line's own."""
    openers: tuple[str, ...] = ()
    """What it says to break a silence where the brain cannot think of something; empty: neutral ones."""


def shortened(text: str, limit: int) -> str:
    """`text` cut at the end of a sentence, so that it has at most `limit` characters; whole words at the least."""
    if len(text) <= limit:
        return text
    head = text[:limit]
    ends = [head.rfind(mark) + 1 for mark in (". ", ".\n", "! ", "? ", "。", "।", "\n")]
    at = max(ends)
    if at < limit // 2:
        at = head.rfind(" ") if head.rfind(" ") > 0 else limit
    return head[:at].rstrip()
