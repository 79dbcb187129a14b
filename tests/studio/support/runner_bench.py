"""A runner in this process, over pipelines that fail on demand; its clock moves by one a look."""

from __future__ import annotations

from itertools import count

from pipelines.requests import ImageRequest
from studio.worker.messages import Failed, Finished
from studio.worker.runner.previews import Previews
from studio.worker.runner.runner import Runner
from studio.worker.scheduler.capacity import Capacity
from studio.worker.scheduler.scheduler import Scheduler
from tests.studio.support.fake_pipelines import FaultyPool


class Bench:
    """shelf: where pipelines come from. said: every message, in order."""

    def __init__(self, folder, shelf=FaultyPool, **previews):
        self.said, self.pictures, self.shelf = [], {}, shelf(folder)
        self.scheduler = Scheduler(Capacity())
        ticks = count()
        shown = Previews(**previews)
        emit, clock, peak = self.said.append, lambda: next(ticks), lambda: 1001
        self.runner = Runner(self.shelf, self.scheduler, emit, self.pictures, shown, clock, peak)
        self._numbers = count()

    def submit(self, prompt="", owner="ann", **fields):
        fields = {"steps": 4, "width": 64, "height": 64, "guidance_scale": 0, "seed": next(self._numbers), **fields}
        job_id = f"job {fields['seed']}"
        self.runner.submit(job_id, owner, ImageRequest(prompt=prompt, **fields))
        return job_id

    def run(self, moves=10_000):
        for _ in range(moves):
            if not self.runner.advance():
                return self
        return self

    def heard(self, kind, job_id=None):
        return [m for m in self.said if isinstance(m, kind) and job_id in (None, getattr(m, "job_id", None))]

    def fate(self, job_id):
        ended = self.heard(Finished, job_id) + self.heard(Failed, job_id)
        assert len(ended) == 1
        return ended[0]
