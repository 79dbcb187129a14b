"""Submit, cancel, watch: the one thing that the tabs and the API call. Lives in the web process, without torch.

Every call is for an owner and touches only that owner's jobs; the job of another is NotFound, as if it did not exist.
All methods may be called from any thread; none waits for the device.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.base import Artifact
from pipelines.catalog import Catalog
from pipelines.errors import NotAllowed, NotFound
from pipelines.requests import Request
from studio.admission import check_kind, check_model, check_room, check_uploads
from studio.desk import Desk
from studio.endings import retried, taken_back
from studio.foreman import Foreman
from studio.jobs import Job, JobStatus
from studio.messages import Cancel, Pause, Resume
from studio.streams import Streams
from studio.subscriptions import Subscription
from studio.supervisor import Supervisor, worker_settings
from studio.table import Live
from studio.views import artifact_view, job_view, status_view

if TYPE_CHECKING:
    from studio.gallery import Gallery
    from studio.settings import Settings
    from studio.store import Store


class Engine:
    """`catalog`: the models that may be asked for. `worker`: entries that replace those of `worker_settings`."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        gallery: Gallery,
        catalog: Catalog | None = None,
        worker: Mapping[str, object] | None = None,
    ):
        self._catalog = catalog or Catalog([settings.models])
        self._desk = Desk(store, gallery, Streams(settings.data_dir / "streams"))
        self._store, self._gallery = store, gallery
        self._supervisor = Supervisor({**worker_settings(settings), **(worker or {})}, Foreman(self._desk))

    # --- life ---

    def start(self) -> None:
        """Takes up the jobs of a former process and starts the worker; needs no event loop, waits for no model."""
        with self._desk.lock:
            for job in self._store.unfinished():
                self._take_up(job)
            self._desk.restore_orders()
        self._supervisor.start()

    async def stop(self) -> None:
        """Ends the worker. Jobs at work go back to the line of the next start, and that is not held against them."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._supervisor.stop()
        with self._desk.lock:
            for live in self._desk.table.unfinished():
                if live.job.status == JobStatus.RUNNING:
                    self._store.update(taken_back(live.job))
            self._desk.subscriptions.close()

    def _take_up(self, job: Job) -> None:
        if job.status == JobStatus.RUNNING:
            job = retried(job)
            self._store.update(job)
        if not job.status.ended:
            self._desk.admit(job)

    @property
    def worker_pid(self) -> int | None:
        return self._supervisor.pid

    # --- verbs ---

    def submit(self, owner: str, request: Request) -> list[Job]:
        """`count` jobs in line, rows committed. Raises InvalidRequest, UnknownModel, ModelUnavailable, NotAllowed."""
        check_kind(request)
        singles = request.singles()
        check_model(self._catalog, request)
        check_uploads(self._gallery, owner, request)
        with self._desk.lock:
            check_room(sum(1 for _ in self._desk.table.unfinished(owner)), len(singles))
            jobs = [Job(owner, single, time.time()) for single in singles]
            self._store.add(*jobs)
            for job in jobs:
                self._desk.admit(job)
        return jobs

    def ask(self, owner: str, request: Request) -> Future[Artifact]:
        """A question that leaves no trace: the answer, or the error, comes into the future. Raises as `submit`."""
        check_model(self._catalog, request)
        check_uploads(self._gallery, owner, request)
        with self._desk.lock:
            return self._desk.ask(Job(owner, request, time.time()))

    def cancel(self, owner: str, job_id: str) -> dict:
        """Over at once; the worker takes no further step of it. Raises NotFound, NotAllowed."""
        with self._desk.lock:
            live = self._open(owner, job_id)
            self._desk.change(live, live.job.to(JobStatus.CANCELLED, ended=time.time()))
            self._desk.send(Cancel(job_id))
            return job_view(live)

    def pause(self, owner: str, job_id: str) -> dict:
        """It keeps what it has and takes no further step."""
        with self._desk.lock:
            live = self._open(owner, job_id)
            self._desk.change(live, live.job.to(JobStatus.PAUSED))
            self._desk.send(Pause(job_id))
            return job_view(live)

    def resume(self, owner: str, job_id: str) -> dict:
        with self._desk.lock:
            live = self._open(owner, job_id)
            if live.job.status != JobStatus.PAUSED:
                raise NotAllowed(f"This job is {live.job.status}, not paused.")
            started = live.job.started or time.time()
            job = live.job.to(JobStatus.RUNNING, started=started) if live.begun else live.job.to(JobStatus.WAITING)
            self._desk.change(live, job)
            self._desk.send(Resume(job_id))
            return job_view(live)

    def reorder(self, owner: str, job_ids: list[str]) -> None:
        """The owner's jobs change places among themselves, nobody else's place changes. Ended ones do no harm."""
        with self._desk.lock:
            for job_id in job_ids:
                self._desk.table.get(owner, job_id)
            self._desk.reorder(owner, list(job_ids))

    def retry(self, owner: str, job_id: str) -> Job:
        """The same request once more, as a new job."""
        job = self._job(owner, job_id)
        if not job.status.ended:
            raise NotAllowed(f"This job is {job.status}; only one that is over can be tried again.")
        return self.submit(owner, job.request)[0]

    def on_end(self, hear: Callable[[Job], None]) -> None:
        """`hear` is told of every job that is over, in the thread that ends it: it may only take note."""
        self._desk.ended.append(hear)

    def request(self, owner: str, job_id: str) -> Request:
        """What was asked for, whole (a view cuts long texts); raises NotFound."""
        return self._job(owner, job_id).request

    def renew(self, owner: str, artifact_id: str) -> None:
        """An artifact has been changed; those who watch its job are told."""
        row = self._gallery.artifact(owner, artifact_id)
        with self._desk.lock:
            try:
                live = self._desk.table.get(owner, row.job_id)
            except NotFound:
                return
            live.artifact = artifact_view(live.job, json.loads(row.info))
            self._desk.tell(live)

    # --- watching ---

    def view(self, owner: str, job_id: str) -> dict:
        """The job as JSON; raises NotFound."""
        with self._desk.lock:
            try:
                return job_view(self._desk.table.get(owner, job_id))
            except NotFound:
                return job_view(self._remembered(self._stored(owner, job_id)))

    def views(self, owner: str) -> list[dict]:
        """Unfinished jobs and those that ended lately, newest first."""
        with self._desk.lock:
            return [job_view(live) for live in self._desk.table.of(owner)]

    def pieces(self, owner: str, job_id: str, begin: int = 0) -> list[dict]:
        """What is known of the job's parts that are ready, from number `begin` on; raises NotFound."""
        with self._desk.lock:
            return self._desk.table.get(owner, job_id).pieces[begin:]

    def stream(self, owner: str, job_id: str) -> Path:
        """The growing file of those parts, end to end; raises NotFound."""
        with self._desk.lock:
            self._desk.table.get(owner, job_id)
        return self._desk.streams.path(job_id)

    def status(self, owner: str) -> dict:
        with self._desk.lock:
            return status_view(self._desk, owner)

    def subscribe(self, owner: str) -> Subscription:
        """Events from now on: subscribe first, then ask for `views` and `status`, and nothing is missed."""
        watching = Subscription(
            owner,
            lambda job_id: self._seen(owner, job_id),
            lambda: self.status(owner),
            lambda job_id, begin: self._new_pieces(owner, job_id, begin),
        )
        return self._desk.subscriptions.add(watching)

    # --- inside ---

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

    def _open(self, owner: str, job_id: str) -> Live:
        """The owner's job while something can still be done about it."""
        live = self._desk.table.get(owner, job_id)
        if live.saving or live.job.status.ended:
            raise NotAllowed(f"This job is {'finished' if live.saving else live.job.status} already.")
        return live

    def _job(self, owner: str, job_id: str) -> Job:
        with self._desk.lock:
            try:
                return self._desk.table.get(owner, job_id).job
            except NotFound:
                return self._stored(owner, job_id)

    def _stored(self, owner: str, job_id: str) -> Job:
        job = self._store.job(job_id)
        if job is None or job.owner != owner:
            raise NotFound("There is no such job.")
        return job

    def _remembered(self, job: Job) -> Live:
        """A job that ended long ago, as it was then."""
        live = Live(job)
        if job.artifact_id and (row := self._store.artifact(job.artifact_id)):
            live.step, live.artifact = live.steps, artifact_view(job, json.loads(row.info))
        return live
