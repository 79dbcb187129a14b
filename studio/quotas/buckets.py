"""Token buckets: much at once, little for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

_ROOM = 10_000  # buckets, before the full ones are dropped


class Buckets:
    """A bucket a key, of `size`, filled again by `per_second`. Safe to use from several threads.

    A full bucket is no bucket: what is kept grows with what is taken, not with who asks.
    """

    def __init__(self, size: float, per_second: float, clock: Callable[[], float] = time.monotonic):
        self.size, self.per_second, self._clock = size, per_second, clock
        self._taken: dict[Hashable, tuple[float, float]] = {}  # key -> taken, at
        self._room, self._lock = _ROOM, threading.Lock()

    def take(self, key: Hashable, amount: float = 1.0) -> float:
        """0.0 and it is taken; or nothing is, and the seconds until it can be. More than `size` counts as `size`."""
        with self._lock:
            now, amount = self._clock(), min(amount, self.size)
            over = self._now(key, now) + amount - self.size
            if over > 0:
                return over / self.per_second
            self._taken[key] = (self._now(key, now) + amount, now)
            if len(self._taken) > self._room:
                self._taken = {key: self._taken[key] for key in self._taken if self._now(key, now) > 0}
                self._room = max(_ROOM, 2 * len(self._taken))
            return 0.0

    def _now(self, key: Hashable, now: float) -> float:
        taken, at = self._taken.get(key, (0.0, now))
        return max(0.0, taken - (now - at) * self.per_second)
