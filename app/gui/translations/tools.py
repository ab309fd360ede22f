"""The window's translations: gather what is to be translated, and make what Qt reads.

    python -m app.gui.translations.tools update     new strings of app/gui into every .ts file, old ones kept
    python -m app.gui.translations.tools release    .ts to .qm

Both use the tools that come with PySide6. Translate in the .ts files (Qt Linguist, or any editor), then release.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import PySide6

FOLDER = Path(__file__).resolve().parent
GUI = FOLDER.parent


def sources() -> list[str]:
    """Every file that may hold words for the user."""
    return sorted(str(path) for path in GUI.rglob("*.py"))


def _run(tool: str, *arguments: str) -> None:
    folder = Path(PySide6.__file__).parent
    found = next((path for path in (folder / tool, folder / f"{tool}.exe") if path.exists()), None)
    if found is None:
        sys.exit(
            f"PySide6 brings no {tool} in {folder}. Reinstall it: pip install --force-reinstall pyside6-essentials"
        )
    done = subprocess.run([str(found), *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{tool} ended with {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")


def update(file: Path) -> None:
    """Bring `file` (.ts) up to date with the sources; what is no longer used goes."""
    _run("lupdate", *sources(), "-no-obsolete", "-locations", "none", "-ts", str(file))


def release(file: Path, out: Path) -> None:
    """Make `out` (.qm) of `file` (.ts); what is not translated stays English."""
    _run("lrelease", "-silent", str(file), "-qm", str(out))


def main(arguments: list[str]) -> int:
    """Do what the first argument says."""
    files = sorted(FOLDER.glob("*.ts"))
    if arguments == ["update"]:
        for file in files:
            update(file)
    elif arguments == ["release"]:
        for file in files:
            release(file, file.with_suffix(".qm"))
    else:
        sys.stdout.write(__doc__ or "")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
