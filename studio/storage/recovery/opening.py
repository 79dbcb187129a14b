"""Opening the studio's database at start: put back where it is gone, waited for where it is locked, looked through."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from pipelines.errors import Busy
from studio.storage.database import VERSION
from studio.storage.recovery.backups import FILE, Backups, newest_whole
from studio.storage.recovery.lost_and_found import LostAndFound
from studio.storage.store import Store

WAIT_SECONDS = 30.0  # for another program that has locked it
LOOK_SECONDS = 0.2  # until it is tried again
CHECK_SECONDS = 1.0  # that looking through it may take; a large one is looked through when its backup is made
log = logging.getLogger(__name__)


def open_store(data: Path, wait: float = WAIT_SECONDS) -> tuple[Store, list[str]]:
    """The store, and sentences for people. Raises NewerDatabase, sqlite3.Error, OSError: see `starting.explained`."""
    path, said = data / FILE, []
    if not path.exists() or not path.stat().st_size:
        said = _put_back(data)
    else:
        _before_changes(data, path, wait)
    store = _patiently(path, wait)
    try:
        look_through(store)
    except BaseException:
        store.close()
        raise
    return store, said


def _put_back(data: Path) -> list[str]:
    """Somebody has removed the database: the newest backup takes its place, and the files tell what came after it."""
    backups = Backups(data)
    backup = newest_whole(backups)
    if backup is None:
        if (data / f"{FILE}-wal").exists():  # of no use alone, and harmful beside a new one
            backups.aside(LostAndFound(data))
        return []
    backups.put_back(backup, LostAndFound(data))
    return [f"The database was missing or empty: its backup {backup.name} was put back."]


def _before_changes(data: Path, path: Path, wait: float) -> None:
    """A copy of the database as a former version made it, before its tables are changed."""
    with closing(sqlite3.connect(path, timeout=wait)) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
    if 0 < version < VERSION:
        Backups(data).make()


def _patiently(path: Path, wait: float) -> Store:
    end, told = time.monotonic() + wait, False
    while True:
        try:
            return _writable(path)
        except (sqlite3.OperationalError, Busy) as error:
            busy = isinstance(error, Busy) or getattr(error, "sqlite_errorname", "").startswith("SQLITE_BUSY")
            if not busy or time.monotonic() > end:
                raise
            if not told:
                log.warning("Another program has locked the database; waiting until it lets go of it.")
            told = True
            time.sleep(LOOK_SECONDS)


def _writable(path: Path) -> Store:
    """That it cannot be written to shows here, and not at the first job."""
    store = Store(path)
    try:
        with store.transaction() as db:
            db.execute("DELETE FROM missing WHERE 0")  # SQLite lets a transaction begin on what is read-only
        return store
    except BaseException:
        store.close()
        raise


def look_through(store: Store, seconds: float = CHECK_SECONDS) -> None:
    """Raises sqlite3.DatabaseError where pages are damaged, as far as that is seen within the time."""
    with store.transaction() as db:
        end = time.monotonic() + seconds
        db.set_progress_handler(lambda: time.monotonic() > end, 10_000)
        try:
            first = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        except sqlite3.OperationalError as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_INTERRUPT":
                raise
            return
        finally:
            db.set_progress_handler(None, 0)
    if first != "ok":
        raise sqlite3.DatabaseError(first)
