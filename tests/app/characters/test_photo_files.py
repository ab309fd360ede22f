"""Characters that are photos of people: copied whole, prepared without weights, never passed on as a file."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from app import compose
from app.characters import library
from app.characters.kuchi_file import export_character, import_character
from app.cli import main
from app.errors import AppError

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
