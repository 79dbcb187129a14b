"""Whatever keeps a studio from starting is one sentence that says what to do; what can be waited for is waited for."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from studio.build import build
from studio.settings import Settings
from studio.storage.database import CHANGES, SCHEMA, VERSION
from studio.storage.recovery import opening
from studio.storage.recovery.backups import Backups
from studio.storage.recovery.opening import open_store
from studio.storage.recovery.starting import CannotStart, Damaged, explained
from studio.storage.store import Store
from tests.studio.support.kept_data import Folder
from tests.support.serving import ROOT


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with a picture in it, closed."""
    with Folder(tmp_path) as folder:
        folder.picture()
    return tmp_path


def said(data: Path, wait: float = 0.0) -> str:
    with pytest.raises(CannotStart) as refused, explained(data):
        open_store(data, wait)[0].close()
    text = str(refused.value)
    assert "\n" not in text
    assert not text.endswith(".")
    return text


def half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def header(path: Path) -> None:
    with path.open("rb+") as file:
        file.write(b"no database at all, for sure")


def pages(path: Path) -> None:
    with path.open("rb+") as file:
        for at in range(4096, path.stat().st_size, 8192):
            file.seek(at)
            file.write(os.urandom(4096))


@pytest.mark.parametrize("damage", [half, header, pages])
def test_a_damaged_database_is_said_with_what_to_do_and_left_as_it_is(data, damage):
    damage(data / "triptych.db")
    before = {path: path.read_bytes() for path in (data / "files").rglob("*") if path.is_file()}
    text = said(data)
    assert "is damaged" in text
    assert "triptych restore" in text
    assert "triptych rebuild" in text
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_folder_in_the_place_of_the_database_is_said(tmp_path):
    (tmp_path / "triptych.db").mkdir()
    assert "cannot be opened" in said(tmp_path)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_newer_database_is_said_and_not_written_to(data, renamed):
    with sqlite3.connect(data / "triptych.db") as db:
        db.execute("PRAGMA user_version = 99")
        if renamed:
            db.execute("ALTER TABLE jobs RENAME COLUMN owner TO whose")
    db.close()
    before = (data / "triptych.db").read_bytes()
    assert f"made by a newer Triptych (its version is 99, this one knows {VERSION}): update Triptych" in said(data)
    assert (data / "triptych.db").read_bytes() == before


class Locked:
    """Another program that has the database for itself."""

    def __init__(self, path: Path):
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self._db.execute("ROLLBACK")
        self._db.close()


def test_a_lock_of_a_while_is_waited_for(data, caplog):
    other = Locked(data / "triptych.db")
    timer = threading.Timer(6.0, other.release)  # longer than SQLite itself waits
    timer.start()
    with explained(data):
        open_store(data)[0].close()
    timer.join()
    assert "waiting" in caplog.text


def test_a_lock_for_good_is_said(data, monkeypatch):
    other = Locked(data / "triptych.db")
    assert "another program has locked the database" in said(data)
    other.release()


def test_a_database_that_cannot_be_written_to_is_said(data, monkeypatch):
    real = sqlite3.connect

    def read_only(path, **options):
        return real(f"{Path(path).as_uri()}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    assert "cannot be written to" in said(data)


def test_a_full_disk_is_said(data, monkeypatch):
    def full(self, *_):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorname = "SQLITE_FULL"
        raise error

    monkeypatch.setattr(opening, "_writable", full)
    monkeypatch.setattr("studio.storage.recovery.starting.LEAST_FREE", 2**60)
    assert "is full: make room there" in said(data)


@pytest.mark.parametrize(("number", "words"), [(errno.ENOSPC, "is full"), (errno.EACCES, "cannot be used")])
def test_what_the_disk_refuses_is_said(tmp_path, number, words):
    with pytest.raises(CannotStart, match=words), explained(tmp_path):
        raise OSError(number, os.strerror(number), str(tmp_path / "x"))


def test_looking_through_a_large_database_ends_in_time(data):
    store = Store(data / "triptych.db")
    opening.look_through(store, seconds=0)
    assert store.artifact_types()
    store.close()


def test_a_database_of_a_former_version_is_copied_before_its_tables_change(tmp_path):
    former = sqlite3.connect(tmp_path / "triptych.db")
    former.executescript(f"{SCHEMA} {CHANGES[0]} PRAGMA user_version = 2;")
    former.close()
    open_store(tmp_path)[0].close()
    (backup,) = Backups(tmp_path).all()
    with sqlite3.connect(backup.path) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == 2
    db.close()


def test_a_start_that_is_refused_lets_go_of_the_folder(data):
    header(data / "triptych.db")
    for _ in range(2):
        with pytest.raises(Damaged):
            build(Settings(data_dir=data))


def test_a_person_reads_one_sentence(data):
    header(data / "triptych.db")
    command = [sys.executable, "app.py", "--port", "0", "--data-dir", str(data)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"Triptych cannot start: the database in {data} is damaged (file is not a database)")
    assert done.stderr.count("\n") == 1
