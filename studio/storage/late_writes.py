"""What could not be written at its time, because another program held the database or the disk was full, is written as
soon as it can be: tried again for as long as the studio lives.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from pipelines.errors import Busy, Unwritable

AGAIN_SECONDS, MOST_SECONDS = 1.0, 5.0  # between two tries, at first and in the long run
log = logging.getLogger(__name__)


class LateWrites:
    """One a key, the oldest first. Safe to use from several threads; its own runs only while there is something left.

    bytes: what is held in memory for them.
    """

    def __init__(self, pause: float = AGAIN_SECONDS):
        self._pause, self._lock, self._closing = pause, threading.Lock(), threading.Event()
        self._left: dict[str, tuple[Callable[[], None], int]] = {}
        self._thread: threading.Thread | None = None
        self._reason: Unwritable | None = None  # why the last one was not written

    def __bool__(self) -> bool:
        return bool(self._left)

    def behind(self, key: str) -> Unwritable | None:
        """Why this has to wait, too, without a try: as its former state does, or as another program holds the file."""
        with self._lock:
            wait = key in self._left or (self._left and isinstance(self._reason, Busy))
            return self._reason if wait else None

    @property
    def bytes(self) -> int:
        with self._lock:
            return sum(size for _, size in self._left.values())

    def add(self, key: str, write: Callable[[], None], why: Unwritable, size: int = 0) -> None:
        """write: raises Unwritable where it is still not possible; takes the place of what there was under its key."""
        with self._lock:
            self._left[key], self._reason = (write, size), why
            if self._thread is None and not self._closing.is_set():
                self._thread = threading.Thread(target=self._run, name="late-writes", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """One last try."""
        self._closing.set()
        if thread := self._thread:
            thread.join()
        self.write()

    def write(self) -> None:
        """All that can be written now. A full disk may have room for a row where it has none for a file."""
        with self._lock:
            left, full = list(self._left.items()), False
        for key, (write, size) in left:
            if size and full:
                continue
            try:
                write()
            except Unwritable as error:
                self._reason, full = error, full or bool(size)
                if isinstance(error, Busy):
                    return
                continue
            except Exception:
                log.exception("Something could not be written, and never can be")
            with self._lock:
                if self._left.get(key) == (write, size):
                    del self._left[key]

    def _run(self) -> None:
        pause = self._pause
        while not self._closing.wait(pause):
            self.write()
            pause = min(2 * pause, MOST_SECONDS)
            with self._lock:
                if not self._left:
                    self._thread = None
                    return
