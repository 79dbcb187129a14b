"""The rows: jobs and artifacts. What is acknowledged has been synced to the disk."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import asdict, fields, replace

from pipelines import requests
from pipelines.errors import InvalidRequest, Unwritable
from studio.storage.database import Database
from studio.storage.records import ArtifactRow, Job, JobStatus

_UNREADABLE = "This job was asked for in another version of the studio, which this one cannot read; ask again."
# Requests as they are written: a composed one names its stored pictures
_COMPOSED = """request LIKE '%"parts":[{%' OR request LIKE '%"mask":"%' OR request LIKE '%"blend":{%'"""
_SHA256 = re.compile(r'"([0-9a-f]{64})"')
_JOB_COLUMNS = tuple(field.name for field in fields(Job))


_ARTIFACT_COLUMNS = tuple(field.name for field in fields(ArtifactRow))
log = logging.getLogger(__name__)


class Store(Database):
    """Safe to call from several threads, each call is one transaction."""

    def add(self, *jobs: Job, beside: Callable[[sqlite3.Connection, Sequence[Job]], None] | None = None) -> None:
        """New jobs, all or none; when this returns they survive a power cut. beside: writes more in the transaction."""
        marks = ", ".join("?" * len(_JOB_COLUMNS))
        with self.transaction() as db:
            db.executemany(f"INSERT INTO jobs ({', '.join(_JOB_COLUMNS)}) VALUES ({marks})", map(_job_values, jobs))
            if beside:
                beside(db, jobs)

    def update(self, *jobs: Job) -> None:
        with self.transaction() as db:
            _update(db, jobs)

    def job(self, id: str) -> Job | None:
        return next(iter(self._jobs("WHERE id = ?", (id,))), None)

    def jobs(self, owner: str, limit: int = 200) -> list[Job]:
        """The owner's jobs, newest first."""
        return self._jobs("WHERE owner = ? ORDER BY number DESC LIMIT ?", (owner, limit))

    def keep_order(self, owner: str, job_ids: Iterable[str]) -> None:
        """The order that the owner has given to jobs in line."""
        with self.transaction() as db:
            db.execute("INSERT OR REPLACE INTO orders VALUES (?, ?)", (owner, " ".join(job_ids)))

    def orders(self, unfinished: Container[str]) -> dict[str, list[str]]:
        """Every owner's, of jobs that are still in line; orders of others are forgotten."""
        rows = self.rows("SELECT owner, jobs FROM orders")
        kept = {owner: [id for id in jobs.split() if id in unfinished] for owner, jobs in rows}
        over = [(owner,) for owner, ids in kept.items() if not ids]
        self._tidy("DELETE FROM orders WHERE owner = ?", over)
        return {owner: ids for owner, ids in kept.items() if ids}

    def _tidy(self, query: str, values: Sequence[tuple]) -> None:
        """At the start, for which nobody has to wait: what cannot be done now is done at the next."""
        if not values:
            return
        try:
            with self.transaction() as db:
                db.executemany(query, values)
        except Unwritable as error:
            log.warning("Rows could not be tidied up: %s", error)

    def needed_uploads(self, owner: str) -> set[str]:
        """SHA-256 of the stored files that the owner's unfinished jobs will read, and of those that a composed picture
        in the gallery was made from: "reuse settings" brings them back.
        """
        live = [status for status in JobStatus if not status.ended]
        jobs = self._jobs(f"WHERE owner = ? AND status IN ({', '.join('?' * len(live))})", (owner, *live))
        return {sha for job in jobs for sha in job.request.uploads()} | self._composed_of(owner)

    def _composed_of(self, owner: str) -> set[str]:
        """Read as text: with thousands of pictures, validating each request would take seconds."""
        rows = self.rows(f"SELECT request FROM artifacts WHERE owner = ? AND ({_COMPOSED})", (owner,))
        return {sha for row in rows for sha in _SHA256.findall(row["request"])}

    def unfinished(self) -> list[Job]:
        """Everybody's jobs that have not ended, in the order in which they came.

        A row whose request this version cannot read (another version wrote it) is ended here, with the reason.
        """
        live = [status for status in JobStatus if not status.ended]
        jobs = self._jobs(f"WHERE status IN ({', '.join('?' * len(live))}) ORDER BY number", live)
        known = {job.id for job in jobs}
        rows = self.rows(f"SELECT id FROM jobs WHERE status IN ({', '.join('?' * len(live))})", live)
        lost = [(JobStatus.FAILED, "invalid", _UNREADABLE, row["id"]) for row in rows if row["id"] not in known]
        self._tidy("UPDATE jobs SET status = ?, error_code = ?, error = ? WHERE id = ?", lost)
        return jobs

    def add_artifact(self, row: ArtifactRow, done: Job) -> ArtifactRow:
        """The artifact's row and the end of its job, in one transaction; returns the row with its number."""
        values = {**asdict(row), "words": _folded(row.prompt)}
        del values["number"]
        with self.transaction() as db:
            names = ", ".join(values)
            marks = ", ".join("?" * len(values))
            added = db.execute(f"INSERT INTO artifacts ({names}) VALUES ({marks})", tuple(values.values()))
            _update(db, [done])
        return replace(row, number=added.lastrowid or 0)

    def artifact(self, id: str) -> ArtifactRow | None:
        return next(iter(self._artifacts("WHERE id = ?", (id,))), None)

    def artifacts(
        self,
        owner: str,
        before: int | None = None,
        limit: int = 60,
        model: str | None = None,
        text: str = "",
        kind: str | None = None,
    ) -> list[ArtifactRow]:
        """The owner's listed artifacts, newest first: numbers under `before`, of `model`, with every word of `text`."""
        where: str = "WHERE owner = ? AND hidden = 0"
        values: tuple[object, ...] = (owner,)
        if before is not None:
            where, values = where + " AND number < ?", (*values, before)
        if model:
            where, values = where + " AND model = ?", (*values, model)
        if kind:
            where, values = where + " AND kind = ?", (*values, kind)
        # the longest first: most rows lack it, and need not be searched for the others
        for word in sorted(_folded(text).split(), key=len, reverse=True):
            where, values = where + " AND instr(words, ?)", (*values, word)
        query, values = f"{where} ORDER BY number DESC LIMIT ?", (*values, limit)
        if text.strip():  # goes through that index alone; only of what has the words the rows are read
            found = f"SELECT number FROM artifacts INDEXED BY artifacts_words {query}"
            query = f"WHERE number IN ({found}) ORDER BY number DESC"
        return self._artifacts(query, values)

    def numbered(self, owner: str, numbers: Sequence[int]) -> list[ArtifactRow]:
        """The owner's listed artifacts with those numbers, in no order."""
        marks = ", ".join("?" * len(numbers))
        # the + keeps SQLite from walking through all that the owner has, instead of going to the numbers
        return self._artifacts(f"WHERE number IN ({marks}) AND +owner = ? AND +hidden = 0", (*numbers, owner))

    def without_vector(self, before: int, most: int) -> list[sqlite3.Row]:
        """number, id, owner, kind and prompt of artifacts that can have a vector and have none, the newest first."""
        return self.rows(
            "SELECT number, id, owner, kind, prompt FROM artifacts WHERE vector = x'' AND NOT hidden AND number < ? "
            "AND kind IN ('image', 'caption', 'speech') ORDER BY number DESC LIMIT ?",
            (before, most),
        )

    def drop_vectors(self) -> None:
        """All of them: they are of other weights than those that will be asked."""
        with self.transaction() as db:
            db.execute("UPDATE artifacts SET vector = x''")

    def add_vectors(self, vectors: Mapping[str, bytes]) -> None:
        """By artifact; one that has a vector by now keeps it."""
        with self.transaction() as db:
            db.executemany(
                "UPDATE artifacts SET vector = ? WHERE id = ? AND vector = x''",
                [(vector, id) for id, vector in vectors.items()],
            )

    def vectors(self, owner: str, dim: int, after: int = 0) -> list[tuple[int, bytes]]:
        """Number and vector of the owner's listed artifacts behind number `after`, in their order.

        `hidden = 0`, not `NOT hidden`: only with that SQLite goes along the index to `number`, instead of through all.
        """
        query = (
            "SELECT number, vector FROM artifacts WHERE owner = ? AND hidden = 0 AND number > ? "
            "AND length(vector) = ? ORDER BY number"
        )
        return [tuple(row) for row in self.rows(query, (owner, after, 2 * dim))]

    def artifact_types(self) -> dict[str, str]:
        """Every artifact's id with its media type."""
        return {row[0]: row[1] for row in self.rows("SELECT id, media_type FROM artifacts", ())}

    def rewrite_artifact(self, id: str, text: str, size: int, info: str) -> None:
        """An artifact of words has other words: what it is found by, the size of its file, and what is known of it."""
        with self.transaction() as db:
            db.execute(
                "UPDATE artifacts SET prompt = ?, words = ?, bytes = ?, info = ? WHERE id = ?",
                (text, _folded(text), size, info, id),
            )

    def inform_artifact(self, id: str, text: str, info: str) -> None:
        """What is known of an artifact of words, unless it has other words by now."""
        with self.transaction() as db:
            db.execute("UPDATE artifacts SET info = ? WHERE id = ? AND prompt = ?", (info, id, text))

    def owned(self, owner: str, ids: Sequence[str]) -> dict[str, str]:
        """The owner's artifacts among them: id -> job."""
        # the + as above: they are gone to one by one
        query = f"SELECT id, job_id FROM artifacts WHERE id IN ({', '.join('?' * len(ids))}) AND +owner = ?"
        return {row[0]: row[1] for row in self.rows(query, (*ids, owner))}

    def delete_artifacts(self, owner: str, ids: Sequence[str]) -> dict[str, str]:
        """Drop the rows of those that are the owner's, and note that their files are to go; their jobs stay, without an
        artifact. Returns what has gone: id -> job.
        """
        with self.turn():
            gone = self.owned(owner, ids)
            if gone:
                with self.transaction() as db:
                    for id in gone:
                        self.drop_artifact(db, id)
        return gone

    @staticmethod
    def drop_artifact(db: sqlite3.Connection, id: str) -> None:
        """The same within a transaction of others."""
        db.execute("UPDATE jobs SET artifact_id = NULL WHERE artifact_id = ?", (id,))
        gone = "SELECT id, 'artifact', owner FROM artifacts WHERE id = ?"
        db.execute(f"INSERT OR REPLACE INTO deletions {gone}", (id,))
        db.execute("DELETE FROM artifacts WHERE id = ?", (id,))

    def knows(self, owner: str) -> bool:
        """Whether there is anything of this owner's."""
        tables = ("jobs", "artifacts", "batches")
        return any(self.rows(f"SELECT 1 FROM {table} WHERE owner = ? LIMIT 1", (owner,)) for table in tables)

    def _jobs(self, where: str, values: Sequence) -> list[Job]:
        rows = self.rows(f"SELECT {', '.join(_JOB_COLUMNS)} FROM jobs {where}", values)
        return [job for job in map(_job, rows) if job]

    def _artifacts(self, where: str, values: Sequence) -> list[ArtifactRow]:
        rows = self.rows(f"SELECT {', '.join(_ARTIFACT_COLUMNS)} FROM artifacts {where}", values)
        return [ArtifactRow(*row) for row in rows]


def _update(db: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    names = ", ".join(f"{name} = ?" for name in _JOB_COLUMNS)
    db.executemany(f"UPDATE jobs SET {names} WHERE id = ?", [(*_job_values(job), job.id) for job in jobs])


def _job_values(job: Job) -> tuple:
    values = {name: getattr(job, name) for name in _JOB_COLUMNS}
    return tuple({**values, "request": job.request.model_dump_json(), "status": job.status.value}.values())


def _job(row: sqlite3.Row) -> Job | None:
    """None where another version of the studio wrote a request that this one does not know."""
    try:
        request = requests.from_json(row["request"])
    except InvalidRequest:
        return None
    return Job(**{**dict(row), "request": request, "status": JobStatus(row["status"])})


def _folded(text: str) -> str:
    """Both sides of a search, so that case does not matter in any script."""
    return text.casefold()
