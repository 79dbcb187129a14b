"""What a job has made reaches the gallery: the file, then the row, then the word; later, where that cannot be now."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from pipelines.base import Artifact
from pipelines.errors import DiskFull, TriptychError, Unwritable
from studio.jobs.live import LiveJob
from studio.jobs.manager import JobManager
from studio.jobs.views import artifact_view
from studio.storage.records import ArtifactRow, JobStatus, failed

UNSAVED = "This was made but could not be written to the data folder; the log of the studio has the details."
NO_ROOM = "This was made but could not be kept: the disk is full, and too much waits for room on it already."
MOST_BYTES = 512 * 2**20  # of files that wait in memory for room on the disk
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Made:
    """artifact: None from when its file, that of `row`, is written."""

    live: LiveJob
    artifact: Artifact | None
    info: dict
    row: ArtifactRow | None = None


class Saving:
    """Called from the thread that listens to the worker."""

    def __init__(self, desk: JobManager):
        self._manager = desk

    def save(self, live: LiveJob, artifact: Artifact) -> None:
        """live: marked as `saving`, so that nobody cancels it from now on."""
        made = Made(live, artifact, artifact.info)
        try:
            self._write(made)
            if why := self._manager.late.behind(live.job.id):
                raise why
            self._note(made)
        except Unwritable as why:
            self._postpone(made, why)
        except TriptychError as error:
            self._failed(made, error)
        except Exception:
            log.exception("An artifact could not be saved")
            self._failed(made, TriptychError(UNSAVED))

    def _write(self, made: Made) -> None:
        if made.artifact is None:
            return
        job = made.live.job
        made.row = self._manager.gallery.write(job, made.artifact)
        made.artifact = None

    def _note(self, made: Made) -> None:
        live, row = made.live, made.row
        assert row
        with self._manager.store.turn():
            job = live.job
            if job.status.ended:  # cancelled at the same moment
                self._manager.gallery.discard(row)
                return
            done = self._manager.gallery.note(
                row, job if job.status == JobStatus.RUNNING else job.to(JobStatus.RUNNING)
            )
            with self._manager.lock:
                live.step, live.artifact = live.steps, artifact_view(done, made.info)
                self._manager.adopt(live, done)

    def _postpone(self, made: Made, why: Unwritable) -> None:
        size = len(made.artifact.data) if made.artifact else 0
        if size and self._manager.late.bytes + size > MOST_BYTES:
            self._failed(made, DiskFull(NO_ROOM))
            return
        with self._manager.lock:
            made.live.step = made.live.steps
            self._manager.wait(made.live, why)
        self._manager.late.add(made.live.job.id, partial(self._again, made), why, size)

    def _again(self, made: Made) -> None:
        try:
            self._write(made)
            self._note(made)
        except Unwritable as why:
            if made.artifact is None:  # no longer in memory
                self._manager.late.add(made.live.job.id, partial(self._again, made), why)
            raise
        except Exception as error:
            log.exception("An artifact could not be saved")
            self._failed(made, error if isinstance(error, TriptychError) else TriptychError(UNSAVED))

    def _failed(self, made: Made, error: TriptychError) -> None:
        if made.row:
            self._manager.gallery.discard(made.row)
        self._manager.conclude(made.live, lambda job: failed(job, error))
