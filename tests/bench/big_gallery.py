"""A gallery of 50,000 pictures: what a start, a delete and a search by words cost in it."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pipelines.requests import ImageRequest
from studio.batches.leftovers import Leftovers
from studio.storage.artifact_files import ArtifactFiles
from studio.storage.gallery import Gallery
from studio.storage.records import ArtifactRow, Job, JobStatus
from studio.storage.recovery.lost_and_found import LostAndFound
from studio.storage.recovery.opening import open_store
from studio.storage.recovery.rows import RecoveryRows
from tests.bench.report import Samples

OWNER, ARTIFACTS, MANY, SINGLE, PAGE = "ann", 50_000, 1000, 20, 60
THINGS = ["fox", "owl", "boat", "tower", "river", "lamp", "horse", "garden", "bridge", "cloud", "mountain", "violin",
          "红色", "狐狸", "森林", "雪山", "小船", "灯塔"]  # fmt: skip
RARE = "axolotl"
# Is anything found? The rare words are in five of all
ASKED = {
    RARE: True,
    "lotl": True,
    "no-such-word": False,
    "画眉": False,
    "a fox in a tree": False,
}


def measure(scratch: Path, samples: Samples, repeats: int) -> None:
    """gallery_start_seconds: beyond the start over an empty folder, of what a start does before it serves (the worker,
    which is the same for both, is left out). gallery_delete_ms: one picture. gallery_delete_1000_seconds: as many in
    one request. gallery_words_ms: a page of what has words that few or none have.
    """
    data, empty = scratch / "big", scratch / "empty"
    _fill(data)
    for _ in range(repeats):
        with _started(empty) as (nothing, _):
            pass
        with _started(data) as (seconds, gallery):
            samples.add(gallery_start_seconds=seconds - nothing)
            _search(gallery, samples)
            _delete(gallery, samples)


@contextmanager
def _started(data: Path) -> Iterator[tuple[float, Gallery]]:
    """Seconds it took, and the gallery."""
    began = time.perf_counter()
    store, _ = open_store(data)
    gallery = Gallery(data, store)
    gallery.recover()
    Leftovers(data, RecoveryRows(store), LostAndFound(data)).run()
    store.unfinished()
    gallery.page(OWNER, None, PAGE)
    try:
        yield time.perf_counter() - began, gallery
    finally:
        store.close()


def _search(gallery: Gallery, samples: Samples) -> None:
    for text, any_found in ASKED.items():
        began = time.perf_counter()
        found = gallery.page(OWNER, None, PAGE, text=text)
        samples.add(gallery_words_ms=1000 * (time.perf_counter() - began))
        assert bool(found) == any_found, text


def _delete(gallery: Gallery, samples: Samples) -> None:
    rows = gallery.page(OWNER, None, 10 * MANY)
    ids = [row.id for row in random.Random(len(rows)).sample(rows, MANY + SINGLE)]
    for id in ids[:SINGLE]:
        began = time.perf_counter()
        gallery.delete(OWNER, id)
        samples.add(gallery_delete_ms=1000 * (time.perf_counter() - began))
    began = time.perf_counter()
    gone = gallery.delete_all(OWNER, ids[SINGLE:])
    samples.add(gallery_delete_1000_seconds=time.perf_counter() - began)
    assert len(gone) == MANY


def _fill(data: Path) -> None:
    """Rows as the studio writes them, and beside them files of a few bytes."""
    draw, files = random.Random(0), ArtifactFiles(data)
    for folder in (files.files, files.thumbs):
        for byte in range(256):
            (folder / f"{byte:02x}").mkdir(parents=True, mode=0o700)
    store, _ = open_store(data)
    made = [_made(i, draw) for i in range(ARTIFACTS)]
    store.add(*(job for job, _ in made))
    names = [name for name in ArtifactRow.__dataclass_fields__ if name != "number"]
    with store.transaction() as db:
        db.executemany(
            f"INSERT INTO artifacts ({', '.join(names)}, words) VALUES ({', '.join('?' * len(names))}, ?)",
            ([*(getattr(row, name) for name in names), row.prompt.casefold()] for _, row in made),
        )
    store.close()
    for _, row in made:
        for path in (files.file(row.id, row.media_type), files.sidecar(row.id), files.thumb(row.id)):
            path.write_bytes(b"{}")


def _made(number: int, draw: random.Random) -> tuple[Job, ArtifactRow]:
    words = " ".join(draw.choices(THINGS, k=20)) + (f" {RARE}" if number % 10_000 == 77 else "")
    job = Job(OWNER, ImageRequest(prompt=words, seed=number), float(number))
    id = uuid.UUID(int=draw.getrandbits(128)).hex
    row = ArtifactRow(
        id=id, owner=OWNER, job_id=job.id, kind="image", media_type="image/png", width=512, height=512, bytes=2,
        model=job.request.model, prompt=words, seed=number, created=float(number), hidden=False,
        request=job.request.model_dump_json(), info='{"notes": [], "alignment": {"score": 0.5}}',
        vector=draw.randbytes(512),
    )  # fmt: skip
    return replace(job, status=JobStatus.DONE, ended=float(number), artifact_id=id), row
