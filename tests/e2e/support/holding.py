"""Moments that last until the test has seen them: a worker that stands still, news that are heard when asked for."""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from studio.worker.messages import FROM_WORKER, Finished
from tests.support.serving import Served

PATIENCE = 120.0  # seconds in which a message has to come


@contextmanager
def nothing_begins(studio: Served) -> Iterator[None]:
    """The worker is held, so that all that is asked for stays in line."""
    pid = studio.studio.engine.worker_pid
    assert pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Unheard:
    """Messages of the worker about jobs that wait before they are heard, and all that come after them."""

    def __init__(self) -> None:
        self._there: queue.SimpleQueue[FROM_WORKER] = queue.SimpleQueue()
        self._passed = threading.Semaphore(0)

    def comes(self) -> FROM_WORKER:
        """The next of them, as soon as it waits: everything before it has been heard."""
        return self._there.get(timeout=PATIENCE)

    def passes(self) -> None:
        """One of them is heard."""
        self._passed.release()

    def wait(self, message: FROM_WORKER) -> None:
        self._there.put(message)
        self._passed.acquire()


@contextmanager
def unheard(studio: Served, *kinds: type) -> Iterator[Unheard]:
    """Messages of these kinds wait, each for a `passes()`; at the end of this they are heard as ever.

    Answers to questions (a caption, a sketch) are of no job, and do not wait.
    """
    engine, held = studio.studio.engine, Unheard()
    foreman = engine._supervisor._listener
    hear = foreman.heard

    def heard(message: FROM_WORKER) -> None:
        if isinstance(message, kinds) and engine._manager.table.find(message.job_id):
            held.wait(message)
        hear(message)

    foreman.heard = heard
    try:
        yield held
    finally:
        foreman.heard = hear
        held.passes()  # the one that waits; there is never a second


def nothing_ends(studio: Served) -> AbstractContextManager[Unheard]:
    """What is asked for stays in line or at work, also when the worker is done with it."""
    return unheard(studio, Finished)
