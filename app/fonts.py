"""The system's fonts: which of them draws which letters. Found by the names of their files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import uharfbuzz as hb

EMPHASIS = 700
"""Weight of variable fonts: bold."""
HEAVIER = (0.04, 0.02)
"""Of the size, by which a font that has no bold cut is made heavier, across and up."""
SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")

WANTED: Mapping[str, Sequence[str]] = {
    "win32": (
        "segoeuib.ttf",
        "YuGothB.ttc",
        "meiryob.ttc",
        "NirmalaB.ttf",
        "Nirmala.ttc",
        "malgunbd.ttf",
        "msyhbd.ttc",
        "arialbd.ttf",
        "seguisym.ttf",
    ),
    "darwin": (
        "HelveticaNeue.ttc",
        "ヒラギノ角ゴシック W6.ttc",
        "Kohinoor.ttc",
        "AppleSDGothicNeo.ttc",
        "PingFang.ttc",
        "Arial Bold.ttf",
        "Arial Unicode.ttf",
    ),
    "linux": (
        "NotoSans-Bold.ttf",
        "NotoSans[wght].ttf",
        "DejaVuSans-Bold.ttf",
        "LiberationSans-Bold.ttf",
        "NotoSansCJK-Bold.ttc",
        "NotoSansCJKjp-Bold.otf",
        "NotoSansJP-Bold.otf",
        "ipaexg.ttf",
        "ipag.ttf",
        "NotoSansDevanagari-Bold.ttf",
        "NotoSansDevanagari[wght].ttf",
        "Lohit-Devanagari.ttf",
        "DroidSansFallbackFull.ttf",
    ),
}
"""Sans-serif fonts that come with systems, first choice first; what they lack is looked for in all others."""


def folders(platform: str = sys.platform) -> list[Path]:
    """Where a system keeps its fonts, the user's own last. Sources: the systems' own documentation; the XDG folders."""
    home = Path.home()
    if platform == "win32":
        windows = Path(os.environ.get("WINDIR", r"C:\Windows"))
        local = os.environ.get("LOCALAPPDATA")
        return [windows / "Fonts", *([Path(local) / "Microsoft" / "Windows" / "Fonts"] if local else [])]
    if platform == "darwin":
        system = Path("/System/Library/Fonts")
        return [system, system / "Supplemental", Path("/Library/Fonts"), home / "Library" / "Fonts"]
    return [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local" / "share" / "fonts",
        home / ".fonts",
    ]


class Typeface:
    """One face of a font file, to shape and draw with. Not thread-safe."""

    def __init__(self, path: Path, index: int = 0) -> None:
        """Raises OSError or ValueError for a file that is no font."""
        self.path = path
        self.face = hb.Face(hb.Blob.from_file_path(str(path)), index)
        if self.face.glyph_count == 0:
            raise ValueError(f"{path} holds no glyphs")
        self._letters = self.face.unicodes
        self.font = hb.Font(self.face)
        if any(axis.tag == "wght" for axis in self.face.axis_infos):
            self.font.set_variations({"wght": EMPHASIS})
        elif "bold" not in path.stem.lower() and not path.stem.lower().endswith(("b", "w6")):
            self.font.synthetic_bold = (*HEAVIER, False)

    def has(self, letters: Iterable[str]) -> bool:
        """Whether it has a glyph for each of them."""
        return all(ord(letter) in self._letters for letter in letters)


class Typefaces:
    """The faces that are there, first choice first; each file is opened once it is needed. Not thread-safe."""

    def __init__(self, where: Sequence[Path] | None = None, wanted: Sequence[str] | None = None) -> None:
        """`where` defaults to the system's folders, `wanted` to what comes with this system."""
        platform = "linux" if sys.platform.startswith("linux") else sys.platform
        names = WANTED.get(platform, WANTED["linux"]) if wanted is None else wanted
        files = sorted(_files(folders(platform) if where is None else where))
        by_name: dict[str, Path] = {}
        for file in files:
            by_name.setdefault(file.name.lower(), file)
        first = [by_name[name.lower()] for name in names if name.lower() in by_name]
        chosen = set(first)
        self._unopened = [*first, *(file for file in files if file not in chosen)]
        self._opened: list[Typeface] = []
        self._missing: set[str] = set()

    def for_letters(self, letters: str) -> Typeface | None:
        """The first face that has all of them; None where there is none, which is remembered: looking takes time."""
        if letters in self._missing:
            return None
        for face in self._opened:
            if face.has(letters):
                return face
        while self._unopened:
            try:
                face = Typeface(self._unopened.pop(0))
            except (OSError, ValueError, hb.HarfBuzzError):
                continue  # a broken file is no reason to show nothing
            self._opened.append(face)
            if face.has(letters):
                return face
        self._missing.add(letters)
        return None

    @property
    def fallback(self) -> Typeface | None:
        """The first face, for what no face has; None on a system without fonts."""
        return self._opened[0] if self._opened else self.for_letters("a")


def _files(where: Iterable[Path]) -> Iterator[Path]:
    for folder in where:
        for parent, _, names in os.walk(folder):
            yield from (Path(parent) / name for name in names if name.lower().endswith(SUFFIXES))
