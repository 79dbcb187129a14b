"""One SQLite file with a write-ahead log. What is acknowledged has been synced to the disk."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pipelines.errors import Busy, DiskFull
from studio.late import LateWrites
from studio.private import private_file
from studio.reserve import Reserve
from studio.schema import CHANGES, SCHEMA, VERSION
from studio.unwritable import BUSY, ours

T = TypeVar("T")
OPENING_MS = 5000  # that the start waits for another program
BUSY_MS = 400  # the same, of somebody who waits for an answer
TURN_SECONDS = 10.0  # that one waits for others of this process: each takes its time, but all go on


class NewerDatabase(Exception):
    """A later version of the studio made the file; this one does not know what is in it."""

    def __init__(self, version: int, known: int):
        super().__init__(f"version {version}, known are those up to {known}")
        self.version, self.known = version, known


class Database:
    """Safe to use from several threads; each call is one transaction. The tables are those of `studio.schema`.

    Who reads waits for nobody who writes. Raises Busy, DiskFull, Unwritable where the file takes nothing in.

    When it is opened: NewerDatabase, sqlite3.Error.
    """

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock, self._reading_lock, self._found_busy = threading.RLock(), threading.Lock(), 0.0
        self.reserve, self.late = Reserve(path.parent), LateWrites()
        private_file(path)
        self._db = _connected(path)
        try:
            self._open()
            self._reading = _connected(path)
        except BaseException:
            self._db.close()
            raise
        self._reading.execute("PRAGMA query_only=ON")
        for connection in (self._db, self._reading):
            connection.execute(f"PRAGMA busy_timeout={BUSY_MS}").fetchall()
        self.reserve.hold()

    def _open(self) -> None:
        self._db.execute(f"PRAGMA busy_timeout={OPENING_MS}").fetchall()
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:  # before anything is written
            raise NewerDatabase(version, VERSION)
        # FULL, not NORMAL: in WAL mode only FULL syncs every commit, and a commit is our acknowledgement
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        self._bring_up_to_date(version)

    def _bring_up_to_date(self, version: int) -> None:
        for number, change in enumerate((SCHEMA, *CHANGES), 1):
            if version < number:
                self._db.executescript(f"BEGIN; {change} PRAGMA user_version={number}; COMMIT;")

    def close(self) -> None:
        with self._lock, self._reading_lock:
            self._reading.close()
            self._db.close()

    def rows(self, query: str, values: Sequence | Mapping = ()) -> list[sqlite3.Row]:
        """What a question finds; for the modules that keep tables of their own in this file."""
        with self._reading_lock, ours():
            return self._reading.execute(query, values).fetchall()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While it is held nobody else writes, so what is read in it stays true until it is written.

        Raises Busy at once where another program was found to hold the file while one waited: it would be waited for
        once more.
        """
        asked = time.monotonic()
        if not self._lock.acquire(timeout=TURN_SECONDS):
            raise Busy(BUSY)
        try:
            if self._found_busy > asked:
                raise Busy(BUSY)
            yield
        finally:
            self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All that is done with the connection, or nothing of it."""
        with self.turn(), ours():
            self._begin()
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # a full disk has ended it already
                    self._db.execute("ROLLBACK")
                raise

    def insist(self, write: Callable[[], T]) -> T:
        """For what ends something or makes room: on a full disk the reserve is let go for it."""
        try:
            done = write()
        except DiskFull:
            if not self.reserve.release():
                raise
            return write()
        self.reserve.hold()
        return done

    def _begin(self) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            self._found_busy = time.monotonic()
            raise


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    connection.row_factory = sqlite3.Row
    return connection
