"""What the worker tells while it works: often enough to look alive, seldom enough to cost nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from studio.worker.messages import Message, Progress, Stats

PROGRESS_SECONDS = 0.1
STATS_SECONDS = 0.25
STATS_SHARE = 0.005  # of the worker's time, at most: with a long line, places are told less often


class Line(Protocol):
    """The part of the scheduler that is told of."""

    def forecast(self) -> dict[str, tuple[int, float | None]]: ...
    def stats(self) -> dict: ...


class Reports:
    """Gathers what changed and sends it in few messages."""

    def __init__(self, emit: Callable[[Message], None], line: Line, device: Callable[[], dict]):
        self._emit, self._line, self._device = emit, line, device
        self._moved: dict[str, tuple[int, int]] = {}
        self._progress_due = self._stats_due = 0.0

    def moved(self, job_id: str, step: int, steps: int) -> None:
        self._moved[job_id] = step, steps

    def forget(self, job_id: str) -> None:
        self._moved.pop(job_id, None)

    def progress(self, now: float, *, at_once: bool = False) -> None:
        if not self._moved or (now < self._progress_due and not at_once):
            return
        self._progress_due = now + PROGRESS_SECONDS
        moved, self._moved = self._moved, {}
        self._emit(Progress([[id, *steps] for id, steps in moved.items()]))

    def stats(self, clock: Callable[[], float], model: str | None, *, at_once: bool = False) -> None:
        """Device, rates and everybody's place. `at_once` is for the moment when the work runs out."""
        began = clock()
        if began < self._stats_due and not at_once:
            return
        known = self._line.stats()
        self._emit(
            Stats(self._device(), model, known["rows_per_step"], known["steps_per_second"], self._line.forecast())
        )
        ended = clock()
        self._stats_due = ended + max(STATS_SECONDS, (ended - began) / STATS_SHARE)
