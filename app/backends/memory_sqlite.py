"""What the user told, per character, in one SQLite file of the user's data folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.messages import UserFact
from app.sqlite_file import SqliteFile

LIMIT = 200
"""Facts per character; above it the oldest of the least important go."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS facts (
    id INTEGER PRIMARY KEY,
    character TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    importance INTEGER NOT NULL,
    at_s REAL NOT NULL,
    UNIQUE (character, key)
)
"""
_COLUMNS = "kind, key, text, importance, at_s, id"


class SqliteMemory:
    """Keeps facts over restarts and kills: a write-ahead log, one short transaction per change. Thread-safe.

    The file is for the user's eyes only (mode 600 where the system knows modes). Every method raises AppError where
    the file cannot be used.
    """

    def __init__(self, path: Path, *, limit: int = LIMIT, now_s: Callable[[], float] = time.time) -> None:
        self.path = path
        self._limit = limit
        self._now_s = now_s
        self._file = SqliteFile(path, "The memory in", (_SCHEMA,))

    def facts(self, character: str | None = None) -> list[tuple[str, UserFact]]:
        """(character, fact) of one character or of all, oldest first."""
        with self._file.transaction() as connection:
            rows = connection.execute(
                f"SELECT character, {_COLUMNS} FROM facts WHERE ?1 IS NULL OR character = ?1 ORDER BY at_s, id",
                (character,),
            )
            return [(str(row[0]), UserFact(*row[1:])) for row in rows]

    def remember(self, character: str, facts: Sequence[UserFact]) -> None:
        """Add facts; one with a known key replaces what was known."""
        with self._file.transaction() as connection:
            connection.executemany(
                "INSERT INTO facts (character, kind, key, text, importance, at_s) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (character, key) DO UPDATE SET kind = excluded.kind, text = excluded.text, "
                "importance = excluded.importance, at_s = excluded.at_s",
                [(character, fact.kind, fact.key, fact.text, fact.importance, self._now_s()) for fact in facts],
            )
            connection.execute(
                "DELETE FROM facts WHERE character = ?1 AND id IN (SELECT id FROM facts WHERE character = ?1 "
                "ORDER BY importance DESC, at_s DESC, id DESC LIMIT -1 OFFSET ?2)",
                (character, self._limit),
            )

    def forget(self, fact_id: int) -> bool:
        """Remove one fact; False if there is none with this number."""
        with self._file.transaction() as connection:
            was_there = connection.execute("DELETE FROM facts WHERE id = ?", (fact_id,)).rowcount > 0
        self._file.sweep()
        return was_there

    def erase(self, character: str | None = None) -> int:
        """Remove every fact of one character or of all, also from the file's free space; how many those were."""
        with self._file.transaction() as connection:
            count = connection.execute("DELETE FROM facts WHERE ?1 IS NULL OR character = ?1", (character,)).rowcount
        self._file.sweep()
        return count

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._file.close()
