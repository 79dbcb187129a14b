"""The rows that a start compares with the files: what is known, what was deleted, what is known to be missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields

from studio.storage.records import ArtifactRow, JobStatus
from studio.storage.store import Store

_OF_ARTIFACT = tuple(field.name for field in fields(ArtifactRow) if field.name != "number")
_UNFINISHED = tuple(status.value for status in JobStatus if not status.ended)
_AT_ONCE = 500  # values in one question
_SHA256 = re.compile(r'"([0-9a-f]{64})"')


class RecoveryRows:
    """Each call is one transaction."""

    def __init__(self, store: Store):
        self._store = store

    def types(self) -> dict[str, str]:
        """Every artifact's id with its media type."""
        return self._store.artifact_types()

    def deleted(self, what: str) -> dict[str, str]:
        """Ids that people have deleted, with their owners; their files may have outlived them."""
        return {row[0]: row[1] for row in self._store.rows("SELECT id, owner FROM deletions WHERE what = ?", (what,))}

    def forget_deletions(self, what: str) -> None:
        with self._store.transaction() as db:
            db.execute("DELETE FROM deletions WHERE what = ?", (what,))

    def missing(self) -> set[str]:
        """Artifacts whose files were missing at the last start."""
        return {row[0] for row in self._store.rows("SELECT id FROM missing")}

    def keep_missing(self, ids: Iterable[str]) -> None:
        with self._store.transaction() as db:
            db.execute("DELETE FROM missing")
            db.executemany("INSERT INTO missing VALUES (?)", [(id,) for id in ids])

    def undescribed(self) -> list[str]:
        """Artifacts whose sidecars tell of a former owner."""
        return [row[0] for row in self._store.rows("SELECT id FROM undescribed")]

    def described(self, id: str) -> None:
        with self._store.transaction() as db:
            db.execute("DELETE FROM undescribed WHERE id = ?", (id,))

    def owners(self) -> dict[str, int]:
        """Everybody who has artifacts, with how many."""
        query = "SELECT owner, count(*) FROM artifacts GROUP BY owner ORDER BY count(*) DESC"
        return {row[0]: row[1] for row in self._store.rows(query)}

    def job_status(self, ids: Sequence[str]) -> dict[str, JobStatus]:
        """Of the jobs among them that there are."""
        found: dict[str, JobStatus] = {}
        for at in range(0, len(ids), _AT_ONCE):
            some = ids[at : at + _AT_ONCE]
            marks = ", ".join("?" * len(some))
            rows = self._store.rows(f"SELECT id, status FROM jobs WHERE id IN ({marks})", some)
            found |= {row[0]: JobStatus(row[1]) for row in rows}
        return found

    def batch_pictures(self) -> dict[str, set[str]]:
        """The pictures of every batch, by its id."""
        found: dict[str, set[str]] = {row[0]: set() for row in self._store.rows("SELECT id FROM batches")}
        for row in self._store.rows("SELECT batch, picture FROM batch_items"):
            found.setdefault(row[0], set()).add(row[1])
        return found

    def described_pictures(self) -> set[str]:
        """What the captions of the gallery were made from."""
        rows = self._store.rows("SELECT request FROM artifacts WHERE kind = 'caption'")
        return {sha for row in rows for sha in _SHA256.findall(row[0])}

    def adopt(self, rows: Sequence[ArtifactRow]) -> None:
        """Rows of files; a job that waits for one of them is done."""
        if not rows:
            return  # a start that has nothing to write waits for nobody
        names, marks = ", ".join((*_OF_ARTIFACT, "words")), ", ".join("?" * (len(_OF_ARTIFACT) + 1))
        add = f"INSERT OR IGNORE INTO artifacts ({names}) VALUES ({marks})"
        waits = f"id = ? AND owner = ? AND status IN ({', '.join('?' * len(_UNFINISHED))})"
        end = f"UPDATE jobs SET status = ?, ended = ?, artifact_id = ? WHERE {waits}"
        with self._store.transaction() as db:
            for row in rows:
                values = [getattr(row, name) for name in _OF_ARTIFACT]
                db.execute(add, (*values, row.prompt.casefold()))
                db.execute(end, (JobStatus.DONE, row.created, row.id, row.job_id, row.owner, *_UNFINISHED))

    def give(self, before: str, owner: str) -> list[ArtifactRow]:
        """All artifacts of one owner to another; those rows, as they are now."""
        with self._store.transaction() as db:
            ids = [row[0] for row in db.execute("SELECT id FROM artifacts WHERE owner = ?", (before,))]
            db.execute("UPDATE artifacts SET owner = ? WHERE owner = ?", (owner, before))
        return [row for row in map(self._store.artifact, ids) if row]
