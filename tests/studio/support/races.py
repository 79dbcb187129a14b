"""Two things at one moment: the first is held in the middle of what it does until the second is done, or waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

from studio.jobs.worker_events import WorkerEvents
from studio.worker.messages import Begun, Finished
from tests.studio.support.batch_studio import Desk

PATIENCE = 120.0  # seconds


class Held:
    """A function whose first caller has its answer, and stands still until it may go on."""

    def __init__(self, call: Callable):
        self._call = call
        self.inside, self.go = threading.Event(), threading.Event()

    def __call__(self, *values: object, **named: object) -> object:
        answer = self._call(*values, **named)
        if not self.inside.is_set():
            self.inside.set()
            assert self.go.wait(PATIENCE)
        return answer


class Lock:
    """Sets `met` when somebody has to wait for it."""

    def __init__(self) -> None:
        self._lock, self.met = threading.Lock(), threading.Event()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            self.met.set()
            assert self._lock.acquire(timeout=PATIENCE)

    def __exit__(self, *of: object) -> None:
        self._lock.release()


def meanwhile(held: Held, first: Callable, second: Callable, lock: Lock | None = None) -> list:
    """`second` comes while `first` is held; the answers of both."""
    moved = lock.met if lock else threading.Event()
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(first)
        one.add_done_callback(lambda _: held.inside.set())  # it may have failed before
        try:
            assert held.inside.wait(PATIENCE)
            two = threads.submit(second)
            two.add_done_callback(lambda _: moved.set())
            assert moved.wait(PATIENCE)
        finally:
            held.go.set()
        return [one.result(PATIENCE), two.result(PATIENCE)]


class Still(Desk):
    """A desk where nothing moves by itself: no thread, no worker process. `sent`: what the worker was told."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.lock = self.batches._feed.lock = Lock()
        self.foreman, self.sent = WorkerEvents(self.engine._manager), []

    def __enter__(self) -> Still:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def joined(self) -> Still:
        """A worker is there."""
        self.foreman.joined(SimpleNamespace(send=self.sent.append))
        return self

    def feed(self) -> None:
        """All that waits for the feed's thread."""
        todo = self.batches._feed._todo
        while todo:
            todo.popleft()()

    def describes(self, job: str, text: str) -> None:
        """The worker is done with a picture."""
        info = {"caption": text, "candidates": [], "alignment": {"score": 0.9}, "width": 40, "height": 30}
        self.foreman.heard(Begun(job))
        self.foreman.heard(Finished(job, "caption", "text/plain", text.encode(), info, b""))
        self.feed()

    def described(self, text: str = "a red emoji") -> str:
        """A batch of one picture, with a caption of the model's."""
        id = self.made("a.png")
        self.run(id)
        self.feed()
        self.describes(self.items(id)["a.png"].job, text)
        return id

    def questions(self) -> list:
        return list(self.engine._manager.asks.jobs())

    def files(self, batch: str) -> list[Path]:
        return list(self.folder.rglob(f"{batch}/*"))
