"""What the window is given when it is made, by whoever runs the show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from app.characters.photo import Looked
from app.history_store import HistoryStore
from app.settings import Settings


class Secrets(Protocol):
    """Keys of services, as `app.secrets` keeps them. Its functions may wait: never call them on the window's thread."""

    def place(self, name: str) -> str:
        """Where the key is: "environment", "store" or "none"."""

    def keep(self, name: str, key: str) -> None:
        """Store it. Raises AppError."""

    def forget(self, name: str) -> None:
        """Remove it. Raises AppError."""


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """What the window needs to know before the first fact.

    `characters` holds (name, folder); `expressions` begins with those of the keys 1 to 8. Stores that pages work with
    are handed in here too, because the window imports no backend.
    """

    title: str
    version: str
    characters: list[tuple[str, str]]
    character: str
    expressions: list[str]
    camera_on: bool
    microphone_on: bool
    mouth_offset_ms: int = 0
    settings: Settings = field(default_factory=Settings)
    whispers: tuple[str, ...] = ()
    """Names of the Whisper models that are here, such as "tiny.en"."""
    weights: tuple[str, ...] = ()
    """Names of the THA3 weights that the user has added."""
    secrets: Secrets | None = None
    check_up: Callable[[], tuple[str, ...]] | None = None
    """Looks at every part that the show needs, for some seconds; returns a line each."""
    history: HistoryStore | None = None
    look_at_photo: Callable[[Path], Looked] | None = None
    """Reads a photo or a video of a person and finds its face; takes seconds, a long video some 20; raises AppError."""
