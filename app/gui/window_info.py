"""What the window is given when it is made, by whoever runs the show."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.settings import Settings


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """What the window needs to know before the first fact.

    `characters` holds (name, folder); `expressions` is in the order of the keys 1 to 8. Stores that pages work with
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
