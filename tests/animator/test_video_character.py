"""A character may be a video of a person: what its folder says, and that the puppet draws its best frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animator.character import CharacterError, load_character
from animator.messages import SpeechClip, SpeechTime
from animator.tha3.animator import Tha3
from tests.animator.human.clips import face, film, moved, sway


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    file = tmp_path_factory.mktemp("clip") / "a.mp4"
    return film(file, 30, lambda k: moved(face(height_px=480), **sway(k))).read_bytes()


def folder(tmp_path: Path, clip: bytes, text: str) -> Path:
    made = tmp_path / "someone"
    made.mkdir()
    (made / "clip.mp4").write_bytes(clip)
    (made / "photo.jpg").write_bytes(clip)
    (made / "character.toml").write_text(text, encoding="utf-8")
    return made


def test_a_video_with_consent_is_a_character_with_a_mark(tmp_path: Path, clip: bytes) -> None:
    made = folder(tmp_path, clip, 'name = "Grace"\nvideo = "clip.mp4"\nconsent = true\n')

    who = load_character(made)

    assert (made / "clip.mp4", None) == (who.video, who.photo)
    assert who.ai_mark
    assert (512, 512, 4) == who.image.shape
    assert who.image[..., :3].std() > 20


def test_a_picture_beside_it_is_what_lists_show(tmp_path: Path, clip: bytes) -> None:
    made = folder(tmp_path, clip, 'video = "clip.mp4"\nimage = "picture.png"\nconsent = true\n')
    Image.new("RGB", (512, 512), (10, 200, 30)).save(made / "picture.png")

    assert (10, 200, 30, 255) == tuple(load_character(made).image[200, 200])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('video = "clip.mp4"', "not confirmed that this face may be used"),
        ('video = "clip.mp4"\nphoto = "photo.jpg"\nconsent = true', "both a photo and a video"),
        ('video = "../clip.mp4"\nconsent = true', "points outside"),
        ('video = "other.mp4"\nconsent = true', "missing"),
        ('video = "photo.jpg"\nconsent = true', "not called like a video"),
        ('video = "clip.mp4"\nengine = "tha3"', "names a video, but its engine is tha3"),
        ('video = "clip.mp4"\nconsent = true\nbackground = "none"', "cuts the person out of a video"),
        ("video = 3\nconsent = true", "must be a file name"),
    ],
)
def test_what_a_video_lacks_is_said(tmp_path: Path, clip: bytes, text: str, says: str) -> None:
    with pytest.raises(CharacterError, match=says):
        load_character(folder(tmp_path, clip, text))


def test_a_damaged_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CharacterError, match="no MP4, MOV, WebM or MKV file"):
        load_character(folder(tmp_path, b"nothing of the kind", 'video = "clip.mp4"\nconsent = true\n'))


def test_the_photo_puppet_draws_its_best_frame_and_speaks(tmp_path: Path, clip: bytes) -> None:
    made = folder(tmp_path, clip, 'video = "clip.mp4"\nconsent = true\nai_mark = false\n')
    engine = Tha3(tmp_path / "no weights", tmp_path / "cache")

    engine.load(made, lambda what, share: None)
    sound = (0.3 * np.sin(2 * np.pi * 140 * np.arange(16_000) / 16_000)).astype(np.float32)
    engine.push(SpeechClip(1, 0, sound, 16_000, "", None, True))
    shut = engine.render(None, 0)
    spoken = engine.render(SpeechTime(1, 0, 0.5), 500_000_000)

    assert "photo puppet" == engine.capabilities.tier
    assert (512, 512, 4) == spoken.shape
    assert np.abs(spoken[200:460, 150:360].astype(int) - shut[200:460, 150:360]).max() > 60


def test_another_choice_ends_the_preparation_and_the_face_before_stays(tmp_path: Path, clip: bytes) -> None:
    made = folder(tmp_path, clip, 'video = "clip.mp4"\nconsent = true\n')
    engine = Tha3(tmp_path / "no weights", tmp_path / "cache")
    before = engine.render(None, 0)
    said: list[str] = []

    def progress(what: str, share: float) -> None:
        said.append(what)
        if "Following the face" == what:
            engine.cancel_load()

    engine.load(made, progress)

    assert 1 == said.count("Following the face")
    assert np.array_equal(before, engine.render(None, 0))
