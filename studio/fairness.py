"""Between owners: deficit round robin in rows. Within one: short work first, with a share for whoever waited longest.

Shreedhar & Varghese, "Efficient Fair Queueing Using Deficit Round Robin" (1996), in the variant that lets the last
packet overdraw: every round gives each owner with work a quantum of rows to lead batches with, and whatever runs is
charged, also rows that only rode along in a batch that somebody else led. The overdraft is bounded by one quantum, so
that riding in rows which would have stayed empty costs an owner at most one round. Hence the bound: an owner
leads a batch at the latest in the second round after its work arrives, whatever the others have queued.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.scheduler import Work

ELDER_PART = 4  # one row in four of an owner goes to its oldest job, once that has waited long enough


Rank = tuple[int, int, int]


@dataclass(slots=True, eq=False)
class Job:
    """A live job. `rank` orders the jobs of one owner: (priority, size class, number of arrival)."""

    work: Work
    rank: Rank
    arrived: float
    left: int
    staged: bool = False  # has been in a later stage than its first
    paused: bool = False

    @property
    def size(self) -> int:
        """Size class: the binary logarithm of the row-steps to come, so that nearly equal jobs keep their order."""
        return (self.left * self.work.rows + self.work.ahead).bit_length()

    @property
    def runnable(self) -> bool:
        return self.left > 0 and not self.paused


def _rank(job: Job) -> Rank:
    return job.rank


def _class(job: Job) -> tuple[int, int]:
    return job.rank[:2]


def _number(job: Job) -> int:
    return job.rank[2]


class Owner:
    """One owner's runnable jobs, and the rows it is still owed in this round (negative: overdrawn)."""

    def __init__(self, name: str, owed: int):
        self.name, self.owed, self.served = name, owed, 0
        self.jobs: dict[str, Job] = {}
        self.lines: dict[Hashable, list[Job]] = {}  # batch key -> runnable jobs by rank
        self._by_age: list[Job] = []  # the same jobs by arrival
        self._passed = 0  # rows that went to others since the oldest had its turn

    def enter(self, job: Job) -> None:
        """Into its line; nothing happens for a job that cannot run now."""
        if job.runnable:
            insort(self.lines.setdefault(job.work.key, []), job, key=_rank)
            insort(self._by_age, job, key=_number)

    def leave(self, job: Job) -> None:
        """Out of its line; to be called before anything of the job changes."""
        if job.runnable:
            line = self.lines[job.work.key]
            del line[bisect_left(line, job.rank, key=_rank)]
            if not line:
                del self.lines[job.work.key]
            del self._by_age[bisect_left(self._by_age, job.rank[2], key=_number)]

    def elder(self, now: float, patience: float) -> Job | None:
        """The oldest job, where it has waited `patience` seconds and its part of the rows is due."""
        if not self._by_age:
            return None
        job = self._by_age[0]
        due = self._passed >= (ELDER_PART - 1) * job.work.rows and now - job.arrived >= patience
        return job if due else None

    def heads(self, elder: Job | None) -> list[Job]:
        """Who may lead a batch: the elder whose turn it is, else the first of every line."""
        return [elder] if elder else [line[0] for line in self.lines.values()]

    def mates(self, key: Hashable, feeders: set[Hashable], limit: Rank, elder: Job | None) -> Iterator[Job]:
        """Who could ride in a batch of this key: the elder first, then by rank.

        Jobs in a feeder's line have to be prepared first. Nobody waits for the preparation of a longer or a less
        urgent job: only those up to the leader's priority and size, `limit`, are given.
        """
        lines = [
            islice(line, 0, bisect_right(line, limit[:2], key=_class)) for k, line in self.lines.items() if k in feeders
        ]
        if key in self.lines:
            lines.append(iter(self.lines[key]))
        if elder and elder.work.key == key:
            yield elder
        yield from (job for job in heapq.merge(*lines, key=_rank) if job is not elder)

    def charge(self, job: Job, floor: int) -> None:
        """One step of the job was taken: its rows are paid, and the oldest job's part grows or is used."""
        rows = job.work.rows
        self.owed, self.served = max(floor, self.owed - rows), self.served + rows
        self._passed = 0 if self._by_age and job is self._by_age[0] else self._passed + rows
