"""What the scheduler schedules: stages of jobs, and batches of jobs that take one step together."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from pipelines.requests import Priority

URGENCY = {Priority.INTERACTIVE: 0, Priority.NORMAL: 1, Priority.BACKGROUND: 2}
Rank = tuple[int, int, int]
Class = tuple[int, ...]  # the first parts of a rank


@dataclass(frozen=True, slots=True)
class Work:
    """One stage of one job. rows: lines of a model batch in each of its `steps` steps.

    ahead: rows x steps of the stages after this one, so that a job that is only waiting to be prepared is already
    known for long or short. bytes_per_row: predicted peak of one row; 0 means unknown.
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
class StepBatch:
    """Jobs that take one step together."""

    key: Hashable
    model: str
    ids: tuple[str, ...]
    rows: int


class ScheduledJob:
    """A live job. `rank` orders the jobs of one owner: (urgency, size class, number of arrival).

    paused: by its owner. held: by the studio, until what it needs is here. staged: is beyond its first stage.
    """

    __slots__ = ("arrived", "held", "left", "paused", "rank", "staged", "work")

    def __init__(self, work: Work, number: int, now: float):
        self.work, self.arrived, self.left = work, now, work.steps
        self.rank: Rank = (URGENCY[work.priority], self.size, number)
        self.staged = self.paused = self.held = False

    @property
    def size(self) -> int:
        """Size class: the binary logarithm of the row-steps to come, so that nearly equal jobs keep their order."""
        return (self.left * self.work.rows + self.work.ahead).bit_length()

    @property
    def runnable(self) -> bool:
        return self.left > 0 and not self.rests

    @property
    def rests(self) -> bool:
        return self.paused or self.held

    def settle(self) -> None:
        """After a step or a new stage. A job only ever gets shorter: what is nearly done goes first."""
        urgency, size, number = self.rank
        self.rank = (urgency, min(size, self.size), number)
