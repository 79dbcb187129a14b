"""Keeps one worker alive: starts it, listens to it, and starts another when it has died or hangs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from studio.worker import process
from studio.worker.connection import Connection
from studio.worker.messages import FROM_WORKER, Beat, Finished, Ready, Shutdown, decode
from studio.worker.watchdog import FROZEN_SECONDS, STALL_SECONDS, Watchdog, processor_seconds

if TYPE_CHECKING:
    from studio.settings import Settings

MAX_PAUSE = 30.0  # seconds between two starts
HEALTHY_SECONDS = 10.0  # a worker that lived so long, or has finished something, was no failed start
LOOK_SECONDS = 1.0  # how often a silent worker is looked at
log = logging.getLogger(__name__)


def worker_settings(settings: Settings) -> dict:
    """What the worker has to know, as plain data."""
    return {
        "data_dir": str(settings.data_dir),
        "models": str(settings.models),
        "device": settings.device,
        "dtype": settings.dtype,
        "memory": settings.memory_bytes or 0,
        "compile": settings.compile,
        "offload": settings.offload,
        "threads": settings.threads or 0,
        "log": settings.log,
    }


class Listener(Protocol):
    """Called from the supervisor's thread only, one call at a time."""

    def joined(self, link: Connection) -> None: ...  # a fresh worker: give it all that is to be done
    def heard(self, message: FROM_WORKER) -> None: ...
    def lost(self) -> None: ...  # the worker is gone, and everything it said has been heard
    def busy(self) -> bool: ...  # whether the worker has reason to say something


class Supervisor:
    """One thread. It also makes the process: on Linux a worker dies with the thread that started it."""

    def __init__(self, settings: dict, listener: Listener, target: Callable = process.main):
        self._settings, self._listener, self._target = settings, listener, target
        self._stall = float(settings.get("stall_seconds") or STALL_SECONDS)
        self._frozen = float(settings.get("frozen_seconds") or FROZEN_SECONDS)
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._begun, self._stopping = threading.Event(), threading.Event()
        self._link: Connection | None = None
        self.ready = self._finished = False

    @property
    def pid(self) -> int | None:
        """The worker's process id, for people and tests."""
        link = self._link
        return link.process.pid if link else None

    def start(self) -> None:
        """Returns as soon as the first worker process exists; it opens the device on its own."""
        self._thread.start()
        self._begun.wait()

    def stop(self, seconds: float = 3.0) -> None:
        """Ends the worker: after the step it is in, or by force after `seconds`. Blocks."""
        self._stopping.set()
        if not self._thread.ident:
            return  # never started
        link = self._link
        if link and self.ready:
            link.send(Shutdown())
            self._thread.join(seconds)
        if link and self._thread.is_alive():
            link.kill()
        self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            healthy = self._live_one()
            if self._stopping.is_set():
                return
            log.error("The worker has died; another one is started")
            self._guarded(self._listener.lost)
            failures = 0 if healthy else failures + 1
            self._stopping.wait(min(MAX_PAUSE, 0.125 * 2**failures) if failures else 0)

    def _live_one(self) -> bool:
        """One worker's life; whether it was a good one."""
        began = time.monotonic()
        try:
            link = self._link = Connection(self._target, self._settings)
        except OSError:
            log.exception("No worker process could be made")
            return False
        finally:
            self._begun.set()
        if self._stopping.is_set():
            link.kill()  # whoever stops us may have looked before it was there
        self._guarded(self._listener.joined, link)
        self._listen(link)
        healthy = self._finished or (self.ready and time.monotonic() - began > HEALTHY_SECONDS)
        self._link, self.ready, self._finished = None, False, False
        link.close()
        return healthy

    def _listen(self, link: Connection) -> None:
        """Until the worker is gone and all that it has said was heard."""
        watchdog = Watchdog(lambda: processor_seconds(link.process.pid), self._stall, self._frozen)
        while True:
            try:
                data = link.receive(LOOK_SECONDS)
            except EOFError:
                return
            if data is not None:
                word = self._guarded(self._hear, data)
                watchdog.heard(word=word is not False)
            elif not link.alive:
                return  # and a child of its own holds the pipe open
            elif why := watchdog.waited(LOOK_SECONDS, ready=self.ready, busy=self._listener.busy()):
                log.error("The worker is %s and is ended", why)
                link.kill()

    def _hear(self, data: bytes) -> bool:
        """Whether that was a word about its work."""
        message = decode(data)
        if isinstance(message, Beat):
            return False
        self.ready = self.ready or isinstance(message, Ready)
        self._finished = self._finished or isinstance(message, Finished)
        self._listener.heard(cast(FROM_WORKER, message))
        return True

    def _guarded(self, call: Callable, *arguments: object) -> object:
        """A failure to note one thing must not end the listening."""
        try:
            return call(*arguments)
        except Exception:
            log.exception("Unforeseen, while listening to the worker")
            return None
