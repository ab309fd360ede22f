"""The picture that viewers get."""

import cv2
import numpy as np
import pytest

from app.canvas import Canvas, Glow, Placement, Scene, colour_of, gradient, i420


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


def middle_of(picture):
    """Where the red square is: centre x, centre y, height."""
    red = (picture[..., 0] > 150) & (picture[..., 1] < 80)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    return (columns[0] + columns[-1]) / 2, (rows[0] + rows[-1]) / 2, rows[-1] - rows[0] + 1


def placed(placement, width=640, height=360, background="colour"):
    canvas = Canvas(width, height)
    canvas.set_scene(Scene(placement, background, (0, 0, 40)))
    return canvas.place(square((255, 0, 0)))


def test_x_and_y_are_parts_of_the_canvas():
    home_x, home_y, _ = middle_of(placed(Placement(0.5)))
    x, y, _ = middle_of(placed(Placement(0.5, 0.25, -0.25)))

    assert (x - home_x, y - home_y) == pytest.approx((160, -90), abs=1)


def test_a_zoom_of_a_half_shows_half_the_size_standing_on_the_lower_edge():
    """The square's lower edge is 42 px above the shown part's, 27 px of 360."""
    _, _, whole = middle_of(placed(Placement(1.0)))
    _, middle, half = middle_of(placed(Placement(0.5)))

    assert half == pytest.approx(whole / 2, abs=1.5)
    assert middle > 180


def test_what_is_under_the_pointer_stays_there_when_zoomed():
    before = Placement(0.5, 0.1, -0.2)
    x, y, height = middle_of(placed(before))

    after = before.zoomed(1.5, x / 640, y / 360, 640 / 360)
    new_x, new_y, new_height = middle_of(placed(after))

    assert (new_x, new_y) == pytest.approx((x, y), abs=1.5)
    assert new_height == pytest.approx(height * 1.5, abs=2)


def test_zoom_and_place_stay_in_their_ranges():
    assert Placement().zoomed(100, 0.5, 0.5, 16 / 9).zoom == 4.0
    assert Placement().zoomed(0.001, 0.5, 0.5, 16 / 9).zoom == 0.25
    assert Placement().moved(9, -9) == Placement(1.0, 2.0, -2.0)


def test_a_character_outside_the_canvas_leaves_the_background_alone():
    canvas = Canvas(640, 360)
    canvas.set_scene(Scene(Placement(0.5), "colour", (0, 0, 40)))
    canvas.place(square((255, 0, 0)))
    canvas.set_scene(Scene(Placement(0.5, 2.0, 0.0), "colour", (0, 0, 40)))

    assert np.unique(canvas.place(square((255, 0, 0))).reshape(-1, 3), axis=0).tolist() == [[0, 0, 40]]


def test_chroma_green_is_green_and_nothing_else():
    canvas = Canvas(640, 360)
    canvas.set_scene(Scene(background="green"))

    picture = canvas.place(np.zeros((512, 512, 4), np.uint8))

    assert np.unique(picture.reshape(-1, 3), axis=0).tolist() == [[0, 255, 0]]


def test_a_picture_covers_the_canvas_without_being_stretched():
    """A circle stays a circle on a canvas of another shape."""
    circle = np.zeros((400, 400, 3), np.uint8)
    cv2.circle(circle, (200, 200), 60, (255, 255, 255), -1)

    seen = Scene(background="picture", picture=circle).behind(640, 360)[..., 0] > 127

    assert seen.any(axis=0).sum() == pytest.approx(seen.any(axis=1).sum(), abs=2)
    assert seen.any(axis=0).sum() == pytest.approx(121 * 640 / 400, abs=3)


def test_where_nothing_can_be_transparent_the_themes_background_stands_in():
    glow = Glow((10, 20, 30), (40, 50, 60), (255, 255, 255))

    assert np.array_equal(Scene(background="transparent", glow=glow).behind(64, 36), glow.picture(64, 36))


def test_a_glow_falls_from_top_to_bottom_and_is_light_in_the_middle():
    picture = Glow((200, 0, 0), (0, 0, 200), (255, 255, 255)).picture(640, 360)

    assert picture[0, 0, 0] > picture[-1, 0, 0]
    assert picture[0, 0, 2] < picture[-1, 0, 2]
    assert picture[180, 320, 1] > picture[0, 0, 1] + 60


@pytest.mark.parametrize("text", ["", "2b2d3a", "#2b2d3", "#2b2d3g", "red"])
def test_what_is_no_colour_is_refused(text):
    with pytest.raises(ValueError, match=r"colour|literal"):
        colour_of(text)


def test_frames_of_two_sizes_are_shown_alike():
    """The live face draws 512 px, with large art 1024."""
    canvas = Canvas(640, 360)
    small = canvas.place(square((255, 0, 0))).copy()

    large = canvas.place(square((255, 0, 0), side=1024))

    assert np.abs(small.astype(int) - large.astype(int)).mean() < 1.0
