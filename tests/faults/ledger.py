"""What a studio has acknowledged, kept by the one who was told, and whether it still holds when the studio is back."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from tests.faults.report import Report

ENDED = ("done", "failed", "cancelled")
OPEN = ("waiting", "running", "paused")


@dataclass
class Ledger:
    """ids that were told. `maybe`: of what was asked for when the answer did not come: either is right."""

    jobs: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)  # artifacts
    batches: dict[str, list[str]] = field(default_factory=dict)  # names of the files of each
    run: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)  # batches
    maybe: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)


class Books:
    """A data folder, read from outside."""

    def __init__(self, data: Path):
        self.data = data

    def rows(self, query: str, *values: object) -> list[tuple]:
        with closing(sqlite3.connect(f"{(self.data / 'triptych.db').as_uri()}?mode=ro", uri=True, timeout=30)) as db:
            return db.execute(query, values).fetchall()

    def unfinished(self) -> int:
        marks = ", ".join(f"'{status}'" for status in OPEN)
        jobs = self.rows(f"SELECT count(*) FROM jobs WHERE status IN ({marks})")[0][0]
        return jobs + self.rows("SELECT count(*) FROM batches WHERE running")[0][0]


def check_now(ledger: Ledger, books: Books, report: Report, when: str) -> None:
    """What must hold at any moment after a start."""
    jobs = {row[0]: row[1:] for row in books.rows("SELECT id, status, error, attempts FROM jobs")}
    known = {row[0] for row in books.rows("SELECT id FROM artifacts")}
    batches = {row[0] for row in books.rows("SELECT id FROM batches")}
    kept, told = report.row("kill", "acknowledged jobs are there"), report.row("kill", "failed jobs have a reason")
    for id in ledger.jobs:
        if kept.check(id in jobs, f"{when}: {id} is lost") and jobs[id][0] == "failed":
            told.check(jobs[id][1], f"{when}: {id} failed without a word")
    row = report.row("kill", "acknowledged cancels hold")
    for id in ledger.cancelled & set(jobs):
        row.check(jobs[id][0] == "cancelled", f"{when}: {id} is {jobs[id][0]}")
    row = report.row("kill", "acknowledged deletes hold")
    for id in ledger.deleted:
        file = any((books.data / "files" / id[:2]).glob(f"{id}.*"))
        row.check(id not in known and not file, f"{when}: {id} is there again")
    for id in ledger.dropped:
        row.check(id not in batches, f"{when}: batch {id} is there again")
    row = report.row("kill", "acknowledged batches and their files are there")
    for id, names in ledger.batches.items():
        if id not in ledger.dropped | ledger.maybe:
            there = {each[0] for each in books.rows("SELECT name FROM batch_items WHERE batch = ?", id)}
            row.check(id in batches and set(names) <= there, f"{when}: batch {id} has {there}, not {names}")
    report.row("kill", "attempts are bounded").measure("attempts", max((job[2] for job in jobs.values()), default=0))
    report.row("kill", "attempts are bounded").check(all(job[2] <= 2 for job in jobs.values()), f"{when}: more than 2")


def check_end(ledger: Ledger, books: Books, report: Report) -> None:
    """What must hold when nothing is left to be done."""
    jobs = {row[0]: row[1:] for row in books.rows("SELECT id, status, artifact_id FROM jobs")}
    row = report.row("kill", "every job ended, and what is done has its file")
    for id in ledger.jobs & set(jobs):
        status, artifact = jobs[id]
        fits = status != "cancelled" or id in ledger.cancelled | ledger.maybe
        gone = artifact in ledger.deleted | ledger.maybe or (status == "done" and artifact is None)
        file = status != "done" or gone or any((books.data / "files" / artifact[:2]).glob(f"{artifact}.png"))
        row.check(status in ENDED and fits and file, f"{id} is {status}, its file {artifact} is not there")
    _batches(ledger, books, report)
    _files(books, report)


def _batches(ledger: Ledger, books: Books, report: Report) -> None:
    once = report.row("kill", "pictures of batches are described exactly once")
    query = "SELECT name, status, error, job FROM batch_items WHERE batch = ?"
    made = "SELECT count(*) FROM artifacts WHERE kind = 'caption' AND json_extract(request, '$.batch') = ? " \
           "AND json_extract(request, '$.name') = ?"  # fmt: skip
    for id in ledger.run - ledger.dropped - ledger.maybe:
        for name, status, error, _ in books.rows(query, id):
            captions = books.rows(made, id, name)[0][0]
            fits = (status == "done" and captions == 1) or (status == "failed" and error and not captions)
            once.check(fits, f"{id} {name}: {status}, {captions} captions, {error!r}")


def _files(books: Books, report: Report) -> None:
    row, data = report.row("kill", "no torn, doubled or forgotten files"), books.data
    known = {each[0]: each[1] for each in books.rows("SELECT id, bytes FROM artifacts")}
    for path in (data / "files").glob("*/*"):
        if path.suffix != ".json":
            row.check(
                path.stem in known and path.stat().st_size == known[path.stem], f"{path.name} is not in the books"
            )
        if path.suffix == ".png":
            row.check(_whole(path), f"{path.name} is torn")
    for path in (data / "uploads").rglob("*.png"):
        row.check(_whole(path), f"{path} is torn")
    # a picture of a batch whose arrival was not acknowledged may be there: it is nobody's yet
    lost = [path for path in (data / "lost+found").rglob("*") if path.is_file() and "batches" not in path.parts]
    row.check(not lost, f"{len(lost)} files in lost+found, {lost[:1]}")
    parts = list(data.rglob("*.part"))
    row.check(not parts, f"{len(parts)} half files, {parts[:1]}")


def _whole(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.load()
    except (OSError, SyntaxError):
        return False
    return True
