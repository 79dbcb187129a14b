"""How a job ends badly, and how often it is tried."""

from __future__ import annotations

import time

from pipelines.errors import TriptychError, WorkerLost
from studio.jobs import Job, JobStatus

MOST_ATTEMPTS = 2
LOST = "The part of the studio that makes pictures ended twice while it worked on this one; it is not tried again."


def failed(job: Job, error: TriptychError) -> Job:
    return job.to(JobStatus.FAILED, error_code=error.code, error=str(error), ended=time.time())


def given_up(job: Job, sentence: str) -> Job:
    """Cancelled, but by the studio, and it says why."""
    return job.to(JobStatus.CANCELLED, error=sentence, ended=time.time())


def retried(job: Job) -> Job:
    """A running job whose worker is gone: back to the line, or failed when that has happened before."""
    if job.attempts >= MOST_ATTEMPTS:
        return failed(job, WorkerLost(LOST))
    return job.to(JobStatus.WAITING, started=None)


def taken_back(job: Job) -> Job:
    """A running job that was stopped through no fault of its own: back to the line as if it had not begun."""
    return job.to(JobStatus.WAITING, started=None, attempts=job.attempts - 1)
