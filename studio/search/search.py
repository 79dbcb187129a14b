"""Search over pictures, prompts, captions and spoken texts in one list: by words and by meaning."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pipelines.alignment.thresholds import Limits
from pipelines.base import Artifact
from pipelines.errors import NotFound, TriptychError
from pipelines.requests import AlignRequest, make
from studio.search.index import VectorIndex

if TYPE_CHECKING:
    from studio.jobs.engine import Engine
    from studio.storage.records import ArtifactRow
    from studio.storage.store import Store

SECONDS = 20.0  # a search by meaning waits so long for the device; then the words alone have to do
DEPTH = 200  # artifacts looked at in each list
FUSION = 60  # Cormack et al. 2009, "Reciprocal rank fusion": the constant that lost least over many collections


class Search:
    """One for the whole studio; safe to call from several threads."""

    def __init__(self, engine: Engine, store: Store, limits: Limits | None = None):
        """limits: from which cosine on something is like the words of a search."""
        self._engine, self._store, self._limits = engine, store, limits or Limits()
        self._vectors, self._lock = VectorIndex(store), threading.Lock()

    async def by_text(self, owner: str, text: str, limit: int) -> tuple[list[ArtifactRow], str]:
        """What has all the words, and what means the same; the best first. With a sentence where meaning was no help.

        A picture is as far from a text as another text of the same meaning is near, so cosines of pictures and of
        texts are not compared: each list is ranked by itself, and the ranks are fused. What is not like the words, as
        `pipelines.alignment.thresholds` has it, is left out.
        """
        words = await asyncio.to_thread(self._store.artifacts, owner, limit=DEPTH, text=text)
        try:
            vector, note = await self._asked(owner, AlignRequest(texts=(text[:2000],))), ""
            near = await asyncio.to_thread(self._found, owner, vector)
        except (TriptychError, TimeoutError) as error:
            near, note = [], str(error) or "The device is busy: only the words were searched for."
        pictures = [row for row, cosine in near if row.kind != "speech" and cosine >= self._limits.pictures]
        texts = [row for row, cosine in near if row.kind == "speech" and cosine >= self._limits.texts]
        return fused([words, pictures, texts])[:limit], note

    def renew(self) -> None:
        """Vectors that were read already have changed."""
        with self._lock:
            self._vectors = VectorIndex(self._store)

    async def by_picture(self, owner: str, sha256: str, limit: int) -> list[ArtifactRow]:
        """What lies nearest to a stored picture. Raises what the asking raises."""
        vector = await self._asked(owner, make("align", pictures=(sha256,)))
        return (await asyncio.to_thread(self._near, owner, vector))[:limit]

    def like(self, owner: str, row: ArtifactRow, limit: int) -> list[ArtifactRow]:
        """What lies nearest to an artifact of one's own. Raises NotFound where that has no place yet."""
        if not row.vector:
            raise NotFound("This has no place in the alignment yet, so nothing can be compared with it.")
        near = self._near(owner, np.frombuffer(row.vector, np.float16))
        return [other for other in near if other.id != row.id][:limit]

    async def _asked(self, owner: str, request: AlignRequest) -> np.ndarray:
        answer: Artifact = await self._engine.answered(owner, request, SECONDS)
        return np.frombuffer(answer.data, "<f4")[: answer.info["dim"]]

    def _near(self, owner: str, vector: np.ndarray) -> list[ArtifactRow]:
        return [row for row, _ in self._found(owner, vector)]

    def _found(self, owner: str, vector: np.ndarray) -> list[tuple[ArtifactRow, float]]:
        """With their cosines, the nearest first. A caption lies where its picture lies."""
        with self._lock:
            found = self._vectors.nearest(owner, vector, DEPTH)
        rows = {row.number: row for row in self._store.numbered(owner, [number for number, _ in found])}
        return [(rows[number], cosine) for number, cosine in found if number in rows]


def fused(lists: Iterable[Sequence[ArtifactRow]]) -> list[ArtifactRow]:
    """Reciprocal rank fusion: each list gives its n-th 1 / (FUSION + n); the sums decide."""
    rows: dict[str, ArtifactRow] = {}
    score: dict[str, float] = {}
    for ranked in lists:
        for rank, row in enumerate(ranked, 1):
            rows[row.id] = row
            score[row.id] = score.get(row.id, 0.0) + 1 / (FUSION + rank)
    return sorted(rows.values(), key=lambda row: -score[row.id])
