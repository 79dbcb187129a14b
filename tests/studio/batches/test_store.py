"""A batch survives a death between any two writes, and another program that holds the database for a while."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.batches.records import ItemStatus
from studio.storage.records import JobStatus
from tests.studio.support.batch_studio import ME, Desk
from tests.studio.support.busy_database import held
from tests.studio.support.races import Still


class Killed(BaseException):
    """The process ends here."""


def killed(*_: object, **__: object) -> None:
    raise Killed


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    with Still(tmp_path) as desk:
        yield desk.joined()


def statuses(desk: Desk, id: str) -> list[str]:
    return [str(item.status) for item in desk.batches.rows.items(id)]


def test_a_job_and_its_note_in_the_batch_are_there_together_or_not_at_all(still, monkeypatch):
    id = still.made("a.png")
    still.run(id)
    with monkeypatch.context() as patch:
        patch.setattr(still.batches.rows, "asked", killed)
        with pytest.raises(Killed):
            still.feed()
    assert (still.store.jobs(ME), statuses(still, id)) == ([], [ItemStatus.WANTED])
    still.batches._feed.wake(id)
    still.feed()
    assert (len(still.store.jobs(ME)), statuses(still, id)) == (1, [ItemStatus.ASKED])


def test_wanted_pictures_and_the_running_batch_are_there_together_or_not_at_all(still):
    id = still.made("a.png", "b.png")
    still.store._db.execute("CREATE TRIGGER no BEFORE UPDATE ON batches BEGIN SELECT RAISE(ABORT, 'killed'); END")
    with pytest.raises(Exception, match="killed"):
        still.run(id)
    assert (statuses(still, id), still.batches.get(ME, id).running) == (["new", "new"], False)


def test_a_batch_that_was_stuck_can_be_run_again(still):
    id = still.made("a.png", "b.png", "c.png")
    numbers = [item.number for item in still.items(id).values()]
    still.batches.rows.update(id, numbers, status=ItemStatus.WANTED)
    still.batches.rows.update(id, numbers[:1], text="words", origin="sidecar")
    still.batches.rows.update(id, numbers[1:2], status=ItemStatus.ASKED, job="gone")
    still.batches._feed._take_up()
    assert statuses(still, id) == ["kept", "new", "new"]
    still.run(id)
    assert statuses(still, id) == ["kept", "wanted", "wanted"]


def test_a_caption_that_is_replaced_goes_with_the_note_of_the_new_one(still, monkeypatch):
    id = still.described("first words")
    first = still.items(id)["a.png"].artifact
    still.run(id, again=True)
    still.feed()
    job = still.items(id)["a.png"].job
    with monkeypatch.context() as patch:
        patch.setattr(still.store, "drop_artifact", killed)
        with pytest.raises(Killed):
            still.describes(job, "other words")
    assert statuses(still, id) == ["asked"]
    still.batches._feed._take_up()  # the next start
    item = still.items(id)["a.png"]
    assert (item.text, item.status, item.artifact == first) == ("other words", "done", False)
    assert [row.id for row in still.gallery.page(ME, None, 9)] == [item.artifact]


def test_a_batch_goes_on_when_the_database_is_free_again(tmp_path):
    with Desk(tmp_path) as desk:
        desk.ready()
        id = desk.made("a.png", "b.png", "c.png")
        with held(tmp_path):
            desk.batches._feed.later(lambda: desk.batches.rows.set(id, name="x"))  # the feed finds it held
        desk.run(id)
        with held(tmp_path):
            time.sleep(4)  # jobs end meanwhile, and what the feed would note of them is refused
        items = desk.over(id)
        assert {item.status for item in items.values()} == {"done"}
        done = [job for job in desk.store.jobs(ME) if job.status == JobStatus.DONE]
        assert len(done) == 3
