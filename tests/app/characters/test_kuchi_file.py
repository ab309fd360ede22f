"""A .kuchi file comes back as it went; whatever else somebody packs into one stays outside."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from animator.character import load_character
from app.characters.character_file import add_emotions
from app.characters.kuchi_file import MANIFEST, export_character, import_character
from app.characters.library import Entry, own_copy
from app.cli import main
from app.errors import AppError
from tests.app.characters import pictures

HARU = pictures.CHARACTERS / "haru"
TOML = b'name = "Mika"\nimage = "picture.png"\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


def packed(
    file: Path,
    files: dict[str, bytes],
    *,
    listed: dict[str, bytes] | None = None,
    manifest: object = None,
    change: Callable[[zipfile.ZipInfo], None] = lambda info: None,
) -> Path:
    """A .kuchi file with `files`, whose manifest names `listed` (the files unless told)."""
    rows = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in (files if listed is None else listed).items()
    ]
    table = {"format": "kuchipaku-character", "version": 1, "name": "Mika", "files": rows}
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(MANIFEST, json.dumps(table if manifest is None else manifest))
        for name, data in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            change(info)
            archive.writestr(info, data)
    return file


def whole() -> dict[str, bytes]:
    return {"character.toml": TOML, "picture.png": pictures.png(pictures.art())}


def test_a_character_comes_back_as_it_went(tmp_path: Path, root: Path) -> None:
    own = own_copy(Entry("Haru", HARU, False), [], tmp_path / "mine")
    (tmp_path / "joy.json").write_text(json.dumps({"joy": {"mouth_aaa_index": 0.75}}))
    add_emotions(own.path, tmp_path / "joy.json")
    export_character(own.path, tmp_path / "haru.kuchi")

    made = import_character(tmp_path / "haru.kuchi", [], root)

    before, after = load_character(own.path), load_character(made.path)
    assert (before.name, before.persona, before.openers, before.expressions) == (
        after.name,
        after.persona,
        after.openers,
        after.expressions,
    )
    assert before.image.tobytes() == after.image.tobytes()
    assert before.large is not None
    assert after.large is not None
    assert before.large.tobytes() == after.large.tobytes()


def test_the_same_character_gives_the_same_file(tmp_path: Path) -> None:
    export_character(HARU, tmp_path / "a.kuchi")
    export_character(HARU, tmp_path / "b.kuchi")

    assert (tmp_path / "a.kuchi").read_bytes() == (tmp_path / "b.kuchi").read_bytes()


def test_only_what_a_character_needs_is_passed_on(tmp_path: Path, root: Path) -> None:
    own = own_copy(Entry("Haru", HARU, False), [], root)
    (own.path / "diary.txt").write_text("secret")
    export_character(own.path, tmp_path / "haru.kuchi")

    with zipfile.ZipFile(tmp_path / "haru.kuchi") as archive:
        assert {MANIFEST, "character.toml", "picture.png", "picture_1024.png"} == set(archive.namelist())


def test_a_single_png_can_be_passed_on_too(tmp_path: Path, root: Path) -> None:
    (tmp_path / "mika.png").write_bytes(pictures.png(pictures.art()))
    export_character(tmp_path / "mika.png", tmp_path / "mika.kuchi")

    assert "mika" == import_character(tmp_path / "mika.kuchi", [], root).name


def test_one_that_is_there_already_stays_and_the_new_one_gets_a_number(tmp_path: Path, root: Path) -> None:
    file = packed(tmp_path / "mika.kuchi", whole())
    first = import_character(file, [], root)

    second = import_character(file, [first], root)

    assert ["Mika", "Mika 2"] == [load_character(first.path).name, load_character(second.path).name]


def refused(file: Path, root: Path, words: str) -> None:
    with pytest.raises(AppError, match=words):
        import_character(file, [], root)
    assert [] == list(root.iterdir())
    assert [root.parent / "own"] == [path for path in root.parent.iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    "name",
    ["../evil.png", "/etc/evil.png", "C:\\evil.png", "..\\evil.png", "folder/evil.png", "evil.py", "evil.exe", ".png"],
)
def test_files_that_have_no_place_in_a_character_are_refused(name: str, tmp_path: Path, root: Path) -> None:
    refused(packed(tmp_path / "x.kuchi", {**whole(), name: b"evil"}), root, "no place|manifest")


def test_a_link_is_refused(tmp_path: Path, root: Path) -> None:
    def as_link(info: zipfile.ZipInfo) -> None:
        if info.filename == "picture.png":
            info.external_attr = (stat.S_IFLNK | 0o777) << 16

    refused(packed(tmp_path / "x.kuchi", {**whole(), "picture.png": b"/etc/passwd"}, change=as_link), root, "no place")


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, root: Path) -> None:
    bomb = b"a" * (40 * 1024 * 1024)

    refused(packed(tmp_path / "x.kuchi", {**whole(), "picture.png": bomb}), root, "larger than")


def test_a_file_that_lies_about_its_size_is_never_unpacked_further_than_the_limit(tmp_path: Path, root: Path) -> None:
    file = packed(tmp_path / "x.kuchi", {**whole(), "emotions.json": b"b" * 700_000})
    data = file.read_bytes()
    # Both of its headers say 100 bytes.
    file.write_bytes(data.replace((700_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))

    refused(file, root, "damaged|manifest says|larger")


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        ([], "no character"),
        ({"format": "other"}, "no character"),
        ({"format": "kuchipaku-character", "version": 2, "files": []}, "newer"),
        ({"format": "kuchipaku-character", "version": 1, "files": "all"}, "manifest"),
        ({"format": "kuchipaku-character", "version": 1, "files": [{"name": "character.toml"}]}, "manifest"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(manifest: object, words: str, tmp_path: Path, root: Path) -> None:
    refused(packed(tmp_path / "x.kuchi", whole(), manifest=manifest), root, words)


def test_a_file_that_the_manifest_does_not_name_is_refused(tmp_path: Path, root: Path) -> None:
    refused(packed(tmp_path / "x.kuchi", {**whole(), "more.json": b"{}"}, listed=whole()), root, "manifest")


def test_a_file_that_was_changed_is_refused(tmp_path: Path, root: Path) -> None:
    other = {**whole(), "character.toml": TOML + b'persona = "Evil"\n'}

    refused(packed(tmp_path / "x.kuchi", other, listed=whole()), root, "manifest says")


def test_a_character_that_points_outside_is_refused(tmp_path: Path, root: Path) -> None:
    files = {**whole(), "character.toml": b'name = "Mika"\nimage = "../../secret.png"\n'}

    refused(packed(tmp_path / "x.kuchi", files), root, "outside")


def test_the_same_file_twice_is_refused(tmp_path: Path, root: Path) -> None:
    refused(packed(tmp_path / "x.kuchi", {**whole(), "Picture.png": b"x"}), root, "twice")


@pytest.mark.parametrize("data", [b"", b"PK", b"PK\x03\x04" + b"\0" * 200, b"GIF89a"])
def test_what_is_no_kuchi_file_is_refused(data: bytes, tmp_path: Path, root: Path) -> None:
    (tmp_path / "x.kuchi").write_bytes(data)

    refused(tmp_path / "x.kuchi", root, "no .kuchi file|damaged")


def test_the_command_line_passes_a_character_on_and_takes_it_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUCHIPAKU_DATA", str(tmp_path))
    file = tmp_path / "rei.kuchi"

    assert 0 == main(["characters", "export", "rei", "--out", str(file)])
    assert 0 == main(["characters", "import", str(file)])

    assert "kuchipaku run --character rei-2" in capsys.readouterr().out
    assert "Rei 2" == load_character(tmp_path / "characters" / "rei-2").name
