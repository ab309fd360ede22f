"""Which face is used: one that looks into the camera; everything else is refused in one clear sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.human.face_choice import MAX_TURN, choose_face, turn_of
from animator.human.landmarks import find_points
from animator.human.photo import Photo, PhotoError

ROOT = Path(__file__).parents[3]


def photo_of(picture: Image.Image) -> Photo:
    return Photo(np.array(picture.convert("RGB")))


def side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), (120, 120, 120))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def test_the_points_lie_where_eyes_nose_and_mouth_are(grace: Image.Image) -> None:
    face = choose_face(photo_of(grace))

    assert (478, 3) == face.points.shape
    # Read off the picture by eye: irises, tip of the nose, corners of the mouth.
    for index, (x, y) in {468: (222, 189), 473: (305, 186), 1: (267, 241), 61: (231, 279), 291: (305, 275)}.items():
        assert np.linalg.norm(face.points[index, :2] - (x, y)) < 5, index


def test_a_landscape_without_anybody_is_refused() -> None:
    rng = np.random.default_rng(3)
    noise = Image.fromarray(rng.integers(0, 255, (60, 80, 3), dtype=np.uint8)).resize(
        (800, 600), Image.Resampling.BICUBIC
    )

    with pytest.raises(PhotoError, match="No face was found in the photo"):
        choose_face(photo_of(noise))


def test_two_faces_of_one_size_are_refused_with_their_number(grace: Image.Image) -> None:
    with pytest.raises(PhotoError, match="2 faces of about the same size"):
        choose_face(photo_of(side_by_side(grace, grace)))


def test_of_a_large_and_a_small_face_the_large_one_is_used_and_said(grace: Image.Image) -> None:
    small = Image.new("RGB", grace.size, (120, 120, 120))
    small.paste(grace.resize((230, 270)), (130, 100))

    face = choose_face(photo_of(side_by_side(small, grace)))

    assert face.points[1, 0] > grace.width
    assert "The largest of 2 faces in the photo is used." in face.notes


def test_a_drawing_is_refused_and_sent_to_the_anime_characters() -> None:
    drawing = Image.open(ROOT / "characters" / "haru" / "haru_1024.png")
    ground = Image.new("RGBA", drawing.size, (128, 128, 128, 255))

    with pytest.raises(PhotoError, match=r"looks like a drawing.*anime character"):
        choose_face(photo_of(Image.alpha_composite(ground, drawing)))


def test_a_face_that_is_too_small_is_refused_with_its_size(grace: Image.Image) -> None:
    with pytest.raises(PhotoError, match=r"only \d+ px high"):
        choose_face(photo_of(grace.resize((170, 200))))


def test_a_small_face_is_used_and_said_to_look_soft(eileen: Image.Image) -> None:
    face = choose_face(photo_of(eileen))

    assert any("will look soft" in note for note in face.notes)


@pytest.mark.parametrize(("turn", "says"), [(90, "right side"), (180, "upside down"), (270, "left side")])
def test_a_photo_that_lies_on_its_side_without_saying_so_is_turned(grace: Image.Image, turn: int, says: str) -> None:
    face = choose_face(photo_of(grace.rotate(turn, expand=True)))

    assert (600, 512, 3) == face.picture.shape
    assert face.points[152, 1] > face.points[10, 1]
    assert says in face.notes[0]


def test_a_profile_is_refused_with_its_angle(grace: Image.Image, monkeypatch: pytest.MonkeyPatch) -> None:
    """No free photo of one is at hand: the points of a face that looks ahead are turned by 50 degrees."""

    def turned(picture: np.ndarray, detection: object) -> object:
        face = find_points(picture, detection)  # type: ignore[arg-type]
        angle, middle = np.radians(50.0), face.points[:468].mean(axis=0)
        x, z = (face.points[:, k] - middle[k] for k in (0, 2))
        face.points[:, 0] = middle[0] + np.cos(angle) * x - np.sin(angle) * z
        face.points[:, 2] = middle[2] + np.sin(angle) * x + np.cos(angle) * z
        return face

    monkeypatch.setattr("animator.human.face_choice.find_points", turned)
    monkeypatch.setattr("animator.human.face_choice.MAX_APART", 1.0)

    with pytest.raises(PhotoError, match=r"turned aside by about (4|5)\d°"):
        choose_face(photo_of(grace))


def test_the_turn_of_a_face_that_looks_ahead_is_small(grace: Image.Image, eileen: Image.Image) -> None:
    for picture in (grace, eileen):
        yaw, pitch = turn_of(choose_face(photo_of(picture)).points)

        assert abs(yaw) < MAX_TURN / 3
        assert abs(pitch) < MAX_TURN / 2


def test_a_face_that_is_cut_off_is_refused(grace: Image.Image) -> None:
    with pytest.raises(PhotoError, match=r"cut off|No face"):
        choose_face(photo_of(grace.crop((255, 0, 512, 600))))
