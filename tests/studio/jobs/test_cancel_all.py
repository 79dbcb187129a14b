"""All of one's own jobs are cancelled at once: by request, in one transaction, told to the worker in one message."""

from __future__ import annotations

import pytest

from studio.jobs.live import KEPT_ENDED
from studio.worker.messages import Cancel
from tests.studio.support.studio_fixture import Rig
from tests.support.serving import Served

SLOW = "delay=0.2"
MANY = 500


def test_five_hundred_jobs_are_cancelled_in_one_go(tmp_path, monkeypatch):
    with Rig(tmp_path) as rig:
        rig.ready()
        running = rig.one("ann", SLOW, seed=1, steps=150)
        rig.stepping("ann", running)
        for _ in range(MANY // 5):
            rig.submit("ann", SLOW, count=5, steps=150)
        other = rig.one("bob")
        sent, updates = [], []
        tell, write = rig.engine._manager._link.send, rig.store.update
        monkeypatch.setattr(rig.engine._manager._link, "send", lambda message: (sent.append(message), tell(message)))
        monkeypatch.setattr(rig.store, "update", lambda *jobs: (updates.append(len(jobs)), write(*jobs)))
        cancelled = rig.engine.cancel_all("ann")
        monkeypatch.undo()
        assert len(cancelled) == MANY + 1
        assert updates.count(MANY + 1) == 1
        assert sum(updates) < MANY + 10  # bob's goes on meanwhile
        assert [len(message.job_ids) for message in sent if isinstance(message, Cancel)] == [MANY + 1]
        assert {job.status for job in rig.store.jobs("ann", 1000)} == {"cancelled"}
        assert rig.ended("bob", other)["status"] == "done"  # and the worker has let go of the others
        assert rig.engine.status("bob")["waiting"] == rig.engine.status("bob")["running"] == 0
        assert rig.engine.cancel_all("ann") == []


def test_a_name_that_is_ended_or_anothers_is_passed_over(tmp_path):
    with Rig(tmp_path) as rig:
        done = rig.one("ann")
        rig.ended("ann", done)
        first, second, other = (rig.one(who, SLOW, steps=150) for who in ("ann", "ann", "bob"))
        assert rig.engine.cancel_all("ann", {done, first, other, "nowhere"}) == [first]
        statuses = [rig.engine.view(who, id)["status"] for who, id in (("ann", done), ("ann", first))]
        assert statuses == ["done", "cancelled"]
        for who, id in (("ann", second), ("bob", other)):
            assert rig.engine.view(who, id)["ended"] is None


def test_a_cancel_that_cannot_be_written_changes_nothing(tmp_path, monkeypatch):
    def full(*jobs):
        raise OSError(28, "No space left on device")

    with Rig(tmp_path) as rig:
        ids = rig.submit("ann", SLOW, count=3, steps=150)
        monkeypatch.setattr(rig.store, "update", full)
        with pytest.raises(OSError, match="No space"):
            rig.engine.cancel_all("ann")
        monkeypatch.undo()
        assert [rig.engine.view("ann", id)["ended"] for id in ids] == [None] * 3
        assert sorted(rig.engine.cancel_all("ann")) == sorted(ids)


def test_the_api_cancels_ones_own_only(studio: Served):
    long = {"model": "tiny", "steps": 150, "width": 128, "height": 128}
    with studio.client() as mine, studio.client() as other:
        jobs = [job["id"] for job in mine.post("/api/jobs", json={**long, "count": 4}).json()["jobs"]]
        theirs = other.post("/api/jobs", json=long).json()["jobs"][0]["id"]
        assert other.post("/api/jobs/cancel", json={"ids": jobs}).json() == {"cancelled": []}
        assert mine.post("/api/jobs/cancel", json={"ids": jobs[:1]}).json() == {"cancelled": jobs[:1]}
        answer = mine.post("/api/jobs/cancel")
        assert (answer.status_code, sorted(answer.json()["cancelled"])) == (200, sorted(jobs[1:]))
        views = mine.get("/api/jobs").json()["jobs"]
        assert {view["status"] for view in views} == {"cancelled"}
        assert other.post("/api/jobs/cancel", json={}).json() == {"cancelled": [theirs]}


@pytest.mark.parametrize("body", [{"ids": "all"}, {"ids": [1]}, {"ids": ["x"] * 1001}, []])
def test_what_names_no_jobs_is_refused_with_a_sentence(studio: Served, body: object):
    with studio.client() as client:
        answer = client.post("/api/jobs/cancel", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")


def test_what_was_finished_before_stays_in_sight(tmp_path):
    with Rig(tmp_path) as rig:
        done = rig.one("ann")
        rig.ended("ann", done)
        for _ in range(KEPT_ENDED // 4 + 1):
            rig.submit("ann", SLOW, count=4, steps=150)
        assert len(rig.engine.cancel_all("ann")) > KEPT_ENDED
        statuses = {view["id"]: view["status"] for view in rig.engine.views("ann")}
        assert statuses.pop(done) == "done"
        assert list(statuses.values()) == ["cancelled"] * KEPT_ENDED
