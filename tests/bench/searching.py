"""A search by meaning over 100,000 artifacts of one owner, from the question's vector to the nearest rows."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from studio.search.index import VectorIndex
from studio.storage.store import Store
from tests.bench.report import Samples

ARTIFACTS, DIM, NEAREST = 100_000, 256, 200


def measure(scratch: Path, samples: Samples, repeats: int) -> None:
    """search_100k_ms: a query; search_first_seconds: the first of an owner, which reads the vectors from the store."""
    draw = np.random.default_rng(0)
    store = Store(scratch / "search.db")
    _fill(store, draw)
    vectors = VectorIndex(store)
    began = time.perf_counter()
    _ask(store, vectors, draw)
    samples.add(search_first_seconds=time.perf_counter() - began)
    for _ in range(10 * repeats):
        began = time.perf_counter()
        found = _ask(store, vectors, draw)
        samples.add(search_100k_ms=1000 * (time.perf_counter() - began))
        assert len(found) == NEAREST
    store.close()


def _fill(store: Store, draw: np.random.Generator) -> None:
    row = "INSERT INTO artifacts (id, owner, job_id, kind, media_type, bytes, model, prompt, created, hidden, request, "
    row += "info, words, vector) VALUES (?, 'ann', '', 'image', 'image/png', 1, '', '', 0, 0, '{}', '{}', '', ?)"
    lines = draw.normal(size=(ARTIFACTS, DIM)).astype(np.float32)
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    with store.transaction() as db:
        db.executemany(row, ((str(i), line.astype(np.float16).tobytes()) for i, line in enumerate(lines)))


def _ask(store: Store, vectors: VectorIndex, draw: np.random.Generator) -> list:
    asked = draw.normal(size=DIM).astype(np.float32)
    near = vectors.nearest("ann", asked / np.linalg.norm(asked), NEAREST)
    return store.numbered("ann", [number for number, _ in near])
