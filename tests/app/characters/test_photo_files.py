"""Characters that are photos of people: copied whole, prepared without weights, never passed on as a file."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image

from app import compose
from app.characters import library
from app.characters.kuchi_file import export_character, import_character
from app.cli import main
from app.errors import AppError
from tests.animator.human.clips import face, film, moved, sway

ROOT = Path(__file__).parents[3]
FACE = Path(__file__).parents[2] / "data" / "faces" / "grace_hopper.jpg"
TOML = 'name = "Grace"\nphoto = "me.jpg"\nconsent = true\n'


@pytest.fixture
def grace(tmp_path: Path) -> Path:
    made = tmp_path / "grace"
    made.mkdir()
    shutil.copy(FACE, made / "me.jpg")
    (made / "character.toml").write_text(TOML)
    return made


def test_a_photo_is_not_exported(grace: Path, tmp_path: Path) -> None:
    with pytest.raises(AppError, match="photo of a person"):
        export_character(grace, tmp_path / "grace.kuchi")

    assert not (tmp_path / "grace.kuchi").exists()


def test_a_file_that_brings_a_photo_and_its_own_consent_is_refused(tmp_path: Path) -> None:
    toml = TOML.replace("me.jpg", "me.png").encode()
    picture = b"\x89PNG\r\n\x1a\n"
    files = [
        {"name": n, "size": len(d), "sha256": sha256(d).hexdigest()}
        for n, d in (("character.toml", toml), ("me.png", picture))
    ]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(
            "manifest.json",
            json.dumps({"format": "kuchipaku-character", "version": 1, "name": "Grace", "files": files}),
        )
        archive.writestr("character.toml", toml)
        archive.writestr("me.png", picture)
    (tmp_path / "grace.kuchi").write_bytes(packed.getvalue())

    with pytest.raises(AppError, match="nobody else can say for you"):
        import_character(tmp_path / "grace.kuchi", [], tmp_path / "own")


def test_a_copy_of_ones_own_takes_the_photo_along(grace: Path, tmp_path: Path) -> None:
    copied = tmp_path / "copy"
    copied.mkdir()

    names = library.copy_character(grace, copied)

    assert ["character.toml", "photo.jpg"] == names
    assert library.character_at(copied).photo == copied / "photo.jpg"
    assert grace / "me.jpg" == library.picture_of(grace)


def test_baking_a_photo_prepares_its_portrait_and_needs_no_weights(
    grace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def none(*_: object) -> Path:
        raise AppError("There are no weights.", "")

    monkeypatch.setattr(compose, "weights", none)
    monkeypatch.setattr(compose, "bakes_dir", lambda: tmp_path / "bakes")

    assert 0 == main(["bake", str(grace)])
    assert 1 == len(list((tmp_path / "bakes" / "photos").iterdir()))


def test_a_photo_becomes_a_character_of_ones_own_only_with_consent(tmp_path: Path) -> None:
    own = tmp_path / "own"

    with pytest.raises(AppError, match="not confirmed"):
        library.create_photo("Grace", FACE, consent=False, there=[], root=own)
    entry = library.create_photo("Grace", FACE, consent=True, cut_out=True, there=[], root=own)

    who = library.character_at(entry.path)
    assert ("Grace", True, True) == (who.name, who.ai_mark, who.cut_out)
    assert [entry.path] == list(own.iterdir())


def test_the_command_makes_a_talking_photo_and_refuses_what_has_no_face(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(library, "own_root", lambda: tmp_path / "own")
    monkeypatch.setattr(compose, "bakes_dir", lambda: tmp_path / "bakes")
    noise = tmp_path / "noise.png"
    Image.effect_noise((400, 400), 80).convert("RGB").save(noise)

    assert 0 != main(["characters", "photo", str(FACE)])
    assert "--i-may-use-this-face" in capsys.readouterr().err
    assert 0 != main(["characters", "photo", str(noise), "--i-may-use-this-face"])
    assert "No face was found" in capsys.readouterr().err
    assert 0 == main(["characters", "photo", str(FACE), "--name", "Grace", "--i-may-use-this-face"])
    assert "kuchipaku run --character grace" in capsys.readouterr().out
    assert (tmp_path / "own" / "grace" / "photo.jpg").is_file()


def test_a_look_in_another_process_says_its_progress_and_then_its_answer(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "animator.human.look", str(FACE), "--cache", str(tmp_path)]

    found = subprocess.run(command, capture_output=True, check=False, cwd=ROOT, text=True)
    lines = [json.loads(line) for line in found.stdout.splitlines()]

    assert 0 == found.returncode
    assert "Finding the face" in [line.get("what") for line in lines]
    assert {"notes": [], "size_px": 512} == lines[-1]


def test_the_command_makes_a_talking_video_with_a_picture_for_lists_and_it_is_not_exported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(library, "own_root", lambda: tmp_path / "own")
    monkeypatch.setattr(compose, "bakes_dir", lambda: tmp_path / "bakes")
    file = film(tmp_path / "Me.mp4", 26, lambda k: moved(face(height_px=360), **sway(k)))

    assert 0 != main(["characters", "photo", str(file), "--i-may-use-this-face", "--cut-out"])
    assert "cuts the person out of a video" in capsys.readouterr().err
    assert 0 == main(["characters", "photo", str(file), "--i-may-use-this-face"])

    made = tmp_path / "own" / "me"
    assert ["character.toml", "picture.png", "video.mp4"] == sorted(each.name for each in made.iterdir())
    assert library.is_photo(made)
    assert made / "picture.png" == library.picture_of(made)
    assert made / "video.mp4" == library.character_at(made).video
    copied = tmp_path / "copy"
    copied.mkdir()
    assert ["character.toml", "picture.png", "video.mp4"] == library.copy_character(made, copied)
    with pytest.raises(AppError, match="video of a person"):
        export_character(made, tmp_path / "me.kuchi")
