"""Made faces for tests."""

import numpy as np

from animator.musetalk.avatar import Avatar


def made(frames: int = 1, size_px: int = 128) -> Avatar:
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 255, (frames, size_px, size_px, 3), np.uint8)
    pictures = np.ascontiguousarray(np.repeat(np.repeat(pictures[:, ::16, ::16], 16, 1), 16, 2))
    boxes = np.array([[30 + f, 20, 94 + f, 92] for f in range(frames)], np.int32)
    mask = np.zeros((72, 64), np.uint8)
    mask[40:66, 10:54] = 255
    return Avatar(pictures, boxes, np.repeat(mask[None], frames, 0))
