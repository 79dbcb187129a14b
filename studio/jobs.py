"""A job: a request with an owner, an id, a status and times."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from pipelines.errors import NotAllowed
from pipelines.requests import Request


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
