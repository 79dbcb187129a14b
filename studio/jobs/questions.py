"""Questions to the worker that are no jobs: no row, no place in the gallery, only an answer."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING

from pipelines.base import Artifact
from pipelines.errors import NotAllowed, TriptychError, WorkerLost
from studio import limits
from studio.storage.records import Job

if TYPE_CHECKING:
    from collections.abc import Iterator

GONE = "The part of the studio that answers this ended while it worked on it; ask again."


class PendingQuestions:
    """Not thread-safe: whoever uses it holds the studio's lock."""

    def __init__(self) -> None:
        self._open: dict[str, tuple[Job, Future[Artifact]]] = {}

    def check_room(self, owner: str) -> None:
        """Raises NotAllowed."""
        if sum(job.owner == owner for job in self.jobs()) >= limits.QUESTIONS_PER_OWNER:
            raise NotAllowed(f"You have {limits.QUESTIONS_PER_OWNER} questions open; wait for an answer.")

    def add(self, job: Job) -> Future[Artifact]:
        future: Future[Artifact] = Future()
        self._open[job.id] = job, future
        return future

    def jobs(self) -> Iterator[Job]:
        return (job for job, _ in list(self._open.values()))

    def answer(self, job_id: str, answer: Artifact | TriptychError) -> Job | None:
        """The question's job, if that was one; whoever waits for it goes on."""
        job, future = self._open.pop(job_id, (None, None))
        if future is None or not future.set_running_or_notify_cancel():
            return job
        if isinstance(answer, Artifact):
            future.set_result(answer)
        else:
            future.set_exception(answer)
        return job

    def lost(self) -> list[Job]:
        """The worker has died: nobody is left waiting, and nothing is tried twice."""
        jobs = list(self.jobs())
        for job in jobs:
            self.answer(job.id, WorkerLost(GONE))
        return jobs
