"""The worker's own loop in this process: real scheduler, real pipeline, real time; messages go to a list."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipelines.requests import ImageRequest
from studio.worker.messages import Failed, Finished, Message
from studio.worker.runner.previews import Previews
from studio.worker.runner.runner import Runner
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler, Work
from tests.bench.model import Model


class FirstComeFirstServed(Scheduler):
    """The same machinery, batching and joining at every step included, but everybody is one owner, and only the order
    of arrival counts. What has been denoised is decoded at once."""

    def add(self, work: Work, now: float) -> None:
        super().add(replace(work, owner="all"), now)
        self._rank(work.id, 1)

    def change(self, work: Work, now: float) -> None:
        super().change(replace(work, owner="all"), now)
        self._rank(work.id, 0 if work.key[0] == "finish" else 1)

    def _rank(self, id: str, urgency: int) -> None:
        job, line = self._jobs[id], self._owners["all"]
        line.leave(job)
        job.rank = (urgency, 0, job.rank[2])
        line.enter(job)


@dataclass
class Drive:
    """Runs jobs that come at given times. `pictures`: uploads by their SHA-256; `done`: seconds from the start to the
    end of each job, `made`: what came of it; `shown`: when each preview had been made, and the seconds that it took."""

    model: Model
    scheduler: Scheduler = field(default_factory=lambda: Scheduler(Capacity()))
    preview_share: float = 0.0
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    done: dict[str, float] = field(default_factory=dict)
    made: dict[str, Finished] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._began = time.perf_counter()
        self.shown: list[tuple[float, float]] = []
        self.previews = Previews(self.preview_share)
        self._pay, self.previews.pay = self.previews.pay, self._paid
        self.runner = Runner(self.model.shelf, self.scheduler, self._hear, self.pictures, self.previews)

    def run(self, jobs: Iterable[tuple[float, str, str, ImageRequest]]) -> Drive:
        """jobs: (seconds after the start, id, owner, request). Until all have ended."""
        coming, began = sorted(jobs, key=lambda job: job[0]), time.perf_counter()
        self._began, worked = began, True
        while coming or worked:
            while coming and coming[0][0] <= time.perf_counter() - began:
                self.runner.submit(*coming.pop(0)[1:])
            worked = self.runner.advance()
            if not worked and coming:
                time.sleep(max(0.0, coming[0][0] - (time.perf_counter() - began)))
        self.seconds = time.perf_counter() - began
        return self

    def _paid(self, job_id: str, now: float, seconds: float) -> None:
        self.shown.append((time.perf_counter() - self._began, seconds))
        self._pay(job_id, now, seconds)

    def _hear(self, message: Message) -> None:
        if isinstance(message, Failed):
            raise RuntimeError(message.sentence)
        if isinstance(message, Finished):
            self.done[message.job_id] = time.perf_counter() - self._began
            self.made[message.job_id] = message
