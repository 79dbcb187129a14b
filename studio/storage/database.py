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
from studio.storage.late_writes import LateWrites
from studio.storage.private import private_file
from studio.storage.reserve import Reserve
from studio.storage.unwritable import BUSY, ours

T = TypeVar("T")
OPENING_MS = 5000  # that the start waits for another program
BUSY_MS = 400  # the same, of somebody who waits for an answer
TURN_SECONDS = 10.0  # that one waits for others of this process: each takes its time, but all go on
SCHEMA = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, request TEXT NOT NULL,
    created REAL NOT NULL, status TEXT NOT NULL, started REAL, ended REAL, attempts INTEGER NOT NULL,
    error_code TEXT, error TEXT, artifact_id TEXT);
CREATE INDEX jobs_of_owner ON jobs (owner, number);
CREATE INDEX jobs_by_status ON jobs (status, number);
CREATE TABLE artifacts (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, owner TEXT NOT NULL, job_id TEXT NOT NULL,
    kind TEXT NOT NULL, media_type TEXT NOT NULL, width INTEGER, height INTEGER, bytes INTEGER NOT NULL,
    model TEXT NOT NULL, prompt TEXT NOT NULL, seed INTEGER, created REAL NOT NULL, hidden INTEGER NOT NULL,
    request TEXT NOT NULL, info TEXT NOT NULL, words TEXT NOT NULL);
CREATE INDEX artifacts_of_owner ON artifacts (owner, hidden, number);
CREATE INDEX artifacts_of_job ON artifacts (job_id);
"""
# What each later version of the file has more; the number of the last is `user_version`.
CHANGES = (
    "ALTER TABLE artifacts ADD COLUMN vector BLOB NOT NULL DEFAULT x'';",
    # Batches of pictures to describe; `number` is the place in the batch. A text is NULL until there is one.
    """
    CREATE TABLE batches (
        id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,
        request TEXT NOT NULL DEFAULT '', running INTEGER NOT NULL DEFAULT 0, begun REAL);
    CREATE INDEX batches_of_owner ON batches (owner, created);
    CREATE TABLE batch_items (
        batch TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, picture TEXT NOT NULL, format TEXT NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, bytes INTEGER NOT NULL, status TEXT NOT NULL,
        notes TEXT NOT NULL, error TEXT NOT NULL, text TEXT, score REAL, origin TEXT NOT NULL, job TEXT, artifact TEXT,
        ended REAL, PRIMARY KEY (batch, number));
    CREATE INDEX batch_items_by_job ON batch_items (job);
    CREATE INDEX batch_items_by_artifact ON batch_items (artifact);
    CREATE TABLE batch_texts (batch TEXT NOT NULL, stem TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (batch, stem));
    CREATE TABLE batch_edits (
        number INTEGER PRIMARY KEY AUTOINCREMENT, batch TEXT NOT NULL, what TEXT NOT NULL, before TEXT NOT NULL);
    CREATE INDEX batch_edits_of_batch ON batch_edits (batch, number);
    """,
    # The order that an owner has given to jobs in line: their ids, separated by spaces
    "CREATE TABLE orders (owner TEXT PRIMARY KEY, jobs TEXT NOT NULL);",
    # epoch: changes when all sessions of an owner end. became: whose a browser's gallery is since it was moved.
    """
    CREATE TABLE owners (owner TEXT PRIMARY KEY, epoch TEXT NOT NULL DEFAULT '', seen REAL, became TEXT);
    CREATE TABLE ended_sessions (id TEXT PRIMARY KEY, owner TEXT NOT NULL);
    CREATE TABLE moving_codes (code TEXT PRIMARY KEY, owner TEXT NOT NULL, made REAL NOT NULL);
    """,
    # Jobs that are over and have nothing in the gallery, for those who prune them; what an owner keeps, to be summed up
    """
    CREATE INDEX jobs_over ON jobs (owner, number) WHERE artifact_id IS NULL AND
        status IN ('done', 'failed', 'cancelled');
    CREATE INDEX artifacts_bytes ON artifacts (owner, bytes);
    """,
    # What people have deleted and whose files may still be there, and which files were not there at the last start
    """
    CREATE TABLE deletions (id TEXT PRIMARY KEY, what TEXT NOT NULL, owner TEXT NOT NULL);
    CREATE TABLE missing (id TEXT PRIMARY KEY);
    """,
    # Artifacts beside whose files something is written that is not so any more
    "CREATE TABLE undescribed (id TEXT PRIMARY KEY);",
    # To the job of what is deleted, to what is asked for, and to what nobody has checked, without a walk through all
    """
    CREATE INDEX jobs_by_artifact ON jobs (artifact_id) WHERE artifact_id IS NOT NULL;
    CREATE INDEX batch_items_by_status ON batch_items (status, batch, number);
    CREATE INDEX batch_items_unchecked ON batch_items (batch, number) WHERE score IS NULL AND
        origin IN ('person', 'sidecar') AND status IN ('done', 'kept') AND picture != '';
    """,
    # A search by words goes through this, and not through the rows, which are ten times as long
    "CREATE INDEX artifacts_words ON artifacts (owner, hidden, number, words);",
)  # fmt: skip
VERSION = 1 + len(CHANGES)


class NewerDatabase(Exception):
    """A later version of the studio made the file; this one does not know what is in it."""

    def __init__(self, version: int, known: int):
        super().__init__(f"version {version}, known are those up to {known}")
        self.version, self.known = version, known


class Database:
    """Safe to use from several threads; each call is one transaction. The tables are those of
    `studio.storage.database`.

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
