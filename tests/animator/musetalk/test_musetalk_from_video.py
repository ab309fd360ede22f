"""MuseTalk over a video: its frames are shown in silence, the painted mouth goes with the face, no seam."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from animator.character import load_character
from animator.messages import SpeechTime
from animator.musetalk.avatar import Avatar, AvatarError
from animator.musetalk.engine import MuseTalk
from animator.musetalk.from_photo import character_avatar
from animator.musetalk.from_video import avatar_of_frames, video_avatar
from animator.protocol import Progress
from tests.animator.human.clips import face, film, moved, sway
from tests.animator.musetalk.test_musetalk_engine import clip, small_models

COUNT = 30
FRAME_NS = 40_000_000


@pytest.fixture(scope="module")
def character(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grace")
    film(folder / "clip.mp4", COUNT, lambda k: moved(face(height_px=480), **sway(k)))
    (folder / "character.toml").write_text('video = "clip.mp4"\nconsent = true\nai_mark = false\n')
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def avatar(character: Path, cache: Path) -> Avatar:
    return character_avatar(character, cache, lambda what, share: None)


@pytest.fixture
def engine(character: Path, cache: Path) -> Iterator[MuseTalk]:
    def prepare(path: Path, progress: Progress) -> Avatar:
        return character_avatar(path, cache, progress)

    made = MuseTalk(prepare, small_models, cache / "musetalk", "fast", waits=True)
    made.load(character, lambda what, share: None)
    yield made
    made.close()


def test_the_box_goes_with_the_face_without_trembling(avatar: Avatar) -> None:
    middle = (avatar.boxes[:, 0] + avatar.boxes[:, 2]) / 2

    assert COUNT == len(avatar.frames) == len(avatar.masks)
    assert np.ptp(middle) > 8
    assert np.abs(np.diff(middle)).max() <= 3
    assert np.ptp(avatar.boxes[:, 3] - avatar.boxes[:, 1]) < 14


def test_the_mask_covers_the_mouth_of_every_frame_in_the_lower_half_of_its_box(avatar: Avatar) -> None:
    for box, mask in zip(avatar.boxes, avatar.masks, strict=True):
        height, width = box[3] - box[1], box[2] - box[0]
        assert mask[: height // 4].max() == 0
        assert mask[round(0.8 * height), width // 2] > 200
        assert mask[:, width:].sum() == mask[height:].sum() == 0


def test_in_silence_the_videos_frames_are_shown_forth_and_back_without_a_jump(engine: MuseTalk, avatar: Avatar) -> None:
    shown = [engine.render(None, 10**9 + k * FRAME_NS + FRAME_NS // 2)[..., :3] for k in range(2 * COUNT)]

    places = [next(f for f in range(COUNT) if np.array_equal(avatar.frames[f], each)) for each in shown]
    assert set(range(COUNT)) == set(places)
    assert np.abs(np.diff(places)).max() <= 1


def test_while_it_speaks_nothing_outside_of_the_frames_own_mask_is_changed(engine: MuseTalk, avatar: Avatar) -> None:
    engine.push(clip(seconds=0.8))
    painted = 0
    for place in range(3, 15):
        picture = engine.render(SpeechTime(0, 0, place / 25), place * FRAME_NS)[..., :3]
        below = [np.abs(each[-64:].astype(int) - picture[-64:]).sum() for each in avatar.frames]
        frame = int(np.argmin(below))
        changed = (picture != avatar.frames[frame]).any(axis=2)
        left, top, right, bottom = avatar.boxes[frame]
        outside = np.ones_like(changed)
        outside[top:bottom, left:right] = avatar.masks[frame][: bottom - top, : right - left] == 0
        assert not changed[outside].any()
        painted += int(changed.any())
    assert painted > 8


def test_a_video_that_cannot_be_used_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing of the kind")

    with pytest.raises(AvatarError, match="no MP4, MOV, WebM or MKV file"):
        video_avatar(tmp_path / "a.mp4", tmp_path, lambda what, share: None)


def test_a_face_beyond_the_frames_is_refused(avatar: Avatar) -> None:
    points = np.full((COUNT, 478, 3), 900, np.float32)

    with pytest.raises(AvatarError, match="outside"):
        avatar_of_frames(avatar.frames, points)


def test_it_is_the_character_of_a_person(character: Path) -> None:
    assert load_character(character).is_person
