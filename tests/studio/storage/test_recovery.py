"""Nothing that a person made is deleted by a start, whatever has happened to the data folder before it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from pipelines.errors import NotFound
from studio.storage.atomic import part_of
from studio.storage.records import JobStatus
from studio.storage.recovery.recovery import NOBODY
from studio.storage.recovery.starting import CannotStart
from tests.studio.support.kept_data import Folder, png


@pytest.fixture
def folder(tmp_path: Path):
    with Folder(tmp_path) as folder:
        yield folder


def contents(data: Path) -> set[bytes]:
    """Everything under files/ and lost+found/, but what describes it."""
    return {
        path.read_bytes()
        for room in ("files", "lost+found")
        for path in (data / room).rglob("*")
        if path.is_file() and path.suffix not in (".json", ".webp")
    }


def everything(folder: Folder) -> list[str]:
    return [folder.picture(seed=1), folder.picture("bob", seed=2), folder.caption(), folder.sound()]


@pytest.mark.parametrize("emptied", [False, True])
def test_without_its_database_everything_is_in_its_owners_gallery_again(folder, emptied):
    ids, before = everything(folder), contents(folder.data)
    rows = {id: folder.store.artifact(id) for id in ids}
    folder.store.close()
    folder.remove_database()
    if emptied:
        (folder.data / "triptych.db").touch()
    report = folder.open()
    assert contents(folder.data) == before
    assert folder.listed("ann") == [ids[3], ids[2], ids[0]]
    assert folder.listed("bob") == [ids[1]]
    assert (report.adopted, report.moved, report.of_nobody) == (4, 0, 0)
    for id in ids:
        now, then = folder.store.artifact(id), rows[id]
        assert (now.request, now.info, now.prompt, now.created) == (then.request, then.info, then.prompt, then.created)
        assert folder.gallery.thumb(now.owner, id)


def test_a_caption_that_was_reworded_comes_back_with_its_last_words(folder):
    id = folder.caption()
    folder.gallery.rewrite("ann", id, "a crimson square")
    folder.store.close()
    folder.remove_database()
    folder.open()
    row = folder.store.artifact(id)
    assert (row.prompt, json.loads(row.info)["caption"]) == ("a crimson square", "a crimson square")


def test_what_lies_in_the_file_is_enough_for_pictures_and_sounds(folder):
    ids = everything(folder)
    requests = {id: folder.store.artifact(id).made_from() for id in ids}
    folder.store.close()
    folder.remove_database()
    for sidecar in (folder.data / "files").rglob("*.json"):
        sidecar.unlink()
    report = folder.open()
    assert set(folder.listed(NOBODY)) == {ids[0], ids[1], ids[3]}
    assert (report.adopted, report.of_nobody, report.moved) == (3, 3, 1)
    assert any("rebuild --owner" in said for said in report.sentences("x"))
    for id in (ids[0], ids[1], ids[3]):
        assert folder.store.artifact(id).made_from() == requests[id]
    (moved,) = folder.lost.rglob("*.txt")
    assert moved.read_text() == "a red square"
    assert moved.relative_to(folder.lost) == folder.file(ids[2], "txt").relative_to(folder.data)


def test_files_that_do_not_say_whose_they_are_go_to_the_only_owner(folder):
    first, second = folder.picture(seed=1), folder.picture(seed=2)
    folder.store.close()
    folder.remove_database()
    folder.file(first, "json").unlink()
    folder.open()
    assert set(folder.listed("ann")) == {first, second}


def test_an_older_database_gets_what_was_made_since(folder):
    first = folder.picture()
    folder.store.close()
    shutil.copy(folder.data / "triptych.db", folder.data / "older")
    folder.open()
    later = folder.picture(seed=8), folder.caption()
    folder.store.close()
    folder.remove_database()
    (folder.data / "older").rename(folder.data / "triptych.db")
    folder.open()
    assert folder.listed() == [later[1], later[0], first]


def test_a_file_of_ours_of_which_nothing_is_known_is_moved_and_never_over_another(folder):
    folder.picture()
    stranger = folder.data / "files" / "ab" / f"{'ab' * 16}.png"
    for _ in range(2):
        folder.store.close()
        stranger.parent.mkdir(exist_ok=True)
        stranger.write_bytes(b"not a picture")
        report = folder.open()
        assert report.moved == 1
        assert not stranger.exists()
    assert sorted(path.name for path in folder.lost.rglob("*") if path.is_file()) == [
        f"{'ab' * 16}-2.png", f"{'ab' * 16}.png"]  # fmt: skip
    assert any("lost+found" in said for said in report.sentences("lost+found/today"))


def test_what_other_programs_and_people_keep_there_neither_hurts_nor_vanishes(folder):
    id = folder.picture()
    room = folder.file(id).parent
    kept = [folder.data / "files" / "note.txt", room / "README.txt", room / ".DS_Store", room / "Thumbs.db",
            room / "@eaDir" / f"{id}.png" / "SYNOPHOTO_THUMB.jpg", folder.data / "files" / "@eaDir" / "x",
            room / "holidays" / "a.png", room / ("cd" * 16 + ".png") / "a.png", room / "film.mkv.part",
            folder.data / "thumbs" / "@eaDir" / "y"]  # fmt: skip
    for path in kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    (room / f"{'ef' * 16}.png").symlink_to(room / "nowhere")
    (room / "loop").symlink_to(room / "loop")
    folder.store.close()
    report = folder.open()
    assert all(path.read_bytes() == b"mine" for path in kept)
    assert folder.listed() == [id]
    assert report.missing == 0


@pytest.mark.parametrize("damage", [b"", b"\x89PNG\r\n\x1a\n", b"half" * 20])
def test_a_damaged_picture_without_a_small_one_stops_no_start(folder, damage):
    id = folder.picture()
    folder.file(id).write_bytes(damage)
    folder.gallery.thumb("ann", id).unlink()
    folder.store.close()
    folder.open()
    assert folder.listed() == [id]
    with pytest.raises(NotFound, match="damaged"):
        folder.gallery.thumb("ann", id)


def test_small_pictures_that_are_gone_are_drawn_when_they_are_asked_for(folder):
    ids = everything(folder)
    shutil.rmtree(folder.data / "thumbs")
    folder.store.close()
    folder.open()
    assert not (folder.data / "thumbs").exists(), "no picture is opened by a start"
    for id in ids:
        assert folder.gallery.thumb(folder.store.artifact(id).owner, id).read_bytes()


@pytest.mark.parametrize("gone", ["absent", "empty", "most"])
def test_a_disk_that_is_not_connected_stops_the_start_and_changes_nothing(folder, gone):
    ids = [folder.picture(seed=seed) for seed in range(8)]
    folder.store.close()
    away = folder.data / "away"
    (folder.data / "files").rename(away)
    if gone != "absent":
        (folder.data / "files").mkdir()
    if gone == "most":
        shutil.copytree(away / ids[0][:2], folder.data / "files" / ids[0][:2])
    with pytest.raises(CannotStart, match=r"\d of the 8 files .* are missing .*--allow-missing"):
        folder.open()
    folder.open(allow_missing=True)
    assert len(folder.listed()) == 8
    assert folder.gallery.missing(folder.store.artifact(ids[7]))
    with pytest.raises(NotFound, match="missing"):
        folder.gallery.file("ann", ids[7])
    assert folder.gallery.thumb("ann", ids[7])
    folder.store.close()
    folder.open()  # what was told once is not told again
    folder.store.close()
    shutil.copytree(away, folder.data / "files", dirs_exist_ok=True)
    assert folder.open().missing == 0
    assert not folder.gallery.missing(folder.store.artifact(ids[7]))
    assert folder.store.job(folder.store.artifact(ids[7]).job_id).artifact_id == ids[7]


def test_a_few_missing_files_are_told_and_stop_nothing(folder):
    ids = [folder.picture(seed=seed) for seed in range(8)]
    for id in ids[:5]:
        folder.file(id).unlink()
    folder.store.close()
    report = folder.open()
    assert report.missing == 5
    assert any("missing" in said for said in report.sentences("x"))
    assert len(folder.listed()) == 8


@pytest.mark.parametrize("kind", ["folder", "dangling link", "loop"])
def test_what_stands_where_a_file_should_is_a_missing_file(folder, kind):
    folder.picture()
    path = folder.file(id := folder.picture())
    path.unlink()
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(path if kind == "loop" else path.with_name("nowhere"))
    folder.store.close()
    assert folder.open().missing == 1
    with pytest.raises(NotFound, match="missing"):
        folder.gallery.file("ann", id)


def test_a_folder_that_cannot_be_read_is_passed_over(folder, monkeypatch):
    ids = [folder.picture(seed=seed) for seed in range(3)]
    closed, real = folder.file(ids[0]).parent, os.scandir

    def scandir(path):
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    folder.store.close()
    report = folder.open()
    assert report.unread == [closed]
    assert set(folder.listed()) == set(ids)


def test_what_a_person_has_deleted_does_not_come_back(folder, monkeypatch):
    kept, gone = folder.picture(), folder.picture()
    folder.caption("bob")
    monkeypatch.setattr(folder.gallery._files, "unlink", lambda id: None)  # we die before it
    folder.gallery.delete("ann", gone)
    folder.store.close()
    folder.open()
    assert folder.listed() == [kept]
    assert not folder.file(gone).exists()
    assert not folder.file(gone, "json").exists()
    assert not folder.lost.exists()


def test_the_picture_of_a_cancelled_job_is_not_put_into_the_gallery(folder):
    folder.picture()
    row = folder.store.artifact(folder.picture())
    with folder.store.transaction() as db:
        db.execute("DELETE FROM artifacts WHERE id = ?", (row.id,))
        db.execute("UPDATE jobs SET status = 'cancelled', artifact_id = NULL WHERE id = ?", (row.job_id,))
    folder.store.close()
    assert folder.open().moved == 1
    assert folder.store.job(row.job_id).status == JobStatus.CANCELLED


def test_half_written_files_go(folder):
    id = folder.picture()
    parts = [part_of(folder.file(id)), part_of(folder.gallery.thumb("ann", id))]
    for part in parts:
        part.write_bytes(png()[:20])
    folder.store.close()
    folder.open()
    assert not any(part.exists() for part in parts)


def test_lost_and_found_that_cannot_be_made_stops_nothing(folder):
    folder.picture()
    (folder.data / "lost+found").write_text("a file of mine")
    stranger = folder.data / "files" / "ab" / f"{'ab' * 16}.png"
    stranger.parent.mkdir(exist_ok=True)
    stranger.write_bytes(b"not a picture")
    folder.store.close()
    report = folder.open()
    assert (report.moved, report.stuck, stranger.exists()) == (0, 1, True)
