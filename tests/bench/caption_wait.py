"""How long somebody waits for one caption while a batch of five hundred is described, against an empty studio.

The worker's own loop with its own scheduler, real weights, and every caption checked; the batch is fed as the studio
feeds it: a few dozen in line, in the background.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import quantiles

from pipelines.catalog.catalog import Catalog
from pipelines.requests import CaptionRequest, Priority
from pipelines.runtime.model_pool import ModelPool
from studio import limits
from studio.worker.messages import Failed, Finished, Message
from studio.worker.runner.previews import Previews
from studio.worker.runner.runner import Runner
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler
from tests.bench.captions import files
from tests.bench.report import Samples

BATCH, SINGLES, GAP = 500, 20, 0.3  # pictures, uploads, seconds between two of them


def measure(_: object, samples: Samples, repeats: int) -> None:
    """caption_single_p95_in_batch: p95 during the batch ÷ p95 alone; caption_single_p95_seconds: alone."""
    desk = Desk(files())
    desk.singles(0, 4)  # opens the models
    for _ in range(repeats):
        alone, busy = (_p95(desk.singles(batch, SINGLES)) for batch in (0, BATCH))
        samples.add(caption_single_p95_in_batch=busy / alone, caption_single_p95_seconds=alone)


def _p95(seconds: Sequence[float]) -> float:
    return quantiles(seconds, n=20)[-1]


@dataclass
class Desk:
    """One worker; pictures: PNG files."""

    pictures: Sequence[bytes]
    began: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        by_name = {hashlib.sha256(data).hexdigest(): data for data in self.pictures}
        self.names = list(by_name)
        shelf = ModelPool(Catalog([]), "auto")
        self.runner = Runner(shelf, Scheduler(Capacity()), self._hear, by_name, Previews(0.0))

    def singles(self, batch: int, number: int) -> list[float]:
        """Seconds that each of some uploads took, with so many pictures of a batch behind them."""
        self.began.clear()
        self.ended.clear()
        fed, sent, start = 0, 0, time.perf_counter()
        while len(self.ended) < batch + number:
            while fed < batch and fed - sum(id.startswith("b") for id in self.ended) < limits.BATCH_IN_LINE:
                self._submit(f"b{fed}", fed, Priority.BACKGROUND)
                fed += 1
            free = all(id in self.ended for id in self.began if id.startswith("s"))
            if sent < number and free and time.perf_counter() - start >= GAP * sent:
                self._submit(f"s{sent}", sent, Priority.NORMAL)
                sent += 1
            if not self.runner.advance():
                time.sleep(0.002)
        return [self.ended[f"s{i}"] - self.began[f"s{i}"] for i in range(number)]

    def _submit(self, id: str, number: int, priority: Priority) -> None:
        self.began[id] = time.perf_counter()
        picture = self.names[number % len(self.names)]
        request = CaptionRequest(picture=picture, seed=number, priority=priority, batch="b" * id.startswith("b"))
        self.runner.submit(id, "me", request)

    def _hear(self, message: Message) -> None:
        if isinstance(message, Failed):
            raise RuntimeError(message.sentence)
        if isinstance(message, Finished):
            self.ended[message.job_id] = time.perf_counter()
