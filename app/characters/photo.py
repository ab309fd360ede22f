"""What was found in a photo or a video of a person that is to talk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from animator.messages import Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A photo or a video that can talk: its file, its portrait (uint8 RGBA), and what the user should know."""

    file: Path
    picture: Pixels
    notes: tuple[str, ...]
