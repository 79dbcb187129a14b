"""Room on the disk that is kept for when it is full: then jobs can still end, and people can still delete."""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from pathlib import Path

from studio.storage.private import private_opener

SIZE = 8 * 2**20  # bytes: some thousand rows
BESIDE = 3 * SIZE  # bytes that have to be free beside it before it is taken
AGAIN_SECONDS = 10.0
log = logging.getLogger(__name__)


class Reserve:
    """A file in the data folder. Safe to use from several threads."""

    def __init__(self, folder: Path):
        self._file, self._lock, self._due = folder / "reserve", threading.Lock(), 0.0
        self.held = False

    def hold(self) -> None:
        """Takes the room, unless it is taken; where there is little, later."""
        if self.held or time.monotonic() < self._due:
            return
        with self._lock:
            self._due = time.monotonic() + AGAIN_SECONDS
            try:
                if not self.held and self._fits():
                    self._take()
                    self.held = True
            except OSError:
                self._file.unlink(missing_ok=True)

    def release(self) -> bool:
        """Whether there was something to give."""
        with self._lock:
            held, self.held, self._due = self.held, False, time.monotonic() + AGAIN_SECONDS
            if held:
                self._file.unlink(missing_ok=True)
                log.warning("The disk is full: the last room is used, so that jobs can end and pictures be deleted")
        return held

    def _fits(self) -> bool:
        there = self._file.exists() and self._file.stat().st_size == SIZE
        return there or shutil.disk_usage(self._file.parent).free > SIZE + BESIDE

    def _take(self) -> None:
        if self._file.exists() and self._file.stat().st_size == SIZE:
            return
        with open(self._file, "wb", opener=private_opener) as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, SIZE)
            else:
                file.write(os.urandom(SIZE))  # what is all alike may be packed, and then it is no room
            file.flush()
            os.fsync(file.fileno())
