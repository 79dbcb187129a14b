"""What is done for the data folder while the studio runs: a backup a day, and sidecars of artifacts that have none.

In a thread of its own, away from whoever answers people; it goes on for as long as the studio does.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from studio.background import BackgroundLoop
from studio.storage.recovery.backups import Backups

if TYPE_CHECKING:
    from studio.storage.gallery import Gallery
    from studio.storage.recovery.notices import Notices
    from studio.storage.recovery.rows import RecoveryRows

FIRST_SECONDS, LOOK_SECONDS = 60.0, 3600.0  # after the start, which has enough to do; between two looks at the clock
log = logging.getLogger(__name__)


class Upkeep:
    """undescribed: ids of artifacts that have no sidecar, from `Recovery`."""

    def __init__(self, backups: Backups, gallery: Gallery, rows: RecoveryRows, notices: Notices,
                 undescribed: Iterable[str], first: float = FIRST_SECONDS):  # fmt: skip
        self._backups, self._gallery, self._rows, self._notices = backups, gallery, rows, notices
        self._undescribed = sorted(undescribed)
        self._loop = BackgroundLoop("upkeep", self._look, first)

    def start(self) -> None:
        self._loop.start()

    def wake(self) -> None:
        """There are artifacts whose sidecars are not true any more."""
        self._loop.wake()

    def stop(self) -> None:
        self._loop.stop()

    def _look(self) -> float:
        try:
            self._describe()
        except Exception:  # tomorrow's backup shall be made all the same
            log.exception("What is known of the artifacts could not be written beside them")
        if self._backups.due(time.time()):
            self._back_up()
        return LOOK_SECONDS

    def _describe(self) -> None:
        while self._undescribed and not self._loop.over:
            self._gallery.describe(self._undescribed.pop())
        for id in self._rows.undescribed():
            if self._loop.over:
                return
            if self._gallery.describe(id):
                self._rows.described(id)

    def _back_up(self) -> None:
        try:
            backup = self._backups.make()
            log.info("The database was copied to %s", backup.path)
        except sqlite3.DatabaseError as error:
            self._notices.say(f"No backup of the database could be made ({error}); it may be damaged.")
        except OSError as error:
            self._notices.say(f"No backup of the database could be made ({error.strerror or error}).")
        except Exception:
            log.exception("No backup of the database could be made")
