"""Submit, cancel, watch: the one thing that the tabs and the API call. Lives in the web process, without torch.

Every call is for an owner and touches only that owner's jobs; the job of another is NotFound, as if it did not exist.
All methods may be called from any thread; none waits for the device. But an event loop calls none: they read and write
files, and may wait for the database.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import time
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.base import Artifact
from pipelines.catalog.catalog import Catalog
from pipelines.errors import NotAllowed, NotFound, Unwritable
from pipelines.requests import Request
from studio.jobs.admission import check_kind, check_model, check_room, check_uploads
from studio.jobs.live import LiveJob
from studio.jobs.manager import JobManager
from studio.jobs.queries import JobQueries
from studio.jobs.streams import Streams
from studio.jobs.views import artifact_view, job_view
from studio.jobs.worker_events import WorkerEvents
from studio.quotas.quotas import Quotas
from studio.storage.records import Job, JobStatus, retried, taken_back
from studio.worker import at_work
from studio.worker.messages import TO_WORKER, Cancel, Pause, Resume
from studio.worker.supervisor import Supervisor, worker_settings

if TYPE_CHECKING:
    from studio.settings import Settings
    from studio.storage.gallery import Gallery
    from studio.storage.store import Store

Beside = Callable[[sqlite3.Connection, Sequence[Job]], None]
log = logging.getLogger(__name__)


class Engine(JobQueries):
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
        super().__init__(JobManager(store, gallery, Streams(settings.data_dir / "streams")), store)
        self._gallery, self._data = gallery, settings.data_dir
        self.quotas = Quotas(settings.data_dir, store, settings)
        self._supervisor = Supervisor({**worker_settings(settings), **(worker or {})}, WorkerEvents(self._manager))

    # --- life ---

    def start(self) -> None:
        """Takes up the jobs of a former process and starts the worker; needs no event loop, waits for no model."""
        culprits = at_work.read(self._data)
        for job in self._store.unfinished():
            self._take_up(job, culprits)
        with self._manager.lock:
            self._manager.restore_orders()
        self._supervisor.start()

    async def stop(self) -> None:
        """Ends the worker. Jobs at work go back to the line of the next start, and that is not held against them."""
        await asyncio.to_thread(self._stop)

    def _stop(self) -> None:
        self._supervisor.stop()
        self._manager.late.close()
        with self._manager.lock:
            running = [live.job for live in self._manager.table.unfinished() if live.job.status == JobStatus.RUNNING]
        try:
            self._store.insist(lambda: self._store.update(*map(taken_back, running)))
        except Unwritable as error:
            log.warning("Jobs that were at work will count as tried: %s", error)
        with self._manager.lock:
            self._manager.subscriptions.close()

    def _take_up(self, job: Job, culprits: set[str] | None) -> None:
        """culprits: those over which a former process may have died; None: any that was running."""
        live = self._manager.admit(job)
        if job.status == JobStatus.RUNNING:
            self._manager.conclude(live, retried if culprits is None or job.id in culprits else taken_back)

    @property
    def worker_pid(self) -> int | None:
        return self._supervisor.pid

    # --- verbs ---

    def submit(self, owner: str, request: Request, paced: bool = True, beside: Beside | None = None) -> list[Job]:
        """`count` jobs in line, rows committed. Raises InvalidRequest, UnknownModel, ModelUnavailable, NotAllowed,
        Unwritable.

        paced: a person or a program asks, and may do so only so fast; not where the studio itself keeps a line full.
        beside: writes more rows in the same transaction.
        """
        check_kind(request)
        singles = request.singles()
        check_model(self._catalog, request)
        check_uploads(self._gallery, owner, request)
        self.quotas.check(owner)
        if paced:
            self.quotas.check_pace(owner, len(singles), len(request.model_dump_json()) * len(singles))
        with self._store.turn():
            check_room(self._unfinished(owner), len(singles))
            jobs = [Job(owner, single, time.time()) for single in singles]
            self._store.add(*jobs, beside=beside)
            for job in jobs:
                self._manager.admit(job)
        return jobs

    def _unfinished(self, owner: str) -> int:
        with self._manager.lock:
            return sum(1 for _ in self._manager.table.unfinished(owner))

    def ask(self, owner: str, request: Request) -> Future[Artifact]:
        """A question that leaves no trace: the answer, or the error, comes into the future. Raises as `submit`."""
        check_model(self._catalog, request)
        check_uploads(self._gallery, owner, request)
        with self._manager.lock:
            return self._manager.ask(Job(owner, request, time.time()))

    def answer(self, owner: str, request: Request, seconds: float) -> Artifact:
        """As `ask`, for a thread that can wait; raises TimeoutError, and then the question has left the line, too."""
        asked = self.ask(owner, request)
        try:
            return asked.result(seconds)
        except TimeoutError:
            asked.cancel()
            raise

    async def answered(self, owner: str, request: Request, seconds: float) -> Artifact:
        """As `answer`, without a thread that waits. The question is taken back also where the task is cancelled."""
        asking = asyncio.ensure_future(asyncio.to_thread(self.ask, owner, request))
        try:
            asked = await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(lambda done: done.exception() or done.result().cancel())
            raise
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.wrap_future(asked)
        finally:
            asked.cancel()

    def hang_up(self) -> None:
        """The studio ends: whoever waits for an answer is told, and nobody can ask any more."""
        with self._manager.lock:
            self._manager.closing = True
            self._manager.asks.lost()

    def cancel(self, owner: str, job_id: str) -> dict:
        """Over at once; the worker takes no further step of it. Raises NotFound, NotAllowed, Unwritable."""
        with self._store.turn():
            live = self._open(owner, job_id)
            self._cancel(live)
        return self._shown(live)

    def cancel_all(self, owner: str, job_ids: Container[str] | None = None) -> list[str]:
        """All of the owner's jobs, or those of them that are named; the ids of those that were not over yet."""
        with self._store.turn():
            with self._manager.lock:
                mine = [live for live in self._manager.table.unfinished(owner) if not live.saving]
            chosen = mine if job_ids is None else [live for live in mine if live.job.id in job_ids]
            if chosen:
                self._cancel(*chosen)
            return [live.job.id for live in chosen]

    def pause(self, owner: str, job_id: str) -> dict:
        """It keeps what it has and takes no further step."""
        with self._store.turn():
            live = self._open(owner, job_id)
            self._manager.change((live, live.job.to(JobStatus.PAUSED)))
            self._send(Pause(job_id))
        return self._shown(live)

    def resume(self, owner: str, job_id: str) -> dict:
        with self._store.turn():
            live = self._open(owner, job_id)
            if live.job.status != JobStatus.PAUSED:
                raise NotAllowed(f"This job is {live.job.status}, not paused.")
            started = live.job.started or time.time()
            job = live.job.to(JobStatus.RUNNING, started=started) if live.begun else live.job.to(JobStatus.WAITING)
            self._manager.change((live, job))
            self._send(Resume(job_id))
        return self._shown(live)

    def reorder(self, owner: str, job_ids: list[str]) -> None:
        """The owner's jobs change places among themselves, nobody else's place changes. Ended ones do no harm."""
        with self._store.turn():
            with self._manager.lock:
                for job_id in job_ids:
                    self._manager.table.get(owner, job_id)
            self._store.keep_order(owner, job_ids)
            with self._manager.lock:
                self._manager.reorder(owner, list(job_ids))

    def retry(self, owner: str, job_id: str) -> Job:
        """The same request once more, as a new job."""
        job = self._job(owner, job_id)
        if not job.status.ended:
            raise NotAllowed(f"This job is {job.status}; only one that is over can be tried again.")
        return self.submit(owner, job.request)[0]

    @contextmanager
    def at_rest(self, owner: str) -> Iterator[bool]:
        """Whether nothing of the owner's is in line; while this lasts, nothing comes into it or ends."""
        with self._store.turn():
            yield not self._unfinished(owner)

    def on_end(self, hear: Callable[[Job], None]) -> None:
        """`hear` is told of every job that is over, in the thread that ends it: it may only take note."""
        self._manager.ended.append(hear)

    def tell_batch(self, owner: str, id: str, numbers: Collection[int] | None) -> None:
        """Whoever watches is told that a batch has changed: these of its items, or (None) who knows which."""
        self._manager.subscriptions.tell_batch(owner, id, numbers)

    def forget(self, owner: str, *job_ids: str) -> None:
        """What ended jobs have made was deleted: they need not be shown any more."""
        with self._manager.lock:
            for job_id in job_ids:
                self._manager.table.forget(job_id, owner)

    def renew(self, owner: str, artifact_id: str) -> None:
        """An artifact has been changed; those who watch its job are told."""
        row = self._gallery.artifact(owner, artifact_id)
        with self._manager.lock:
            try:
                live = self._manager.table.get(owner, row.job_id)
            except NotFound:
                return
            live.artifact = artifact_view(live.job, json.loads(row.info))
            self._manager.tell(live)

    # --- inside ---

    def _cancel(self, *lives: LiveJob) -> None:
        """However many there are: one transaction, one message."""
        now = time.time()
        self._manager.change(*((live, live.job.to(JobStatus.CANCELLED, ended=now)) for live in lives))
        self._send(Cancel([live.job.id for live in lives]))

    def _open(self, owner: str, job_id: str) -> LiveJob:
        """The owner's job while something can still be done about it."""
        with self._manager.lock:
            live = self._manager.table.get(owner, job_id)
            if live.saving or live.job.status.ended:
                raise NotAllowed(f"This job is {'finished' if live.saving else live.job.status} already.")
            return live

    def _send(self, message: TO_WORKER) -> None:
        with self._manager.lock:
            self._manager.send(message)

    def _shown(self, live: LiveJob) -> dict:
        with self._manager.lock:
            return job_view(live)
