"""The studio's memory of its jobs: what is true is here and in the store, and every change passes through here."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import Counter
from typing import TYPE_CHECKING

from pipelines.errors import NotFound, TriptychError
from studio.endings import failed
from studio.jobs import Job, JobStatus
from studio.link import Link
from studio.messages import TO_WORKER, Forget, Pause, Picture, Reorder, Stats, Submit
from studio.subscriptions import Subscriptions
from studio.table import Live, Table

if TYPE_CHECKING:
    from studio.gallery import Gallery
    from studio.store import Store

UNREADABLE = "The start picture cannot be read any more: drop it in once more."
log = logging.getLogger(__name__)


class Desk:
    """Whoever calls a method holds `lock`, for moments only: never while a picture is made or written."""

    def __init__(self, store: Store, gallery: Gallery):
        self.store, self.gallery = store, gallery
        self.lock = threading.RLock()
        self.table, self.subscriptions = Table(), Subscriptions()
        self.stats, self.worker = Stats({}, None, 0.0, 0.0), "starting"
        self.trouble = ""  # why the worker does not start
        self._link: Link | None = None
        self._pictures: Counter[str] = Counter()
        self._orders: dict[str, list[str]] = {}

    def admit(self, job: Job) -> Live:
        """A job whose row is committed joins the line."""
        live = Live(job, place=self.table.count(JobStatus.RUNNING, JobStatus.WAITING))
        self.table.add(live)
        self._hand_over(live)
        self.tell(live)
        return live

    def change(self, live: Live, job: Job) -> None:
        """The job as it is from now on: row first, then memory, then everybody who watches."""
        self.store.update(job)
        self.adopt(live, job)

    def conclude(self, live: Live, job: Job) -> None:
        """As `change`, for what cannot be refused: where the row cannot be written (a full disk), memory goes on.

        The row then says that the job was at work, so the next start takes it up again.
        """
        try:
            self.store.update(job)
        except sqlite3.Error:
            log.exception("The end of a job could not be written")
        self.adopt(live, job)

    def adopt(self, live: Live, job: Job) -> None:
        """The same for a job whose row is written already."""
        live.job = job
        if job.status.ended:
            self.table.end(live)
            self._let_go(live)
        self.tell(live)

    def reorder(self, owner: str, job_ids: list[str]) -> None:
        """Remembered, because a fresh worker has to be told again."""
        self._orders[owner] = job_ids
        self.send(Reorder(owner, job_ids))

    def send(self, message: TO_WORKER) -> None:
        """Without a worker nothing is lost: the next one is told everything."""
        if self._link:
            self._link.send(message)

    def tell(self, live: Live) -> None:
        self.subscriptions.tell(live.job.owner, live.job.id)
        self.subscriptions.tell_status()

    def join(self, link: Link) -> None:
        """A fresh worker is told all that is to be done."""
        self._link = link
        self._pictures.clear()
        for live in list(self.table.unfinished()):
            self._hand_over(live)
        for owner, job_ids in self._orders.items():
            self.send(Reorder(owner, job_ids))

    def leave(self, worker: str) -> None:
        """The worker is gone; `worker` is what people read of it."""
        self._link, self.worker = None, worker
        self.subscriptions.tell_status()

    def _hand_over(self, live: Live) -> None:
        if self._link is None:
            return
        try:
            self._send_picture(live.job)
        except (TriptychError, OSError) as error:  # the start picture is not there any more
            self.conclude(live, failed(live.job, error if isinstance(error, TriptychError) else NotFound(UNREADABLE)))
            return
        job = live.job
        self.send(Submit(job.id, job.owner, job.request.model_dump_json(), job.attempts))
        if job.status == JobStatus.PAUSED:
            self.send(Pause(job.id))

    def _send_picture(self, job: Job) -> None:
        """Once for all the jobs that start from it."""
        sha = job.request.start_picture
        if sha and not self._pictures[sha]:
            self.send(Picture(sha, self.gallery.upload(job.owner, sha)))
        if sha:
            self._pictures[sha] += 1

    def _let_go(self, live: Live) -> None:
        sha = live.job.request.start_picture
        if sha and self._pictures[sha]:
            self._pictures[sha] -= 1
            if not self._pictures[sha]:
                self.send(Forget(sha))
        if not any(self.table.unfinished(live.job.owner)):
            self._orders.pop(live.job.owner, None)
