"""A photo's portrait as an avatar whose mouth is painted: one frame, the crop and the mask from the mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from animator.character import load_character
from animator.human.avatar import avatar_of_character
from animator.human.mouth_mask import crop_box, mouth_mask
from animator.human.portrait import Portrait
from animator.musetalk.avatar import Avatar
from animator.musetalk.from_video import video_avatar
from animator.protocol import Progress


def avatar_of(portrait: Portrait, *, upper_edge: float = 0.0, shift: float = 0.0, cut_out: bool = False) -> Avatar:
    """The avatar, without latents.

    Args:
        portrait: As `animator.human` prepares it.
        upper_edge: Where the painted part begins: 0 at the nose's tip, 1 at the upper lip.
        shift: How far the crop's middle lies below the bridge's point, in parts of the way to the next (1.0's
            `bbox_shift`); 0 for version 1.5.
        cut_out: Leave the background away.

    Raises:
        AvatarError: If the face is too small.
    """
    height, width = portrait.picture.shape[:2]
    box = crop_box(portrait.points, width, height, shift)
    mask = mouth_mask(portrait.points, box, upper_edge)
    opacity = portrait.person[None] if cut_out else None
    return Avatar(portrait.picture[None], np.array([box], np.int32), mask[None], opacity=opacity)


def character_avatar(character: Path, cache: Path, progress: Progress, *, large: bool = False) -> Avatar:
    """The avatar of a character with a photo or a video, prepared or taken from `cache` as the puppet's portrait is.

    Raises:
        CharacterError: If the photo cannot be used; says what to change.
        AvatarError: If the face is too small, or the video cannot be used.
    """
    loaded = load_character(character)
    if loaded.video is not None:
        return video_avatar(loaded.video, cache, progress)
    prepared = avatar_of_character(loaded, cache, progress, large=large)
    return avatar_of(prepared.portrait, cut_out=loaded.cut_out)
