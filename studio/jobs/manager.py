"""The studio's memory of its jobs: what is true is here and in the store, and every change passes through here."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from pipelines.base import Artifact
from pipelines.errors import Busy, NotAllowed, NotFound, TriptychError, Unwritable
from studio.jobs.live import LiveJob, LiveJobs
from studio.jobs.questions import PendingQuestions
from studio.jobs.streams import Streams
from studio.jobs.subscriptions import Subscriptions
from studio.storage.records import Job, JobStatus, failed
from studio.worker.connection import Connection
from studio.worker.messages import TO_WORKER, Cancel, Forget, Pause, Picture, Reorder, Stats, Submit

if TYPE_CHECKING:
    from studio.storage.gallery import Gallery
    from studio.storage.store import Store

UNREADABLE = "A file that this job needs cannot be read any more: drop it in once more."
WAITS_BUSY = "Ready, and kept as soon as another program lets go of the database."
WAITS_FULL = "Ready, and kept as soon as there is room on the disk."
Ending = Callable[[Job], Job]


class JobManager:
    """Whoever changes a job holds `store.turn()`, whoever looks at memory or changes it `lock`, in this order.

    `lock` is held for moments only: never while something is written, or waited for that is. The methods that change
    rows (`change`, `conclude`) are called without it, `adopt` and `admit` either way, all others with it.
    """

    def __init__(self, store: Store, gallery: Gallery, streams: Streams):
        self.store, self.gallery, self.streams = store, gallery, streams
        self.lock, self.late = threading.RLock(), store.late
        self.table, self.asks, self.subscriptions = LiveJobs(), PendingQuestions(), Subscriptions()
        self.stats, self.worker = Stats({}, None, 0.0, 0.0), "starting"
        self.ended: list[Callable[[Job], None]] = []  # told of every job that is over; must not take long
        self.closing = False  # no more questions
        self.trouble = ""  # why the worker does not start
        self._link: Connection | None = None
        self._pictures: Counter[str] = Counter()
        self._orders: dict[str, list[str]] = {}

    def admit(self, job: Job) -> LiveJob:
        """A job whose row is committed joins the line."""
        with self.lock:
            live = LiveJob(job, place=self.table.count(JobStatus.RUNNING, JobStatus.WAITING))
            self.table.add(live)
            lost = self._hand_over(live)
            self.tell(live)
        if lost:
            self.conclude(live, lost)
        return live

    def ask(self, job: Job) -> Future[Artifact]:
        """A question without a row; raises what stands in the way of handing it over."""
        if self._link is None or self.closing:
            raise NotAllowed("The studio is still starting; ask again in a moment.")
        self.asks.check_room(job.owner)
        self._send_pictures(job)
        future = self.asks.add(job)
        future.add_done_callback(partial(self._withdraw, job))
        self.send(Submit(job.id, job.owner, job.request.model_dump_json()))
        return future

    def _withdraw(self, job: Job, asked: Future[Artifact]) -> None:
        """Where nobody waits for the answer any more, nobody works on it."""
        if not asked.cancelled():
            return
        with self.lock:
            if self.answer(job.id, NotAllowed("This question was taken back.")):
                self.send(Cancel([job.id]))

    def answer(self, job_id: str, answer: Artifact | TriptychError) -> bool:
        """Whether that was the answer to a question."""
        job = self.asks.answer(job_id, answer)
        if job:
            self._forget_pictures(job)
        return job is not None

    def change(self, *changes: tuple[LiveJob, Job]) -> None:
        """The jobs as they are from now on: rows first, all or none, then memory, then everybody who watches.

        The caller has the turn. Raises Busy, DiskFull, and then nothing has changed.
        """
        jobs = [job for _, job in changes]
        if all(job.status.ended for job in jobs):
            self.store.insist(partial(self.store.update, *jobs))
        else:
            self.store.update(*jobs)
        for live, job in changes:
            self.adopt(live, job)

    def conclude(self, live: LiveJob, ending: Ending) -> None:
        """As `change`, for what cannot be refused: where the row cannot be written, that is done later.

        ending: the job as it is from then on, made of what it is then. Nobody is told of an end before it is written,
        as the next start would undo it; any other change is only behind.
        """
        try:
            if why := self.late.behind(live.job.id):
                raise why
            self._conclude(live, ending)
        except Unwritable as why:
            self._postpone(live, ending, why)

    def _conclude(self, live: LiveJob, ending: Ending) -> None:
        with self.store.turn():
            if live.job.status.ended or (job := ending(live.job)) is live.job:
                return
            self.store.insist(partial(self.store.update, job))
            self.adopt(live, job)

    def _postpone(self, live: LiveJob, ending: Ending, why: Unwritable) -> None:
        with self.lock:
            if live.job.status.ended or (job := ending(live.job)) is live.job:
                return
            if job.status.ended:
                self.wait(live, why)
                write = partial(self._conclude, live, ending)
            else:
                self.adopt(live, job)
                write = partial(self._catch_up, live)
        self.late.add(job.id, write, why)

    def _catch_up(self, live: LiveJob) -> None:
        """The row becomes what memory is by now."""
        with self.store.turn():
            if not live.job.status.ended:
                self.store.insist(partial(self.store.update, live.job))

    def wait(self, live: LiveJob, why: Unwritable) -> None:
        """It is over, and that cannot be written yet."""
        live.saving, live.waits = True, WAITS_BUSY if isinstance(why, Busy) else WAITS_FULL
        self.tell(live)

    def adopt(self, live: LiveJob, job: Job) -> None:
        """Memory and everybody who watches, for a job whose row is written already."""
        with self.lock:
            live.job = job
            if job.status.ended:
                live.saving, live.waits = False, ""
                self.table.end(live)
                self._say_ended(job)
                self._let_go(live)
                self.streams.end(job.id)
            self.tell(live)

    def _say_ended(self, job: Job) -> None:
        if getattr(job.request, "batch", ""):  # its batch keeps it in mind, and others shall not be pushed out
            self.table.forget(job.id, job.owner)
        for hear in self.ended:
            hear(job)

    def reorder(self, owner: str, job_ids: list[str]) -> None:
        """Remembered, because a fresh worker has to be told again, in this process or in the next."""
        self._orders[owner] = job_ids
        self.send(Reorder(owner, job_ids))

    def restore_orders(self) -> None:
        """As a former process has left them; after its jobs were admitted."""
        self._orders = self.store.orders({live.job.id for live in self.table.unfinished()})

    def send(self, message: TO_WORKER) -> None:
        """Without a worker nothing is lost: the next one is told everything."""
        if self._link:
            self._link.send(message)

    def tell(self, live: LiveJob) -> None:
        self.subscriptions.tell(live.job.owner, live.job.id)
        self.subscriptions.tell_status()

    def join(self, link: Connection) -> list[tuple[LiveJob, Ending]]:
        """A fresh worker is told all that is to be done. Returns the ends of jobs that cannot be."""
        self._link = link
        self._pictures.clear()
        unfinished = [live for live in self.table.unfinished() if not live.saving]
        lost = [(live, ending) for live in unfinished if (ending := self._hand_over(live))]
        for owner, job_ids in self._orders.items():
            self.send(Reorder(owner, job_ids))
        return lost

    def leave(self, worker: str) -> None:
        """The worker is gone; `worker` is what people read of it."""
        self._link, self.worker = None, worker
        self.subscriptions.tell_status()

    def _hand_over(self, live: LiveJob) -> Ending | None:
        if self._link is None:
            return None
        try:
            self._send_pictures(live.job)
        except (TriptychError, OSError) as error:  # a picture is not there any more
            self._pictures.update(live.job.request.uploads())  # as its end counts them off
            why = error if isinstance(error, TriptychError) else NotFound(UNREADABLE)
            return lambda job: failed(job, why)
        job = live.job
        self.send(Submit(job.id, job.owner, job.request.model_dump_json(), job.attempts))
        if job.status == JobStatus.PAUSED:
            self.send(Pause(job.id))
        return None

    def _send_pictures(self, job: Job) -> None:
        """Each once for all the jobs that need it; all or none."""
        uploads = job.request.uploads()
        fresh = {sha: self.gallery.upload(job.owner, sha) for sha in uploads if not self._pictures[sha]}
        for sha, data in fresh.items():
            self.send(Picture(sha, data))
        self._pictures.update(uploads)

    def _forget_pictures(self, job: Job) -> None:
        for sha in job.request.uploads():
            if self._pictures[sha]:
                self._pictures[sha] -= 1
                if not self._pictures[sha]:
                    self.send(Forget(sha))

    def _let_go(self, live: LiveJob) -> None:
        self._forget_pictures(live.job)
        if not any(self.table.unfinished(live.job.owner)):
            self._orders.pop(live.job.owner, None)
