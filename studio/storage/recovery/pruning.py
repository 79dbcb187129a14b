"""Jobs that are over and have nothing in the gallery leave the database: after a time, and the oldest of very many.

Otherwise it would grow without end by asking and cancelling. The rows of jobs whose artifact is there stay with it.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from typing import TYPE_CHECKING

from pipelines.errors import Unwritable
from studio import limits
from studio.background import BackgroundLoop

if TYPE_CHECKING:
    from studio.storage.database import Database

EVERY_SECONDS = 60.0
AT_ONCE = 500  # rows in one transaction: others write, too
OVER = "artifact_id IS NULL AND status IN ('done', 'failed', 'cancelled')"  # as the index `jobs_over` has it
_OLD = f"SELECT number FROM jobs INDEXED BY jobs_over WHERE {OVER} AND coalesce(ended, created) < ?"
_COUNTS = f"SELECT owner, count(*) FROM jobs INDEXED BY jobs_over WHERE {OVER} GROUP BY owner"
_MANY = f"""
SELECT number FROM (
    SELECT number, row_number() OVER newest AS place, sum(length(CAST(request AS BLOB))) OVER newest AS bytes
    FROM jobs INDEXED BY jobs_over WHERE {OVER} AND owner = ? WINDOW newest AS (ORDER BY number DESC))
WHERE place > ? OR bytes > ?
"""
log = logging.getLogger(__name__)


class Pruning:
    """A thread of its own. days: how long a job that is over stays."""

    def __init__(self, database: Database, days: float):
        self._database, self._seconds = database, days * 24 * 3600
        self._counts: dict[str, int] = {}  # of an owner, when last looked at closely
        self._loop = BackgroundLoop("pruning", self._again)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def prune(self) -> int:
        """Once; returns how many have gone."""
        gone = self._drop([row[0] for row in self._database.rows(_OLD, (time.time() - self._seconds,))])
        counts = dict(self._database.rows(_COUNTS))
        most = limits.ENDED_JOBS_PER_OWNER, limits.ENDED_BYTES_PER_OWNER
        for owner in [owner for owner, count in counts.items() if self._counts.get(owner) != count]:
            gone += self._drop([row[0] for row in self._database.rows(_MANY, (owner, *most))])
        self._counts = dict(self._database.rows(_COUNTS))
        return gone

    def _drop(self, numbers: list[int]) -> int:
        for at in range(0, len(numbers), AT_ONCE):
            with self._database.transaction() as db:
                # asked once more: a picture may have come back to a job meanwhile
                db.executemany(
                    f"DELETE FROM jobs WHERE number = ? AND {OVER}", [(n,) for n in numbers[at : at + AT_ONCE]]
                )
        return len(numbers)

    def _again(self) -> float:
        try:
            self.prune()
        except (sqlite3.Error, Unwritable):
            log.warning("Ended jobs could not be pruned; it is tried again", exc_info=True)
        return EVERY_SECONDS
