"""Who takes the next step together. Pure Python: no torch, no clock; the caller passes the time in.

Before every step, so that nothing waits for a batch to drain, `next` asks three questions. Who leads? The most urgent
job among the owners that are still owed rows in this round (fairness.py). Who rides along? Whoever has the same
batch key, up to the rows and bytes that are worth it (capacity.py). And should somebody be prepared first who could
then ride too?
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from itertools import count
from typing import Literal

from pipelines.requests import Priority
from studio.worker.scheduler.capacity import Capacity, one_by_one
from studio.worker.scheduler.fairness import Owner, fairly
from studio.worker.scheduler.forecast import Forecast
from studio.worker.scheduler.work import URGENCY, ScheduledJob, StepBatch, Work

__all__ = ["Scheduler", "StepBatch", "Work"]

BACKGROUND_PART = 4  # an owner with nothing but background work is given a quarter of a quantum
SWITCH_PART = 4  # a round is made so long that changing models takes at most about a quarter of it
RESIDENT_BATCHES = 2  # no more jobs are begun only to ride along when so many full batches of rows are begun already


class Scheduler:
    """Single-threaded. switch_cost_rows: what changing the model costs, in rows, until it was measured.

    aging_seconds: after so long a job has a right to a quarter of its owner's rows, however urgent or short the
    others are. quantum_rows: rows that an owner may lead in one round before the next owner's turn.
    """

    def __init__(
        self, capacity: Capacity, *, switch_cost_rows: int = 32, aging_seconds: float = 30.0, quantum_rows: int = 16
    ):
        self.capacity, self.switch_cost_rows, self.aging_seconds = capacity, switch_cost_rows, aging_seconds
        self._quantum = self._round = quantum_rows
        self._jobs: dict[str, ScheduledJob] = {}
        self._owners: dict[str, Owner] = {}
        self._feeds: dict[Hashable, Hashable] = {}  # key of a first stage -> the key that it lately led to
        self._numbers = count()
        self._last = StepBatch(None, "", (), 0)
        self._outlook = Forecast(capacity)

    def add(self, work: Work, now: float) -> None:
        """A new job. Raises TooLarge if it can never fit, ValueError if the id is known or there is nothing to do."""
        if work.id in self._jobs or work.rows < 1 or work.steps < 1:
            raise ValueError(f"cannot schedule {work}")
        self._admit(work)
        owner = self._owners.setdefault(work.owner, Owner(work.owner, self._quantum))
        job = self._jobs[work.id] = owner.jobs[work.id] = ScheduledJob(work, next(self._numbers), now)
        owner.enter(job)

    def change(self, work: Work, now: float) -> None:
        """The job enters its next stage and keeps its place. Raises TooLarge; does nothing for a job that has left."""
        if not (job := self._jobs.get(work.id)):
            return
        self._admit(work)
        if not job.staged:
            self._feeds[job.work.key] = work.key
        owner = self._owners[job.work.owner]
        owner.leave(job)
        job.work, job.left, job.staged = work, work.steps, True
        job.settle()
        owner.enter(job)

    def next(self, now: float) -> StepBatch | None:
        """Whose work goes next, together; None if nothing can run."""
        active = [owner for owner in self._owners.values() if owner.lines]
        if not active:
            return None
        while not any(owner.owed > 0 for owner in active):
            self._new_round(active)
        return self._gather(min(self._leaders(active, now))[-1], active)

    def step(self, batch: StepBatch, now: float, seconds: float) -> None:
        """The batch took one step in so many seconds: count it, charge its owners, learn what it cost."""
        self._outlook.stepped(batch, seconds, switched=self._last.model != batch.model)
        self._last = batch
        for job in filter(None, map(self._jobs.get, batch.ids)):
            owner = self._owners[job.work.owner]
            owner.charge(job, floor=1 - self._round)
            owner.leave(job)
            job.left = max(0, job.left - 1)
            job.settle()
            owner.enter(job)

    def finish(self, id: str) -> None:
        """The job has ended, well or not; it leaves at once. Unknown ids are fine: it may have been cancelled."""
        if job := self._jobs.pop(id, None):
            owner = self._owners[job.work.owner]
            owner.leave(job)
            del owner.jobs[id]

    def cancel(self, id: str) -> bool:
        """The job leaves before the next step; False where there is no such job."""
        known = id in self._jobs
        self.finish(id)
        return known

    def pause(self, id: str, now: float) -> bool:
        """The job takes no step until it is resumed; False where that changes nothing."""
        return self._set(id, "paused", True)

    def resume(self, id: str, now: float) -> bool:
        """The job goes on from where it was; False where it was not paused."""
        return self._set(id, "paused", False)

    def hold(self, id: str) -> bool:
        """What the job needs is not here yet: it keeps its place and takes no step until it is released."""
        return self._set(id, "held", True)

    def release(self, id: str) -> bool:
        """What it was held for is here; False where it was not held."""
        return self._set(id, "held", False)

    def reorder(self, owner: str, ids: Sequence[str]) -> None:
        """These jobs of one owner, in this order, share out the places that they hold now; all others keep theirs.

        Only jobs that wait have a place to give: all other ids are ignored, also running and paused jobs and strangers.
        """
        if not (line := self._owners.get(owner)):
            return
        named = [line.jobs[id] for id in dict.fromkeys(ids) if id in line.jobs and id not in self._last.ids]
        jobs = [job for job in named if job.left and not job.paused]
        places = sorted((job.rank, job.arrived) for job in jobs)
        for job in jobs:
            line.leave(job)
        for job, (job.rank, job.arrived) in zip(jobs, places, strict=True):
            line.enter(job)

    def out_of_memory(self, batch: StepBatch) -> bool:
        """Halve the batches of this key. False where the batch was a single job: that one has to be given up."""
        if len(batch.ids) < 2:
            return False
        self.capacity.shrink(batch.key, batch.rows)
        return True

    def place(self, id: str) -> int:
        """0: takes the next step, or is in the running batch; else how many jobs go before it. KeyError if unknown."""
        return self.forecast()[id][0]

    def seconds_left(self, id: str) -> float | None:
        """A guess from what lately happened; None while nothing did or the job is paused. KeyError if unknown."""
        return self.forecast()[id][1]

    def forecast(self) -> dict[str, tuple[int, float | None]]:
        """(place, seconds left) of every job at once: for many jobs far cheaper than asking for each."""
        return self._outlook.forecast(self._owners.values(), self._last.ids)

    def stats(self) -> dict:
        """rows_per_step and steps_per_second (lately), running, waiting and paused jobs, rows served by owner."""
        running = sum(id in self._jobs for id in self._last.ids)
        paused = sum(job.paused for id, job in self._jobs.items() if id not in self._last.ids)
        counts = {"running": running, "paused": paused, "waiting": len(self._jobs) - running - paused}
        owners = {owner.name: owner.served for owner in self._owners.values()}
        return {**self._outlook.rates(), **counts, "model": self._last.model, "owners": owners}

    def _admit(self, work: Work) -> None:
        self.capacity.check(work.key, work.rows, work.bytes_per_row)
        self._quantum = max(self._quantum, work.rows)

    def _leaders(self, active: Collection[Owner], now: float) -> Iterator[tuple]:
        """One tuple for everybody who may lead; the least is the most urgent. Staying with the model comes before
        shortness, so that within a round each model is wanted on the device once."""
        for owner in active:
            heads = owner.heads(now, self.aging_seconds)
            for job in heads if owner.owed > 0 else ():
                urgency, size, number = job.rank
                other_model = job.work.model != self._last.model
                yield job is not owner.elder, urgency, other_model, size, -owner.owed, number, job

    def _gather(self, leader: ScheduledJob, active: Collection[Owner]) -> StepBatch:
        """The leader and its mates. Somebody who has to be prepared to ride along goes before them: but of the
        jobs that are longer or less urgent than the leader only one after every step, so that a short one is not
        held up by many preparations."""
        key, chosen = leader.work.key, [leader]
        room = self.capacity.rows(key, leader.work.bytes_per_row) - leader.work.rows
        limit = leader.rank[:2] if one_by_one(self._last.key) else (len(URGENCY),)
        for job in fairly(active, key, self._feeders(key, active), limit) if room > 0 else ():
            if job is not leader and job.work.rows <= room:
                if job.work.key != key:
                    return self._gather(job, active)
                chosen.append(job)
                room -= job.work.rows
            if not room:
                break
        return StepBatch(
            key, leader.work.model, tuple(job.work.id for job in chosen), sum(job.work.rows for job in chosen)
        )

    def _feeders(self, key: Hashable, active: Collection[Owner]) -> list[Hashable]:
        """Keys of jobs whose preparation may lead to this key; none while enough is begun."""
        feeders = [first for first, led_to in self._feeds.items() if led_to == key != first]
        if feeders:
            lines = (line for owner in active for line in owner.lines.values() if line[0].staged)
            begun = sum(job.work.rows for line in lines for job in line)
            return feeders if begun < RESIDENT_BATCHES * self.capacity.row_cap else []
        return []

    def _new_round(self, active: Collection[Owner]) -> None:
        """Rows for everybody with work; a round is longer where models have to be changed in it."""
        heads = [[line[0] for line in owner.lines.values()] for owner in active]
        models = {job.work.model for jobs in heads for job in jobs}
        self._round = self._quantum
        if len(models) > 1:
            cost = self._outlook.switch_rows(self.switch_cost_rows)
            self._round = max(self._quantum, SWITCH_PART * cost * len(models) // len(active))
        for owner, jobs in zip(active, heads, strict=True):
            background = min(job.rank[0] for job in jobs) == URGENCY[Priority.BACKGROUND]
            part = max(1, self._round // BACKGROUND_PART) if background else self._round
            owner.owed = min(self._round, owner.owed + part)
        self._owners = {name: owner for name, owner in self._owners.items() if owner.jobs}

    def _set(self, id: str, why: Literal["paused", "held"], rests: bool) -> bool:
        job = self._jobs.get(id)
        if not job or getattr(job, why) == rests:
            return False
        owner = self._owners[job.work.owner]
        owner.leave(job)
        setattr(job, why, rests)
        owner.enter(job)
        return True
