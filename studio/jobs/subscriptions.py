"""Who watches, and how they are told: per job only the newest view, so a slow watcher costs a bounded amount."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from weakref import WeakSet

from studio.storage.records import JobStatus

STATUS_SECONDS = BATCH_SECONDS = 0.5  # between two events of the same thing
MOST_ITEMS = 100  # of a batch that are told one by one


class Subscription:
    """The events of one owner: `async for event in subscription`, or `async with` it to leave early.

    Told from any thread, read by one task of the event loop that began the reading. It remembers which jobs have
    changed, not what changed: the view is made at the moment of reading.
    """

    def __init__(
        self,
        owner: str,
        view: Callable[[str], dict | None],
        status: Callable[[], dict],
        pieces: Callable[[str, int], list[dict]] = lambda job_id, begin: [],
        batch: Callable[[str, Collection[int] | None], dict | None] = lambda id, numbers: None,
        aside: Callable[..., Awaitable] = asyncio.to_thread,
    ):
        """batch: what is told of a batch, and of its items of these numbers (None: too many to be told one by one).
        aside: runs what may wait for the database where it holds up nobody.
        """
        self.owner, self.closed = owner, False
        self._view, self._status, self._pieces, self._batch, self._aside = view, status, pieces, batch, aside
        self._told: dict[str, int] = {}  # how many parts of each unfinished job were told of
        self._ready: deque[dict] = deque()
        self._changed: dict[str, None] = {}
        self._batches: dict[str, set[int] | None] = {}  # numbers of the items that have changed
        self._status_changed, self._status_due, self._batch_due = False, 0.0, 0.0
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._awake = asyncio.Event()

    async def __aenter__(self) -> Subscription:
        return self.__aiter__()

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Subscription:
        self._loop = asyncio.get_running_loop()
        return self

    async def __anext__(self) -> dict:
        while True:
            self._awake.clear()  # before the look, so that nothing told since then is missed
            if self.closed:
                raise StopAsyncIteration
            event = await self._aside(self._take, asyncio.get_running_loop().time())
            if event:
                return event
            try:
                await asyncio.wait_for(self._awake.wait(), self._wait(asyncio.get_running_loop().time()))
            except TimeoutError:
                continue

    def tell(self, job_id: str | None = None) -> None:
        """A job of the owner has changed, or (None) the status."""
        with self._lock:
            if job_id is None:
                self._status_changed = True
            else:
                self._changed[job_id] = None
        self._wake()

    def tell_batch(self, id: str, numbers: Collection[int] | None) -> None:
        """A batch of the owner has changed: these of its items, or (None) who knows which."""
        with self._lock:
            known = self._batches.get(id, set())
            changed = None if numbers is None or known is None else known.union(numbers)
            self._batches[id] = changed if changed is None or len(changed) <= MOST_ITEMS else None
        self._wake()

    def close(self) -> None:
        """Ends the iteration; from any thread."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._loop is None or self._awake.is_set():
            return
        try:
            self._loop.call_soon_threadsafe(self._awake.set)
        except RuntimeError:  # its event loop has ended
            self.closed = True

    def _wait(self, now: float) -> float | None:
        """Seconds until something is due; None: until somebody wakes us."""
        due = [self._status_due] * self._status_changed + [self._batch_due] * bool(self._batches)
        return max(0.0, min(due) - now) if due else None

    def _take(self, now: float) -> dict | None:
        """In a thread, as views may have to be read. now: of the event loop, in seconds."""
        if self._ready:
            return self._ready.popleft()
        if self._status_changed and now >= self._status_due:
            self._status_changed, self._status_due = False, now + STATUS_SECONDS
            return {"type": "status", "status": self._status()}
        while self._changed:
            with self._lock:
                job_id = next(iter(self._changed))
                del self._changed[job_id]
            view = self._view(job_id)
            if view:
                self._new_pieces(job_id, view)
                event = {"type": "job", "job": view}
                if not (self._ready and _over(view)):
                    return event
                self._ready.append(event)  # what has ended shows its parts as they are then
                return self._ready.popleft()
        return self._take_batch(now) if self._batches and now >= self._batch_due else None

    def _take_batch(self, now: float) -> dict | None:
        with self._lock:
            id = next(iter(self._batches))
            numbers = self._batches.pop(id)
        self._batch_due = now + BATCH_SECONDS
        return self._batch(id, numbers)

    def _new_pieces(self, job_id: str, view: dict) -> None:
        """Events of the parts that have become ready. A job that starts over begins with its first part again.

        Of a job that was over when it was first seen nothing is told: who wants its parts asks for them.
        """
        there, told = view.get("pieces", 0), self._told.get(job_id, 0)
        if there and _over(view) and not told:
            return
        if there:
            fresh = self._pieces(job_id, told if told <= there else 0)
            self._ready.extend({"type": "piece", "job": job_id, "piece": piece} for piece in fresh)
            self._told[job_id] = max(there, fresh[-1]["number"] + 1) if fresh else there
        else:
            self._told.pop(job_id, None)


def _over(view: dict) -> bool:
    return "status" in view and JobStatus(view["status"]).ended


class Subscriptions:
    """All that watch. One that nobody reads any more is forgotten with its last reference."""

    def __init__(self) -> None:
        self._all: WeakSet[Subscription] = WeakSet()
        self._lock = threading.Lock()

    def add(self, subscription: Subscription) -> Subscription:
        with self._lock:
            self._all.add(subscription)
        return subscription

    def tell(self, owner: str, job_id: str) -> None:
        for subscription in self._everyone():
            if subscription.owner == owner:
                subscription.tell(job_id)

    def tell_batch(self, owner: str, id: str, numbers: Collection[int] | None) -> None:
        for subscription in self._everyone():
            if subscription.owner == owner:
                subscription.tell_batch(id, numbers)

    def tell_status(self) -> None:
        for subscription in self._everyone():
            subscription.tell()

    def close(self) -> None:
        for subscription in self._everyone():
            subscription.close()

    def _everyone(self) -> list[Subscription]:
        with self._lock:
            for gone in [s for s in self._all if s.closed]:
                self._all.discard(gone)
            return list(self._all)
