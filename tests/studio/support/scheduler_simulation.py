"""Drives a scheduler in simulated time, as the worker does: prepare, step × n, finish, each a stage of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from pipelines.requests import Priority
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler, StepBatch, Work


@dataclass
class Plan:
    """A job to come: `steps` denoising steps of `rows` rows, at time `at`."""

    id: str
    owner: str = "ann"
    rows: int = 1
    steps: int = 4
    at: float = 0.0
    priority: Priority = Priority.NORMAL
    model: str = "m"
    size: Hashable = 64
    bytes_per_row: int = 0
    stage: int = 0
    left: int = 0
    taken: int = 0
    first: float | None = None
    done: float | None = None

    @property
    def key(self) -> Hashable:
        return (("prepare", "step", "finish")[self.stage], self.model, self.size)

    @property
    def width(self) -> int:
        return self.rows if self.stage == 1 else 1

    def work(self) -> Work:
        """The work of the present stage."""
        steps = self.left = self.steps if self.stage == 1 else 1
        ahead = (self.rows * self.steps + 1, 1, 0)[self.stage]
        each = self.bytes_per_row
        return Work(self.id, self.owner, self.key, self.model, self.width, steps, self.priority, each, ahead)


def seconds(batch: StepBatch) -> float:
    """A CPU-like cost: 30 ms a step and 12 ms a row; 20 ms to prepare or finish."""
    return 0.03 + 0.012 * batch.rows if batch.key[0] == "step" else 0.02


@dataclass
class Simulation:
    """`run` plays until nothing is left, or `until` says so; `trace` keeps every batch with the time it ended at."""

    scheduler: Scheduler = field(default_factory=lambda: Scheduler(Capacity()))
    cost: Callable[[StepBatch], float] = seconds
    now: float = 0.0
    plans: dict[str, Plan] = field(default_factory=dict)
    trace: list[tuple[float, StepBatch]] = field(default_factory=list)
    served: Counter = field(default_factory=Counter)

    def add(self, plan: Plan) -> None:
        self.plans[plan.id] = plan
        self.scheduler.add(plan.work(), self.now)

    def run(self, plans: Iterable[Plan] = (), until: Callable[[], bool] = lambda: False) -> Simulation:
        coming = sorted(plans, key=lambda plan: plan.at)
        while not until():
            while coming and coming[0].at <= self.now:
                self.add(coming.pop(0))
            if self.once() is None:
                if not coming:
                    break
                self.now = coming[0].at
        return self

    def once(self) -> StepBatch | None:
        """One batch, with everything that follows from it."""
        batch = self.scheduler.next(self.now)
        if batch is not None:
            took = self.cost(batch)
            self.now += took
            self.scheduler.step(batch, self.now, took)
            self.trace.append((self.now, batch))
            for id in batch.ids:
                self.moved(self.plans[id])
        return batch

    def moved(self, plan: Plan) -> None:
        self.served[plan.owner] += plan.width
        plan.taken += plan.stage == 1
        plan.left -= 1
        if plan.stage == 1 and plan.first is None:
            plan.first = self.now
        if plan.left:
            return
        plan.stage += 1
        if plan.stage < 3:
            self.scheduler.change(plan.work(), self.now)
        else:
            plan.done = self.now
            self.scheduler.finish(plan.id)


def many(owner: str, count: int, **kind: object) -> list[Plan]:
    """`count` plans of one owner, named owner0, owner1, …"""
    return [Plan(f"{owner}{i}", owner, **kind) for i in range(count)]


def mean_latency(plans: Iterable[Plan]) -> float:
    waits = [plan.done - plan.at for plan in plans]
    return sum(waits) / len(waits)
