"""What was tried, how often it held, and the worst that was seen: a table, a row a promise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

SHOWN = 5  # of what did not hold, a row


@dataclass
class Row:
    """One promise. held: how often it was kept; broken: a sentence for each time that it was not."""

    part: str
    what: str
    held: int = 0
    broken: list[str] = field(default_factory=list)
    worst: dict[str, float] = field(default_factory=dict)

    def check(self, kept: object, otherwise: str) -> bool:
        if kept:
            self.held += 1
        else:
            self.broken.append(otherwise)
        return bool(kept)

    def measure(self, name: str, value: float) -> None:
        """The largest is told."""
        self.worst[name] = max(self.worst.get(name, value), value)

    def __str__(self) -> str:
        worst = ", ".join(f"{name} {value:.4g}" for name, value in self.worst.items())
        state = "held" if not self.broken and self.held else "NOT TRIED" if not self.broken else "BROKEN"
        return f"{self.part:8} {self.what:62} {self.held + len(self.broken):6} {len(self.broken):6}  {state:9} {worst}"


class Report:
    """Rows by what they promise, in the order in which they were first asked for."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Row] = {}

    def row(self, part: str, what: str) -> Row:
        return self.rows.setdefault((part, what), Row(part, what))

    @property
    def holds(self) -> bool:
        return any(row.held for row in self.rows.values()) and not any(row.broken for row in self.rows.values())

    def lines(self) -> Iterable[str]:
        yield f"{'':8} {'':62} {'tried':>6} {'broken':>6}  {'':9} worst"
        yield from map(str, self.rows.values())
        for row in self.rows.values():
            for sentence in row.broken[:SHOWN]:
                yield f"! {row.part}: {row.what}: {sentence}"
            if len(row.broken) > SHOWN:
                yield f"! {row.part}: {row.what}: and {len(row.broken) - SHOWN} more"
