"""Hears the worker: what it says becomes rows, files and views. When it dies, its jobs go back to the line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from pipelines.base import Artifact
from pipelines.errors import TriptychError
from studio.jobs.manager import JobManager
from studio.jobs.saving import Saving
from studio.jobs.views import data_uri
from studio.storage.records import Job, JobStatus, failed, given_up, retried, taken_back
from studio.worker.connection import Connection
from studio.worker.messages import (
    FROM_WORKER,
    AtWork,
    Begun,
    Chunk,
    Failed,
    Finished,
    GivenUp,
    Note,
    Preview,
    Progress,
    Ready,
    Stats,
    Trouble,
)

log = logging.getLogger(__name__)


class WorkerEvents:
    """The supervisor's listener. What the worker says of a job that is over (cancelled meanwhile) is not heard."""

    def __init__(self, desk: JobManager):
        self._manager = desk
        self._saving = Saving(desk)
        self._at_work: set[str] = set()
        self._verbs: dict[type, Callable] = {
            Ready: self._ready,
            Trouble: self._trouble,
            Begun: self._begun,
            AtWork: self._set_at_work,
            Progress: self._progress,
            Preview: self._preview,
            Note: self._note,
            Chunk: self._chunk,
            Finished: self._finished,
            GivenUp: self._given_up,
            Failed: self._failed,
            Stats: self._stats,
        }

    def joined(self, link: Connection) -> None:
        with self._manager.lock:
            lost = self._manager.join(link)
        for live, ending in lost:
            self._manager.conclude(live, ending)

    def heard(self, message: FROM_WORKER) -> None:
        self._verbs[type(message)](message)

    def lost(self) -> None:
        """Jobs that were being saved are no concern of the worker any more."""
        with self._manager.lock:
            self._manager.leave("restarting")
            unfinished = [live for live in self._manager.table.unfinished() if not live.saving]
            begun = [live for live in unfinished if live.begun]
            for live in unfinished:
                live.start_over()
            at_work, self._at_work = self._at_work, set()
            for job in self._manager.asks.lost():
                log.warning("A question was lost with the worker: %s", job.request.kind)
        for live in begun:
            self._manager.conclude(live, partial(_back, retried if live.job.id in at_work else taken_back))

    def busy(self) -> bool:
        with self._manager.lock:
            if next(self._manager.asks.jobs(), None) is not None:
                return True
            unpaused = (live for live in self._manager.table.unfinished() if live.job.status != JobStatus.PAUSED)
            return any(not live.saving for live in unpaused)

    def _ready(self, message: Ready) -> None:
        with self._manager.lock:
            self._manager.trouble = ""
            self._manager.worker, self._manager.stats = "ready", Stats(message.device, None, 0.0, 0.0)
            self._manager.subscriptions.tell_status()

    def _trouble(self, message: Trouble) -> None:
        with self._manager.lock:
            self._manager.trouble = message.sentence
            self._manager.subscriptions.tell_status()

    def _begun(self, message: Begun) -> None:
        with self._manager.lock:
            live = self._manager.table.find(message.job_id)
            if live is None or live.begun:
                return
            live.begun, live.place = True, 0
        self._manager.conclude(live, _begun)

    def _set_at_work(self, message: AtWork) -> None:
        self._at_work = set(message.job_ids)

    def _progress(self, message: Progress) -> None:
        with self._manager.lock:
            for job_id, step, steps in message.jobs:
                self._set(job_id, step=step, steps=steps)

    def _preview(self, message: Preview) -> None:
        with self._manager.lock:
            self._set(message.job_id, preview=data_uri(message))

    def _note(self, message: Note) -> None:
        with self._manager.lock:
            self._set(message.job_id, note=message.text)

    def _chunk(self, message: Chunk) -> None:
        """A part of what is being made: heard or read before the whole is there."""
        with self._manager.lock:
            live = self._manager.table.find(message.job_id)
            if live is None or message.number != len(live.pieces):
                return
            if message.number == 0:
                self._manager.streams.drop(message.job_id)  # what a former worker had made of it
            self._manager.streams.add(message.job_id, message.data)
            live.pieces.append({**message.info, "number": message.number, "bytes": len(message.data)})
            self._manager.tell(live)

    def _set(self, job_id: str, **values: object) -> None:
        live = self._manager.table.find(job_id)
        if live is None or all(getattr(live, name) == value for name, value in values.items()):
            return
        for name, value in values.items():
            setattr(live, name, value)
        self._manager.tell(live)

    def _stats(self, message: Stats) -> None:
        with self._manager.lock:
            self._manager.stats = message
            for job_id, (place, seconds_left) in message.forecast.items():
                self._foresee(job_id, place, seconds_left)
            self._manager.subscriptions.tell_status()

    def _foresee(self, job_id: str, place: int, seconds_left: float | None) -> None:
        """In a long line the guesses change all the time; those who wait are told when their place changes."""
        live = self._manager.table.find(job_id)
        if live is None:
            return
        worth_telling = live.begun or live.place != place
        live.place, live.seconds_left = place, seconds_left
        if worth_telling:
            self._manager.tell(live)

    def _failed(self, message: Failed) -> None:
        self._over(message.job_id, told(message), lambda job: failed(job, told(message)))

    def _given_up(self, message: GivenUp) -> None:
        why = TriptychError(message.sentence)
        self._over(message.job_id, why, lambda job: given_up(job, message.sentence))

    def _over(self, job_id: str, answer: TriptychError, ending: Callable[[Job], Job]) -> None:
        with self._manager.lock:
            if self._manager.answer(job_id, answer):
                return
            live = self._manager.table.find(job_id)
        if live:
            self._manager.conclude(live, ending)

    def _finished(self, message: Finished) -> None:
        """From `saving` on a cancel comes too late: the file and its row decide, without the lock."""
        artifact = Artifact(message.kind, message.media_type, message.data, message.info, message.vector)
        with self._manager.lock:
            live = self._manager.table.find(message.job_id)
            if self._manager.answer(message.job_id, artifact) or live is None:
                return
            live.saving = True
        self._saving.save(live, artifact)


def _begun(job: Job) -> Job:
    begun = replace(job, started=time.time(), attempts=job.attempts + 1)
    if begun.status == JobStatus.WAITING:
        return begun.to(JobStatus.RUNNING)
    return begun if begun.status == JobStatus.PAUSED else job  # paused just now; this was not heard yet


def _back(after: Callable[[Job], Job], job: Job) -> Job:
    return after(job) if job.status == JobStatus.RUNNING else job


def told(message: Failed) -> TriptychError:
    """The worker's error, as it was raised there."""
    error = TriptychError(message.sentence)
    error.code = message.code
    return error
