"""When a silent worker is to be ended. No clock: what is counted are the seconds that were spent waiting for a word.

So neither a computer that sleeps nor a studio that was stopped for a while takes its worker for dead.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import psutil

FROZEN_SECONDS = 30.0  # without a heartbeat, and without any use of the processor
STUCK_SECONDS = 120.0  # at work without a word of it, and without any use of the processor worth the name
STALL_SECONDS = 600.0  # at work without a word of it
START_SECONDS = 600.0  # the same while libraries are imported and the device is opened
IDLE = 1.0  # processor seconds that heartbeats and the like may take in STUCK_SECONDS


class Watchdog:
    """One worker's. used: the processor seconds that it has taken so far, or None where nobody can tell.

    A heartbeat needs Python's lock, which a library may hold for long while it works; so a worker without one lives
    as long as it computes. A worker whose heart beats but that does nothing waits for something that will not come.
    """

    def __init__(self, used: Callable[[], float | None], stall: float = STALL_SECONDS, frozen: float = FROZEN_SECONDS):
        self._used, self._stall, self._frozen = used, stall, frozen
        self._beats, self._words = Quiet(used), Quiet(used)

    def heard(self, *, word: bool) -> None:
        """It has said something; word: of its work, not only that it lives."""
        self._beats.over()
        if word:
            self._words.over()

    def waited(self, seconds: float, *, ready: bool, busy: bool) -> str | None:
        """Nothing was heard for so many more seconds; why the worker is to be ended, where it is."""
        silent = self._beats.goes_on(seconds)
        unspoken = self._words.goes_on(seconds) if busy or not ready else self._words.over()
        if self._beats.without(0.0, self._frozen):
            return f"frozen for {silent:.0f} seconds"
        if self._words.without(IDLE, STUCK_SECONDS):
            return f"stuck for {unspoken:.0f} seconds"
        if unspoken > (self._stall if ready else START_SECONDS):
            return f"silent for {unspoken:.0f} seconds"
        return None


class Quiet:
    """A time without something, and the use of the processor in it."""

    def __init__(self, used: Callable[[], float | None]):
        self._used = used
        self.over()

    def over(self) -> float:
        self._seconds, self._since, self._then = 0.0, 0.0, None
        return 0.0

    def goes_on(self, seconds: float) -> float:
        """How long it is by now."""
        self._seconds += seconds
        return self._seconds

    def without(self, most: float, seconds: float) -> bool:
        """Whether no more than `most` processor seconds were used in about the last `seconds`."""
        if self._then is None and self._seconds > seconds / 3:  # before that it is not worth a look
            self._then, self._since = self._used(), self._seconds
        if self._then is None or self._seconds < max(seconds, self._since + seconds / 2):
            return False
        now = self._used()
        idle = now is not None and now - self._then <= most
        self._then, self._since = now, self._seconds
        return idle


def processor_seconds(pid: int | None) -> float | None:
    """Of the process and its children (a compiler, say); None where nobody can tell, as when it is gone."""
    if pid is None:
        return None
    total = 0.0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system
        return total
    return None
