"""Another program that holds the studio's database, and a disk that is full."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from studio.storage import gallery


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """As a backup does, or a shell in which somebody has begun to write."""
    other = sqlite3.connect(folder / "triptych.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


class Full:
    """A disk without room for another byte. `files`, `rows`: whether there is room for them all the same.

    Rows are refused by SQLite itself, whose file may not grow.
    """

    def __init__(self, patch: pytest.MonkeyPatch, store, files: bool = False, rows: bool = False):
        self.files, self.rows = files, rows
        write, transaction = gallery.write_file, store._begin

        def write_file(path: Path, data: bytes) -> None:
            if not self.files:
                raise OSError(errno.ENOSPC, "No space left on device")
            write(path, data)

        def begin() -> None:
            if not self.rows:
                error = sqlite3.OperationalError("database or disk is full")
                error.sqlite_errorcode = sqlite3.SQLITE_FULL
                raise error
            transaction()

        patch.setattr(gallery, "write_file", write_file)
        patch.setattr(store, "_begin", begin)
        store.reserve.held = False  # gone already

    def over(self) -> None:
        self.files = self.rows = True
