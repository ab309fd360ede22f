"""A face is followed through a video; what cannot be used is refused, what is made is kept and not trusted blindly."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from animator.human.follow import height_of
from animator.human.photo import PhotoError
from animator.human.track import best_frame, bridged, smoothed
from animator.human.video_avatar import FollowedFace, prepare_face, prepare_loop, trim
from animator.protocol import LoadCancelled, unless
from tests.animator.human.clips import face, film, held_sideways, moved, sway

GRACE = face("grace_hopper", 480)
COUNT = 50


def nobody(k: int) -> np.ndarray:
    return np.ascontiguousarray(GRACE[:60]).repeat(8, axis=0)[: GRACE.shape[0]]


def swaying(k: int) -> np.ndarray:
    return moved(GRACE, **sway(k))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return film(tmp_path_factory.mktemp("clip") / "a.mp4", COUNT, swaying)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def told(file: Path, cache: Path) -> tuple[FollowedFace, np.ndarray, list[str]]:
    said: list[str] = []
    made, frames = prepare_loop(file, cache, lambda what, share: said.append(what))
    return made, frames, said


def test_the_points_follow_the_face_and_what_is_shown_stays_in_its_place(clip: Path, cache: Path) -> None:
    made, frames, _ = told(clip, cache)

    assert (COUNT, 512, 512, 3) == frames.shape
    nose = made.points[:, 4, :2]
    in_film = (nose - made.placed[:, 2]) @ np.linalg.inv(made.placed[:, :2]).T
    # Where that point lies in the photo, by the map that the film was made with: always at the same place.
    in_photo = np.stack([taken_back(point, **sway(k)) for k, point in enumerate(in_film)])
    assert np.ptp(in_film[:, 0]) > 20
    assert np.linalg.norm(in_photo - np.median(in_photo, axis=0), axis=1).max() < 4


def taken_back(point: np.ndarray, x_px: float, y_px: float, degrees: float, zoom: float) -> np.ndarray:
    """Where a point of a moved picture lies in the picture itself."""
    angle, middle = np.radians(degrees), np.array(GRACE.shape[1::-1]) / 2
    matrix = zoom * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return np.linalg.inv(matrix) @ (point - middle - (x_px, y_px)) + middle


def test_the_points_do_not_tremble(clip: Path, cache: Path) -> None:
    made, _, _ = told(clip, cache)

    jerk = np.abs(np.diff(made.points[:, :468, :2].mean(axis=1), n=3, axis=0))
    assert jerk.max() < 0.5


def test_the_portrait_is_that_of_a_frame_and_frames_are_made_only_where_they_are_shown(
    clip: Path, tmp_path: Path
) -> None:
    made = prepare_face(clip, tmp_path, lambda what, share: None)

    assert [".npz"] == [each.suffix for each in (tmp_path / "videos").iterdir()]
    assert (512, 512, 3) == made.portrait.picture.shape
    eyes = made.portrait.points[263, :2] - made.portrait.points[33, :2]
    assert abs(np.degrees(np.arctan2(eyes[1], eyes[0]))) < 1.0


def test_the_second_time_it_comes_from_the_disk_mapped_and_read_only(clip: Path, cache: Path) -> None:
    first, frames, _ = told(clip, cache)
    second, again, said = told(clip, cache)

    assert "Following the face" not in said
    assert "Cutting the frames" not in said
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.portrait.picture, second.portrait.picture)
    assert np.array_equal(frames[7], again[7])
    assert isinstance(again, np.memmap)
    assert not again.flags.writeable


@pytest.mark.parametrize("suffix", [".npz", ".npy"])
@pytest.mark.parametrize("damage", ["cut", "nonsense", "pickle"])
def test_what_is_kept_and_damaged_is_made_anew(clip: Path, tmp_path: Path, suffix: str, damage: str) -> None:
    before, frames, _ = told(clip, tmp_path)
    wanted, seventh = before.points.copy(), np.array(frames[7])
    del frames
    (kept,) = (tmp_path / "videos").glob(f"*{suffix}")
    data = kept.read_bytes()
    kept.unlink()
    if damage == "pickle":
        with kept.open("wb") as stream:
            np.save(stream, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    else:
        kept.write_bytes(data[:-1000] if damage == "cut" else b"nothing of the kind")

    after, again, said = told(clip, tmp_path)

    assert ("Following the face" if suffix == ".npz" else "Cutting the frames") in said
    assert np.array_equal(wanted, after.points)
    assert np.array_equal(seventh, again[7])


def test_videos_used_longest_ago_are_removed_when_they_take_too_much(tmp_path: Path) -> None:
    for number, name in enumerate(("old", "new", "shown")):
        for suffix in (".npz", ".npy"):
            file = tmp_path / f"{name}-1{suffix}"
            file.write_bytes(bytes(100))
            os.utime(file, (1000 + number, 1000 + number))
    (tmp_path / "notes.txt").write_bytes(bytes(1000))

    trim(tmp_path, "shown-1", max_bytes=450)

    assert ["new-1.npy", "new-1.npz", "notes.txt", "shown-1.npy", "shown-1.npz"] == sorted(
        each.name for each in tmp_path.iterdir()
    )


def test_another_wish_ends_the_work_and_leaves_nothing_behind(clip: Path, tmp_path: Path) -> None:
    said: list[str] = []

    with pytest.raises(LoadCancelled):
        prepare_face(clip, tmp_path, unless(lambda: len(said) > 10, lambda what, share: said.append(what)))

    assert not (tmp_path / "videos").exists()


def test_a_video_of_a_phone_that_was_held_upright_or_of_one_that_lay_is_turned(tmp_path: Path) -> None:
    said = held_sideways(film(tmp_path / "said.mp4", 30, lambda k: np.rot90(swaying(k))))
    lay = film(tmp_path / "lay.mp4", 30, lambda k: np.rot90(swaying(k)))

    notes = [prepare_face(file, tmp_path, lambda what, share: None).notes for file in (said, lay)]

    assert "The video was turned the way the camera was held." in notes[0]
    assert any("it was turned upright" in note for note in notes[1])


def test_a_face_that_is_gone_for_a_moment_is_bridged_and_that_is_said(tmp_path: Path) -> None:
    file = film(tmp_path / "a.mp4", COUNT, lambda k: nobody(k) if 20 <= k < 27 else swaying(k))

    made = prepare_face(file, tmp_path, lambda what, share: None)

    assert any("is not seen in 7 of 50 frames" in note for note in made.notes)
    middles = made.points[:, :468, :2].mean(axis=1)
    assert np.linalg.norm(np.diff(middles, axis=0), axis=1).max() < 6


def two(k: int) -> np.ndarray:
    return np.hstack([swaying(k), swaying(k)[:, ::-1]])


def drawn(k: int) -> np.ndarray:
    return np.full((300, 400, 3), (250, 220, 200), np.uint8)


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (nobody, "No face was found"),
        (drawn, "looks like a drawing"),
        (two, "2 faces of about the same size"),
        (lambda k: nobody(k) if 20 <= k < 33 else swaying(k), r"The face is lost at 0\.8 s"),
        (lambda k: nobody(k) if k >= 35 else swaying(k), r"The face is lost at 1\.4 s"),
        (lambda k: moved(swaying(k), x_px=180.0) if k >= 20 else moved(swaying(k), x_px=-180.0), r"is lost at 0\.8 s"),
        (lambda k: nobody(k) if k < 18 else swaying(k), r"No face is seen in the first 0\.8 s"),
        (lambda k: moved(GRACE, zoom=0.3), "(No face|only .* px high)"),
        (lambda k: moved(GRACE, x_px=420 * k / COUNT), "(is lost at|has moved out)"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_sentence_that_says_what_to_change(
    tmp_path: Path, draw: Callable[[int], np.ndarray], says: str
) -> None:
    with pytest.raises(PhotoError, match=says) as error:
        prepare_face(film(tmp_path / "a.mp4", COUNT, draw), tmp_path / "cache", lambda what, share: None)

    assert error.value.remedy
    assert not (tmp_path / "cache").exists()


def test_smoothing_takes_trembling_out_and_keeps_a_quick_nod() -> None:
    at_s = np.arange(100) / 25
    nod = 20 * np.sin(2 * np.pi * 2 * at_s)
    trembling = np.random.default_rng(5).normal(0, 1.0, 100)

    def through(values: np.ndarray) -> np.ndarray:
        return smoothed(np.repeat(values[:, None, None], 3, axis=2).astype(np.float32))[:, 0, 0]

    assert through(trembling).std() < 0.6
    assert np.ptp(through(nod)[10:-10]) > 0.8 * 40


def test_a_gap_is_bridged_by_a_straight_line_and_the_ends_are_held() -> None:
    values = np.array([9, 0, 1, 99, 99, 4, 5, 99], np.float32)
    seen = np.array([False, True, True, False, False, True, True, False])

    found = bridged(np.repeat(values[:, None, None], 3, axis=2), seen)[:, 0, 0]

    assert [0, 0, 1, 2, 3, 4, 5, 5] == found.tolist()


def test_the_best_frame_is_level_with_shut_lips_and_sharp(clip: Path, cache: Path) -> None:
    made, _, _ = told(clip, cache)
    level = made.portrait.points

    def held(degrees: float = 0.0, open_px: float = 0.0) -> np.ndarray:
        angle = np.radians(degrees)
        points = level.copy()
        points[14, 1] += open_px
        points[:, :2] = points[:, :2] @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return points

    points = np.stack([held(12), held(open_px=12), held(), held(), held()])
    sharp = np.array([100.0, 100.0, 20.0, 100.0, 100.0])
    seen = np.array([True, True, True, True, False])

    assert 3 == best_frame(points, seen, sharp)
    assert height_of(level) > 100
