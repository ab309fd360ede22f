"""One SQLite file of the user's data folder: private, safe against kills, and what is removed from it is gone."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from app.errors import AppError

LOCKED_FOR_S = 2.0
"""How long another writer is waited for."""


class SqliteFile:
    """Opened when it is first used. Thread-safe: one transaction at a time.

    The file is for the user's eyes only (mode 600 where the system knows modes).
    """

    def __init__(self, path: Path, named: str, schema: Sequence[str]) -> None:
        """`named` is how a sentence about it begins, such as "The memory in"; `schema` is run at each opening."""
        self.path = path
        self._named = named
        self._schema = schema
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Committed at the end, rolled back on an error. Raises AppError where the file cannot be used."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                with self._connection:
                    yield self._connection
            except (sqlite3.Error, OSError) as error:
                # Not its message: a constraint's may quote the row.
                raise AppError(
                    f"{self._named} {self.path} cannot be used ({type(error).__name__}).",
                    "Free some space or close what else uses the file; if it is damaged, remove it: it is made anew.",
                ) from None

    def sweep(self) -> None:
        """Let nothing that was removed stay in the write-ahead log. Raises AppError."""
        with self.transaction() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close the file; safe to call twice, and it opens again when it is used."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                connection.close()

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # Made with its rights before anything is in it.
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = sqlite3.connect(self.path, timeout=LOCKED_FOR_S, check_same_thread=False)
        try:
            _write_ahead(connection)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA secure_delete = ON")
            for statement in self._schema:
                connection.execute(statement)
            # SQLite's own lower() knows English letters only.
            connection.create_function("folded", 1, str.casefold, deterministic=True)
            connection.commit()
        except sqlite3.Error:
            connection.close()
            raise
        return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Use the write-ahead log.

    SQLite asks for the file alone here without its usual waiting: two that open a new file at once would hinder each
    other.
    """
    until = time.monotonic() + LOCKED_FOR_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
