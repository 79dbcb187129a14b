"""Work that goes on for as long as the studio does, in a thread of its own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

AGAIN_SECONDS, MOST_SECONDS = 2.0, 600.0  # after work that has failed, at first and in the long run
STOP_SECONDS = 10.0
log = logging.getLogger(__name__)


class BackgroundLoop:
    """Calls `work` again and again: after the seconds that it has returned, or as soon as it is woken.

    work: None as its answer means not before `wake`. What it raises is logged, and it is tried again. `wake` and `stop`
    may be called from any thread.
    """

    def __init__(self, name: str, work: Callable[[], float | None], first: float = 0.0):
        """first: seconds before the first call."""
        self._work, self._first, self._pause = work, first, AGAIN_SECONDS
        self._woken, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def over(self) -> bool:
        """Work that takes long looks here, and leaves the rest."""
        return self._over.is_set()

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There is something to do; also while it works."""
        self._woken.set()

    def wait(self, seconds: float) -> None:
        """For the work itself: until then, or until the end."""
        self._over.wait(seconds)

    def stop(self) -> None:
        """Whatever is at work ends first, if that does not take long."""
        self._over.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        wait: float | None = self._first
        while not self.over:
            self._woken.wait(wait)
            self._woken.clear()  # before the work, so that nothing told since then is missed
            wait = None if self.over else self._once()

    def _once(self) -> float | None:
        try:
            wait, self._pause = self._work(), AGAIN_SECONDS
        except Exception:
            log.exception("What the studio does beside its work (%s) has failed; it is tried again", self._thread.name)
            wait, self._pause = self._pause, min(2 * self._pause, MOST_SECONDS)
        return wait
