"""What is known of one's jobs, and who is told when it changes. The engine is this and the verbs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import NotFound
from pipelines.requests import Request
from studio.jobs.live import LiveJob
from studio.jobs.manager import JobManager
from studio.jobs.subscriptions import Subscription
from studio.jobs.views import artifact_view, job_view, status_view
from studio.storage.records import Job

if TYPE_CHECKING:
    from studio.storage.store import Store


class JobQueries:
    """Reads the desk and, for what the desk has forgotten, the store; changes nothing. The job of another is NotFound.

    May be called from any thread; from an event loop only `subscribe` and `worker`.
    """

    def __init__(self, desk: JobManager, store: Store):
        self._manager, self._store = desk, store

    def view(self, owner: str, job_id: str) -> dict:
        """The job as JSON; raises NotFound."""
        with suppress(NotFound), self._manager.lock:
            return job_view(self._manager.table.get(owner, job_id))
        return job_view(self._remembered(self._stored(owner, job_id)))

    def views(self, owner: str) -> list[dict]:
        """Unfinished jobs and those that ended lately, newest first."""
        with self._manager.lock:
            return [job_view(live) for live in self._manager.table.of(owner)]

    def pieces(self, owner: str, job_id: str, begin: int = 0) -> list[dict]:
        """What is known of the job's parts that are ready, from number `begin` on; raises NotFound."""
        with self._manager.lock:
            return self._manager.table.get(owner, job_id).pieces[begin:]

    def stream(self, owner: str, job_id: str) -> Path:
        """The growing file of those parts, end to end; raises NotFound."""
        with self._manager.lock:
            self._manager.table.get(owner, job_id)
        return self._manager.streams.path(job_id)

    def request(self, owner: str, job_id: str) -> Request:
        """What was asked for, whole (a view cuts long texts); raises NotFound."""
        return self._job(owner, job_id).request

    @property
    def worker(self) -> str:
        """What the worker is at: "starting", "ready", "restarting". Waits for nothing."""
        return self._manager.worker

    def status(self, owner: str) -> dict:
        with self._manager.lock:
            return status_view(self._manager, owner)

    def subscribe(
        self, owner: str, batch: Callable[[str, Collection[int] | None], dict | None] = lambda id, numbers: None
    ) -> Subscription:
        """Events from now on: subscribe first, then ask for `views` and `status`, and nothing is missed.

        batch: what is told of a batch that has changed, see `Subscription`.
        """
        watching = Subscription(
            owner,
            lambda job_id: self._seen(owner, job_id),
            lambda: self.status(owner),
            lambda job_id, begin: self._new_pieces(owner, job_id, begin),
            batch,
        )
        return self._manager.subscriptions.add(watching)

    def _seen(self, owner: str, job_id: str) -> dict | None:
        try:
            return self.view(owner, job_id)
        except NotFound:
            return None

    def _new_pieces(self, owner: str, job_id: str, begin: int) -> list[dict]:
        try:
            return self.pieces(owner, job_id, begin)
        except NotFound:
            return []

    def _job(self, owner: str, job_id: str) -> Job:
        with suppress(NotFound), self._manager.lock:
            return self._manager.table.get(owner, job_id).job
        return self._stored(owner, job_id)

    def _stored(self, owner: str, job_id: str) -> Job:
        job = self._store.job(job_id)
        if job is None or job.owner != owner:
            raise NotFound("There is no such job.")
        return job

    def _remembered(self, job: Job) -> LiveJob:
        """A job that ended long ago, as it was then."""
        live = LiveJob(job)
        if job.artifact_id and (row := self._store.artifact(job.artifact_id)):
            live.step, live.artifact = live.steps, artifact_view(job, json.loads(row.info))
        return live
