"""`python -m studio.web.accounts.owners`: who keeps what in the data folder, and codes that give people their gallery
back.

For the person at this machine, also while the studio runs.
"""

from __future__ import annotations

import argparse
import sqlite3
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pipelines.errors import Unwritable
from studio import limits
from studio.settings import Settings
from studio.storage.database import NewerDatabase
from studio.storage.store import Store
from studio.web.accounts.owner_list import OwnerUsage, owners
from studio.web.accounts.transfer import Codes

_HEAD = ("owner", "pictures", "recordings", "captions", "batches", "MB", "last seen")


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m studio.web.accounts.owners", description="Who keeps what, the last seen first."
    )
    parser.add_argument("--data-dir", type=Path, help="the studio's data folder, where it is not the usual one")
    parser.add_argument("--code", metavar="OWNER", help="a code that opens this owner's gallery in another browser")
    told = parser.parse_args(argv)
    settings = Settings(**({"data_dir": told.data_dir} if told.data_dir else {}))
    file = settings.data_dir / "triptych.db"
    if not file.exists():
        return _wrong(f"there is no studio in {settings.data_dir}: name its folder with --data-dir")
    try:
        store = Store(file)
        try:
            return _code(store, told.code) if told.code else _list(store)
        finally:
            store.close()
    except NewerDatabase:
        return _wrong("a newer Triptych made this database: use that one")
    except (sqlite3.Error, Unwritable) as error:
        return _wrong(f"the database cannot be used at this moment ({error})")


def _list(store: Store) -> int:
    rows = [_HEAD, *map(_row, owners(store))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        cells = (cell.rjust(width) if 0 < column < 6 else cell.ljust(width)
                 for column, (cell, width) in enumerate(zip(row, widths, strict=True)))  # fmt: skip
        print("  ".join(cells).rstrip())
    return 0


def _row(kept: OwnerUsage) -> tuple[str, ...]:
    counts = (kept.pictures, kept.recordings, kept.captions, kept.batches, -(-kept.bytes // 2**20))
    owner = "".join(letter if letter.isprintable() else "?" for letter in kept.owner)
    return (owner, *map(str, counts), time.strftime("%Y-%m-%d %H:%M", time.localtime(kept.last)))


def _code(store: Store, name: str) -> int:
    """name: or the beginning of it, where that is enough."""
    found = [kept.owner for kept in owners(store) if kept.owner == name or kept.owner.startswith(name)]
    chosen = [name] if name in found else found
    if len(chosen) != 1:
        return _wrong(f"{len(chosen) or 'no'} owners are called {name}…: the list has all of them")
    code = Codes(store).make(chosen[0])
    print(f"{code}\nOpen the studio's page /owner in the browser that shall have this gallery, and type the code.")
    print(f"It works once, within {limits.CODE_SECONDS // 60} minutes. Whoever has it has the gallery.")
    return 0


def _wrong(sentence: str) -> int:
    print(f"python -m studio.web.accounts.owners: {sentence}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
