"""Who takes the next step together. Pure Python: no torch, no clock; the caller passes the time in.

`next` asks three questions. Who leads? The most urgent job among the owners that are still owed rows in this round
(fairness.py). Who rides along? Whoever has the same batch key, in the same order, up to the rows and bytes that
are worth it (capacity.py). Should somebody be prepared first, who could ride too? Then that goes before.
Nothing waits for a batch to drain: the choice is made anew before every step.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from pipelines.requests import Priority
from studio.capacity import Capacity
from studio.fairness import Job, Owner
from studio.outlook import Outlook

URGENCY = {Priority.INTERACTIVE: 0, Priority.NORMAL: 1, Priority.BACKGROUND: 2}
BACKGROUND_PART = 4  # an owner with background work only is given a quarter of a quantum
SWITCH_PART = 4  # a round is made so long that changing models takes at most about a quarter of it
RESIDENT_BATCHES = 2  # no more jobs are begun only to ride along when so many full batches of rows are begun already


@dataclass(frozen=True, slots=True)
class Work:
    """One stage of one job. rows: lines of a model batch in each of its `steps` steps.

    ahead: rows x steps of the stages after this one, so that a job that is only waiting to be prepared is already
    known for long or short. bytes_per_row: predicted peak of the largest stage; 0 means unknown.
    """

    id: str
    owner: str
    key: Hashable
    model: str
    rows: int
    steps: int
    priority: Priority
    bytes_per_row: int = 0
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs that take one step together."""

    key: Hashable
    model: str
    ids: tuple[str, ...]
    rows: int


class Scheduler:
    """Single-threaded. switch_cost_rows: what changing the model costs, in rows, until it was measured.

    aging_seconds: after so long a job has a right to a quarter of its owner's rows, however urgent or short the
    others are. quantum_rows: rows an owner may lead in one round before the next owner's turn.
    """

    def __init__(
        self, capacity: Capacity, *, switch_cost_rows: int = 32, aging_seconds: float = 30.0, quantum_rows: int = 16
    ):
        self.capacity, self.switch_cost_rows, self.aging_seconds = capacity, switch_cost_rows, aging_seconds
        self._quantum, self._round = quantum_rows, quantum_rows
        self._jobs: dict[str, Job] = {}
        self._owners: dict[str, Owner] = {}
        self._feeds: dict[Hashable, set[Hashable]] = {}  # key -> keys of first stages that lead to it
        self._numbers = count()
        self._model: str | None = None
        self._running: tuple[str, ...] = ()
        self._outlook = Outlook(capacity)

    # ------------------------------------------------------------------------------------------ jobs come and go

    def add(self, work: Work, now: float) -> None:
        """A new job. Raises TooLarge if it can never fit, ValueError if the id is known or there is nothing to do."""
        if work.id in self._jobs or work.rows < 1 or work.steps < 1:
            raise ValueError(f"cannot schedule {work}")
        self.capacity.check(work.key, work.rows, work.bytes_per_row)
        self._quantum = max(self._quantum, work.rows)
        job = Job(work, (URGENCY[work.priority], 0, next(self._numbers)), now, work.steps)
        job.rank = (job.rank[0], job.size, job.rank[2])
        owner = self._owners.setdefault(work.owner, Owner(work.owner, self._quantum))
        self._jobs[work.id] = owner.jobs[work.id] = job
        owner.enter(job)

    def change(self, work: Work, now: float) -> None:
        """The job enters its next stage and keeps its place. Raises TooLarge; does nothing for a job that has left."""
        if not (job := self._jobs.get(work.id)):
            return
        self.capacity.check(work.key, work.rows, work.bytes_per_row)
        self._quantum = max(self._quantum, work.rows)
        if not job.staged:
            for feeders in self._feeds.values():
                feeders.discard(job.work.key)
            self._feeds.setdefault(work.key, set()).add(job.work.key)
        owner = self._owners[job.work.owner]
        owner.leave(job)
        job.work, job.left, job.staged = work, work.steps, True
        self._settle(owner, job)

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
        return self._set_paused(id, True)

    def resume(self, id: str, now: float) -> bool:
        """The job goes on from where it was; False where it was not paused."""
        return self._set_paused(id, False)

    def reorder(self, owner: str, ids: Sequence[str]) -> None:
        """These jobs of one owner, in this order, share out the places that they hold now; all others keep theirs.

        Ids of other owners or of jobs that have left are ignored.
        """
        if not (line := self._owners.get(owner)):
            return
        jobs = [line.jobs[id] for id in dict.fromkeys(ids) if id in line.jobs]
        for job in jobs:
            line.leave(job)
        for job, (rank, arrived) in zip(jobs, sorted((job.rank, job.arrived) for job in jobs), strict=True):
            job.rank, job.arrived = rank, arrived
            line.enter(job)

    # ------------------------------------------------------------------------------------------ the next step

    def next(self, now: float) -> Batch | None:
        """Whose work goes next, together; None if nothing can run."""
        active = [owner for owner in self._owners.values() if owner.lines]
        if not active:
            return None
        while not any(owner.owed > 0 for owner in active):
            self._new_round(active)
        elders = {owner.name: owner.elder(now, self.aging_seconds) for owner in active}
        leader = min(self._urgencies(active, elders))[-1]
        return self._gather(leader, active, elders)

    def step(self, batch: Batch, now: float, seconds: float) -> None:
        """The batch took one step in so many seconds: count it, charge its owners, learn what it cost."""
        self._outlook.stepped(batch, seconds, switched=self._model != batch.model)
        self._model, self._running = batch.model, batch.ids
        for id in batch.ids:
            if job := self._jobs.get(id):
                owner = self._owners[job.work.owner]
                owner.charge(job, 1 - self._round)
                owner.leave(job)
                job.left = max(0, job.left - 1)
                self._settle(owner, job)

    def out_of_memory(self, batch: Batch) -> bool:
        """Halve the batches of this key. False where the batch was a single job: that one has to be given up."""
        if len(batch.ids) < 2:
            return False
        self.capacity.shrink(batch.key, batch.rows)
        return True

    # ------------------------------------------------------------------------------------------ what people see

    def place(self, id: str) -> int:
        """0: takes the next step, or is in the running batch; else how many jobs go before it. KeyError if unknown."""
        return self.forecast()[id][0]

    def seconds_left(self, id: str) -> float | None:
        """A guess from what lately happened; None while nothing did or the job is paused. KeyError if unknown."""
        return self.forecast()[id][1]

    def forecast(self) -> dict[str, tuple[int, float | None]]:
        """(place, seconds left) of every job at once: for many jobs far cheaper than asking for each."""
        return self._outlook.forecast(self._owners.values(), self._running)

    def stats(self) -> dict:
        """rows_per_step and steps_per_second (lately), running, waiting and paused jobs, rows served by owner."""
        live = self._jobs.values()
        running = sum(id in self._jobs for id in self._running)
        paused = sum(job.paused for job in live)
        rows = {owner.name: owner.served for owner in self._owners.values()}
        return {**self._outlook.rates(), "running": running, "paused": paused, "model": self._model,
                "waiting": max(0, len(self._jobs) - running - paused), "owners": rows}  # fmt: skip

    # ------------------------------------------------------------------------------------------ inside

    def _urgencies(self, active: list[Owner], elders: dict[str, Job | None]) -> Iterator[tuple]:
        """One tuple for everybody who may lead; the least is the most urgent."""
        for owner in active:
            if owner.owed > 0:
                elder = elders[owner.name]
                for job in owner.heads(elder):
                    priority, size, number = job.rank
                    yield job is not elder, priority, job.work.model != self._model, size, -owner.owed, number, job

    def _gather(self, leader: Job, active: list[Owner], elders: dict[str, Job | None]) -> Batch:
        """The leader and its mates: owners by what they are still owed, each owner's jobs by rank."""
        key, chosen = leader.work.key, [leader]
        room = self.capacity.rows(key, leader.work.bytes_per_row) - leader.work.rows
        owed = {owner.name: owner.owed for owner in active} if room > 0 else {}
        queue = self._riders(leader, active, elders, owed) if room > 0 else []
        while queue and room > 0:
            *_, job, owner, others = heapq.heappop(queue)
            if job.work.key != key:
                return self._gather(job, active, elders)  # one more is prepared first, and then rides along
            if job is leader or job.work.rows <= room:
                owed[owner.name] -= job.work.rows
            if job is not leader and job.work.rows <= room:
                chosen.append(job)
                room -= job.work.rows
            if following := next(others, None):
                heapq.heappush(queue, self._rider(following, owner, others, elders, owed))
        return Batch(key, leader.work.model, tuple(job.work.id for job in chosen), sum(job.work.rows for job in chosen))

    def _riders(self, leader: Job, active: list[Owner], elders: dict, owed: dict[str, int]) -> list[tuple]:
        """A heap with one entry an owner: its best job that could ride with the leader."""
        key, feeders = leader.work.key, self._feeds.get(leader.work.key, set())
        if feeders and self._begun_rows(active) >= RESIDENT_BATCHES * self.capacity.row_cap:
            feeders = set()
        streams = ((owner, owner.mates(key, feeders, leader.rank, elders[owner.name])) for owner in active)
        queue = [self._rider(job, owner, jobs, elders, owed) for owner, jobs in streams if (job := next(jobs, None))]
        heapq.heapify(queue)
        return queue

    @staticmethod
    def _rider(job: Job, owner: Owner, others: Iterator[Job], elders: dict, owed: dict[str, int]) -> tuple:
        left = owed[owner.name]
        priority, size, number = job.rank
        return left <= 0, job is not elders[owner.name], priority, size, -left, number, job, owner, others

    @staticmethod
    def _begun_rows(active: list[Owner]) -> int:
        lines = (line for owner in active for line in owner.lines.values() if line[0].staged)
        return sum(job.work.rows for line in lines for job in line)

    def _new_round(self, active: list[Owner]) -> None:
        """Rows for everybody with work; a round is longer where models have to be changed in it."""
        heads = [[line[0] for line in owner.lines.values()] for owner in active]
        models = {job.work.model for jobs in heads for job in jobs}
        self._round = self._quantum
        if len(models) > 1:
            cost = self._outlook.switch_rows(self.switch_cost_rows)
            self._round = max(self._round, SWITCH_PART * cost * len(models) // len(active))
        for owner, jobs in zip(active, heads, strict=True):
            idle_work_only = min(job.rank[0] for job in jobs) == URGENCY[Priority.BACKGROUND]
            part = self._round // BACKGROUND_PART if idle_work_only else self._round
            owner.owed = min(self._round, owner.owed + max(1, part))
        self._owners = {name: owner for name, owner in self._owners.items() if owner.jobs}

    def _settle(self, owner: Owner, job: Job) -> None:
        """Back into line after a change. A job only ever gets shorter: what is nearly done goes first."""
        job.rank = (job.rank[0], min(job.rank[1], job.size), job.rank[2])
        owner.enter(job)

    def _set_paused(self, id: str, paused: bool) -> bool:
        job = self._jobs.get(id)
        if not job or job.paused == paused:
            return False
        owner = self._owners[job.work.owner]
        owner.leave(job)
        job.paused = paused
        owner.enter(job)
        return True
