import time
from types import SimpleNamespace

import pytest

from pipelines.errors import NotFound
from pipelines.requests import ImageRequest
from studio.jobs import live as live_jobs
from studio.jobs.live import LiveJob, LiveJobs
from studio.jobs.manager import JobManager
from studio.jobs.views import LINE, status_view
from studio.storage.records import Job, JobStatus


def live(owner="ann", **fields):
    return LiveJob(Job(owner, ImageRequest(), time.time(), **fields))


def test_ended_jobs_are_remembered_within_bounds(monkeypatch):
    monkeypatch.setattr(live_jobs, "KEPT_ENDED", 3)
    monkeypatch.setattr(live_jobs, "KEPT_OWNERS", 2)
    jobs = LiveJobs()
    for owner in ("ann", "bob", "ann", "ann", "ann", "eve"):
        one = live(owner)
        jobs.add(one)
        jobs.end(one)
    assert len(jobs.of("ann")) == 3
    assert len(jobs.of("eve")) == 1
    assert jobs.of("bob") == []


@pytest.mark.parametrize("status", [JobStatus.CANCELLED, JobStatus.FAILED])
def test_jobs_that_made_nothing_push_none_out_that_did_nor_the_other_way(monkeypatch, status):
    monkeypatch.setattr(live_jobs, "KEPT_ENDED", 3)
    jobs = LiveJobs()
    for end in [JobStatus.DONE] * 2 + [status] * 5 + [JobStatus.DONE] * 2:
        one = live(status=end)
        jobs.add(one)
        jobs.end(one)
    kept = [one.job.status for one in jobs.of("ann")]
    assert [kept.count(end) for end in (JobStatus.DONE, status)] == [3, 3]


def test_another_owners_job_is_not_found():
    jobs, one = LiveJobs(), live()
    jobs.add(one)
    assert jobs.get("ann", one.job.id) is one
    with pytest.raises(NotFound):
        jobs.get("eve", one.job.id)
    jobs.end(one)
    with pytest.raises(NotFound):
        jobs.get("eve", one.job.id)


def test_the_line_is_by_place_without_names_and_bounded():
    desk = JobManager(SimpleNamespace(late=None), None, None)  # no store: nothing is changed
    jobs = desk.table
    for place in range(LINE + 50, 0, -1):
        one = live(f"secret {place % 3}")
        one.place = place
        jobs.add(one)
    line = status_view(desk, "secret 1")["line"]
    assert [row["place"] for row in line] == list(range(1, LINE + 1))
    assert "secret" not in str(line)
    assert {row["owner_label"] for row in line} == {"you", "somebody 1", "somebody 2"}
    assert line[0]["mine"]
