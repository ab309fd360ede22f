"""A portrait is made once, kept without pickles, and made again where what is kept cannot be trusted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.human.avatar import Avatar, prepare
from animator.human.mouth_mask import BRIDGE, crop_box, mouth_mask

Encode = Callable[..., bytes]


def made(data: bytes, cache: Path) -> tuple[Avatar, list[str]]:
    told: list[str] = []
    avatar = prepare(data, cache, lambda what, share: told.append(what))
    return avatar, told


def test_a_portrait_has_level_eyes_a_face_in_its_place_and_a_person_apart_from_what_is_behind(
    grace: Image.Image, encoded: Encode, tmp_path: Path
) -> None:
    portrait = made(encoded(grace.rotate(14, Image.Resampling.BICUBIC, fillcolor=(90, 120, 160))), tmp_path)[0].portrait

    eyes = portrait.points[263, :2] - portrait.points[33, :2]
    assert abs(np.degrees(np.arctan2(eyes[1], eyes[0]))) < 1.0
    assert abs(portrait.points[:468, 0].mean() - 256) < 80
    assert portrait.person[int(portrait.points[1, 1]), int(portrait.points[1, 0])] == 255
    assert portrait.person[:40, -40:].max() < 60


def test_the_second_time_it_comes_from_the_disk_and_is_the_same(
    grace: Image.Image, encoded: Encode, tmp_path: Path
) -> None:
    data = encoded(grace)
    first, told_first = made(data, tmp_path)
    second, told_second = made(data, tmp_path)

    assert "Finding the face" in told_first
    assert "Finding the face" not in told_second
    assert np.array_equal(first.portrait.picture, second.portrait.picture)
    assert np.array_equal(first.portrait.points, second.portrait.points)
    assert first.notes == second.notes


@pytest.mark.parametrize("damage", [b"", b"nothing of the kind", None])
def test_what_is_kept_and_damaged_is_made_again(
    grace: Image.Image, encoded: Encode, tmp_path: Path, damage: bytes | None
) -> None:
    data = encoded(grace)
    made(data, tmp_path)
    (kept,) = (tmp_path / "photos").iterdir()
    if damage is None:  # a pickle in place of the points
        np.savez(kept, picture=np.array([{"a": 1}], dtype=object))
    else:
        kept.write_bytes(damage)

    avatar, told = made(data, tmp_path)

    assert "Finding the face" in told
    assert (478, 3) == avatar.portrait.points.shape


def test_the_crop_has_its_middle_on_the_bridge_of_the_nose_and_room_below_the_chin(
    grace: Image.Image, encoded: Encode, tmp_path: Path
) -> None:
    points = made(encoded(grace), tmp_path)[0].portrait.points

    left, top, right, bottom = crop_box(points, 512, 512, chin_room=0.0)

    assert abs((top + bottom) / 2 - points[BRIDGE[2], 1]) <= 1.0
    assert abs(bottom - points[152, 1]) <= 4
    assert left < points[234, 0] + 2
    assert right > points[454, 0] - 2
    assert crop_box(points, 512, 512, chin_room=0.04)[3] > bottom
    assert crop_box(points, 512, 512, shift=1.0)[1] > top


def test_the_mouth_mask_covers_lips_and_chin_and_begins_where_it_is_told(
    grace: Image.Image, encoded: Encode, tmp_path: Path
) -> None:
    points = made(encoded(grace), tmp_path)[0].portrait.points
    box = crop_box(points, 512, 512)

    def at(mask: np.ndarray, index: int) -> int:
        return int(mask[round(float(points[index, 1])) - box[1], round(float(points[index, 0])) - box[0]])

    whole, low = mouth_mask(points, box), mouth_mask(points, box, upper_edge=0.8)

    assert whole.shape == (box[3] - box[1], box[2] - box[0])
    assert 255 == at(whole, 13) == at(whole, 17)
    assert 0 == at(whole, 168) == at(whole, 468)
    assert at(low, 2) < 20 < at(mouth_mask(points, box, upper_edge=-0.5), 2)
    assert 0 < np.count_nonzero((whole > 0) & (whole < 255)), "its edge is soft"


def test_a_large_photo_gives_a_large_portrait_where_that_is_wanted(
    grace: Image.Image, encoded: Encode, tmp_path: Path
) -> None:
    data = encoded(grace.resize((grace.width * 3, grace.height * 3)))

    sides = [
        prepare(data, tmp_path, lambda what, share: None, large=large).portrait.picture.shape[0]
        for large in (False, True)
    ]

    assert [512, 1024] == sides
    assert 512 == prepare(encoded(grace), tmp_path, lambda what, share: None, large=True).portrait.picture.shape[0]
