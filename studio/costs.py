"""What one step costs: seconds = fixed + per_row * rows, learned while the work goes on."""

from __future__ import annotations

from dataclasses import dataclass

FORGET = 0.98  # one observation weighs as much as the fifty before it fade: costs follow a device that gets busy
SPREAD = 0.25  # variance of rows below which a straight line cannot be told from its noise
USEFUL = 0.90  # of the throughput that an endless batch would reach


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
