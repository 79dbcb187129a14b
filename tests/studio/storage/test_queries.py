"""How SQLite goes about what is asked of it: along an index, however many jobs and pictures there are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipelines.base import Artifact
from studio.storage.records import Job, JobStatus
from studio.storage.recovery.pruning import Pruning
from studio.storage.recovery.rows import RecoveryRows
from studio.storage.store import Store
from studio.web.accounts.last_seen import LastSeen
from studio.web.api import create_api
from studio.web.context import Studio
from tests.studio.support.batch_studio import picture

LARGE = ("jobs", "artifacts", "batch_items")
WALKS = ("SCAN jobs", "SCAN artifacts", "SCAN batch_items", "SCAN i ")
FEW = ("INDEX jobs_over", "INDEX batch_items_unchecked")  # they have only those rows that are asked for


class Heard:
    """Every statement of a store, with its values, in the order in which they came."""

    def __init__(self, store: Store, patch: pytest.MonkeyPatch):
        self.asked: list[tuple[str, Any]] = []
        self._store, self._rows, self._transaction = store, store.rows, store.transaction
        patch.setattr(store, "rows", self._read)
        patch.setattr(store, "transaction", self._written)

    def _read(self, query: str, values: Sequence = ()) -> list:
        self.asked.append((query, values))
        return self._rows(query, values)

    @contextmanager
    def _written(self) -> Iterator[Written]:
        with self._transaction() as db:
            yield Written(db, self.asked)

    def plans(self) -> dict[str, list[str]]:
        """Statement -> what SQLite does for it, step by step."""
        return {query: [step["detail"] for step in self._rows(f"EXPLAIN QUERY PLAN {query}", values)]
                for query, values in self.asked}  # fmt: skip

    def walks(self) -> dict[str, list[str]]:
        """Those for which it goes through all rows of a large table, under its own name or a shorter one."""
        walked = {}
        for query, steps in self.plans().items():
            if any(table in query for table in LARGE):
                walked[query] = [step for step in steps if step.startswith(WALKS) and not step.endswith(FEW)]
        return {query: steps for query, steps in walked.items() if steps}


class Written:
    def __init__(self, db: Any, asked: list[tuple[str, Any]]):
        self._db, self._asked = db, asked

    def execute(self, query: str, values: Sequence = ()) -> Any:
        self._asked.append((query, values))
        return self._db.execute(query, values)

    def executemany(self, query: str, lines: Sequence) -> Any:
        lines = list(lines)
        self._asked += [(query, line) for line in lines[:1]]
        return self._db.executemany(query, lines)


@pytest.fixture
def studio(idle: Callable[..., Studio]) -> Studio:
    return idle()


@pytest.fixture
def client(studio: Studio) -> TestClient:
    return TestClient(create_api(studio), base_url="http://127.0.0.1")


def made(studio: Studio, client: TestClient, **request: object) -> Job:
    """A job that was asked for over HTTP, done."""
    answer = client.post("/api/jobs", json={"kind": "image", **request})
    assert answer.status_code == 201, answer.text
    job = studio.store.job(answer.json()["jobs"][0]["id"])
    kind, media_type = ("caption", "text/plain") if request.get("kind") == "caption" else ("image", "image/png")
    data = b"a fox" if kind == "caption" else picture()
    info = {"caption": "a fox", "candidates": []} if kind == "caption" else {"notes": []}
    return studio.gallery.save(job.to(JobStatus.RUNNING), Artifact(kind, media_type, data, info))


def test_no_request_walks_through_all_jobs_or_pictures(studio, client, monkeypatch):
    heard = Heard(studio.store, monkeypatch)
    job = made(studio, client)
    gallery_is_used(client, job.artifact_id)
    sha = client.post("/api/uploads", files={"file": ("a", picture())}).json()["sha256"]
    caption = made(studio, client, kind="caption", picture=sha)
    batch_is_used(studio, client, caption)
    store, owner = studio.store, job.owner
    store.numbered(owner, [1, 2])
    store.vectors(owner, 8)
    store.needed_uploads(owner)
    store.delete_artifacts(owner, [caption.artifact_id])
    LastSeen(store).note(owner)
    assert client.delete(f"/api/gallery/{job.artifact_id}").status_code == 204
    asked = " ".join(query for query, _ in heard.asked)
    for part in ("UPDATE jobs SET artifact_id", "FROM artifacts WHERE hidden = 0", "INSERT INTO batch_edits",
                 "SELECT sum(files)", "trim(text)", "length(vector)"):  # fmt: skip
        assert part in asked
    assert heard.walks() == {}
    unchecked = [steps for query, steps in heard.plans().items() if "trim(text)" in query and "LIMIT" in query]
    assert unchecked
    assert all("batch_items_unchecked" in " ".join(steps) for steps in unchecked)


def gallery_is_used(client: TestClient, id: str) -> None:
    for path in ("/api/gallery?text=fox", "/api/gallery?model=sprite&kind=image&before=9", "/api/search?text=fox",
                 f"/api/gallery/{id}", f"/files/{id}", f"/thumbs/{id}", f"/api/gallery.zip?ids={id}", "/api/jobs",
                 "/api/status", "/api/owner", "/owner"):  # fmt: skip
        assert client.get(path).status_code == 200, path
    assert client.post("/api/owner/code").status_code == 201
    client.post("/api/jobs/cancel")


def batch_is_used(studio: Studio, client: TestClient, caption: Job) -> None:
    batch = f"/api/batches/{client.post('/api/batches', json={'name': 'set'}).json()['batch']['id']}"
    for name, data in (("a.png", picture()), ("a.txt", b"words"), ("b.png", picture("blue")), ("c.png", b"none")):
        client.post(f"{batch}/files", files={"file": (name, data)}, data={"name": name})
    for order in ("place", "name", "agreement", "state"):
        assert client.get(f"{batch}/items?order={order}&text=a&which=doubtful").status_code == 200
    client.patch(f"{batch}/items/1", json={"text": "other words"})
    client.post(f"{batch}/undo")
    assert client.get(f"{batch}/export").status_code == 200
    client.post(f"{batch}/leave", json={"groups": [[1, 2]]})
    client.post(f"{batch}/back", json={"numbers": [2]})
    assert client.post(f"{batch}/run", json={"settings": {}}).status_code == 200
    studio.batches.heard(caption.owner, caption.artifact_id, "a fox")
    rows = studio.batches.rows
    rows.unchecked(set(), 9)
    rows.unchecked_of(batch.rpartition("/")[2])
    client.post(f"{batch}/cancel")
    client.get("/api/batches")
    assert client.delete(batch).status_code == 204


def test_nor_does_what_goes_on_behind_them(studio, client, monkeypatch):
    job = made(studio, client)
    batch_is_used(studio, client, job)
    heard = Heard(studio.store, monkeypatch)
    Pruning(studio.store, 1).prune()
    studio.batches._feed._take_up()
    studio.store.unfinished()
    studio.store.orders(set())
    row = studio.gallery.artifact(job.owner, job.artifact_id)
    rows = RecoveryRows(studio.store)
    rows.adopt([row])
    rows.job_status([job.id])
    rows.give("nobody", job.owner)
    studio.store.without_vector(2**62, 9)
    asked = " ".join(query for query, _ in heard.asked)
    for part in ("INDEXED BY jobs_over", "'wanted'", "SELECT prompt FROM artifacts", "INSERT OR IGNORE INTO artifacts"):
        assert part in asked
    assert heard.walks() == {}


def test_a_walk_would_be_seen(studio, monkeypatch):
    heard = Heard(studio.store, monkeypatch)
    studio.store.rows("SELECT * FROM jobs WHERE error = ?", ("",))
    studio.store.rows("SELECT number FROM batch_items WHERE bytes = ?", (1,))
    with studio.store.transaction() as db:
        db.execute("DELETE FROM artifacts WHERE created < ?", (time.time(),))
    assert len(heard.walks()) == 3
