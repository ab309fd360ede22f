from __future__ import annotations

import numpy as np
import pytest

from animator.manner import Finish
from animator.tha3.finish import finished

ALL = Finish(outline=0.9, rim=0.6, bloom=0.5)


@pytest.fixture
def picture() -> np.ndarray:
    """A dark disc with a soft edge and a bright spot."""
    y, x = np.mgrid[:512, :512].astype(np.float32)
    distance = np.hypot(x - 256, y - 256)
    out = np.zeros((512, 512, 4), np.uint8)
    out[..., 3] = (np.clip(150.5 - distance, 0, 1) * 255).astype(np.uint8)
    out[..., :3][out[..., 3] > 0] = (40, 60, 120)
    out[200:212, 250:262, :3] = (250, 240, 200)
    return out


def test_off_by_default_and_then_the_very_same_picture(picture: np.ndarray) -> None:
    assert Finish().is_off
    assert finished(picture, Finish()) is picture


def test_the_frame_that_is_given_is_not_changed(picture: np.ndarray) -> None:
    before = picture.copy()

    once, twice = finished(picture, ALL), finished(picture, ALL)

    np.testing.assert_array_equal(before, picture)
    np.testing.assert_array_equal(once, twice)
    assert (512, 512, 4) == once.shape
    assert np.uint8 == once.dtype


@pytest.mark.parametrize("finish", [Finish(rim=1.0), Finish(bloom=1.0), Finish(rim=1.0, bloom=1.0)])
def test_light_leaves_alpha_and_what_is_empty_alone_and_only_brightens(picture: np.ndarray, finish: Finish) -> None:
    lit = finished(picture, finish)

    np.testing.assert_array_equal(picture[..., 3], lit[..., 3])
    assert lit[picture[..., 3] == 0].max() == 0
    assert (lit >= picture).all()
    assert (lit[..., :3].astype(int) - picture[..., :3]).max() > 20


def test_the_rim_is_on_the_side_of_the_light(picture: np.ndarray) -> None:
    lit = finished(picture, Finish(rim=1.0)).astype(int) - picture

    y, x = np.mgrid[:512, :512] - 256.0
    distance = np.hypot(x, y)
    at_edge = (distance > 145) & (distance < 149)
    towards_light = (-0.6 * x - 0.8 * y) / np.maximum(distance, 1)
    assert lit[at_edge & (towards_light > 0.9)][:, 0].mean() > 20
    assert lit[at_edge & (towards_light < -0.5)][:, :3].max() == 0
    assert lit[distance < 120][:, :3].max() == 0


def test_bloom_glows_around_what_is_bright_and_nowhere_else(picture: np.ndarray) -> None:
    lit = finished(picture, Finish(bloom=1.0)).astype(int) - picture

    assert lit[192:198, 250:262, :3].mean() > 10
    assert lit[260:300, 200:310, :3].max() <= 2


def test_the_outline_widens_alpha_softly_and_keeps_the_drawing(picture: np.ndarray) -> None:
    out = finished(picture, Finish(outline=1.0, outline_color=0xFF8000))
    inside = picture[..., 3] == 255

    np.testing.assert_array_equal(picture[inside], out[inside])
    assert (out[..., 3] >= picture[..., 3]).all()
    grown = np.sqrt((out[..., 3] > 127).sum() / np.pi) - np.sqrt((picture[..., 3] > 127).sum() / np.pi)
    assert 2 < grown < 7
    border = (out[..., 3] > 0) & (picture[..., 3] == 0)
    assert [[255, 128, 0]] == np.unique(out[border][:, :3], axis=0).tolist()
    assert out[:40].max() == 0


def test_over_any_ground_the_outline_looks_as_if_laid_under_the_drawing(picture: np.ndarray) -> None:
    """Straight alpha: both layers composed apart give what the finished picture gives."""

    def over(pixels: np.ndarray, ground: np.ndarray | float) -> np.ndarray:
        alpha = pixels[..., 3:] / 255.0
        return pixels[..., :3] * alpha + ground * (1 - alpha)

    out = finished(picture, Finish(outline=1.0))
    edge = (picture[..., 3] > 0) & (picture[..., 3] < 255)
    for ground in (0.0, 255.0):
        shown = over(out, ground)[edge]
        low = np.minimum(over(picture, ground), over(picture, 255.0))[edge]
        high = np.maximum(over(picture, ground), over(picture, 255.0))[edge]
        assert (shown >= low - 2).all()
        assert (shown <= high + 2).all()


@pytest.mark.parametrize("size", [(512, 512), (1024, 1024), (300, 200), (8, 8)])
def test_any_size_and_an_empty_or_full_picture_can_be_finished(size: tuple[int, int]) -> None:
    empty, full = np.zeros((*size, 4), np.uint8), np.full((*size, 4), 255, np.uint8)

    assert finished(empty, ALL).max() == 0
    assert finished(full, ALL).min() == 255


def test_a_larger_picture_gets_a_wider_outline(picture: np.ndarray) -> None:
    large = np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1)

    small_border = (finished(picture, ALL)[256, :256, 3] > 127).sum() - (picture[256, :256, 3] > 127).sum()
    large_border = (finished(large, ALL)[512, :512, 3] > 127).sum() - (large[512, :512, 3] > 127).sum()

    assert large_border == pytest.approx(2 * small_border, abs=2)
