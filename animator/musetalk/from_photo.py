"""A photo's portrait as an avatar whose mouth is painted: one frame, the crop and the mask from the mesh."""

from __future__ import annotations

import numpy as np

from animator.human.mouth_mask import crop_box, mouth_mask
from animator.human.portrait import Portrait
from animator.musetalk.avatar import Avatar


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
