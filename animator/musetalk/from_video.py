"""A video's frames as an avatar whose mouth is painted: one fixed square, crops and masks that go with the face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from animator.human.landmarks import Points
from animator.human.mouth_mask import crop_box, mouth_mask
from animator.human.photo import PhotoError
from animator.human.video_avatar import prepare_loop
from animator.musetalk.avatar import Avatar, AvatarError
from animator.protocol import Progress


def avatar_of_frames(
    frames: npt.NDArray[np.uint8], points: Points, *, upper_edge: float = 0.0, shift: float = 0.0
) -> Avatar:
    """The avatar, without latents.

    Args:
        frames: uint8 RGB (n, side, side, 3).
        points: The face's in each, (n, 478, 3).
        upper_edge: As for a photo, `from_photo.avatar_of`.
        shift: So, too.

    Raises:
        AvatarError: If the face is too small.
    """
    height, width = frames.shape[1:3]
    boxes = np.array([crop_box(each, width, height, shift) for each in points], np.int32)
    wide, high = int((boxes[:, 2] - boxes[:, 0]).max()), int((boxes[:, 3] - boxes[:, 1]).max())
    if min(wide, high) <= 0:
        raise AvatarError("the face lies outside of the frames")
    masks = np.zeros((len(frames), high, wide), np.uint8)
    for mask, each, (left, top, right, bottom) in zip(masks, points, boxes.tolist(), strict=True):
        mask[: bottom - top, : right - left] = mouth_mask(each, (left, top, right, bottom), upper_edge)
    return Avatar(frames, boxes, masks)


def video_avatar(video: Path, cache: Path, progress: Progress) -> Avatar:
    """The avatar of a video, whose frames are prepared or taken from `cache`.

    Raises:
        AvatarError: If the video cannot be used, or its frames not be kept; says what to change.
    """
    try:
        face, frames = prepare_loop(video, cache, progress)
    except PhotoError as error:
        raise AvatarError(str(error)) from error
    except OSError as error:
        raise AvatarError(
            f"The video's frames cannot be kept ({error.strerror or error}): free 0.4 GB in the folder of the cache."
        ) from error
    return avatar_of_frames(frames, face.points)
