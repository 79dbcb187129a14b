"""Batches of pictures to describe, as rows: what a reload, a restart or another browser of the same person finds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, fields

from studio import limits
from studio.batches.records import CaptionBatch, Item, ItemStatus, resting
from studio.storage.records import Job
from studio.storage.store import Store

_BATCH = ", ".join(field.name for field in fields(CaptionBatch))
_ITEM = tuple(field.name for field in fields(Item))
# `batch_items.resting` in SQL
_TO_REST = """
UPDATE batch_items SET status = CASE WHEN text IS NULL THEN 'new' WHEN origin = 'sidecar' THEN 'kept' ELSE 'done' END
WHERE status = 'wanted' AND batch IN (SELECT id FROM batches WHERE NOT running)"""
ORDERS = {
    "place": "number",
    "name": "name COLLATE NOCASE, number",
    "agreement": "score IS NULL, score, number",
    "state": "CASE status WHEN 'failed' THEN 0 WHEN 'refused' THEN 1 WHEN 'asked' THEN 2 ELSE 3 END, number",
}
UNCHECKED = (
    "score IS NULL AND trim(text) != '' AND origin IN ('person', 'sidecar') AND status IN ('done', 'kept') "
    "AND picture != ''"
)
FILTERS = {
    "all": "",
    "bad": " AND status IN ('failed', 'refused')",
    "doubtful": " AND score < {doubtful}",
    "missing": " AND text IS NULL AND status != 'refused'",
    "edited": " AND origin = 'person'",
}


class BatchStore:
    """Their tables in the store's file; each call is one transaction."""

    def __init__(self, store: Store, told: Callable[[str, Collection[int] | None], None] = lambda batch, numbers: None):
        """told: hears which batch has changed, and the numbers of its items that have (None: who knows which)."""
        self._store, self.tell = store, told

    @contextmanager
    def _writing(self, batch: str, numbers: Collection[int] | None = ()) -> Iterator[sqlite3.Connection]:
        with self._store.transaction() as db:
            yield db
        self.tell(batch, numbers)

    def add(self, batch: CaptionBatch) -> None:
        values = asdict(batch)
        with self._writing(batch.id) as db:
            db.execute(f"INSERT INTO batches ({_BATCH}) VALUES ({_marks(values)})", tuple(values.values()))

    def batch(self, id: str) -> CaptionBatch | None:
        return next(iter(self._batches("WHERE id = ?", (id,))), None)

    def of(self, owner: str) -> list[CaptionBatch]:
        """Newest first."""
        return self._batches("WHERE owner = ? ORDER BY created DESC", (owner,))

    def running(self) -> list[CaptionBatch]:
        return self._batches("WHERE running ORDER BY begun", ())

    def delete(self, id: str) -> None:
        """Its pictures are noted as to be removed, should we die before they are."""
        self._store.insist(lambda: self._delete(id))

    def _delete(self, id: str) -> None:
        with self._writing(id) as db:
            db.execute("INSERT OR REPLACE INTO deletions SELECT id, 'batch', owner FROM batches WHERE id = ?", (id,))
            db.execute("DELETE FROM batches WHERE id = ?", (id,))
            for table in ("batch_items", "batch_texts", "batch_edits"):
                db.execute(f"DELETE FROM {table} WHERE batch = ?", (id,))

    def set(self, id: str, **values: object) -> None:
        """Change columns of a batch."""
        with self._writing(id) as db:
            db.execute(f"UPDATE batches SET {_assign(values)} WHERE id = ?", (*values.values(), id))

    def run(self, id: str, numbers: Iterable[int], request: str, begun: float) -> None:
        """These items are wanted from now on, and the batch runs."""
        values = [(id, number) for number in numbers]
        with self._writing(id, [number for _, number in values]) as db:
            db.executemany(
                "UPDATE batch_items SET status = 'wanted', error = '' WHERE batch = ? AND number = ?", values
            )
            db.execute("UPDATE batches SET request = ?, running = 1, begun = ? WHERE id = ?", (request, begun, id))

    def stop(self, id: str) -> None:
        """The batch does not run any more, and nothing in it is wanted."""
        self._store.insist(lambda: self._stop(id))

    def _stop(self, id: str) -> None:
        with self._writing(id, None) as db:
            db.execute("UPDATE batches SET running = 0 WHERE id = ?", (id,))
            db.execute(_TO_REST)

    def rest(self) -> None:
        """What is wanted in batches that do not run rests: nobody would ever ask for it."""
        if self._store.rows("SELECT 1 FROM batch_items WHERE status = 'wanted' LIMIT 1"):
            with self._store.transaction() as db:
                db.execute(_TO_REST)

    # --- items ---

    def add_item(self, item: Item) -> Item:
        """With the next number of its batch."""
        with self._writing(item.batch, None) as db:
            found = db.execute("SELECT max(number) FROM batch_items WHERE batch = ?", (item.batch,)).fetchone()[0]
            values = asdict(item) | {"number": (found or 0) + 1}
            names = ", ".join(values)
            db.execute(f"INSERT INTO batch_items ({names}) VALUES ({_marks(values)})", tuple(values.values()))
        return Item(**values)

    def numbered(self, batch: str, numbers: Collection[int]) -> list[Item]:
        """Those of these numbers that there are."""
        marks = ", ".join("?" * len(numbers))
        return self._items(f"batch = ? AND number IN ({marks})", (batch, *numbers))

    def item(self, batch: str, number: int) -> Item | None:
        return next(iter(self._items("batch = ? AND number = ?", (batch, number))), None)

    def items(self, batch: str) -> list[Item]:
        """All of them."""
        return self._items("batch = ?", (batch,))

    def pictures(self, batch: str) -> list[Item]:
        """Those with a picture, also where it was left out."""
        return self._items("batch = ? AND picture != ''", (batch,))

    def left_out(self, batch: str) -> list[Item]:
        return self._items("batch = ? AND picture != '' AND status = 'refused'", (batch,))

    def described(self, batch: str) -> list[Item]:
        """Pictures with a caption."""
        return self._items("batch = ? AND text IS NOT NULL AND picture != '' AND status != 'refused'", (batch,))

    def undescribed(self, batch: str) -> list[Item]:
        """Pictures without a caption."""
        return self._items("batch = ? AND text IS NULL AND picture != ''", (batch,))

    def at_rest(self, batch: str) -> list[Item]:
        """Those that are neither in line nor refused."""
        return self._items("batch = ? AND status NOT IN ('wanted', 'asked', 'refused')", (batch,))

    def wanted(self, batch: str, most: int) -> list[Item]:
        """The next ones to be put in line."""
        return self._items("batch = ? AND status = 'wanted'", (batch,), f"ORDER BY number LIMIT {max(0, most)}")

    def in_line(self, batch: str | None = None) -> list[Item]:
        """Those whose jobs are not over, of one batch or of all."""
        return self._items("status = 'asked' AND batch = coalesce(?, batch)", (batch,))

    def of_job(self, job: str) -> list[Item]:
        """Those that wait for that job."""
        return self._items("job = ? AND status = 'asked'", (job,))

    def of_artifact(self, artifact: str) -> list[Item]:
        return self._items("artifact = ?", (artifact,))

    def twin(self, batch: str, name: str, picture: str) -> Item | None:
        """The same picture under the same name."""
        found = self._items("batch = ? AND name = ? AND picture = ?", (batch, name, picture))
        return next(iter(found), None)

    def refused(self, batch: str, name: str) -> Item | None:
        found = self._items("batch = ? AND name = ? AND status = 'refused'", (batch, name))
        return next(iter(found), None)

    def _items(
        self, where: str, values: Sequence, rest: str = "ORDER BY number", source: str = "batch_items"
    ) -> list[Item]:
        query = f"SELECT {', '.join(_ITEM)} FROM {source} WHERE {where} {rest}"
        return [Item(**dict(row)) for row in self._store.rows(query, values)]

    def page(
        self, batch: str, offset: int, limit: int, order: str = "place", which: str = "all", text: str = "",
        doubtful: float = 0.1,
    ) -> tuple[list[Item], int]:  # fmt: skip
        """Items in one of ORDERS, of one of FILTERS, with `text` in their caption or name; and how many in all."""
        where, values = "batch = ?" + FILTERS[which].format(doubtful=float(doubtful)), [batch]
        if text:
            where += " AND (instr(lower(coalesce(text, '')), lower(?)) OR instr(lower(name), lower(?)))"
            values += [text, text]
        found = self._store.rows(f"SELECT count(*) FROM batch_items WHERE {where}", values)[0][0]
        return self._items(where, values, f"ORDER BY {ORDERS[order]} LIMIT {int(limit)} OFFSET {int(offset)}"), found

    def update(self, batch: str, numbers: Iterable[int], **values: object) -> None:
        """The same new values for several items."""
        query, numbers = f"UPDATE batch_items SET {_assign(values)} WHERE batch = ? AND number = ?", list(numbers)
        with self._writing(batch, numbers) as db:
            db.executemany(query, [(*values.values(), batch, number) for number in numbers])

    @staticmethod
    def asked(item: Item, db: sqlite3.Connection, jobs: Sequence[Job]) -> None:
        """Beside the row of its job, in one transaction: neither is there without the other."""
        query = "UPDATE batch_items SET status = 'asked', job = ?, error = '' WHERE batch = ? AND number = ?"
        db.execute(query, (jobs[0].id, item.batch, item.number))

    def settle(self, item: Item, replaced: str | None = None, **values: object) -> bool:
        """New values for an item whose job is over; False where it is asked for no more, or by another job.

        replaced: the artifact that its new one takes the place of.
        """
        one = "batch = ? AND number = ? AND status = 'asked' AND job = ?"
        query = f"UPDATE batch_items SET {_assign(values)} WHERE {one}"
        with self._writing(item.batch, [item.number]) as db:
            done = bool(db.execute(query, (*values.values(), item.batch, item.number, item.job)).rowcount)
            if done and replaced:
                self._store.drop_artifact(db, replaced)
        return done

    def score(self, item: Item, score: float | None) -> bool:
        """How well its words agree with its picture; False where it has other words by now."""
        query = "UPDATE batch_items SET score = ? WHERE batch = ? AND number = ? AND text = ? AND origin != 'model'"
        with self._writing(item.batch, [item.number]) as db:
            return bool(db.execute(query, (score, item.batch, item.number, item.text)).rowcount)

    def unchecked(self, but: Set[tuple], limit: int) -> list[tuple[str, Item]]:
        """The next captions that no model wrote and nobody has checked, with their owners."""
        there = f"{UNCHECKED} AND batch IN (SELECT id FROM batches)"
        few = "batch_items INDEXED BY batch_items_unchecked"
        found = self._items(there, (), f"ORDER BY batch, number LIMIT {limit + len(but)}", few)
        first = [item for item in found if (item.batch, item.number, item.text) not in but][:limit]
        owners = {batch.id: batch.owner for batch in self._batches("", ())}
        return [(owners[item.batch], item) for item in first if item.batch in owners]

    def unchecked_of(self, batch: str) -> int:
        return self._store.rows(f"SELECT count(*) FROM batch_items WHERE batch = ? AND {UNCHECKED}", (batch,))[0][0]

    def behind(self) -> list[tuple[Item, str]]:
        """Captions whose words in the gallery are not those of the batch yet, with their owners."""
        differ = "(SELECT prompt FROM artifacts WHERE id = artifact) != text AND status IN ('done', 'kept')"
        owners = {batch.id: batch.owner for batch in self._batches("", ())}
        return [(item, owners[item.batch]) for item in self._items(differ, ()) if item.batch in owners]

    def counts(self, batch: str) -> dict[str, int]:
        rows = self._store.rows("SELECT status, count(*) FROM batch_items WHERE batch = ? GROUP BY status", (batch,))
        return {row[0]: row[1] for row in rows}

    def totals(self, batch: str) -> tuple[int, int, int]:
        """Items, items with a text, bytes."""
        described = "count(CASE WHEN status != 'refused' THEN text END)"
        query = f"SELECT count(*), {described}, coalesce(sum(bytes), 0) FROM batch_items WHERE batch = ?"
        return tuple(self._store.rows(query, (batch,))[0])

    def pace(self, batch: CaptionBatch) -> tuple[int, float] | None:
        """Of the present run: how many ended (of the last 32) after a time, and that time. The first one counts for
        nothing, as it waited for its model to be loaded."""
        query = (
            "SELECT ended FROM batch_items WHERE batch = ? AND ended >= ? AND status IN ('done', 'failed') "
            "ORDER BY ended DESC LIMIT 33"
        )
        ended = [row[0] for row in self._store.rows(query, (batch.id, batch.begun or 0))]
        return (len(ended) - 1, ended[-1]) if len(ended) > 2 else None

    # --- sidecars ---

    def add_text(self, batch: str, stem: str, text: str) -> None:
        with self._store.transaction() as db:
            db.execute("INSERT OR REPLACE INTO batch_texts VALUES (?, ?, ?)", (batch, stem, text))

    def text(self, batch: str, stems: Sequence[str]) -> str | None:
        query = f"SELECT text FROM batch_texts WHERE batch = ? AND stem IN ({', '.join('?' * len(stems))})"
        return next((row[0] for row in self._store.rows(query, (batch, *stems))), None)

    # --- edits ---

    def write(self, batch: str, texts: Mapping[int, str], what: str) -> None:
        """Texts of a person, with what there was before, to be undone."""
        now = {item.number: item for item in self.items(batch)}
        # one that was in line has left it: taken back, nobody works on it
        before = [[n, now[n].text, now[n].score, now[n].origin, _status(now[n])] for n in texts]
        after = [(text, None, "person", ItemStatus.DONE, n) for n, text in texts.items()]
        with self._writing(batch, list(texts)) as db:
            db.execute("INSERT INTO batch_edits (batch, what, before) VALUES (?, ?, ?)",
                       (batch, what, json.dumps(before, ensure_ascii=False)))  # fmt: skip
            db.execute(
                "DELETE FROM batch_edits WHERE batch = ? AND number NOT IN "
                "(SELECT number FROM batch_edits WHERE batch = ? ORDER BY number DESC LIMIT ?)",
                (batch, batch, limits.BATCH_UNDO),
            )
            _put(db, batch, after)

    def undone(self, batch: str) -> list[int] | None:
        """Take back the last edit; the numbers of the items that it had changed, None where there is none."""
        last = self.last_edit(batch)
        if last is None:
            return None
        before = json.loads(last["before"])
        with self._writing(batch, [one[0] for one in before]) as db:
            # one that is being described meanwhile stays in line
            busy = {
                row[0]
                for row in db.execute(
                    "SELECT number FROM batch_items WHERE batch = ? AND status IN ('wanted', 'asked')", (batch,)
                )
            }
            _put(db, batch, [(*rest, n) for n, *rest in before if n not in busy])
            db.execute("DELETE FROM batch_edits WHERE number = ?", (last["number"],))
        return [one[0] for one in before]

    def last_edit(self, batch: str) -> sqlite3.Row | None:
        rows = self._store.rows("SELECT * FROM batch_edits WHERE batch = ? ORDER BY number DESC LIMIT 1", (batch,))
        return next(iter(rows), None)

    def _batches(self, rest: str, values: Sequence) -> list[CaptionBatch]:
        rows = self._store.rows(f"SELECT {_BATCH} FROM batches {rest}", values)
        return [CaptionBatch(**{**dict(row), "running": bool(row["running"])}) for row in rows]


def _status(item: Item) -> str:
    return resting(item) if item.status in (ItemStatus.WANTED, ItemStatus.ASKED) else item.status


def _put(db: sqlite3.Connection, batch: str, rows: Sequence[tuple]) -> None:
    db.executemany(
        "UPDATE batch_items SET text = ?, score = ?, origin = ?, status = ? WHERE batch = ? AND number = ?",
        [(*row[:-1], batch, row[-1]) for row in rows],
    )


def _marks(values: Mapping) -> str:
    return ", ".join("?" * len(values))


def _assign(values: Mapping) -> str:
    return ", ".join(f"{name} = ?" for name in values)
