"""A copy of the database a day, the last seven of them, and how one is put back."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from studio.storage.recovery import backups as backups_module
from studio.storage.recovery.backups import EVERY_SECONDS, KEPT, Backups, damage, newest_whole
from studio.storage.recovery.lost_and_found import LostAndFound
from studio.storage.recovery.notices import Notices
from studio.storage.recovery.rows import RecoveryRows
from studio.storage.recovery.upkeep import Upkeep
from studio.web.accounts.transfer import move
from tests.studio.support.kept_data import Folder


@pytest.fixture
def folder(tmp_path: Path):
    with Folder(tmp_path) as folder:
        yield folder


def test_a_copy_is_whole_while_others_write(folder):
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            folder.picture()

    writer = threading.Thread(target=write)
    writer.start()
    while not folder.listed():
        time.sleep(0.01)
    backup = Backups(folder.data).make()
    over.set()
    writer.join()
    assert damage(backup.path) == ""
    assert backup.path.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(backup.path) as db:
        assert 1 <= db.execute("SELECT count(*) FROM artifacts").fetchone()[0] <= len(folder.listed())
    db.close()
    assert [path.name for path in backup.path.parent.iterdir()] == [backup.name]


def test_the_last_seven_are_kept_and_an_equal_one_takes_no_place(folder):
    backups = Backups(folder.data)
    for number in range(1, KEPT + 4):
        folder.picture()
        assert backups.make().number == number
        assert backups.make().number == number, "nothing has changed"
    assert [backup.number for backup in backups.all()] == list(range(KEPT + 3, 3, -1))


def test_one_a_day_whatever_the_clock_says(folder):
    backups, now = Backups(folder.data), time.time()
    assert backups.due(now)
    backups.make()
    assert not backups.due(now + EVERY_SECONDS / 2)
    assert backups.due(now + EVERY_SECONDS + 60)
    assert backups.due(now - EVERY_SECONDS - 60), "the clock was wrong, and is right again"
    folder.picture()
    os.utime(backups.all()[0].path, (now + 10**8, now + 10**8))
    assert backups.make().number == 2
    assert backups.all()[0].number == 2, "the newest is the last that was made"


def test_where_there_is_no_room_nothing_is_half_written(folder, monkeypatch):
    monkeypatch.setattr(backups_module, "ROOM", 2**62)
    with pytest.raises(OSError, match="it needs"):
        Backups(folder.data).make()
    assert Backups(folder.data).all() == []


def test_a_damaged_database_takes_no_backup_away(folder):
    backups = Backups(folder.data)
    for _ in range(KEPT):
        folder.picture()
        backups.make()
    folder.store.close()
    with (folder.data / "triptych.db").open("rb+") as file:
        for at in range(4096, (folder.data / "triptych.db").stat().st_size, 8192):
            file.seek(at)
            file.write(os.urandom(4096))
    with pytest.raises(sqlite3.DatabaseError):
        backups.make()
    assert len(backups.all()) == KEPT
    assert not list(backups.all()[0].path.parent.glob("*.part*"))
    folder.remove_database()
    folder.open()


def test_a_missing_database_is_put_back_from_its_newest_backup_that_is_whole(folder):
    first, backups = folder.picture(), Backups(folder.data)
    batch = "INSERT INTO batches (id, owner, name, created) VALUES ('b', 'ann', 'holiday', 1)"
    with folder.store.transaction() as db:
        db.execute(batch)
    backups.make()
    second = folder.picture()
    broken = backups.make()
    with broken.path.open("rb+") as file:
        file.write(b"nothing")
    assert newest_whole(backups).number == 1
    third = folder.picture()
    folder.store.close()
    folder.remove_database()
    folder.open()
    assert folder.listed() == [third, second, first]
    assert folder.store.rows("SELECT name FROM batches")[0][0] == "holiday", "what no file tells"
    assert folder.said == [f"The database was missing or empty: its backup {backups.all()[1].name} was put back."]


def test_what_is_put_back_keeps_nothing_of_the_log_that_was_there(folder):
    folder.picture()
    backup = Backups(folder.data).make()
    later = folder.picture()
    kept = sqlite3.connect(folder.data / "triptych.db")  # a reader, so that the log stays when the studio ends
    kept.execute("SELECT count(*) FROM jobs").fetchall()
    folder.store.close()
    assert (folder.data / "triptych.db-wal").stat().st_size
    Backups(folder.data).put_back(backup, LostAndFound(folder.data))
    kept.close()
    assert not (folder.data / "triptych.db-wal").exists()
    assert sorted(path.name for path in folder.lost.iterdir()) == ["triptych.db", "triptych.db-shm", "triptych.db-wal"]
    folder.open()
    assert later in folder.listed()


def upkept(folder: Folder, notices: Notices, undescribed: set[str] = frozenset()) -> None:
    """Upkeep until it has looked once."""
    rows = RecoveryRows(folder.store)
    upkeep = Upkeep(Backups(folder.data), folder.gallery, rows, notices, undescribed, first=0.0)
    upkeep.start()
    end = time.monotonic() + 60
    while not (Backups(folder.data).all() or notices.all()):
        assert time.monotonic() < end
        time.sleep(0.01)
    upkeep.stop()


def test_a_running_studio_makes_its_backup_and_what_is_missing_beside_its_files(folder):
    id = folder.picture()
    folder.file(id, "json").unlink()
    folder.store.close()
    report = folder.open()
    assert report.undescribed == {id}
    upkept(folder, Notices(), report.undescribed)
    assert len(Backups(folder.data).all()) == 1
    assert folder.file(id, "json").exists()


def test_a_gallery_that_has_moved_comes_back_to_whom_it_was_moved(folder):
    id = folder.picture("ann")
    move(folder.data, folder.store, "ann", "bob", lambda owner: nullcontext(), follow=False)
    upkept(folder, Notices())
    assert RecoveryRows(folder.store).undescribed() == []
    folder.store.close()
    folder.remove_database()
    Backups(folder.data).all()[0].path.unlink()
    folder.open()
    assert folder.listed("bob") == [id]


def test_a_backup_that_cannot_be_made_is_told(folder):
    (folder.data / "backups").write_text("a file of mine")
    notices = Notices()
    upkept(folder, notices)
    (said,) = notices.all()
    assert said.startswith("No backup of the database could be made")
