"""Open the photo puppet of a character."""

from __future__ import annotations

from pathlib import Path

from animator.character import Character
from animator.human.avatar import avatar_of_character
from animator.protocol import Progress
from animator.puppet.face import PuppetFace


def open_puppet(character: Character, cache: Path, progress: Progress, *, large: bool = False) -> PuppetFace:
    """The face of a character with a photo; its portrait is prepared, or taken from `cache`, within a second or two.

    Raises:
        CharacterError: If the photo cannot be used; says what to change.
        ValueError: If the character has none.
    """
    avatar = avatar_of_character(character, cache, progress, large=large)
    progress("Making the puppet", 1.0)
    return PuppetFace(avatar.portrait, cut_out=character.cut_out, ai_mark=character.ai_mark)
