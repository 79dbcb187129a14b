"""Keeps a batch's jobs in line: a few dozen at a time, the next ones as others end.

One thread does it all, so that nothing is submitted twice. The rows are the truth: whatever is only wanted when the
studio starts is submitted then, and what ended while nobody looked is taken note of.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from pipelines import requests
from pipelines.errors import NotAllowed, NotFound, TriptychError, Unwritable
from studio import limits
from studio.background import BackgroundLoop
from studio.batches.records import Item, ItemStatus, resting
from studio.batches.store import BatchStore
from studio.storage.records import Job, JobStatus

if TYPE_CHECKING:
    from studio.jobs.engine import Engine
    from studio.storage.gallery import Gallery
    from studio.storage.store import Store

AGAIN_SECONDS = 2.0  # after the line was too full for more
log = logging.getLogger(__name__)


class Feeder:
    """`wake` and `later` may be called from any thread."""

    def __init__(self, store: Store, gallery: Gallery, engine: Engine, rows: BatchStore):
        self._store, self._gallery, self._engine, self._rows = store, gallery, engine, rows
        self._todo: deque[Callable[[], None]] = deque([self._take_up])
        self._loop = BackgroundLoop("batches", self._work)
        self._behind = 0.0  # when to look for what could not be noted, where there is something
        self.lock = threading.Lock()  # held by whoever puts items into the line, or takes them out
        engine.on_end(self._heard)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        """What is left is in the rows."""
        self._loop.stop()

    def wake(self, batch: str) -> None:
        self.later(lambda: self._fill(batch))

    def later(self, work: Callable[[], None]) -> None:
        self._todo.append(work)
        self._loop.wake()

    def _heard(self, job: Job) -> None:
        if getattr(job.request, "batch", ""):
            self.later(lambda: self._ended(job))

    def _work(self) -> float:
        if not self._todo:
            self._do(self._fill_all)
        while self._todo and not self._loop.over:
            self._do(self._todo.popleft())
        if self._behind and time.monotonic() > self._behind:
            self._behind = 0.0
            self._do(self._take_up)
        return AGAIN_SECONDS

    def _do(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Unwritable as error:  # the rows know what is to be done
            log.warning("A batch goes on later: %s", error)
            self._behind = self._behind or time.monotonic() + AGAIN_SECONDS
        except Exception:
            log.exception("A batch could not go on")

    def _take_up(self) -> None:
        """After a start, or when nothing could be written: jobs that ended before their item heard of it, jobs that
        are gone, and words that have not reached the gallery.
        """
        for item in self._rows.in_line():
            job = self._store.job(item.job or "")
            if job is None:
                self._rows.update(item.batch, [item.number], status=ItemStatus.WANTED, job=None)
            elif job.status.ended:
                self._note(item, job)
        with self.lock:
            self._rows.rest()
        for item, owner in self._rows.behind():
            with suppress(NotFound, NotAllowed):
                self._gallery.rewrite(owner, item.artifact or "", item.text or "")
        self._fill_all()

    def _fill_all(self) -> None:
        for batch in self._rows.running():
            self._fill(batch.id)

    def _fill(self, id: str) -> None:
        batch = self._rows.batch(id)
        if batch is None or not batch.running:
            return
        counts = self._rows.counts(id)
        room = limits.BATCH_IN_LINE - counts.get(ItemStatus.ASKED, 0)
        for item in self._rows.wanted(id, room):
            with self.lock:
                if not self._submit(id, item.number):
                    return
        with self.lock:  # as nobody must ask for more between the look and the end
            counts = self._rows.counts(id)
            if not counts.get(ItemStatus.ASKED) and not counts.get(ItemStatus.WANTED):
                self._rows.set(id, running=False)

    def _submit(self, id: str, number: int) -> bool:
        """Whether to go on: there was room in the line, and nobody has stopped the batch meanwhile."""
        batch, item = self._rows.batch(id), self._rows.item(id, number)
        if batch is None or item is None or not batch.running or item.status != ItemStatus.WANTED:
            return False
        request = requests.from_json(batch.request).model_copy(update={"picture": item.picture, "name": item.name})
        try:
            self._engine.submit(batch.owner, request, paced=False, beside=partial(self._rows.asked, item))
            self._rows.tell(batch.id, [number])
        except NotAllowed:  # too many jobs already, or the disk is full: in a while there is room again
            return False
        except Unwritable:
            raise
        except TriptychError as error:
            self._rows.update(
                batch.id, [item.number], status=ItemStatus.FAILED, error=str(error), ended=time.time()
            )  # fmt: skip
        return True

    def _ended(self, job: Job) -> None:
        for item in self._rows.of_job(job.id):
            self._note(item, job)
            self._fill(item.batch)

    def _note(self, item: Item, job: Job) -> None:
        """The end of its job becomes the item's."""
        values: dict[str, object] = {"status": resting(item), "ended": job.ended}
        if job.status == JobStatus.FAILED:
            values |= {"status": ItemStatus.FAILED, "error": job.error or ""}
        elif job.status == JobStatus.DONE and (row := self._store.artifact(job.artifact_id or "")):
            values |= {"status": ItemStatus.DONE, "text": row.prompt, "score": row.score, "origin": "model",
                       "artifact": row.id, "error": ""}  # fmt: skip
        # the caption that is replaced leaves the gallery, too
        old = self._store.artifact(item.artifact) if item.artifact and "artifact" in values else None
        if self._rows.settle(item, old.id if old else None, **values) and old:
            self._gallery.discard(old)
