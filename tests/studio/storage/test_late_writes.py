"""What cannot be written now is written later, and nobody is told before of what a restart would undo."""

from __future__ import annotations

import io
import threading
import time

import pytest
from PIL import Image

from pipelines.base import Artifact
from pipelines.errors import Busy, DiskFull, NotAllowed, NotFound, Unwritable
from studio.jobs import saving
from studio.jobs.manager import WAITS_BUSY, WAITS_FULL
from studio.storage import database
from studio.storage.late_writes import LateWrites
from studio.storage.records import JobStatus
from studio.storage.store import Store
from studio.worker import at_work
from tests.studio.support.busy_database import Full, held
from tests.studio.support.studio_fixture import Rig

SLOW = "tests.studio.support.fake_pipelines:slow_shelf"  # its worker never gets ready


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as rig:
        rig.ready()
        yield rig


@pytest.fixture
def full(rig, monkeypatch):
    return Full(monkeypatch, rig.store, files=True, rows=True)


def waiting(rig, job, sentence):
    view = rig.until("ann", job, lambda view: view["note"] == sentence)
    assert (view["status"], view["ended"], view["artifact"]) == ("running", None, None)


def test_a_picture_that_is_finished_while_another_program_holds_the_database_is_kept(rig):
    job = rig.one("ann", rig.hold(), seed=7)
    rig.held(7)
    with held(rig.folder):
        rig.release()
        waiting(rig, job, WAITS_BUSY)
        with pytest.raises((NotAllowed, Busy)):
            rig.engine.cancel("ann", job)
        assert rig.gallery.page("ann", None, 9) == []
    view = rig.ended("ann", job)
    assert (view["status"], view["note"]) == ("done", "")
    assert rig.gallery.file("ann", view["artifact"]["id"]).exists()
    assert rig.store.job(job).status == JobStatus.DONE


def test_a_job_that_fails_meanwhile_is_told_of_when_its_row_says_so(rig):
    job = rig.one("ann", rig.hold() + " raise_at=2", seed=7)
    rig.held(7)
    with held(rig.folder):
        rig.release()
        waiting(rig, job, WAITS_BUSY)
    assert rig.ended("ann", job)["status"] == "failed"
    assert rig.store.job(job).status == JobStatus.FAILED


def test_jobs_that_begin_meanwhile_are_done_and_their_rows_catch_up(rig):
    first, second = rig.one("ann", rig.hold(), seed=7), rig.one("ann", "delay=0.05", seed=8, width=128, steps=30)
    rig.held(7)
    with held(rig.folder):
        rig.release()
        rig.stepping("ann", second)
        waiting(rig, first, WAITS_BUSY)
    assert [rig.ended("ann", job)["status"] for job in (first, second)] == ["done", "done"]
    assert rig.store.job(second).attempts == 1


def test_a_picture_waits_in_memory_while_the_disk_is_full(rig, full):
    full.files = full.rows = False
    with pytest.raises(DiskFull):
        rig.one("ann")
    full.rows = True
    job = rig.one("ann", seed=3)
    waiting(rig, job, WAITS_FULL)
    assert list((rig.folder / "files").glob("*/*")) == []
    full.over()
    view = rig.ended("ann", job)
    assert view["status"] == "done"
    assert rig.gallery.file("ann", view["artifact"]["id"]).exists()


def test_no_more_waits_in_memory_than_there_is_room_for(rig, full, monkeypatch):
    monkeypatch.setattr(saving, "MOST_BYTES", 10)
    full.files = False
    assert rig.ended("ann", rig.one("ann"))["error"] == saving.NO_ROOM


def test_what_was_told_stays_true_when_the_studio_starts_again(tmp_path, monkeypatch):
    with Rig(tmp_path) as rig:
        rig.ready()
        jobs = [rig.one("ann", rig.hold() + " raise_at=2", seed=7), rig.one("ann", "raise_at=1", width=128)]
        rig.held(7)
        with monkeypatch.context() as patch:
            full = Full(patch, rig.store)
            rig.release()
            for job in jobs:
                waiting(rig, job, WAITS_FULL)
            told = [rig.engine.view("ann", job)["status"] for job in jobs]
            full.over()
            told = [rig.ended("ann", job)["status"] for job in jobs]
    with Rig(tmp_path) as again:
        assert [again.engine.view("ann", job)["status"] for job in jobs] == told == ["failed", "failed"]


def test_a_worker_that_dies_meanwhile_takes_no_finished_picture_with_it(rig):
    job = rig.one("ann", rig.hold(), seed=7)
    rig.held(7)
    with held(rig.folder):
        rig.release()
        waiting(rig, job, WAITS_BUSY)
        rig.engine._supervisor._link.kill()
        rig.until("ann", job, lambda view: rig.engine.worker == "restarting")
        rig.ready()
    assert rig.ended("ann", job)["status"] == "done"
    assert len(rig.steps(7)) == 3


def test_submitting_says_at_once_that_the_database_is_held_however_many_ask(rig):
    seconds, refused = [], []

    def ask():
        began = time.monotonic()
        try:
            rig.one("ann")
        except Busy as error:
            refused.append(str(error))
        seconds.append(time.monotonic() - began)

    with held(rig.folder):
        askers = [threading.Thread(target=ask) for _ in range(12)]
        for asker in askers:
            asker.start()
        for asker in askers:
            asker.join()
    assert len(refused) == 12
    assert max(seconds) < 12 * database.BUSY_MS / 1000 / 2  # not one after the other
    assert rig.ended("ann", rig.one("ann"))["status"] == "done"


def test_nobody_who_looks_waits_while_somebody_waits_to_write(rig):
    job = rig.one("ann", "delay=0.01", steps=150)
    with held(rig.folder):
        writer = threading.Thread(target=pytest.raises, args=(Busy, rig.engine.pause, "ann", job))
        began = time.monotonic()
        writer.start()
        while writer.is_alive():
            assert rig.engine._manager.lock.acquire(timeout=0.2)
            rig.engine._manager.lock.release()
            rig.engine.view("ann", job)
            rig.engine.status("ann")
            rig.gallery.page("ann", None, 9)
    assert time.monotonic() - began > 0.3


def test_our_own_queue_is_no_reason_to_refuse(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "BUSY_MS", 50)
    store = Store(tmp_path / "t.db")
    inside = threading.Event()

    def long():
        with store.transaction():
            inside.set()
            time.sleep(0.5)

    writer = threading.Thread(target=long)
    writer.start()
    inside.wait()
    with store.transaction():
        pass
    writer.join()
    store.close()


def test_cancel_and_delete_work_on_a_full_disk(rig, full):
    job, view = rig.one("ann", "delay=0.05", steps=150), rig.ended("ann", rig.one("ann", width=128))
    rig.stepping("ann", job)
    full.files = full.rows = False
    with pytest.raises(DiskFull):
        rig.engine.cancel("ann", job)  # the reserve is gone, and nothing was changed
    assert rig.engine.view("ann", job)["status"] == "running"
    rig.store.reserve.held = True
    release = rig.store.reserve.release
    rig.store.reserve.release = lambda: (full.over(), release())[1]  # there is room now
    assert rig.engine.cancel("ann", job)["status"] == "cancelled"
    full.rows = False
    file = rig.gallery.file("ann", view["artifact"]["id"])
    unlink = rig.gallery._files.unlink
    rig.gallery._files.unlink = lambda id: (unlink(id), full.over())  # the file made room
    rig.gallery.delete("ann", view["artifact"]["id"])
    assert not file.exists()
    with pytest.raises(NotFound):
        rig.gallery.artifact("ann", view["artifact"]["id"])


def test_what_was_deleted_is_gone_though_its_row_waits_for_room(rig, full):
    id = rig.ended("ann", rig.one("ann"))["artifact"]["id"]
    file = rig.gallery.file("ann", id)
    full.files = full.rows = False
    rig.gallery.delete("ann", id)
    assert not file.exists()
    assert rig.gallery.page("ann", None, 9) == []
    with pytest.raises(NotFound):
        rig.gallery.artifact("ann", id)
    full.over()
    rig.store.late.write()
    assert rig.store.artifact(id) is None


def test_the_reserve_takes_room_and_gives_it(tmp_path):
    store = Store(tmp_path / "t.db")
    reserve = tmp_path / "reserve"
    assert (store.reserve.held, reserve.stat().st_blocks * 512 >= 8 * 2**20) == (True, True)
    assert store.reserve.release()
    assert not reserve.exists()
    assert not store.reserve.release()
    store.close()
    again = Store(tmp_path / "t.db")
    assert reserve.exists()
    again.close()


def test_a_commit_that_fails_leaves_no_transaction_behind(tmp_path):
    store = Store(tmp_path / "t.db")
    size = store.rows("PRAGMA page_count")[0][0] + 2
    store._db.execute(f"PRAGMA max_page_count={size}")
    for _ in range(2):
        with pytest.raises(DiskFull), store.transaction() as db:
            db.execute("INSERT INTO batch_texts VALUES ('a', 'b', ?)", ("x" * 100_000,))
    store._db.execute("PRAGMA max_page_count=1000000")
    with store.transaction() as db:
        db.execute("INSERT INTO batch_texts VALUES ('a', 'b', 'c')")
    store.close()


def test_late_writes_go_on_until_they_are_done_and_are_tried_a_last_time():
    writes, done, left = LateWrites(pause=0.01), [], {"a": 3, "b": 1}

    def write(key):
        if left[key]:
            left[key] -= 1
            raise Unwritable("not now")
        done.append(key)

    for key in left:
        writes.add(key, lambda key=key: write(key), Unwritable("not now"))
    end = time.monotonic() + 60
    while writes:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert done == ["b", "a"]
    never = LateWrites(pause=3600)
    never.add("c", lambda: done.append("c"), Unwritable("not now"))
    never.close()
    assert done == ["b", "a", "c"]


# --- starting ---


def test_a_picture_whose_row_waited_when_everything_was_killed_is_in_the_gallery_at_the_next_start(tmp_path):
    rig = Rig(tmp_path)
    job = rig.store.job(rig.one("ann"))
    rig.store.update(running := job.to(JobStatus.RUNNING, attempts=1))
    image = io.BytesIO()
    Image.new("RGB", (64, 64)).save(image, "PNG")
    row = rig.gallery.write(running, Artifact("image", "image/png", image.getvalue(), {"width": 64, "height": 64}))
    rig.store.close()
    with Rig(tmp_path, shelf=SLOW) as rig:
        assert rig.engine.view("ann", job.id)["status"] == "done"
        assert [each.id for each in rig.gallery.page("ann", None, 9)] == [row.id]


def test_a_start_while_another_program_holds_the_database(tmp_path):
    with Rig(tmp_path) as rig:
        rig.ready()
        job = rig.one("ann", rig.hold(), seed=7)
        rig.held(7)
        rig.engine._supervisor.stop()
        row = rig.store.job(job)
        rig.release()
    former = Store(tmp_path / "triptych.db")
    former.update(row)  # as a kill would have left it
    former.close()
    with held(tmp_path), Rig(tmp_path) as rig:
        assert rig.engine.view("ann", job)["status"] in ("waiting", "running")


def test_only_jobs_that_were_at_work_count_a_death_of_everything_as_a_try(tmp_path):
    rig = Rig(tmp_path)
    jobs = [rig.store.job(rig.one("ann", seed=seed)) for seed in range(3)]
    twice = [job.to(JobStatus.RUNNING, attempts=2) for job in jobs]
    rig.store.update(*twice)
    rig.store.close()
    at_work.write(tmp_path, [jobs[0].id])
    with Rig(tmp_path, shelf=SLOW, data_dir=str(tmp_path)) as rig:
        assert [rig.engine.view("ann", job.id)["status"] for job in jobs] == ["failed", "waiting", "waiting"]
        assert [rig.store.job(job.id).attempts for job in jobs] == [2, 1, 1]


def test_without_a_note_of_who_was_at_work_every_running_job_may_be_the_one(tmp_path):
    rig = Rig(tmp_path)
    job = rig.store.job(rig.one("ann"))
    rig.store.update(job.to(JobStatus.RUNNING, attempts=2))
    rig.store.close()
    with Rig(tmp_path, shelf=SLOW) as rig:
        assert rig.engine.view("ann", job.id)["error_code"] == "worker_lost"


def test_the_worker_notes_whom_it_is_at(tmp_path):
    with Rig(tmp_path, data_dir=str(tmp_path)) as rig:
        job = rig.one("ann", rig.hold(), seed=7)
        rig.held(7)
        assert at_work.read(tmp_path) == {job}
        rig.release()
        rig.ended("ann", job)
