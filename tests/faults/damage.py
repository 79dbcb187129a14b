"""Data folders as misfortunes leave them: the studio starts, or says in a sentence why not, and deletes nothing."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from studio.storage.recovery.backups import Backups
from tests.faults.report import Report
from tests.faults.victim import CannotOpen, Victim
from tests.studio.support.batch_studio import ME, Desk
from tests.studio.support.kept_data import Folder
from tests.support.serving import ROOT

DB = "triptych.db"


def damage(folder: Path, rounds: int, chance: random.Random, report: Report) -> None:
    """One of each kind, in another order with every seed, and then again with other bytes, until it is enough."""
    whole = folder / "whole"
    _fill(whole)
    kinds = sorted(KINDS)
    chance.shuffle(kinds)
    for number in range(rounds):
        kind = kinds[number % len(kinds)]
        data = folder / f"damaged{number}"
        shutil.copytree(whole, data)
        KINDS[kind](data, chance)
        Try(kind, data, report).run()
        shutil.rmtree(data)


def _fill(data: Path) -> None:
    """Pictures, sounds, captions and a batch; a backup in the middle; the last rows are in the log alone."""
    desk = Desk(data)  # nothing of it is started
    batch = desk.made("a.png")
    desk.batches.add(ME, batch, "a.txt", b"a blue square")
    desk.store.close()
    with Folder(data) as folder:
        for number in range(3):
            folder.picture(prompt=f"a fox {number}", seed=number)
        folder.sound()
        folder.caption()
        Backups(data).make()
        folder.picture(prompt="made since", seed=9)
        (data / "secret").write_bytes(os.urandom(32))
        with closing(sqlite3.connect(data / DB)) as reader:  # keeps the log from being put into the database
            reader.execute("SELECT count(*) FROM jobs").fetchone()
            folder.store.close()
            copies = {path.name: path.read_bytes() for path in data.glob(f"{DB}*")}
    for name, content in copies.items():
        (data / name).write_bytes(content)


class Try:
    """One damaged folder: what a start makes of it."""

    def __init__(self, kind: str, data: Path, report: Report):
        self.kind, self.data, self.report = kind, data, report
        self.before = _precious(data)

    def run(self) -> None:
        said = self._start()
        if "triptych rebuild" in said or "triptych restore" in said:
            self._rebuild()
        elif "--allow-missing" in said:
            self._helped(self._start("--allow-missing"))
        elif "secret" in said:
            (self.data / "secret").unlink()
            self._helped(self._start())
        self._kept()

    def _start(self, *flags: str) -> str:
        """Nothing where it starts, else its sentence."""
        row, said = self.report.row("damage", "it starts, or says in a sentence why not"), ""
        studio = Victim(self.data, *flags)
        try:
            with studio.opened().client() as client:
                fine = client.get("/api/gallery").status_code == client.get("/api/status").status_code == 200
        except CannotOpen as error:
            said = str(error).strip()
            fine = any("cannot start" in line for line in said.splitlines())
        log = studio.said()
        studio.stop()
        row.check(fine and "Traceback" not in log, f"{self.kind}: {log[-600:]}")
        return said

    def _rebuild(self) -> None:
        command = [sys.executable, "app.py", "rebuild", "--data-dir", str(self.data)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        self._helped(done.stderr if done.returncode else self._start())

    def _helped(self, said: str) -> None:
        self.report.row("damage", "what the sentence says helps").check(not said, f"{self.kind}: {said[-400:]}")

    def _kept(self) -> None:
        row = self.report.row("damage", "nothing that a person made is deleted")
        gone = self.before - _precious(self.data)
        row.check(not gone, f"{self.kind}: {list(gone)[:3]}")
        if (self.data / "files").is_dir() and any((self.data / "files").iterdir()):
            self._listed()

    def _listed(self) -> None:
        """What is whole on the disk is in its owner's gallery, once a studio has started."""
        try:
            with closing(sqlite3.connect(f"{(self.data / DB).as_uri()}?mode=ro", uri=True)) as db:
                known = {row[0] for row in db.execute("SELECT id FROM artifacts")}
        except sqlite3.Error:
            return  # it never started, and has said so
        if self.kind in NEVER_STARTS:
            return
        files = [path for path in (self.data / "files").glob("??/*.*") if path.suffix != ".json"]
        there = {path.stem for path in files if len(path.stem) == 32}
        row = self.report.row("damage", "every file of ours that is there is in the gallery")
        row.check(there <= known, f"{self.kind}: {there - known}")


def _precious(data: Path) -> Counter[str]:
    """Hashes of all that cannot be made again, wherever it lies."""
    made = [path for path in data.rglob("*") if path.is_file() and not path.is_symlink()]
    ours = (f"{DB}", f"{DB}-wal", f"{DB}-shm", "lock", "at_work", "reserve", "worker.log")
    kept = [path for path in made if path.name not in ours and path.suffix in (".png", ".wav", ".txt", ".note")]
    return Counter({hashlib.sha256(path.read_bytes()).hexdigest(): 1 for path in kept})


# --- misfortunes ---


def _whole_database(data: Path) -> Path:
    """The log put into the database, so that the damage is met."""
    with closing(sqlite3.connect(data / DB)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return data / DB


def _missing(data: Path, chance: random.Random) -> None:
    for path in data.glob(f"{DB}*"):
        path.unlink()


def _empty(data: Path, chance: random.Random) -> None:
    _missing(data, chance)
    (data / DB).touch()


def _without_backup(data: Path, chance: random.Random) -> None:
    _missing(data, chance)
    shutil.rmtree(data / "backups")


def _cut(data: Path, chance: random.Random) -> None:
    path = _whole_database(data)
    os.truncate(path, chance.randrange(1, path.stat().st_size))


def _overwritten(data: Path, chance: random.Random) -> None:
    with _whole_database(data).open("rb+") as file:
        size = file.seek(0, 2)
        for _ in range(chance.choice((1, 3, 20))):
            file.seek(chance.randrange(size))
            file.write(chance.randbytes(chance.choice((1, 64, 4096))))


def _header(data: Path, chance: random.Random) -> None:
    with _whole_database(data).open("rb+") as file:
        file.write(chance.randbytes(chance.randrange(1, 100)))


def _older(data: Path, chance: random.Random) -> None:
    backup = next((data / "backups").glob("*.db"))
    _missing(data, chance)
    shutil.copyfile(backup, data / DB)


def _log_lost(data: Path, chance: random.Random) -> None:
    for end in ("-wal", "-shm"):
        (data / f"{DB}{end}").unlink(missing_ok=True)


def _log_damaged(data: Path, chance: random.Random) -> None:
    path = data / f"{DB}-wal"
    content = bytearray(path.read_bytes()) or bytearray(100)
    for _ in range(20):
        content[chance.randrange(len(content))] ^= 255
    path.write_bytes(content[: chance.randrange(1, len(content) + 1)])


def _unmounted(data: Path, chance: random.Random) -> None:
    shutil.move(data / "files", data / "elsewhere")
    if chance.random() < 0.5:
        (data / "files").mkdir()


def _foreign(data: Path, chance: random.Random) -> None:
    place = chance.choice(sorted((data / "files").glob("??")))
    (place / "@eaDir").mkdir()
    (place / "@eaDir" / "mine.note").write_text("mine")
    (place / "notes.note").write_text("a person's own")
    (data / "files" / "README.note").write_text("also")
    (data / "uploads").mkdir(exist_ok=True)
    (data / "uploads" / "x.note").write_text("also")
    (data / "batches" / "x.note").write_text("also")
    (place / "loop").symlink_to(place)
    for name in ("holiday", place.name + "0" * 30):  # the second as if it were one of ours
        (place / f"{name}.png").write_bytes(chance.randbytes(60))


def _pictures(data: Path, chance: random.Random) -> None:
    """Damaged before they are counted: what is left of them must not go, either."""
    for path in chance.sample(sorted((data / "files").glob("??/*.png")), 2):
        path.write_bytes(path.read_bytes()[: chance.randrange(0, 60)])
        for beside in (*(data / "thumbs").rglob(f"{path.stem}*"), path.with_suffix(".json")):
            beside.unlink(missing_ok=True)
    if chance.random() < 0.5:
        _without_backup(data, chance)


def _newer(data: Path, chance: random.Random) -> None:
    with closing(sqlite3.connect(_whole_database(data))) as db:
        db.execute(f"PRAGMA user_version = {chance.randrange(90, 2**31)}")


def _short_secret(data: Path, chance: random.Random) -> None:
    (data / "secret").write_bytes(chance.randbytes(chance.randrange(0, 32)))


def _folder_for_database(data: Path, chance: random.Random) -> None:
    _missing(data, chance)
    (data / DB).mkdir()


def _folders_gone(data: Path, chance: random.Random) -> None:
    for name in ("thumbs", "uploads", "streams"):
        shutil.rmtree(data / name, ignore_errors=True)


def _backup_damaged(data: Path, chance: random.Random) -> None:
    _missing(data, chance)
    backup = next((data / "backups").glob("*.db"))
    backup.write_bytes(backup.read_bytes()[:5000])


NEVER_STARTS = {"newer schema", "a folder for a database"}
KINDS: dict[str, Callable[[Path, random.Random], None]] = {
    "no database": _missing, "empty database": _empty, "no database, no backup": _without_backup,
    "a part of the database": _cut, "overwritten database": _overwritten, "overwritten header": _header,
    "older backup": _older, "log lost": _log_lost, "log damaged": _log_damaged, "files unmounted": _unmounted,
    "foreign files": _foreign, "damaged pictures": _pictures, "newer schema": _newer, "short secret": _short_secret,
    "a folder for a database": _folder_for_database, "folders gone": _folders_gone,
    "damaged backup": _backup_damaged,
}  # fmt: skip
