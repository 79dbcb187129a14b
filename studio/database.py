"""One SQLite file with a write-ahead log. What is acknowledged has been synced to the disk."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from studio.private import private_file
from studio.schema import CHANGES, SCHEMA


class Database:
    """Safe to use from several threads; each call is one transaction. The tables are those of `studio.schema`."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        private_file(path)
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        # FULL, not NORMAL: in WAL mode only FULL syncs every commit, and a commit is our acknowledgement
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._bring_up_to_date()

    def _bring_up_to_date(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        for number, change in enumerate((SCHEMA, *CHANGES), 1):
            if version < number:
                self._db.executescript(f"BEGIN; {change} PRAGMA user_version={number}; COMMIT;")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def rows(self, query: str, values: Sequence | Mapping = ()) -> list[sqlite3.Row]:
        """What a question finds; for the modules that keep tables of their own in this file."""
        with self._lock:
            return self._db.execute(query, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is done with the connection, or nothing of it."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
