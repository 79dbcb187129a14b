"""What people are told about the queue: places in line, seconds left, rates. Guesses from what lately happened."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING

from studio.worker.scheduler.capacity import Capacity, one_by_one
from studio.worker.scheduler.fairness import Owner

if TYPE_CHECKING:
    from studio.worker.scheduler.work import ScheduledJob, StepBatch

FADE = 0.9  # moving averages over about the last ten batches


class Forecast:
    """Moving averages of the batches that ran, and the cost of changing models."""

    def __init__(self, capacity: Capacity):
        self._capacity = capacity
        self._batches = self._rows = self._steps = self._seconds = 0.0
        self._key: Hashable = None  # of the latest step
        self._switch_seconds: float | None = None

    def stepped(self, batch: StepBatch, seconds: float, *, switched: bool) -> None:
        """A step that also changed the model teaches what changing costs; any other, what a step costs."""
        if switched:
            self._learn_switch(batch, seconds)
            return
        self._capacity.stepped(batch.key, batch.rows, seconds)
        if not one_by_one(batch.key):
            self._key = batch.key
            self._batches = self._batches * FADE + 1
            self._rows = self._rows * FADE + batch.rows
            self._steps = self._steps * FADE + len(batch.ids)
            self._seconds = self._seconds * FADE + seconds

    def _learn_switch(self, batch: StepBatch, seconds: float) -> None:
        usual = self._capacity.seconds(batch.key, batch.rows)
        if usual is not None:
            excess = max(0.0, seconds - usual)
            self._switch_seconds = excess if self._switch_seconds is None else (self._switch_seconds + excess) / 2

    def switch_rows(self, default: int) -> int:
        """What changing the model costs, in rows that could have been served meanwhile."""
        if self._switch_seconds is None or not self._seconds:
            return default
        return round(self._switch_seconds * self._rows / self._seconds)

    def rates(self) -> dict[str, float]:
        """Rows in a step and jobs' steps in a busy second, lately."""
        rows = self._rows / self._batches if self._batches else 0.0
        return {"rows_per_step": rows, "steps_per_second": self._steps / self._seconds if self._seconds else 0.0}

    def forecast(self, owners: Collection[Owner], running: Collection[str]) -> dict[str, tuple[int, float | None]]:
        """(place, seconds left) of every job: first who runs, then in turns each owner's first, second, … job.

        A job ends when its own steps are taken, one a batch, and not before all row-steps up to its own are served.
        """
        line = sorted(self._turns(owners, set(running)), key=lambda turn: turn[:-1])
        pace, served, seen = self._pace(job for *_, job in line), 0, {}
        for place, (rests, waits, *_, job) in enumerate(line):
            served += job.left * job.work.rows + job.work.ahead
            seen[job.work.id] = (place if waits else 0, None if rests or not pace else self._end(job, served, *pace))
        return seen

    def _pace(self, jobs: Iterable[ScheduledJob]) -> tuple[float, float] | None:
        """(seconds a batch, seconds a row) as long as there are so many jobs; None before anything was learned."""
        rows = min(self._capacity.rows(self._key), sum(job.work.rows for job in jobs if not job.rests))
        batch = self._capacity.seconds(self._key, rows)
        return (batch, batch / rows) if batch and rows else None

    def _end(self, job: ScheduledJob, served: int, batch: float, row: float) -> float:
        """Seconds. The steps of later stages are taken to have as many rows as a job lately had."""
        own = job.left + job.work.ahead * self._steps / self._rows
        return max(own * batch, served * row)

    @staticmethod
    def _turns(owners: Collection[Owner], running: set[str]) -> Iterator[tuple]:
        for owner in owners:
            jobs = sorted(owner.jobs.values(), key=lambda job: (job.rests, job.rank))
            for turn, job in enumerate(jobs):
                yield job.rests, job.rests or job.work.id not in running, turn, job.rank, job
