"""When an owner was here last: for the list of owners. Written once an hour, of owners that keep something."""

from __future__ import annotations

import sqlite3
import time
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.errors import Unwritable

if TYPE_CHECKING:
    from studio.storage.store import Store

EVERY_SECONDS = 3600.0
_REMEMBERED = 50_000


class LastSeen:
    def __init__(self, store: Store):
        self._store = store
        self._noted: OrderedDict[str, float] = OrderedDict()

    def due(self, owner: str) -> bool:
        """Whether this is to be noted, which it is but once."""
        now = time.monotonic()
        if now - self._noted.get(owner, -EVERY_SECONDS) < EVERY_SECONDS:
            return False
        self._noted[owner] = now
        if len(self._noted) > _REMEMBERED:
            self._noted.popitem(last=False)
        return True

    def note(self, owner: str) -> None:
        """May wait for the disk; that it fails keeps nobody from anything."""
        with suppress(sqlite3.Error, Unwritable):
            if self._store.knows(owner):
                with self._store.transaction() as db:
                    db.execute(
                        "INSERT INTO owners (owner, seen) VALUES (?, ?) ON CONFLICT DO UPDATE SET seen = excluded.seen",
                        (owner, time.time()),
                    )
