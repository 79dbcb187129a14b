"""Vectors of the gallery are made anew when the alignment model has other weights, as those of two models do not mix.

In a thread, behind everybody else's work, the newest first. Which weights the vectors are from is in a file of the data
folder; what has no vector is what is left to do, so that a restart goes on where it was. Small pictures serve: they
have more pixels than any alignment model looks at.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pipelines.alignment.thresholds import mark, stale
from pipelines.errors import NotAllowed, NotFound, TriptychError, WorkerLost
from pipelines.requests import AlignRequest, Priority
from studio.background import BackgroundLoop
from studio.storage.atomic import write_file

if TYPE_CHECKING:
    from studio.jobs.engine import Engine
    from studio.storage.gallery import Gallery
    from studio.storage.store import Store

AT_ONCE = 16
TOLD = 512  # after so many the search reads them
SECONDS = 120.0
MARK = "alignment.mark"
GROUP = "refreshing"  # of the uploads that the questions need
LATER = (NotAllowed, WorkerLost, TimeoutError)
log = logging.getLogger(__name__)


def again(data: Path) -> None:
    """There are artifacts without a vector: the next `Refreshing` looks for them."""
    with suppress(OSError):
        write_file(data / MARK, (data / MARK).read_bytes().removesuffix(b" done"))


class Reindexer:
    """folder: of the alignment model, None where it is not here. told: called when there are new vectors."""

    def __init__(self, engine: Engine, gallery: Gallery, store: Store, data: Path, folder: Path | None,
                 told: Callable[[], None]):  # fmt: skip
        self._engine, self._gallery, self._store, self._told = engine, gallery, store, told
        self._file, self._folder = data / MARK, folder
        self._loop = BackgroundLoop("refreshing", self._once)

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def _once(self) -> None:
        try:
            if self._folder and self._changed(self._folder):
                self._refresh()
        except Exception:
            log.exception("The vectors of the gallery could not be made anew")

    def _changed(self, folder: Path) -> bool:
        """Takes away what is of other weights; whether anything is left to be done since then."""
        if stale(folder):
            log.warning(
                "%s has other weights than its limits: run python -m pipelines.training.evaluation.calibrate",
                folder.name,
            )
        now = mark(folder)
        with suppress(FileNotFoundError):
            then, _, state = self._file.read_text().partition(" ")
            if then == now:
                return state != "done"
        self._store.drop_vectors()
        write_file(self._file, now.encode())
        self._told()
        return True

    def _refresh(self) -> None:
        before, made = 2**62, 0
        while not self._loop.over and (rows := self._store.without_vector(before, AT_ONCE)):
            for owner, some in groupby(rows, lambda row: row["owner"]):
                self._renew(owner, list(some))
            before, made = rows[-1]["number"], made + len(rows)
            if made % TOLD < AT_ONCE:
                self._told()
        if not self._loop.over:
            write_file(self._file, self._file.read_bytes() + b" done")
            self._told()

    def _renew(self, owner: str, rows: Sequence) -> None:
        """Those that cannot be read stay without a vector, and are found by their words."""
        pictures = {row["id"]: self._picture(owner, row["id"]) for row in rows if row["kind"] != "speech"}
        texts = [row for row in rows if row["kind"] == "speech" and row["prompt"].strip()]
        seen = [id for id, sha in pictures.items() if sha]
        if not seen and not texts:
            return
        request = AlignRequest(texts=tuple(row["prompt"][:2000] for row in texts), priority=Priority.BACKGROUND,
                               pictures=tuple(pictures[id] for id in seen))  # fmt: skip
        answer = self._answer(owner, request)
        self._gallery.uploads.drop_group(owner, GROUP)
        if answer is not None:
            lines = zip(answer.astype(np.float16), [*(row["id"] for row in texts), *seen], strict=True)
            self._store.add_vectors({id: line.tobytes() for line, id in lines})

    def _answer(self, owner: str, request: AlignRequest) -> np.ndarray | None:
        """(N, D), texts first; None where it cannot be answered."""
        while not self._loop.over:
            try:
                told = self._engine.answer(owner, request, SECONDS)
                return np.frombuffer(told.data, "<f4").reshape(-1, told.info["dim"])
            except LATER:
                self._loop.wait(1.0)
            except TriptychError:
                return None
        return None

    def _picture(self, owner: str, id: str) -> str:
        """The small picture of an artifact as an upload; its SHA-256."""
        with suppress(NotFound, OSError):
            data = self._gallery.thumb(owner, id).read_bytes()
            return self._gallery.uploads.keep_in(owner, GROUP, Image.open(io.BytesIO(data)).convert("RGB"))
        return ""
