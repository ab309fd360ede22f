"""Open the photo puppet of a character."""

from __future__ import annotations

from pathlib import Path

from animator.character import Character, CharacterError
from animator.human.avatar import prepare
from animator.human.photo import PhotoError, read_bytes
from animator.protocol import Progress
from animator.puppet.face import PuppetFace


def open_puppet(character: Character, cache: Path, progress: Progress, *, large: bool = False) -> PuppetFace:
    """The face of a character with a photo; its portrait is prepared, or taken from `cache`, within a second or two.

    Raises:
        CharacterError: If the photo cannot be used; says what to change.
        ValueError: If the character has none.
    """
    if character.photo is None:
        raise ValueError(f"{character.name} is no photo")
    try:
        avatar = prepare(read_bytes(character.photo), cache, progress, large=large)
    except PhotoError as error:
        raise CharacterError(error.problem, error.remedy) from error
    progress("Making the puppet", 1.0)
    return PuppetFace(avatar.portrait, cut_out=character.cut_out, ai_mark=character.ai_mark)
