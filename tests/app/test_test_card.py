"""What viewers see while their programs are set up."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from app import test_card
from app.canvas import Canvas, Scene, i420

EMPTY = np.zeros((64, 64, 4), np.uint8)


@pytest.mark.parametrize(("width_px", "height_px"), [(1280, 720), (1920, 1080), (512, 512), (720, 1280), (160, 120)])
def test_the_bars_have_the_colours_that_a_test_card_has(width_px: int, height_px: int) -> None:
    card = test_card.draw(width_px, height_px)

    assert (height_px, width_px, 3) == card.shape
    row = card[round(0.6 * height_px)]  # below the circle, above the greys
    middles = [row[round((number + 0.5) * width_px / len(test_card.BARS))] for number in range(len(test_card.BARS))]
    assert list(test_card.BARS) == [tuple(colour.tolist()) for colour in middles]


@pytest.mark.parametrize("number", [0, 1, 0xA5F3, 65_535, 65_537])
def test_its_counter_can_be_read_again_after_the_conversion_for_a_camera(number: int) -> None:
    card = test_card.draw(512, 512)
    test_card.mark(card, number)

    decoded = cv2.cvtColor(i420(card), cv2.COLOR_YUV2RGB_I420)

    assert number % 65_536 == test_card.read(decoded)


def test_a_canvas_shows_it_instead_of_the_character_and_counts() -> None:
    canvas = Canvas(640, 360)
    canvas.set_scene(Scene(card=True))

    numbers = [test_card.read(canvas.place(EMPTY)) for _ in range(3)]

    assert [0, 1, 2] == numbers
    canvas.set_scene(Scene())
    assert np.array_equal(Canvas(640, 360).place(EMPTY), canvas.place(EMPTY))
