"""2. Short jobs among long ones. 5. Fairness between a busy and a modest owner."""

from __future__ import annotations

from statistics import mean, quantiles

from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler
from tests.bench.drive import Drive, FirstComeFirstServed
from tests.bench.model import Model
from tests.bench.report import Samples

LONG, SHORT, GAP = 40, 24, 0.5  # jobs, jobs, seconds between two short ones
HEAVY, MODEST = 80, 8  # jobs: 10 : 1


def measure(model: Model, samples: Samples, repeats: int) -> None:
    """All jobs belong to the same four owners, so it is not fairness between owners that helps the short ones.

    First-come-first-served is the same scheduler, batching and joining at every step included, in order of arrival:
    the harder comparison; against jobs one after another the ratios would be smaller still.
    """
    capacity = Capacity()
    Drive(model, Scheduler(capacity)).run(_jobs(model, 4, 2))  # warms up, and learns what steps cost
    for repeat in range(repeats):
        arms = [Scheduler, FirstComeFirstServed]
        seen = {arm: Drive(model, arm(_copy(capacity))).run(_jobs(model, LONG, SHORT)) for arm in _turned(arms, repeat)}
        short, long = ({arm: _latencies(drive, kind) for arm, drive in seen.items()} for kind in ("short", "long"))
        p95 = {arm: quantiles(values, n=20)[-1] for arm, values in short.items()}
        samples.add(
            short_p95_of_fifo=p95[Scheduler] / p95[FirstComeFirstServed],
            long_mean_of_fifo=mean(long[Scheduler]) / mean(long[FirstComeFirstServed]),
            short_p95_seconds=p95[Scheduler],
        )


def fairness(model: Model, samples: Samples, repeats: int) -> None:
    """Rows served to two owners, 80 jobs against 8, as long as both have more queued than half a batch."""
    for _ in range(repeats):
        drive = Drive(model)
        requests = [
            (f"{owner}{i}", owner) for owner, jobs in (("heavy", HEAVY), ("modest", MODEST)) for i in range(jobs)
        ]
        for number, (id, owner) in enumerate(requests):
            drive.runner.submit(id, owner, model.request(number, guidance_scale=4.0))
        while sum(id.startswith("modest") for id in drive.done) < MODEST - 4:
            drive.runner.advance()
        served = drive.scheduler.stats()["owners"]
        samples.add(jain=jain(list(served.values())))


def jain(shares: list[float]) -> float:
    """Jain, Chiu & Hawe (1984): (Σx)² / (n Σx²); 1 is perfectly fair, 1/n is one who has all."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def _jobs(model: Model, long: int, short: int) -> list[tuple]:
    lengths = [("long", 50, 0.0)] * long + [("short", 4, GAP)] * short
    counts = {"long": 0, "short": 0}
    jobs = []
    for kind, steps, gap in lengths:
        number = counts[kind] = counts[kind] + 1
        jobs.append((number * gap, f"{kind}{number}", f"owner{number % 4}", model.request(number, steps=steps)))
    return jobs


def _latencies(drive: Drive, kind: str) -> list[float]:
    gap = GAP if kind == "short" else 0.0
    return [end - int(id.removeprefix(kind)) * gap for id, end in drive.done.items() if id.startswith(kind)]


def _copy(capacity: Capacity) -> Capacity:
    return Capacity.from_json(capacity.to_json())


def _turned(arms: list, repeat: int) -> list:
    return arms if repeat % 2 == 0 else arms[::-1]
