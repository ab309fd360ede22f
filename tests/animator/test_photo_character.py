"""A character may be a photo: what its folder says, what is asked of whoever uses it, and that the engine shows it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from animator.character import CharacterError, list_characters, load_character
from animator.messages import SpeechClip, SpeechTime
from animator.tha3.animator import Tha3

FACE = Path(__file__).parents[1] / "data" / "faces" / "grace_hopper.jpg"


def folder(tmp_path: Path, text: str) -> Path:
    made = tmp_path / "someone"
    made.mkdir()
    shutil.copy(FACE, made / "photo.jpg")
    (made / "character.toml").write_text(text, encoding="utf-8")
    return made


def test_a_photo_with_consent_is_a_character_with_a_mark(tmp_path: Path) -> None:
    made = folder(tmp_path, 'name = "Grace"\nengine = "puppet"\nphoto = "photo.jpg"\nconsent = true\n')

    who = load_character(made)

    assert made / "photo.jpg" == who.photo
    assert who.ai_mark
    assert not who.cut_out
    assert (512, 512, 4) == who.image.shape
    assert [("Grace", made)] == list_characters(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('photo = "photo.jpg"', "not confirmed that this face may be used"),
        ('photo = "photo.jpg"\nconsent = false', "not confirmed that this face may be used"),
        ('photo = "photo.jpg"\nconsent = "yes"', "consent is 'yes'"),
        ('photo = "../photo.jpg"\nconsent = true', "points outside"),
        ('photo = "other.jpg"\nconsent = true', "missing"),
        ('photo = "photo.jpg"\nengine = "tha3"', "its engine is tha3"),
        ('engine = "musetalk2"', "engine = 'musetalk2'"),
        ('photo = "photo.jpg"\nconsent = true\nbackground = "beach"', "background = 'beach'"),
    ],
)
def test_what_a_photo_lacks_is_said(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(CharacterError, match=says):
        load_character(folder(tmp_path, text))


def test_the_engine_shows_a_photo_and_its_lips_move_with_the_voice(tmp_path: Path) -> None:
    made = folder(tmp_path, 'photo = "photo.jpg"\nconsent = true\nai_mark = false\n')
    engine = Tha3(tmp_path / "no weights", tmp_path / "cache")

    engine.load(made, lambda what, share: None)
    sound = (0.3 * np.sin(2 * np.pi * 140 * np.arange(16_000) / 16_000)).astype(np.float32)
    engine.push(SpeechClip(1, 0, sound, 16_000, "", None, True))
    shut = engine.render(None, 0)
    spoken = engine.render(SpeechTime(1, 0, 0.5), 500_000_000)

    assert "photo puppet" == engine.capabilities.tier
    assert (512, 512, 4) == spoken.shape
    assert np.abs(spoken[250:460, 180:330].astype(int) - shut[250:460, 180:330]).max() > 60


def test_a_photo_without_a_face_leaves_the_face_before(tmp_path: Path) -> None:
    made = folder(tmp_path, 'photo = "photo.jpg"\nconsent = true\n')
    engine = Tha3(tmp_path / "no weights", tmp_path / "cache")
    engine.load(made, lambda what, share: None)
    before = engine.render(None, 0)
    from PIL import Image

    Image.effect_noise((400, 400), 80).convert("RGB").save(made / "photo.jpg")

    with pytest.raises(CharacterError, match="No face was found"):
        engine.load(made, lambda what, share: None)

    assert np.array_equal(before, engine.render(None, 0))
