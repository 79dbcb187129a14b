"""A gallery that moves: a code that opens it in another browser, and what one owner has becoming another's."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import NotFound
from studio import limits
from studio.storage.uploads import folder_of

if TYPE_CHECKING:
    from studio.storage.database import Database

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none is taken for another; 60 bits in twelve
_MEANT = str.maketrans("OIL", "011")
_FOLDERS = ("uploads", "batches")


class Codes:
    """Of each owner one at most; used once, and only for some minutes. The database has only their hashes."""

    def __init__(self, database: Database):
        self._database = database

    def make(self, owner: str) -> str:
        """`ABCD-EFGH-JKMN`; the owner's last one is no good any more."""
        code, now = "".join(secrets.choice(_LETTERS) for _ in range(12)), time.time()
        with self._database.transaction() as db:
            db.execute("DELETE FROM moving_codes WHERE owner = ? OR made < ?", (owner, now - limits.CODE_SECONDS))
            db.execute("INSERT INTO moving_codes VALUES (?, ?, ?)", (_hash(code), owner, now))
        return "-".join((code[:4], code[4:8], code[8:]))

    def take(self, code: str) -> str:
        """Whose gallery it opens; the code is used up. Raises NotFound."""
        letters = "".join(filter(str.isalnum, code.upper().translate(_MEANT)))
        with self._database.transaction() as db:
            row = db.execute(
                "DELETE FROM moving_codes WHERE code = ? RETURNING owner, made", (_hash(letters),)
            ).fetchone()
        if row is None or abs(time.time() - row["made"]) > limits.CODE_SECONDS:
            raise NotFound("This code opens nothing: it was mistyped, used already, or is too old. Ask for a new one.")
        return row["owner"]


def _hash(letters: str) -> str:
    return hashlib.sha256(letters.encode(errors="surrogatepass")).hexdigest()


def move(
    folder: Path,
    database: Database,
    old: str,
    new: str,
    at_rest: Callable[[str], AbstractContextManager],
    follow: bool,
) -> None:
    """All that `old` has becomes `new`'s. Wherever it is interrupted, each file is where its row looks for it.

    at_rest: holds an owner's line still, empty; raises NotAllowed. follow: other browsers of `old` are `new`, too.
    """
    with at_rest(old):
        pass  # refused before anything is copied
    _link_all(folder, old, new)
    with at_rest(old):
        _link_all(folder, old, new)  # what has come meanwhile
        _move_rows(database, old, new, follow)
    for name in _FOLDERS:
        shutil.rmtree(folder / name / folder_of(old), ignore_errors=True)


def _move_rows(database: Database, old: str, new: str, follow: bool) -> None:
    with database.transaction() as db:
        db.execute("INSERT OR IGNORE INTO undescribed SELECT id FROM artifacts WHERE owner = ?", (old,))
        for table in ("jobs", "artifacts", "batches"):
            db.execute(f"UPDATE {table} SET owner = ? WHERE owner = ?", (new, old))
        for table in ("orders", "moving_codes"):
            db.execute(f"DELETE FROM {table} WHERE owner = ?", (old,))
        if follow:
            db.execute("UPDATE owners SET became = ? WHERE became = ?", (new, old))
            db.execute("UPDATE owners SET became = NULL WHERE owner = ?", (new,))
            db.execute(
                "INSERT INTO owners (owner, became) VALUES (?, ?) ON CONFLICT DO UPDATE SET became = excluded.became",
                (old, new),
            )


def _link_all(folder: Path, old: str, new: str) -> None:
    """The same files under both owners."""
    for name in _FOLDERS:
        source, target = folder / name / folder_of(old), folder / name / folder_of(new)
        for place, _, files in os.walk(source):
            into = target / Path(place).relative_to(source)
            into.mkdir(parents=True, exist_ok=True, mode=0o700)
            for file in files:
                _link(Path(place, file), into / file)


def _link(source: Path, target: Path) -> None:
    with suppress(FileExistsError, FileNotFoundError):  # the same picture is there already, or was just dropped
        try:
            os.link(source, target)
        except FileExistsError:
            raise
        except OSError:  # a disk that knows no links
            shutil.copy2(source, target)
