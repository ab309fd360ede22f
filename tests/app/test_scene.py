"""The scene of the settings, and the file of its picture."""

import dataclasses
import threading

import numpy as np
import pytest
from PIL import Image

from app.canvas import Placement
from app.errors import AppError
from app.scene import KEPT_PX, SceneKeeper, load_picture, scene_of
from app.settings import StageSettings


def save(path, size=(40, 30), colour=(10, 200, 30), **options):
    Image.new("RGB", size, colour).save(path, **options)
    return path


def test_a_picture_is_read_as_it_is(tmp_path):
    picture = load_picture(save(tmp_path / "sea.png"))

    assert picture.shape == (30, 40, 3)
    assert picture[0, 0].tolist() == [10, 200, 30]


def test_a_large_picture_is_made_smaller_once(tmp_path):
    picture = load_picture(save(tmp_path / "large.png", (6000, 3000)))

    assert picture.shape[1] == KEPT_PX[0]


def test_a_photo_that_lies_on_its_side_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6

    picture = load_picture(save(tmp_path / "photo.jpg", (40, 30), exif=exif))

    assert picture.shape == (40, 30, 3)


def test_what_is_transparent_becomes_black(tmp_path):
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).save(tmp_path / "hole.png")

    assert load_picture(tmp_path / "hole.png").max() == 0


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_a_file_that_is_no_picture_is_refused(tmp_path, content):
    (tmp_path / "bad.png").write_bytes(content)

    with pytest.raises(AppError, match=r"bad\.png cannot be read"):
        load_picture(tmp_path / "bad.png")


def test_a_missing_file_is_refused_by_its_name(tmp_path):
    with pytest.raises(AppError, match=r"gone\.png"):
        load_picture(tmp_path / "gone.png")


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(tmp_path):
    Image.new("1", (9000, 9000)).save(tmp_path / "huge.png")

    with pytest.raises(AppError, match="9000 x 9000"):
        load_picture(tmp_path / "huge.png")


def test_a_background_of_no_picture_is_refused_with_what_to_do():
    with pytest.raises(AppError, match="No picture is chosen"):
        scene_of(StageSettings(background="picture"))


def test_the_keeper_says_what_it_could_not_show_and_shows_the_theme(tmp_path):
    keeper = SceneKeeper(StageSettings(background="picture", picture=str(tmp_path / "gone.png")))

    assert keeper.trouble is not None
    assert keeper.current().background == "theme"


def test_a_picture_that_cannot_be_read_leaves_the_scene_as_it_was(tmp_path):
    keeper = SceneKeeper(StageSettings(background="green"))

    with pytest.raises(AppError):
        keeper.keep(StageSettings(background="picture", picture=str(tmp_path / "gone.png")))

    assert keeper.current().background == "green"


def test_keeping_a_place_one_setting_after_the_other_never_moves_the_character_back():
    old = StageSettings()
    keeper = SceneKeeper(old)
    keeper.place(Placement(2.0, 0.3, 0.4))
    seen = []
    for name, value in (("zoom", 2.0), ("x", 0.3), ("y", 0.4)):
        old = dataclasses.replace(old, **{name: value})
        keeper.keep(old)
        seen.append(keeper.current().placement)

    assert [Placement(2.0, 0.3, 0.4)] * 3 == seen


def test_another_theme_changes_the_background_and_nothing_else():
    keeper = SceneKeeper(StageSettings(zoom=1.5))

    keeper.colours("#102030", "#405060", "#ffffff")

    scene = keeper.current()
    assert scene.glow.top == (16, 32, 48)
    assert scene.placement.zoom == 1.5


def test_the_scene_is_one_whole_whoever_changes_it_meanwhile():
    keeper = SceneKeeper(StageSettings())
    threads = [
        threading.Thread(target=lambda k=k: [keeper.place(Placement(1.0 + k, k, k)) for _ in range(300)])
        for k in range(2)
    ]
    for thread in threads:
        thread.start()
    seen = {keeper.current().placement for _ in range(3000)}
    for thread in threads:
        thread.join()

    assert seen <= {Placement(), Placement(1.0, 0, 0), Placement(2.0, 1, 1)}


def test_the_same_file_is_not_read_again(tmp_path):
    keeper = SceneKeeper(StageSettings(background="picture", picture=str(save(tmp_path / "sea.png"))))
    picture = keeper.current().picture

    keeper.keep(StageSettings(background="picture", picture=str(tmp_path / "sea.png"), zoom=2.0))

    assert keeper.current().picture is picture
    assert np.array_equal(picture[0, 0], [10, 200, 30])
