"""Hears the worker: what it says becomes rows, files and views. When it dies, its jobs go back to the line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace

from pipelines.base import Artifact
from pipelines.errors import TriptychError
from studio.desk import Desk
from studio.endings import failed, given_up, retried, taken_back
from studio.jobs import Job, JobStatus
from studio.link import Link
from studio.messages import (
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
from studio.table import Live
from studio.views import artifact_view, data_uri

UNSAVED = "This was made but could not be written to the data folder; is the disk full?"
log = logging.getLogger(__name__)


class Foreman:
    """The supervisor's listener. What the worker says of a job that is over (cancelled meanwhile) is not heard."""

    def __init__(self, desk: Desk):
        self._desk = desk
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

    def joined(self, link: Link) -> None:
        with self._desk.lock:
            self._desk.join(link)

    def heard(self, message: FROM_WORKER) -> None:
        self._verbs[type(message)](message)

    def lost(self) -> None:
        with self._desk.lock:
            self._desk.leave("restarting")
            for live in list(self._desk.table.unfinished()):
                begun = live.begun
                live.start_over()
                if begun and live.job.status == JobStatus.RUNNING:
                    after = retried if live.job.id in self._at_work else taken_back
                    self._desk.conclude(live, after(live.job))
            self._at_work = set()
            for job in self._desk.asks.lost():
                log.warning("A question was lost with the worker: %s", job.request.kind)

    def busy(self) -> bool:
        with self._desk.lock:
            asked = next(self._desk.asks.jobs(), None) is not None
            return asked or bool(self._desk.table.count(JobStatus.RUNNING, JobStatus.WAITING))

    def _ready(self, message: Ready) -> None:
        with self._desk.lock:
            self._desk.trouble = ""
            self._desk.worker, self._desk.stats = "ready", Stats(message.device, None, 0.0, 0.0)
            self._desk.subscriptions.tell_status()

    def _trouble(self, message: Trouble) -> None:
        with self._desk.lock:
            self._desk.trouble = message.sentence
            self._desk.subscriptions.tell_status()

    def _begun(self, message: Begun) -> None:
        with self._desk.lock:
            live = self._desk.table.find(message.job_id)
            if live is None or live.begun:
                return
            live.begun, live.place = True, 0
            begun = replace(live.job, started=time.time(), attempts=live.job.attempts + 1)
            if begun.status == JobStatus.WAITING:
                self._desk.conclude(live, begun.to(JobStatus.RUNNING))
            elif begun.status == JobStatus.PAUSED:  # just now; this was not heard yet
                self._desk.conclude(live, begun)

    def _set_at_work(self, message: AtWork) -> None:
        self._at_work = set(message.job_ids)

    def _progress(self, message: Progress) -> None:
        with self._desk.lock:
            for job_id, step, steps in message.jobs:
                self._set(job_id, step=step, steps=steps)

    def _preview(self, message: Preview) -> None:
        with self._desk.lock:
            self._set(message.job_id, preview=data_uri(message))

    def _note(self, message: Note) -> None:
        with self._desk.lock:
            self._set(message.job_id, note=message.text)

    def _chunk(self, message: Chunk) -> None:
        """A part of what is being made: heard or read before the whole is there."""
        with self._desk.lock:
            live = self._desk.table.find(message.job_id)
            if live is None or message.number != len(live.pieces):
                return
            if message.number == 0:
                self._desk.streams.drop(message.job_id)  # what a former worker had made of it
            self._desk.streams.add(message.job_id, message.data)
            live.pieces.append({**message.info, "number": message.number, "bytes": len(message.data)})
            self._desk.tell(live)

    def _set(self, job_id: str, **values: object) -> None:
        live = self._desk.table.find(job_id)
        if live is None or all(getattr(live, name) == value for name, value in values.items()):
            return
        for name, value in values.items():
            setattr(live, name, value)
        self._desk.tell(live)

    def _stats(self, message: Stats) -> None:
        with self._desk.lock:
            self._desk.stats = message
            for job_id, (place, seconds_left) in message.forecast.items():
                self._foresee(job_id, place, seconds_left)
            self._desk.subscriptions.tell_status()

    def _foresee(self, job_id: str, place: int, seconds_left: float | None) -> None:
        """In a long line the guesses change all the time; those who wait are told when their place changes."""
        live = self._desk.table.find(job_id)
        if live is None:
            return
        worth_telling = live.begun or live.place != place
        live.place, live.seconds_left = place, seconds_left
        if worth_telling:
            self._desk.tell(live)

    def _failed(self, message: Failed) -> None:
        with self._desk.lock:
            if self._desk.answer(message.job_id, told(message)):
                return
            live = self._desk.table.find(message.job_id)
            if live:
                self._desk.conclude(live, failed(live.job, told(message)))

    def _given_up(self, message: GivenUp) -> None:
        with self._desk.lock:
            if self._desk.answer(message.job_id, TriptychError(message.sentence)):
                return
            live = self._desk.table.find(message.job_id)
            if live:
                self._desk.conclude(live, given_up(live.job, message.sentence))

    def _finished(self, message: Finished) -> None:
        """From `saving` on a cancel comes too late: the file and its row decide, without the lock."""
        artifact = Artifact(message.kind, message.media_type, message.data, message.info, message.vector)
        with self._desk.lock:
            live = self._desk.table.find(message.job_id)
            if self._desk.answer(message.job_id, artifact) or live is None:
                return
            live.saving = True
        job = self._saved(live, artifact)
        with self._desk.lock:
            live.saving = False
            if job.status == JobStatus.DONE:
                live.step, live.artifact = live.steps, artifact_view(job, message.info)
                self._desk.adopt(live, job)
            else:
                self._desk.conclude(live, job)

    def _saved(self, live: Live, artifact: Artifact) -> Job:
        job = live.job if live.job.status == JobStatus.RUNNING else live.job.to(JobStatus.RUNNING)
        try:
            return self._desk.gallery.save(job, artifact)
        except TriptychError as error:
            return failed(job, error)
        except Exception:
            log.exception("An artifact could not be saved")
            return failed(job, TriptychError(UNSAVED))


def told(message: Failed) -> TriptychError:
    """The worker's error, as it was raised there."""
    error = TriptychError(message.sentence)
    error.code = message.code
    return error
