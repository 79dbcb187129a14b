"""Rows: what is written is read back, transactions are whole, and other threads may call."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from pipelines.requests import ImageRequest
from studio.storage.records import ArtifactRow, Job, JobStatus
from studio.storage.store import Store


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "t.db")
    yield store
    store.close()


def job(owner: str = "a", **fields: object) -> Job:
    return Job(owner, ImageRequest(**fields), time.time())


def artifact(job: Job, id: str = "1", prompt: str = "", model: str = "sprite", hidden: bool = False) -> ArtifactRow:
    request = job.request.model_dump_json()
    return ArtifactRow(
        id, job.owner, job.id, "image", "image/png", 1, 2, 3, model, prompt, 4, 5.0, hidden, request, "{}"
    )  # fmt: skip


def done(job: Job, id: str) -> Job:
    return job.to(JobStatus.RUNNING).to(JobStatus.DONE, artifact_id=id)


def test_a_job_comes_back_as_it_was(store, tmp_path):
    one = job(prompt="狐狸 🦊 'quoted'", seed=2**32 - 1, guidance_scale=0.1)
    store.add(one)
    store.close()
    again = Store(tmp_path / "t.db")
    assert again.job(one.id) == one
    again.close()


def test_updates_keep_every_field(store):
    one = job()
    store.add(one)
    failed = one.to(JobStatus.FAILED, started=1.5, ended=2.5, attempts=2, error_code="error", error="It broke.")
    store.update(failed)
    assert store.job(one.id) == failed


def test_several_jobs_are_added_all_or_none(store):
    one, two = job(), job()
    store.add(one)
    with pytest.raises(Exception, match="UNIQUE"):
        store.add(two, one)
    assert store.job(two.id) is None


def test_lists_are_by_owner_newest_first(store):
    jobs = [job("a"), job("b"), job("a")]
    store.add(*jobs)
    assert store.jobs("a") == [jobs[2], jobs[0]]
    assert store.jobs("a", limit=1) == [jobs[2]]


def test_unfinished_are_in_the_order_in_which_they_came(store):
    jobs = [job() for _ in range(5)]
    store.add(*jobs)
    running = jobs[1].to(JobStatus.RUNNING)
    paused = jobs[2].to(JobStatus.PAUSED)
    store.update(running, paused, jobs[3].to(JobStatus.CANCELLED))
    assert store.unfinished() == [jobs[0], running, paused, jobs[4]]


def test_artifact_and_end_of_job_are_one_transaction(store):
    one = job()
    store.add(one)
    store.add_artifact(artifact(one, "x"), done(one, "x"))
    two = job()
    store.add(two)
    with pytest.raises(Exception, match="UNIQUE"):
        store.add_artifact(artifact(two, "x"), done(two, "x"))
    assert store.job(one.id).artifact_id == "x"
    assert store.job(two.id) == two


def test_listing_filters_and_pages(store):
    one = job()
    store.add(one)
    prompts = ["A red CAT", "a red dog", "ein roter Kater", "Ärger im Haus", "100% cat_ness"]
    rows = [store.add_artifact(artifact(one, str(i), p, model=f"m{i % 2}"), one) for i, p in enumerate(prompts)]
    store.add_artifact(artifact(one, "strip", "a red cat", hidden=True), one)

    def ids(**filters: object) -> list[str]:
        return [row.id for row in store.artifacts("a", **filters)]

    assert ids() == ["4", "3", "2", "1", "0"]
    assert ids(limit=2) == ["4", "3"]
    assert ids(before=rows[3].number) == ["2", "1", "0"]
    assert ids(text="red cat") == ["0"]
    assert ids(text="ÄRGER") == ["3"]
    assert ids(text="%") == ["4"]
    assert ids(text="_") == ["4"]
    assert ids(text="a DOG red", model="m1", before=rows[3].number) == ["1"]
    assert ids(text="a red", limit=1) == ["1"]
    assert ids(model="m1") == ["3", "1"]
    assert store.artifacts("b") == []


def test_deleting_an_artifact_keeps_its_job(store):
    one = job()
    store.add(one)
    store.add_artifact(artifact(one, "x"), done(one, "x"))
    store.delete_artifacts("a", ["x"])
    kept = store.job(one.id)
    assert (kept.status, kept.artifact_id) == (JobStatus.DONE, None)
    assert store.artifact("x") is None


def test_a_row_of_another_version_fails_with_a_reason_and_stops_nobody(store):
    odd, fine = job(), job()
    store.add(odd, fine)
    store._db.execute("UPDATE jobs SET request = ? WHERE id = ?", ('{"kind": "hologram"}', odd.id))
    assert [found.id for found in store.unfinished()] == [fine.id]
    status, error = store._db.execute("SELECT status, error FROM jobs WHERE id = ?", (odd.id,)).fetchone()
    assert status == JobStatus.FAILED
    assert "another version" in error


def test_threads_do_not_lose_each_others_rows(store):
    def add() -> None:
        for _ in range(20):
            store.add(job())

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.unfinished()) == 80


def test_commits_are_synced(store):
    assert store._db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert store._db.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL


def test_orders_are_kept_for_jobs_in_line_and_forgotten_with_the_last(store):
    store.keep_order("ann", ["b", "gone", "a"])
    store.keep_order("bob", ["gone"])
    assert store.orders({"a", "b"}) == {"ann": ["b", "a"]}
    store.keep_order("ann", ["a", "b"])
    assert store.orders({"a", "b"}) == {"ann": ["a", "b"]}
    assert store.orders(set()) == {}


def test_lists_and_vectors_go_along_the_index_to_where_they_begin(store):
    """A hundred thousand artifacts cost neither a page of the gallery nor a search a walk through all of them."""
    asked, rows = [], store.rows
    store.rows = lambda query, values=(): asked.append((query, values)) or rows(query, values)
    store.artifacts("ann", before=9)
    store.vectors("ann", 8, after=3)
    store.artifacts("ann", before=9, model="m", text="red fox")
    for query, values in asked:
        plan = " ".join(line["detail"] for line in rows(f"EXPLAIN QUERY PLAN {query}", values))
        assert "owner=? AND hidden=? AND number" in plan
        assert "TEMP B-TREE" not in plan.replace("USE TEMP B-TREE FOR IN", "")
    assert "INDEX artifacts_words (owner=? AND hidden=? AND number<?)" in plan
