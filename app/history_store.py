"""What was said, per character, in one SQLite file of the user's data folder: to read again, pass on, and erase."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from app.errors import AppError
from app.sqlite_file import SqliteFile

_SCHEMA = """
CREATE TABLE IF NOT EXISTS said (
    id INTEGER PRIMARY KEY,
    character TEXT NOT NULL,
    at_s REAL NOT NULL,
    who TEXT NOT NULL,
    text TEXT NOT NULL,
    cut INTEGER NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS said_by_character ON said (character, id)"


@dataclass(frozen=True, slots=True)
class Said:
    """One message. `who` is "user" or "character"; `at_s` is Unix time; `cut`: it was interrupted. `id` 0: not kept."""

    character: str
    at_s: float
    who: str
    text: str
    cut: bool = False
    id: int = 0


class HistoryStore:
    """Keeps messages over restarts and kills, in the order in which they were added. Thread-safe.

    The file is for the user's eyes only (mode 600 where the system knows modes). Every method but `close` raises
    AppError where the file cannot be used; reading makes no file where there is none.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = SqliteFile(path, "The history in", (_SCHEMA, _INDEX))

    def add(self, messages: Sequence[Said]) -> None:
        """Keep messages."""
        with self._file.transaction() as connection:
            connection.executemany(
                "INSERT INTO said (character, at_s, who, text, cut) VALUES (?, ?, ?, ?, ?)",
                [(each.character, each.at_s, each.who, each.text, int(each.cut)) for each in messages],
            )

    def find(self, words: str = "", character: str | None = None, limit: int | None = None) -> list[Said]:
        """The newest messages that hold `words`, oldest first; case does not matter, in any script.

        Args:
            words: "" finds all.
            character: Talks with this one alone.
            limit: So many at most.
        """
        if not self.path.exists():
            return []
        with self._file.transaction() as connection:
            rows = connection.execute(
                "SELECT character, at_s, who, text, cut, id FROM said WHERE (?1 IS NULL OR character = ?1) "
                "AND (?2 = '' OR instr(folded(text), ?2) > 0) ORDER BY id DESC LIMIT ?3",
                (character, words.strip().casefold(), -1 if limit is None else limit),
            ).fetchall()
        return [Said(row[0], row[1], row[2], row[3], bool(row[4]), row[5]) for row in reversed(rows)]

    def characters(self) -> list[str]:
        """Who was talked with, by name."""
        if not self.path.exists():
            return []
        with self._file.transaction() as connection:
            return [str(row[0]) for row in connection.execute("SELECT DISTINCT character FROM said ORDER BY character")]

    def erase(self, character: str | None = None) -> int:
        """Remove the talks with one character, or all, from the file's free space too; how many messages those were."""
        if not self.path.exists():
            return 0
        with self._file.transaction() as connection:
            count = connection.execute("DELETE FROM said WHERE ?1 IS NULL OR character = ?1", (character,)).rowcount
        self._file.sweep()
        return count

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()


def as_json(messages: Sequence[Said]) -> str:
    """Messages as a JSON list, times in ISO 8601 with the offset of this place."""
    rows = []
    for each in messages:
        row = asdict(each)
        del row["id"], row["at_s"]
        rows.append({"at": _local(each.at_s).isoformat(timespec="seconds"), **row})
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


_MARKS = str.maketrans({mark: f"\\{mark}" for mark in "\\`*_{}[]<>#|~"})


def as_markdown(messages: Sequence[Said]) -> str:
    """Messages as Markdown, a heading per day; what looks like markup in them is shown as it was said."""
    lines: list[str] = ["# Talks", ""]
    day = ""
    for each in messages:
        at = _local(each.at_s)
        if at.date().isoformat() != day:
            day = at.date().isoformat()
            lines += [f"## {day}", ""]
        who = "You" if each.who == "user" else each.character.translate(_MARKS)
        to = f" (to {each.character.translate(_MARKS)})" if each.who == "user" else ""
        text = " ".join(each.text.split()).translate(_MARKS)
        cut = " *(interrupted)*" if each.cut else ""
        lines += [f"**{who}**{to}, {at:%H:%M}: {text}{cut}", ""]
    return "\n".join(lines)


def _local(at_s: float) -> datetime:
    return datetime.fromtimestamp(at_s).astimezone()


def export(messages: Sequence[Said], path: Path) -> None:
    """Write messages to a file, JSON where its name ends so, else Markdown. Raises AppError where that fails."""
    text = as_json(messages) if path.suffix.lower() == ".json" else as_markdown(messages)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AppError(f"{path} could not be written: {error.strerror}.", "Choose another place.") from error
