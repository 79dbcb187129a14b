"""Copies of the database: `backups/triptych-<date>-<number>.db`, the last seven of them."""

from __future__ import annotations

import filecmp
import logging
import os
import re
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from studio.storage.atomic import make_folder, part_of, sync_folder
from studio.storage.recovery.lost_and_found import LostAndFound

FILE, FOLDER = "triptych.db", "backups"
KEPT = 7
EVERY_SECONDS = 24 * 3600.0
ROOM = 64 * 2**20  # bytes that must be free beyond what a copy takes
_NAME = re.compile(r"triptych-\d{4}-\d\d-\d\d-(\d{4,9})\.db")
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backup:
    """made: seconds since the epoch. number: grows, whatever the clock says."""

    path: Path
    number: int
    made: float
    bytes: int

    @property
    def name(self) -> str:
        return self.path.name


class Backups:
    """Of one data folder."""

    def __init__(self, data: Path):
        self._data, self._folder, self._db = data, data / FOLDER, data / FILE

    def all(self) -> list[Backup]:
        """The newest first."""
        found = []
        for path in self._folder.glob("triptych-*.db"):
            if name := _NAME.fullmatch(path.name):
                stat = path.stat()
                found.append(Backup(path, int(name[1]), stat.st_mtime, stat.st_size))
        return sorted(found, key=lambda backup: backup.number, reverse=True)

    def due(self, now: float) -> bool:
        """Also when the clock has gone back since."""
        newest = next(iter(self.all()), None)
        return newest is None or abs(now - newest.made) >= EVERY_SECONDS

    def make(self) -> Backup:
        """A copy as of now, while others read and write; whole, or not there. An equal one is not kept twice.

        Raises OSError, and sqlite3.Error where the database is damaged: then nothing older is given up for it.
        """
        before = self.all()
        self._room()
        make_folder(self._folder)
        number = before[0].number + 1 if before else 1
        path = self._folder / f"triptych-{time.strftime('%Y-%m-%d')}-{number:04}.db"
        part = part_of(path)
        try:
            self._copy(part)
            if before and filecmp.cmp(part, before[0].path, shallow=False):
                os.utime(before[0].path)
                return before[0]
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(self._folder)
        for old in self.all()[KEPT:]:
            old.path.unlink(missing_ok=True)
        return self.all()[0]

    def _room(self) -> None:
        size, free = self._db.stat().st_size, shutil.disk_usage(self._data).free
        if free < size + ROOM:
            raise OSError(f"it needs {size / 2**20:.0f} MB and there are {free / 2**20:.0f} MB left")

    def _copy(self, part: Path) -> None:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))  # SQLite takes an empty file
        with closing(sqlite3.connect(self._db, timeout=30)) as db:
            db.execute("VACUUM INTO ?", (str(part),))
        fault = damage(part)
        if fault:
            raise sqlite3.DatabaseError(fault)
        with part.open("rb+") as file:
            os.fsync(file.fileno())

    def put_back(self, backup: Backup, lost: LostAndFound) -> list[Path]:
        """In the place of the database, which is put aside with all that belongs to it: where to is returned. No studio
        may be using it.
        """
        part = part_of(self._db)
        try:
            shutil.copyfile(backup.path, part)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            part.chmod(0o600)
            kept = self.aside(lost)
            part.replace(self._db)
        finally:
            part.unlink(missing_ok=True)
        sync_folder(self._data)
        return kept

    def aside(self, lost: LostAndFound) -> list[Path]:
        """The log goes with its database: beside another one it would be taken for a part of that."""
        paths = [self._data / f"{FILE}{end}" for end in ("", "-wal", "-shm")]
        moved = [(path, lost.take(path)) for path in paths if os.path.lexists(path)]
        if stuck := next((path for path, where in moved if where is None), None):
            raise OSError(f"{stuck.name} could not be moved to {lost.name}")
        return [where for _, where in moved if where]


def newest_whole(backups: Backups) -> Backup | None:
    """Damaged ones are passed over."""
    return next((backup for backup in backups.all() if not damage(backup.path)), None)


def damage(path: Path) -> str:
    """What is wrong with a database file that nobody uses; "" where nothing is."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            first = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            return "" if first == "ok" else str(first)
    except sqlite3.Error as error:
        return str(error)
