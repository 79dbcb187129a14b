"""The database does not grow by asking and cancelling; what has a picture stays."""

from __future__ import annotations

import time

import pytest

from pipelines.errors import Busy
from pipelines.requests import ImageRequest
from studio import limits
from studio.storage.records import Job, JobStatus
from studio.storage.recovery.pruning import _COUNTS, _MANY, _OLD, Pruning
from studio.storage.store import Store

DAY = 24 * 3600


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "triptych.db")
    yield store
    store.close()


def job(owner: str = "ann", status: str = "cancelled", age: float = 0.0, prompt: str = "a", **fields) -> Job:
    ended = time.time() - age * DAY
    return Job(owner, ImageRequest(prompt=prompt), ended, status=JobStatus(status), ended=ended, **fields)


def test_what_is_over_goes_after_its_days_and_nothing_else(store):
    stays = [job(age=29), job(status="failed", age=1), job(status="done", age=90, artifact_id="made")]
    stays += [Job("ann", ImageRequest(prompt="a"), time.time() - 90 * DAY, status=status)
              for status in (JobStatus.WAITING, JobStatus.RUNNING, JobStatus.PAUSED)]  # fmt: skip
    goes = [job(status=status, age=31) for status in ("cancelled", "failed", "done")]
    store.add(*stays, *goes)
    assert Pruning(store, 30).prune() == len(goes)
    assert {job.id for job in store.jobs("ann")} == {job.id for job in stays}


def test_a_job_that_no_version_can_read_goes_too(store):
    store.add(job(age=0))
    with store.transaction() as db:
        db.execute("UPDATE jobs SET request = '{}', ended = NULL, status = 'failed', created = 0")
    assert Pruning(store, 30).prune() == 1


def test_of_very_many_the_oldest_go(store, monkeypatch):
    mine = [job() for _ in range(limits.ENDED_JOBS_PER_OWNER + 700)]
    kept = job(status="done", age=1, artifact_id="made")
    store.add(kept, *mine, job("bob"))
    pruning = Pruning(store, 30)
    assert pruning.prune() == 700
    assert pruning.prune() == 0
    left = {job.id for job in store.jobs("ann", 10_000)}
    assert left == {kept.id, *(job.id for job in mine[700:])}
    assert len(store.jobs("bob")) == 1


def test_long_texts_go_sooner(store, monkeypatch):
    monkeypatch.setattr(limits, "ENDED_BYTES_PER_OWNER", 20_000)
    long = [job(prompt="x" * 1_900) for _ in range(20)]
    store.add(*long)
    Pruning(store, 30).prune()
    assert 5 < len(store.jobs("ann")) < 10


def test_it_goes_along_the_index_and_not_through_all_pictures(store):
    for query, values in ((_OLD, (0,)), (_COUNTS, ()), (_MANY, ("ann", 1, 1))):
        plan = " ".join(row["detail"] for row in store.rows(f"EXPLAIN QUERY PLAN {query}", values))
        assert "jobs_over" in plan, query


def test_a_database_that_is_held_by_another_program_ends_no_pruning(store, monkeypatch):
    pruning, tries = Pruning(store, 30), []

    def prune() -> int:
        tries.append(1)
        raise Busy("held")

    monkeypatch.setattr(pruning, "prune", prune)
    pruning._again()
    assert tries == [1]


def test_the_thread_ends(store):
    store.add(job(age=31))
    pruning = Pruning(store, 30)
    pruning.start()
    end = time.monotonic() + 60
    while store.jobs("ann") and time.monotonic() < end:
        time.sleep(0.01)
    pruning.stop()
    assert not store.jobs("ann")
