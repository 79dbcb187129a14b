"""`triptych restore` and `triptych rebuild`: a database put back from its backups, or made anew from the files."""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from studio.build import lock_data
from studio.search import reindex
from studio.settings import load
from studio.storage.artifact_files import OURS, ArtifactFiles
from studio.storage.atomic import make_folder
from studio.storage.gallery import Gallery
from studio.storage.recovery.backups import Backup, Backups, damage, newest_whole
from studio.storage.recovery.lost_and_found import FOLDER, LostAndFound
from studio.storage.recovery.opening import open_store
from studio.storage.recovery.recovery import NOBODY, Report
from studio.storage.recovery.rows import RecoveryRows
from studio.storage.recovery.starting import CannotStart, Damaged, explained
from studio.storage.store import Store

COMMANDS = {
    "restore": "list the backups of the database, or put one of them back",
    "rebuild": "make the database anew from its newest backup and from the files of the gallery",
}


def main(argv: Sequence[str]) -> int:
    """argv: a name of COMMANDS and its arguments; the exit status."""
    command, *rest = argv
    asked = parser(command).parse_args(rest)
    settings = load(["--data-dir", str(asked.data_dir)] if asked.data_dir else [])
    data = settings.data_dir
    if not data.is_dir():
        print(f"There is no data folder {data}: name it with --data-dir.", file=sys.stderr)
        return 1
    try:
        with lock_data(data), explained(data):
            if command == "restore":
                restore(data, asked.backup)
            else:
                rebuild(data, asked.owner, asked.allow_missing)
    except CannotStart as error:
        print(f"Triptych cannot {command}: {error}.", file=sys.stderr)
        return 1
    return 0


def parser(command: str) -> argparse.ArgumentParser:
    """Of one of COMMANDS."""
    flags = argparse.ArgumentParser(prog=f"triptych {command}", description=f"{COMMANDS[command].capitalize()}.")
    flags.add_argument("--data-dir", type=Path, help="folder of the pictures and the database")
    if command == "restore":
        flags.add_argument("backup", nargs="?", help="its number in the list, or its name")
    else:
        flags.add_argument("--owner", help="who gets the files that do not say whose they are: a user's name")
        flags.add_argument("--allow-missing", action="store_true", help="go on although many files are missing")
    return flags


def restore(data: Path, wanted: str | None) -> None:
    """Raises CannotStart where there is no such backup, or it is damaged."""
    backups = Backups(data)
    there = backups.all()
    if not there:
        raise CannotStart(f"there is no backup in {data}: one a day is made while Triptych runs")
    if wanted is None:
        _list(there)
        return
    backup = _chosen(there, wanted)
    if fault := damage(backup.path):
        raise CannotStart(f"the backup {backup.name} is damaged ({fault}): choose another one")
    lost = LostAndFound(data)
    kept = [path.relative_to(data) for path in backups.put_back(backup, lost)]
    store, _ = open_store(data)
    with closing(store):
        missing = _note_missing(data, store)
    print(
        f"{backup.name} is the database again; what was there before is kept: {', '.join(map(str, kept)) or 'nothing'}."
    )
    if missing:
        print(f"Files that it knows and that are not there any more: {missing}.")
    print("Pictures, sounds and captions made since then get their places again at the next start.")


def _list(there: Sequence[Backup]) -> None:
    for number, backup in enumerate(there, 1):
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(backup.made))
        print(f"{number:3}  {backup.name}  {made}  {backup.bytes / 2**20:7.1f} MB  {_held(backup.path)}")
    print("`triptych restore NUMBER` puts one back; what is there now is kept aside.")


def _held(path: Path) -> str:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as db:
            return f"{db.execute('SELECT count(*) FROM artifacts').fetchone()[0]} pictures, sounds and captions"
    except sqlite3.Error as error:
        return f"damaged ({error})"


def _chosen(there: Sequence[Backup], wanted: str) -> Backup:
    if wanted.isdecimal() and 1 <= int(wanted) <= len(there):
        return there[int(wanted) - 1]
    for backup in there:
        if wanted == backup.name:
            return backup
    raise CannotStart(f"backup: got {wanted!r}, allowed is a number from 1 to {len(there)} or a name in the list")


def _note_missing(data: Path, store: Store) -> int:
    """What was deleted since a backup is not a disk that is not connected: the next start does not stop for it."""
    rows = RecoveryRows(store)
    known = rows.types()
    present = ArtifactFiles(data).look(known).present
    if not present:
        return 0
    rows.keep_missing(set(known) - present)
    return len(set(known) - present)


def rebuild(data: Path, owner: str | None = None, allow_missing: bool = False) -> None:
    """Raises CannotStart."""
    store = _opened(data)
    with closing(store):
        _bring_home(data)
        gallery, rows = Gallery(data, store), RecoveryRows(store)
        report = gallery.recover(owner, allow_missing)
        if owner:
            report.undescribed |= {row.id for row in rows.give(NOBODY, owner)}
        for id in report.undescribed:
            gallery.describe(id)
        if report.adopted:
            reindex.again(data)
        _tell(data, report, rows)


def _opened(data: Path) -> Store:
    """The database as it is, or its newest backup that is whole, or an empty one."""
    try:
        with explained(data):
            store, said = open_store(data)
    except Damaged as error:
        backups, lost = Backups(data), LostAndFound(data)
        backup = newest_whole(backups)
        kept = backups.put_back(backup, lost) if backup else backups.aside(lost)
        names = ", ".join(str(path.relative_to(data)) for path in kept)
        print(f"The database was damaged ({error.__cause__}) and is kept: {names}.")
        said = [f"{backup.name} was put in its place." if backup else "There was no backup; it begins empty."]
        store, more = open_store(data)
        said += more
    print(*said, sep="\n", end="\n" if said else "")
    return store


def _bring_home(data: Path) -> None:
    """What former starts have put aside is looked at once more, as it may be understood now."""
    for path in (data / FOLDER).glob("*/files/*/*"):
        home = data / "files" / path.parent.name / path.name
        if OURS.fullmatch(path.name) and path.is_file() and not home.exists():
            make_folder(home.parent)
            path.rename(home)


def _tell(data: Path, report: Report, rows: RecoveryRows) -> None:
    print(*report.sentences(LostAndFound(data).name), sep="\n", end="\n" if report.sentences("") else "")
    owners = rows.owners()
    print(f"The gallery has {sum(owners.values())} pictures, sounds and captions.")
    for owner, number in owners.items():
        shown = owner if not re.fullmatch(r"[0-9a-f]{32}", owner) else f"{owner} (a browser without a login)"
        print(f"{number:7}  {shown}")
