"""What one person may keep and ask for, and what the machine has room for; asked before anything is read or stored."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import NoRoom, TooMany
from studio import limits
from studio.quotas.buckets import Buckets
from studio.storage.uploads import folder_of

if TYPE_CHECKING:
    from studio.settings import Settings
    from studio.storage.database import Database

GIB = 2**30
KEPT_SECONDS = 5.0  # what an owner has is counted no oftener
_USAGE = f"""
SELECT sum(files), sum(bytes) FROM (
    SELECT count(*) files, sum(bytes) bytes FROM artifacts WHERE owner = :owner
    UNION ALL
    -- three files a picture; that for models is a PNG of at most {limits.BATCH_SIDE} pixels a side, two bytes a pixel
    SELECT 3 * count(*), sum(i.bytes + 2 * min(i.width, {limits.BATCH_SIDE}) * min(i.height, {limits.BATCH_SIDE}))
    FROM batches b JOIN batch_items i ON i.batch = b.id WHERE b.owner = :owner AND i.picture != '')
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an owner keeps."""

    files: int
    bytes: int


class Quotas:
    """Safe to use from several threads. `folder`: the data folder."""

    def __init__(self, folder: Path, database: Database, settings: Settings):
        self._folder, self._database = folder, database
        self.most = Usage(limits.FILES_PER_OWNER, int(settings.owner_disk * GIB))
        self._min_free = int(settings.min_free_disk * GIB)
        self._jobs = Buckets(limits.JOBS_AT_ONCE, limits.JOBS_PER_SECOND)
        self._words = Buckets(limits.REQUEST_BYTES_AT_ONCE, limits.REQUEST_BYTES_PER_SECOND)
        self._known: dict[str, tuple[float, Usage]] = {}
        self._coming, self._bytes_coming = Counter[str](), Counter[str]()  # uploads by owner
        self._lock = threading.Lock()

    def usage(self, owner: str) -> Usage:
        """What the owner keeps, as of a few seconds ago."""
        at, usage = self._known.get(owner, (0.0, None))
        if usage is None or time.monotonic() - at > KEPT_SECONDS:
            usage = self._counted(owner)
            if len(self._known) > 1000:
                self._known = {}
            self._known[owner] = (time.monotonic(), usage)
        return usage

    def check(self, owner: str, size: int = 0) -> None:
        """Whether the owner may keep `size` bytes more, and the machine has room. Raises NoRoom."""
        self._check_disk(size)
        usage, most = self.usage(owner), self.most
        if usage.bytes + self._bytes_coming[owner] + size > most.bytes:
            raise NoRoom(
                f"You keep {usage.bytes / GIB:.1f} GB, and one person may keep {most.bytes / GIB:.1f} GB: delete "
                "pictures or batches to make room."
            )
        if usage.files >= most.files:
            raise NoRoom(f"You keep {usage.files:,} files, and one person may keep {most.files:,}: delete some.")

    def check_pace(self, owner: str, jobs: int, size: int) -> None:
        """Whether so many more jobs may be asked for now, of so many bytes in all. Raises TooMany."""
        wait = self._jobs.take(owner, jobs) or self._words.take(owner, size)
        if wait:
            seconds = int(wait) + 1
            raise TooMany(f"Jobs come faster than the studio takes them. Try again in {seconds} seconds.", seconds)

    @contextmanager
    def upload(self, owner: str, size: int) -> Iterator[None]:
        """While a body of `size` bytes is read and stored. Raises NoRoom, TooMany before the first byte."""
        self.usage(owner)  # counted before the lock: with very much in the gallery that takes a moment
        with self._lock:
            self._check_coming(owner)
            self.check(owner, size)
            self._coming[owner] += 1
            self._bytes_coming[owner] += size
        try:
            yield
        finally:
            with self._lock:
                self._coming[owner] -= 1
                self._bytes_coming[owner] -= size
                if not self._coming[owner]:
                    del self._coming[owner], self._bytes_coming[owner]
                self._known.pop(owner, None)

    def _check_coming(self, owner: str) -> None:
        if self._coming[owner] >= limits.UPLOADS_AT_ONCE_PER_OWNER:
            raise TooMany("You are sending several files already. Send this one when they have arrived.", 2)
        if self._coming.total() >= limits.UPLOADS_AT_ONCE:
            raise TooMany("Many files are being sent at this moment. Try again in a few seconds.", 5)

    def _check_disk(self, size: int) -> None:
        coming = self._bytes_coming.total()
        for folder in (self._folder, Path(tempfile.gettempdir())):  # a body that is long lies there while it comes
            disk = shutil.disk_usage(folder)
            # a twentieth of a small disk is enough
            if disk.free - coming - size < min(self._min_free, disk.total // 20):
                raise NoRoom("The disk of the studio is almost full: delete what you do not need.")

    def _counted(self, owner: str) -> Usage:
        files, size = self._database.rows(_USAGE, {"owner": owner})[0]
        files, size = files or 0, size or 0
        with suppress(OSError), os.scandir(self._folder / "uploads" / folder_of(owner)) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_file():
                        files, size = files + 1, size + entry.stat().st_size
        return Usage(files, size)
