"""What the device can hold: rows and bytes a batch key, measured as the work goes on and remembered as JSON."""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from pipelines.errors import TooLarge

ROW_CAP = 16
# never two jobs at once: the memory of these stages spikes, or ("alone") a worker has died over the job before
ONE_BY_ONE = ("prepare", "alone", "finish")
GROWTH = 500  # steps at the cap without an accident before a cap that was halved may grow by one row
FORGET = 0.98  # one observation weighs as much as the fifty before it fade: costs follow a device that gets busy
SPREAD = 0.25  # variance of rows below which a straight line cannot be told from its noise
USEFUL = 0.90  # of the throughput that an endless batch would reach


class Capacity:
    """Row cap, bytes a row and seconds a step of every batch key.

    memory_budget: bytes for activations, beside the weights; 0 means unknown, then only rows count.
    row_cap: rows in one batch where nothing smaller was learned.
    """

    def __init__(self, memory_budget: int = 0, row_cap: int = ROW_CAP):
        self.memory_budget, self.row_cap = memory_budget, row_cap
        self._caps: dict[str, int] = {}
        self._peaks: dict[str, tuple[int, int]] = {}  # key -> widest batch seen: rows, bytes
        self._costs: dict[str, StepCost] = {}
        self._calm: dict[str, int] = {}

    def rows(self, key: Hashable, bytes_per_row: int = 0) -> int:
        """Most rows that a batch of this key should have, at least 1: the least of cap, memory and usefulness."""
        if one_by_one(key):
            return 1
        name = repr(key)
        limits = [self._caps.get(name, self.row_cap)]
        if self.memory_budget and (each := self.bytes_per_row(key, bytes_per_row)):
            limits.append(self.memory_budget // each)
        if (cost := self._costs.get(name)) and (useful := cost.useful_rows()):
            limits.append(useful)
        return max(1, min(limits))

    def bytes_per_row(self, key: Hashable, predicted: int = 0) -> int:
        """What was measured; before that what the pipeline predicts."""
        rows, peak = self._peaks.get(repr(key), (1, predicted))
        return -(-peak // rows)

    def admits(self, key: Hashable, rows: int, bytes_per_row: int = 0) -> bool:
        """Whether the predicted peak of so many rows stays within the budget."""
        return not self.memory_budget or rows * self.bytes_per_row(key, bytes_per_row) <= self.memory_budget

    def check(self, key: Hashable, rows: int, bytes_per_row: int = 0) -> None:
        """Raises TooLarge for what can never fit, even alone."""
        if not self.admits(key, rows, bytes_per_row):
            need = rows * self.bytes_per_row(key, bytes_per_row)
            raise TooLarge(
                f"This needs about {_size(need)} of memory for one step, the device has {_size(self.memory_budget)}: "
                "choose a smaller size."
            )

    def measured(self, key: Hashable, rows: int, peak_bytes: int) -> None:
        """The activation memory that a step of so many rows took.

        The widest batch counts (there a fixed part weighs least), and of equally wide ones the largest.
        """
        name = repr(key)
        self._peaks[name] = max(self._peaks.get(name, (0, 0)), (rows, peak_bytes))

    def stepped(self, key: Hashable, rows: int, seconds: float) -> None:
        """A step went well: learn what it cost, and let a cap that was halved recover slowly."""
        name = repr(key)
        self._costs.setdefault(name, StepCost()).learn(rows, seconds)
        if name in self._caps and rows >= self._caps[name]:
            self._calm[name] = self._calm.get(name, 0) + 1
            if self._calm[name] >= GROWTH:
                self._calm[name], self._caps[name] = 0, min(self.row_cap, self._caps[name] + 1)

    def shrink(self, key: Hashable, rows: int) -> int:
        """A batch of so many rows ran out of memory: the cap becomes half of it. Returns the new cap."""
        name = repr(key)
        self._calm[name] = 0
        self._caps[name] = max(1, rows // 2)
        return self._caps[name]

    def seconds(self, key: Hashable, rows: int) -> float | None:
        """Predicted seconds of one step of so many rows; None before the first."""
        cost = self._costs.get(repr(key))
        return cost.predict(rows) if cost else None

    def to_json(self) -> str:
        costs = {name: asdict(cost) for name, cost in self._costs.items()}
        return json.dumps({"caps": self._caps, "peaks": self._peaks, "costs": costs})

    @classmethod
    def from_json(cls, text: str, memory_budget: int = 0, row_cap: int = ROW_CAP) -> Capacity:
        """What `to_json` wrote. What cannot be read is measured again: a damaged file must not stop the studio."""
        capacity = cls(memory_budget, row_cap)
        try:
            known = json.loads(text)
            caps = {str(name): min(row_cap, max(1, int(cap))) for name, cap in known["caps"].items()}
            peaks = {str(name): (max(1, int(rows)), max(0, int(peak))) for name, (rows, peak) in known["peaks"].items()}
            costs = {
                str(name): StepCost(**{k: _number(v) for k, v in cost.items()}) for name, cost in known["costs"].items()
            }
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            return capacity
        capacity._caps, capacity._peaks, capacity._costs = caps, peaks, costs
        return capacity


def one_by_one(key: Hashable) -> bool:
    """Whether the key is of a stage that takes one job at a time."""
    return isinstance(key, tuple) and bool(key) and key[0] in ONE_BY_ONE


def _number(value: Any) -> float:
    number = float(value)
    if not (isfinite(number) and number >= 0):
        raise ValueError(f"{number} is no sum of measurements")
    return number


def _size(count: int) -> str:
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{max(1, count // 2**20)} MiB"


@dataclass(slots=True)
class StepCost:
    """Exponentially weighted least squares over (rows, seconds).

    On a GPU `fixed` dominates and rows are nearly free; on a CPU `per_row` does, and a batch mostly makes
    everybody in it wait longer. `useful_rows` is where that trade stops paying.
    """

    weight: float = 0.0
    rows: float = 0.0
    seconds: float = 0.0
    rows_rows: float = 0.0
    rows_seconds: float = 0.0

    def learn(self, rows: int, seconds: float) -> None:
        self.weight = self.weight * FORGET + 1
        self.rows = self.rows * FORGET + rows
        self.seconds = self.seconds * FORGET + seconds
        self.rows_rows = self.rows_rows * FORGET + rows * rows
        self.rows_seconds = self.rows_seconds * FORGET + rows * seconds

    def line(self) -> tuple[float, float] | None:
        """(fixed seconds, seconds a row), both at least 0; None until steps of different widths were seen."""
        if self.weight < 3:
            return None
        mean_rows, mean_seconds = self.rows / self.weight, self.seconds / self.weight
        spread = self.rows_rows / self.weight - mean_rows**2
        if spread < SPREAD:
            return None
        slope = (self.rows_seconds / self.weight - mean_rows * mean_seconds) / spread
        slope = min(max(slope, 0.0), mean_seconds / mean_rows)
        return mean_seconds - slope * mean_rows, slope

    def predict(self, rows: float) -> float | None:
        """Seconds of one step of so many rows; None before the first step."""
        if not self.weight:
            return None
        fixed, per_row = self.line() or (self.seconds / self.weight, 0.0)
        return fixed + per_row * rows

    def useful_rows(self) -> int | None:
        """The smallest batch with `USEFUL` of the best throughput: n·b / (a + n·b) ≥ u  ⇔  n ≥ u/(1-u) · a/b.

        None where nothing is known (then only the row cap limits). A wrong guess heals itself: when all batches have
        one width, the spread fades, the line is forgotten and wider batches are tried again.
        """
        line = self.line()
        if line is None or line[1] <= 0:
            return None
        return max(1, round(USEFUL / (1 - USEFUL) * line[0] / line[1]))
