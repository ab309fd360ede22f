"""One drawn character, its networks and its bake, shared by the tests of the face."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animator.messages import Pixels

ROOT = Path(__file__).resolve().parents[3]


def drawn_face() -> Pixels:
    """A very plain person in the place where THA3 expects one."""
    import cv2

    image = np.zeros((512, 512, 4), np.uint8)
    ink, skin, hair, coat = (60, 40, 40, 255), (250, 225, 210, 255), (70, 90, 160, 255), (60, 70, 110, 255)
    cv2.ellipse(image, (256, 480), (150, 240), 0, 180, 360, coat, -1, cv2.LINE_AA)
    cv2.ellipse(image, (256, 140), (82, 90), 0, 0, 360, hair, -1, cv2.LINE_AA)
    cv2.rectangle(image, (238, 190), (274, 250), skin, -1)
    cv2.ellipse(image, (256, 145), (58, 58), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for x in (232, 280):
        cv2.ellipse(image, (x, 143), (13, 12), 0, 0, 360, (255, 255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(image, (x, 143), 8, (150, 90, 40, 255), -1, cv2.LINE_AA)
        cv2.ellipse(image, (x, 141), (14, 12), 0, 190, 350, ink, 2, cv2.LINE_AA)
        cv2.ellipse(image, (x, 124), (14, 5), 0, 200, 340, ink, 2, cv2.LINE_AA)
    cv2.ellipse(image, (256, 177), (10, 6), 0, 0, 360, (150, 50, 60, 255), -1, cv2.LINE_AA)
    # Anti-aliasing also softens alpha, which is what an edge should have.
    return image


@pytest.fixture(scope="session")
def image() -> Pixels:
    """The default character's picture where there is one."""
    for folder in sorted((ROOT / "characters").glob("*/")):
        if (folder / "character.toml").is_file():
            from animator.character import load_character

            return load_character(folder).image
    return drawn_face()


@pytest.fixture(scope="session")
def weights(models: Callable[[str], Path]) -> Path:
    """THA3's weight files."""
    return models("tha3-separable-float")


@pytest.fixture(scope="session")
def bakes() -> Path:
    """Where bakes go; shared with every test that bakes the default character."""
    return Path(os.environ["KUCHIPAKU_CACHE"]) / "bakes"


@pytest.fixture(scope="session")
def bake_folder(image: Pixels, weights: Path, bakes: Path) -> Path:
    """The whole bake of `image`, made once."""
    from animator.tha3.bake import bake

    return bake(image, weights, bakes, lambda what, share: None, lambda: False)
