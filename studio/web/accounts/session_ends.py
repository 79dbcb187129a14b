"""Which sessions are over, and which owners have become others: durable, and at hand for every request."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.storage.database import Database

MOST_ENDED = 1000  # of one user; then all of that user's sessions end, and the list begins anew


class SessionEnds:
    """Safe to use from several threads. Without a database it lasts as long as the process.

    Nothing here goes by the clock: a clock that was wrong for a while must not bring an ended session back.
    """

    def __init__(self, database: Database | None = None):
        self._database, self._lock = database, threading.Lock()
        self._epochs: dict[str, str] = {}
        self._became: dict[str, str] = {}
        self._ended: dict[str, str] = {}  # session -> owner
        self._listening: dict[str, set[Callable[[], None]]] = {}  # owner -> who wants to know
        if database:
            self.reload()

    def reload(self) -> None:
        """What the database has."""
        assert self._database
        rows = self._database.rows("SELECT owner, epoch, became FROM owners WHERE epoch != '' OR became IS NOT NULL")
        ended = self._database.rows("SELECT id, owner FROM ended_sessions")
        with self._lock:
            self._epochs = {row["owner"]: row["epoch"] for row in rows if row["epoch"]}
            self._became = {row["owner"]: row["became"] for row in rows if row["became"]}
            self._ended = {row["id"]: row["owner"] for row in ended}

    def epoch(self, owner: str) -> str:
        """Changes whenever all sessions of an owner are ended; "" at first."""
        return self._epochs.get(owner, "")

    def ended(self, session: str) -> bool:
        return session in self._ended

    def became(self, owner: str) -> str:
        """Who an owner is now whose gallery has moved into another's."""
        return self._became.get(owner, owner)

    def end(self, owner: str, session: str) -> None:
        """This session of the owner, for good; one without an id (of a former version) takes all others with it."""
        mine = sum(1 for other in self._ended.values() if other == owner)
        if not session or mine >= MOST_ENDED:
            self.end_all(owner)
            return
        if self._database:
            with self._database.transaction() as db:
                db.execute("INSERT OR IGNORE INTO ended_sessions VALUES (?, ?)", (session, owner))
        with self._lock:
            self._ended[session] = owner
        self._tell(owner)

    def end_all(self, owner: str) -> None:
        """Every session of the owner. A random epoch: a counter out of an older backup would come round again."""
        epoch = secrets.token_hex(8)
        if self._database:
            with self._database.transaction() as db:
                db.execute(
                    "INSERT INTO owners (owner, epoch) VALUES (?, ?) ON CONFLICT DO UPDATE SET epoch = excluded.epoch",
                    (owner, epoch),
                )
                db.execute("DELETE FROM ended_sessions WHERE owner = ?", (owner,))
        with self._lock:
            self._epochs[owner] = epoch
            self._ended = {session: other for session, other in self._ended.items() if other != owner}
        self._tell(owner)

    def listen(self, owner: str, hear: Callable[[], None]) -> Callable[[], None]:
        """`hear` is called, in any thread, when a session of the owner ends. Returns what ends the listening."""
        with self._lock:
            self._listening.setdefault(owner, set()).add(hear)

        def stop() -> None:
            with self._lock:
                others = self._listening.get(owner, set())
                others.discard(hear)
                if not others:
                    self._listening.pop(owner, None)

        return stop

    def _tell(self, owner: str) -> None:
        with self._lock:
            hearing = list(self._listening.get(owner, ()))
        for hear in hearing:
            hear()
