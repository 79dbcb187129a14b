"""What a database or a file system says when it takes nothing in, as one of our errors."""

from __future__ import annotations

import errno
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.errors import Busy, DiskFull, Unwritable

BUSY = "Another program holds the studio's database, so this was not done: try again in a moment."
FULL = "The disk of the data folder is full, so this was not done: make room, for example by deleting pictures."
CLOSED = "The data folder cannot be written to at this moment, so this was not done: its disk may be read-only."
DAMAGED = "The studio's database is damaged, so this was not done: the log of the studio has the details."
_FULL = (errno.ENOSPC, errno.EDQUOT)
# sqlite3.SQLITE_…: the primary codes, which are the last byte of the extended ones
_SQLITE_BUSY, _SQLITE_FULL, _SQLITE_DAMAGED = (5, 6), (13,), (11, 26)
_SQLITE_CLOSED = (8, 10, 14)  # read-only, a failure of the disk (a quota is one), a file that cannot be made
log = logging.getLogger(__name__)


def explained(error: BaseException) -> Unwritable | None:
    """None where it is something else, such as a mistake of ours or a damaged file."""
    if isinstance(error, Unwritable):
        return error
    if isinstance(error, sqlite3.Error):
        return _of_database(getattr(error, "sqlite_errorcode", 0) & 0xFF)
    if isinstance(error, OSError) and error.errno in _FULL:
        return DiskFull(FULL)
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return Unwritable(CLOSED)
    return None


@contextmanager
def ours() -> Iterator[None]:
    """Raises Unwritable in the place of what means it."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        known = explained(error)
        if known is None:
            raise
        if not isinstance(known, Busy):
            log.warning("%s (%s)", known, error)
        raise known from error


def _of_database(code: int) -> Unwritable | None:
    if code in _SQLITE_BUSY:
        return Busy(BUSY)
    if code in _SQLITE_FULL:
        return DiskFull(FULL)
    if code in _SQLITE_DAMAGED:
        return Unwritable(DAMAGED)
    return Unwritable(CLOSED) if code in _SQLITE_CLOSED else None
