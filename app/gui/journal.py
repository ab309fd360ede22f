"""What the parts of the show said about themselves: their states and problems, and nothing that anybody spoke.

Pure but for the clock that is handed in. Words of captions never come here; keys and the user's folder are masked.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

KEPT = 300
MASK = "…"
_KEY = re.compile(
    r"\b(?:gsk_|sk-|xai-|hf_|ghp_|github_pat_|AIza)[A-Za-z0-9_-]{6,}"  # keys as services write them
    r"|\b(?=[A-Za-z0-9_-]*\d)(?=[A-Za-z0-9_-]*[A-Za-z])[A-Za-z0-9_-]{32,}\b"  # anything that looks like one
)
_PASSWORD = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_QUERY = re.compile(r"([?&](?:key|token|api_key|apikey|access_token)=)[^&\s]+", re.IGNORECASE)


def masked(text: str, home: str | None = None) -> str:
    """`text` without what looks like a key, a password in an address, or the name of the user's folder."""
    folder = str(Path.home()) if home is None else home
    if len(folder) > 1:
        text = text.replace(folder, "~")
    return _KEY.sub(MASK, _QUERY.sub(rf"\1{MASK}", _PASSWORD.sub(MASK, text)))


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when (as the clock on the wall says it), which stage, its state, and what it said."""

    at: str
    stage: str
    state: str
    text: str

    def line(self) -> str:
        """As it is shown and copied."""
        return f"{self.at}  {self.stage:<9} {self.state:<9} {self.text}".rstrip()


class Journal:
    """The newest KEPT entries. States that come every turn ("busy") are not kept: they would push out all others."""

    def __init__(self, wall_clock: Callable[[], str]) -> None:
        self._now = wall_clock
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._last: dict[str, tuple[str, str]] = {}

    @property
    def entries(self) -> list[Entry]:
        """Oldest first."""
        return list(self._entries)

    def note_state(self, stage: str, state: str, label: str) -> bool:
        """A stage's state; whether that was news."""
        last_state, last_label = self._last.get(stage, ("", ""))
        if state == "busy" or (state == last_state and label in ("", last_label)):
            return False
        self._last[stage] = (state, label)
        self._add(stage, state, label)
        return True

    def note_problem(self, stage: str, problem: str, remedy: str) -> bool:
        """What went wrong in a stage; whether that was news."""
        text = f"{problem} {remedy}".strip()
        if self._entries and (self._entries[-1].stage, self._entries[-1].text) == (stage, masked(text)):
            return False
        self._add(stage, "problem", text)
        return True

    def report(self, head: list[str]) -> str:
        """All of it as text, under the lines of `head`."""
        return "\n".join([*(masked(line) for line in head), "", *(entry.line() for entry in self._entries)]) + "\n"

    def _add(self, stage: str, state: str, text: str) -> None:
        self._entries.append(Entry(self._now(), stage, state, masked(text)))
