"""A whole studio without a page, over pipelines that fail on demand: real store, gallery and worker process."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

from pipelines.requests import ImageRequest
from studio.jobs.engine import Engine
from studio.settings import Settings
from studio.storage.gallery import Gallery
from studio.storage.store import Store
from tests.studio.support.fake_pipelines import BATCHES

FAULTS = "tests.studio.support.fake_pipelines:open_model_pool"


class Rig:
    def __init__(self, folder: Path, **worker: object):
        self.folder = folder
        settings = Settings(data_dir=folder)
        self.store = Store(folder / "triptych.db")
        self.gallery = Gallery(folder, self.store)
        self.gallery.recover()
        anything = SimpleNamespace(find=lambda model: SimpleNamespace(ready=False))
        worker = {"shelf": FAULTS, "folder": str(folder), **worker}
        self.engine = Engine(settings, self.store, self.gallery, anything, worker)

    def __enter__(self) -> Rig:
        self.engine.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run(self.engine.stop())
        self.store.close()

    def submit(self, owner: str, prompt: str = "", **fields: object) -> list[str]:
        fields = {"steps": 3, "width": 64, "height": 64, **fields}
        return [job.id for job in self.engine.submit(owner, ImageRequest(prompt=prompt, **fields))]

    def one(self, owner: str, prompt: str = "", **fields: object) -> str:
        return self.submit(owner, prompt, **fields)[0]

    def hold(self) -> str:
        """The wish of jobs that take one step, and the others after `release`."""
        self._gate = self.folder / f"gate-{uuid.uuid4().hex}"
        return f"holds={self._gate} delay=0.03"

    def release(self) -> None:
        self._gate.touch()

    def until(self, owner: str, job_id: str, true: Callable[[dict], bool], seconds: float = 60) -> dict:
        """The job's view as soon as it is so; fails with the view when it does not come."""
        end = time.monotonic() + seconds
        while not true(view := self.engine.view(owner, job_id)):
            assert time.monotonic() < end, view
            time.sleep(0.005)
        return view

    def ended(self, owner: str, job_id: str, seconds: float = 60) -> dict:
        return self.until(owner, job_id, lambda view: view["ended"] is not None, seconds)

    def stepping(self, owner: str, job_id: str) -> dict:
        return self.until(owner, job_id, lambda view: view["step"] >= 1)

    def ready(self) -> None:
        end = time.monotonic() + 60
        while self.engine.status("anybody")["worker"] != "ready":
            assert time.monotonic() < end
            time.sleep(0.005)

    def held(self, seed: int) -> None:
        """A job that holds has taken its one step; no report of that comes while it does."""
        end = time.monotonic() + 60
        while not self.steps(seed):
            assert time.monotonic() < end
            time.sleep(0.005)

    def steps(self, seed: int) -> list[list[int]]:
        """The batches in which the job with that seed took its steps, as the worker wrote them down."""
        file = self.folder / BATCHES
        lines = file.read_text().splitlines() if file.exists() else []
        batches = [[int(part) for part in line.split("|")] for line in lines]
        return [batch for batch in batches if seed in batch]


def gone(pid: int, seconds: float = 30.0) -> bool:
    """Whether the process ends within that time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.01)
    return False
