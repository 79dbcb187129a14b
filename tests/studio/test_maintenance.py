"""`triptych restore` and `triptych rebuild`, as a person types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import main
from studio.build import lock_data
from studio.storage.recovery.backups import Backups
from studio.storage.recovery.recovery import NOBODY
from studio.storage.recovery.starting import CannotStart
from tests.studio.support.kept_data import Folder


@pytest.fixture
def folder(tmp_path: Path):
    with Folder(tmp_path) as folder:
        yield folder


def typed(folder: Folder, *words: str) -> int:
    """The studio is ended before, and opened after it."""
    folder.store.close()
    status = main([*words, "--data-dir", str(folder.data)])
    try:
        folder.open()
    except CannotStart:
        folder.remove_database()
        folder.open()
    return status


def test_backups_are_listed_and_one_is_put_back(folder, capsys):
    first = folder.picture()
    older = Backups(folder.data).make()
    second = folder.picture()
    newer = Backups(folder.data).make()
    assert typed(folder, "restore") == 0
    listed = capsys.readouterr().out
    assert listed.index(newer.name) < listed.index(older.name)
    assert "1 pictures, sounds and captions" in listed
    assert typed(folder, "restore", "2") == 0
    assert f"{older.name} is the database again" in capsys.readouterr().out
    assert folder.listed() == [second, first], "what was made since has its place again"
    assert (folder.lost / "triptych.db").exists()
    assert typed(folder, "restore", newer.name) == 0
    assert (folder.lost / "triptych-2.db").exists()


def test_pictures_that_were_deleted_since_a_backup_do_not_stop_the_next_start(folder, capsys):
    ids = [folder.picture(seed=seed) for seed in range(9)]
    Backups(folder.data).make()
    for id in ids[:7]:
        folder.gallery.delete("ann", id)
    assert typed(folder, "restore", "1") == 0
    assert "not there any more: 7" in capsys.readouterr().out
    assert folder.report.missing == 7
    assert all(folder.file(id).exists() for id in ids[7:])


@pytest.mark.parametrize("words", [["restore", "3"], ["restore", "../x"], ["restore", "0"]])
def test_a_backup_that_there_is_not_is_refused_in_a_sentence(folder, capsys, words):
    folder.picture()
    Backups(folder.data).make()
    assert typed(folder, *words) == 1
    assert f"backup: got '{words[1]}', allowed is a number from 1 to 1" in capsys.readouterr().err


def test_a_damaged_backup_is_not_put_back(folder, capsys):
    id = folder.picture()
    Backups(folder.data).make().path.write_bytes(b"no database at all, for sure")
    assert typed(folder, "restore", "1") == 1
    assert "is damaged" in capsys.readouterr().err
    assert folder.listed() == [id]
    assert not folder.lost.exists()


@pytest.mark.parametrize("command", ["restore", "rebuild"])
def test_both_keep_away_from_a_studio_that_runs(folder, capsys, command):
    with lock_data(folder.data):
        assert main([command, "--data-dir", str(folder.data)]) == 1
    assert "another Triptych is using the data folder" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["restore", "rebuild"])
def test_a_folder_that_there_is_not_is_not_made(tmp_path, capsys, command):
    assert main([command, "--data-dir", str(tmp_path / "no")]) == 1
    assert "There is no data folder" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("backed_up", [False, True])
def test_a_damaged_database_is_made_anew_and_kept(folder, capsys, backed_up):
    first = folder.picture()
    if backed_up:
        Backups(folder.data).make()
    second = folder.caption("bob")
    folder.store.close()
    (folder.data / "triptych.db").write_bytes(b"no database at all, for sure")
    folder.store.close()
    assert typed(folder, "rebuild") == 0
    told = capsys.readouterr().out
    assert "The database was damaged (file is not a database) and is kept: lost+found/" in told
    assert ("was put in its place" in told) is backed_up
    assert folder.listed("ann") == [first]
    assert folder.listed("bob") == [second]
    assert (folder.lost / "triptych.db").read_bytes() == b"no database at all, for sure"


def test_what_nobody_owns_is_given_to_somebody_and_stays_theirs(folder, capsys):
    ids = folder.picture("ann"), folder.picture("bob"), folder.picture("cid")
    folder.store.close()
    folder.remove_database()
    for id in ids[1:]:
        folder.file(id, "json").unlink()
    folder.file(ids[1]).rename(folder.data / "aside")
    folder.open()
    assert folder.listed("ann") == [ids[2], ids[0]], "the only owner"
    with folder.store.transaction() as db:
        db.execute("UPDATE artifacts SET owner = ? WHERE id = ?", (NOBODY, ids[2]))
    (folder.data / "aside").rename(folder.file(ids[1]))
    assert typed(folder, "rebuild", "--owner", "dan") == 0
    assert "dan" in capsys.readouterr().out
    assert set(folder.listed("dan")) == set(ids[1:])
    folder.store.close()
    folder.remove_database()
    folder.open()
    assert set(folder.listed("dan")) == set(ids[1:])


def test_what_was_put_aside_is_looked_at_again(folder):
    folder.picture("ann")
    id = folder.picture("ann")
    sidecar = folder.file(id, "json").read_bytes()
    picture = folder.file(id).read_bytes()
    folder.gallery.delete("ann", id)
    with folder.store.transaction() as db:
        db.execute("DELETE FROM deletions")
    folder.file(id).write_bytes(b"half of it")
    folder.store.close()
    assert folder.open().moved == 1
    (moved,) = folder.lost.rglob(f"{id}.png")
    moved.write_bytes(picture)
    moved.with_suffix(".json").write_bytes(sidecar)
    assert typed(folder, "rebuild") == 0
    assert id in folder.listed("ann")
