"""Between owners: deficit round robin in rows. Within one: short work first, with a share for whoever waited longest.

Shreedhar & Varghese, "Efficient Fair Queueing Using Deficit Round Robin" (1996), with an overdraft: a round gives each
owner with work a quantum of rows to lead batches with, and whatever runs is charged, also rows that only rode
along in a batch that somebody else led. The overdraft stays below one quantum, so riding in rows that would have
stayed empty costs an owner at most one round. Hence the bound: whatever the others have queued, an owner leads
a batch at the latest in the second round after its work arrives.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Hashable, Iterator
from itertools import islice

from studio.worker.scheduler.work import Class, Rank, ScheduledJob

ELDER_PART = 4  # one row in four of an owner goes to its oldest job, once that has waited long enough


class Owner:
    """One owner's jobs, and the rows it is still owed in this round (negative: overdrawn).

    elder: its oldest job, while it is that job's turn.
    """

    def __init__(self, name: str, owed: int):
        self.name, self.owed, self.served = name, owed, 0
        self.jobs: dict[str, ScheduledJob] = {}
        self.lines: dict[Hashable, list[ScheduledJob]] = {}  # batch key -> jobs that can run now, by rank
        self.elder: ScheduledJob | None = None
        self._by_age: list[ScheduledJob] = []  # the same jobs by arrival
        self._passed = 0  # rows that went to others since the oldest had its turn

    def enter(self, job: ScheduledJob) -> None:
        """Into its line; nothing happens for a job that cannot run now."""
        if job.runnable:
            insort(self.lines.setdefault(job.work.key, []), job, key=_rank)
            insort(self._by_age, job, key=_number)

    def leave(self, job: ScheduledJob) -> None:
        """Out of its line; to be called before anything of the job changes."""
        if job.runnable:
            line = self.lines[job.work.key]
            del line[bisect_left(line, job.rank, key=_rank)]
            if not line:
                del self.lines[job.work.key]
            del self._by_age[bisect_left(self._by_age, job.rank[2], key=_number)]

    def heads(self, now: float, patience: float) -> list[ScheduledJob]:
        """Who may lead a batch: the oldest job if it has waited `patience` seconds and its part is due, else the
        first of every line."""
        oldest = self._by_age[0]
        due = self._passed >= (ELDER_PART - 1) * oldest.work.rows and now - oldest.arrived >= patience
        self.elder = oldest if due else None
        return [oldest] if due else [line[0] for line in self.lines.values()]

    def mates(self, key: Hashable, feeders: Collection[Hashable], limit: Class) -> Iterator[ScheduledJob]:
        """Who could ride in a batch of this key, by rank, but the elder before all.

        Jobs in a feeder's line have to be prepared first; of those, only jobs up to the urgency and size of `limit`
        are given.
        """
        feeding = [line for line_key, line in self.lines.items() if line_key in feeders]
        lines = [islice(line, bisect_right(line, limit, key=_class)) for line in feeding]
        if self.elder and self.elder.work.key == key:
            yield self.elder
        for job in heapq.merge(self.lines.get(key, ()), *lines, key=_rank):
            if job is not self.elder:
                yield job

    def charge(self, job: ScheduledJob, floor: int) -> None:
        """One step of the job was taken: its rows are paid, and the oldest job's part grows or is used."""
        rows = job.work.rows
        self.owed, self.served = max(floor, self.owed - rows), self.served + rows
        self._passed = 0 if self._by_age and job is self._by_age[0] else self._passed + rows


def fairly(
    owners: Collection[Owner], key: Hashable, feeders: Collection[Hashable], limit: Class
) -> Iterator[ScheduledJob]:
    """Everybody who could ride in a batch of this key, in the order in which they may.

    Owners that are still owed rows go before the others, then urgency and shortness decide, and among equals
    whoever is owed most; each job's rows are taken off, for this order only, as it is given.
    """
    streams = [(owner.owed, owner, owner.mates(key, feeders, limit)) for owner in owners]
    queue = [_rider(owed, owner, jobs, job) for owed, owner, jobs in streams if (job := next(jobs, None))]
    heapq.heapify(queue)
    while queue:
        *_, owed, job, owner, jobs = queue[0]
        yield job
        if following := next(jobs, None):
            heapq.heapreplace(queue, _rider(owed - job.work.rows, owner, jobs, following))
        else:
            heapq.heappop(queue)


def _rider(owed: int, owner: Owner, jobs: Iterator[ScheduledJob], job: ScheduledJob) -> tuple:
    urgency, size, number = job.rank
    return owed <= 0, job is not owner.elder, urgency, size, -owed, number, owed, job, owner, jobs


def _rank(job: ScheduledJob) -> Rank:
    return job.rank


def _class(job: ScheduledJob) -> Class:
    return job.rank[:2]


def _number(job: ScheduledJob) -> int:
    return job.rank[2]
