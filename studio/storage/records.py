"""A job: a request with an owner, an id, a status and times."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from pipelines import requests
from pipelines.errors import NotAllowed, TriptychError, WorkerLost
from pipelines.requests import Request

Vector = bytes  # float16
MOST_ATTEMPTS = 2
LOST = "The part of the studio that makes pictures ended twice while it worked on this one; it is not tried again."


class JobStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED)


_ENDS = {JobStatus.FAILED, JobStatus.CANCELLED}
LEGAL: dict[JobStatus, set[JobStatus]] = {
    JobStatus.WAITING: {JobStatus.RUNNING, JobStatus.PAUSED, *_ENDS},
    # back to waiting: the worker died and the job is tried once more from its request
    JobStatus.RUNNING: {JobStatus.DONE, JobStatus.PAUSED, JobStatus.WAITING, *_ENDS},
    JobStatus.PAUSED: {JobStatus.WAITING, JobStatus.RUNNING, *_ENDS},
    JobStatus.DONE: set(),
    JobStatus.FAILED: set(),
    JobStatus.CANCELLED: set(),
}


@dataclass(frozen=True, slots=True)
class Job:
    """Times are seconds since the epoch. `attempts` counts how often a worker has begun it."""

    owner: str
    request: Request
    created: float
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    status: JobStatus = JobStatus.WAITING
    started: float | None = None
    ended: float | None = None
    attempts: int = 0
    error_code: str | None = None
    error: str | None = None
    artifact_id: str | None = None

    def to(self, status: JobStatus, **changes: Any) -> Job:
        """The job in another status; raises NotAllowed where the transition is not legal."""
        if status not in LEGAL[self.status]:
            raise NotAllowed(f"This job is {self.status} and cannot become {status}.")
        return replace(self, status=status, **changes)


@dataclass(frozen=True, slots=True)
class ArtifactRow:
    """What the gallery knows of one file. `bytes` is its size; `request` and `info` are JSON texts.

    `number` grows with every artifact and is the cursor of the listing. Hidden ones are in no listing. `prompt` is what
    it is found by: the prompt, the text spoken, the caption. `vector`: its place in the alignment's space, float16.
    """

    id: str
    owner: str
    job_id: str
    kind: str
    media_type: str
    width: int | None
    height: int | None
    bytes: int
    model: str
    prompt: str
    seed: int | None
    created: float
    hidden: bool
    request: str
    info: str
    number: int = 0
    vector: Vector = b""

    @property
    def score(self) -> float | None:
        """How well picture and words agree, 0…1; None where nobody has looked."""
        return (json.loads(self.info).get("alignment") or {}).get("score")

    def made_from(self) -> requests.Request:
        """The request that this was made from."""
        return requests.from_json(self.request)


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
