"""The picture that viewers get."""

import cv2
import numpy as np
import pytest

from app.backends.camera_pyvirtualcam import i420
from app.canvas import Canvas, gradient


def square(colour, alpha=255, side=512):
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[side // 4 : 3 * side // 4, side // 4 : 3 * side // 4] = (*colour, alpha)
    return pixels


def test_where_the_character_is_transparent_the_background_stays():
    canvas = Canvas(1280, 720)

    picture = canvas.place(np.zeros((512, 512, 4), np.uint8))

    assert np.array_equal(gradient(1280, 720), picture)


def test_the_character_stands_at_the_bottom_centre_in_its_own_colours():
    picture = Canvas(1280, 720).place(square((200, 10, 30)))

    assert [200, 10, 30] == picture[360, 640].tolist()


def test_edges_have_no_dark_rim():
    """Hidden pixels are black; scaling must not let that black bleed into a white edge over white."""
    canvas = Canvas(1280, 720, np.full((720, 1280, 3), 255, np.uint8))

    picture = canvas.place(square((255, 255, 255)))

    assert picture.min() >= 253


def test_a_half_transparent_pixel_mixes_with_what_is_behind():
    canvas = Canvas(512, 512, np.full((512, 512, 3), 100, np.uint8))

    picture = canvas.place(square((200, 200, 200), alpha=128))

    assert picture[300, 256].tolist() == pytest.approx([150, 150, 150], abs=1)


def test_a_background_of_another_size_is_refused():
    with pytest.raises(ValueError, match="720"):
        Canvas(1280, 720, np.zeros((512, 512, 3), np.uint8))


@pytest.mark.parametrize("colour", [(200, 0, 0), (0, 200, 0), (0, 0, 200), (255, 255, 255), (0, 0, 0), (90, 120, 33)])
def test_a_viewer_that_reads_bt709_sees_the_colour_that_was_sent(colour):
    picture = np.full((64, 128, 3), colour, np.uint8)

    planes = i420(picture).astype(np.float64)
    luma, cb, cr = planes[0, 0] - 16, planes[64, 0] - 128, planes[-1, 0] - 128
    red = 255 / 219 * luma + 255 / 112 * (1 - 0.2126) * cr
    blue = 255 / 219 * luma + 255 / 112 * (1 - 0.0722) * cb
    green = (255 / 219 * luma - 0.2126 * red - 0.0722 * blue) / 0.7152

    assert (red, green, blue) == pytest.approx(colour, abs=2.5)
    assert cv2.cvtColor(i420(picture), cv2.COLOR_YUV2RGB_I420).shape == picture.shape
