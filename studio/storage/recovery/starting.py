"""Why a studio cannot start, as one sentence that says what to do."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import DiskFull, Unwritable
from studio.storage.database import NewerDatabase

LEAST_FREE = 2**20  # bytes; with less, SQLite's own error may be about anything


class CannotStart(Exception):
    """One sentence for the terminal, without its full stop."""


class Damaged(CannotStart):
    """The database is; `triptych rebuild` and `triptych restore` go on where a start ends."""


@contextmanager
def explained(data: Path) -> Iterator[None]:
    """What the disk and the database refuse while the data folder is opened, as CannotStart."""
    try:
        yield
    except NewerDatabase as error:
        raise CannotStart(
            f"the database in {data} was made by a newer Triptych (its version is {error.version}, this one knows "
            f"{error.known}): update Triptych, or name another folder with --data-dir"
        ) from error
    except Unwritable as error:
        cause = error.__cause__
        if isinstance(cause, sqlite3.Error):
            raise _of_database(data, cause) from cause
        raise (_no_room(data) if isinstance(error, DiskFull) else CannotStart(str(error).rstrip("."))) from error
    except sqlite3.Error as error:
        raise _of_database(data, error) from error
    except OSError as error:
        raise _of_disk(data, error) from error


def _of_database(data: Path, error: sqlite3.Error) -> CannotStart:
    kind = (getattr(error, "sqlite_errorname", "") or "").removeprefix("SQLITE_")
    if kind.startswith(("FULL", "IOERR", "CANTOPEN")) and _full(data):
        return _no_room(data)
    if kind.startswith(("BUSY", "LOCKED")):
        return CannotStart(
            f"another program has locked the database in {data}: close it (a backup, a database browser) and start "
            "again"
        )
    if kind.startswith("READONLY"):
        return CannotStart(f"the database in {data} cannot be written to: allow it, or name another with --data-dir")
    if kind.startswith(("CANTOPEN", "IOERR", "PERM", "AUTH")):
        return CannotStart(
            f"the database in {data} cannot be opened ({error}): look at the disk and at who may read and write "
            "triptych.db there, or name another folder with --data-dir"
        )
    return Damaged(
        f"the database in {data} is damaged ({error}): `triptych restore` lists its backups and puts one back, "
        "`triptych rebuild` makes it anew from the newest backup and the files; the damaged one is kept, and no file "
        "is touched"
    )


def _of_disk(data: Path, error: OSError) -> CannotStart:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _no_room(data)
    what = error.filename or data
    return CannotStart(f"{what} cannot be used ({error.strerror or error}): look at the disk and at who may use it")


def _no_room(data: Path) -> CannotStart:
    return CannotStart(f"the disk of the data folder {data} is full: make room there and start again")


def _full(data: Path) -> bool:
    try:
        return shutil.disk_usage(data).free < LEAST_FREE
    except OSError:
        return False
