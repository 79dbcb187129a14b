"""Keeps one worker alive: starts it, listens to it, and starts another when it has died or hangs."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from studio import worker
from studio.link import Link
from studio.messages import FROM_WORKER, Ready, Shutdown, decode

if TYPE_CHECKING:
    from studio.settings import Settings

MAX_PAUSE = 30.0  # seconds between two starts
START_SECONDS = 600.0  # silence that is allowed while libraries are imported and the device is opened
HEALTHY_SECONDS = 10.0  # a worker that lived so long was no failed start
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

    def joined(self, link: Link) -> None: ...  # a fresh worker: give it all that is to be done
    def heard(self, message: FROM_WORKER) -> None: ...
    def lost(self) -> None: ...  # the worker is gone, and everything it said has been heard
    def busy(self) -> bool: ...  # whether the worker has reason to say something


class Supervisor:
    """One thread. It also makes the process: on Linux a worker dies with the thread that started it."""

    def __init__(self, settings: dict, listener: Listener, target: Callable = worker.main):
        self._settings, self._listener, self._target = settings, listener, target
        self._stall = float(settings.get("stall_seconds") or 600.0)
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._begun, self._stopping = threading.Event(), threading.Event()
        self._link: Link | None = None
        self.ready = False

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
            link = self._link = Link(self._target, self._settings)
        except OSError:
            log.exception("No worker process could be made")
            return False
        finally:
            self._begun.set()
        if self._stopping.is_set():
            link.kill()  # whoever stops us may have looked before it was there
        self._guarded(self._listener.joined, link)
        self._listen(link)
        healthy = self.ready and time.monotonic() - began > HEALTHY_SECONDS
        self._link, self.ready = None, False
        link.close()
        return healthy

    def _listen(self, link: Link) -> None:
        """Until the end of the pipe."""
        heard = time.monotonic()
        while True:
            try:
                if link.conn.poll(1.0):
                    self._guarded(self._hear, link.conn.recv_bytes())
                    heard = time.monotonic()
            except (EOFError, OSError):
                return
            silence = time.monotonic() - heard
            if silence > (self._stall if self.ready else START_SECONDS) and self._listener.busy():
                log.error("The worker has been silent for %d seconds and is ended", silence)
                link.kill()

    def _hear(self, data: bytes) -> None:
        message = decode(data)
        self.ready = self.ready or isinstance(message, Ready)
        self._listener.heard(cast(FROM_WORKER, message))

    def _guarded(self, call: Callable, *arguments: object) -> None:
        """A failure to note one thing must not end the listening."""
        try:
            call(*arguments)
        except Exception:
            log.exception("Unforeseen, while listening to the worker")
