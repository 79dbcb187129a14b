"""Captions that a person wrote, or that came with their pictures, are checked like those of the models.

A thread asks the alignment for a few at a time, behind everybody else's work. The rows of the batches are the truth:
what has words and no score is asked for, also after a restart; a caption in the gallery is asked for when it changes.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING

from pipelines.errors import NotAllowed, NotFound, TriptychError, WorkerLost
from pipelines.requests import AlignRequest, Priority
from studio.background import BackgroundLoop

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.base import Artifact
    from studio.batches.records import Item
    from studio.batches.store import BatchStore
    from studio.jobs.engine import Engine
    from studio.storage.gallery import Gallery

AT_ONCE = 16  # captions of one question
SECONDS = 60.0
AGAIN_SECONDS = 2.0  # where the device could not answer
MOST = 2000  # characters that the alignment takes
LATER = (NotAllowed, WorkerLost, TimeoutError)  # the worker is starting, or the line is long


class CaptionChecks:
    """`wake` may be called from any thread."""

    def __init__(self, engine: Engine, gallery: Gallery, rows: BatchStore):
        self._engine, self._gallery, self._rows = engine, gallery, rows
        self._loop = BackgroundLoop("checking", self._check_all)
        self._refused: set[tuple[str, int, str | None]] = set()  # until their words change, or the studio restarts

    def start(self) -> None:
        self._loop.start()

    def stop(self) -> None:
        self._loop.stop()

    def wake(self) -> None:
        """Words have changed."""
        self._loop.wake()

    async def caption(self, owner: str, artifact: str, seconds: float = SECONDS) -> None:
        """One caption of the gallery, while the caller waits; where nobody answers, it stays unchecked."""
        row = await asyncio.to_thread(self._gallery.artifact, owner, artifact)
        request = row.made_from()
        asked = bool(getattr(request, "question", ""))
        if row.score is not None or row.kind != "caption" or not row.prompt.strip() or asked:
            return
        with suppress(TriptychError, TimeoutError):
            question = _question([(request.uploads()[0], row.prompt)], Priority.INTERACTIVE)
            (found,) = _told(await self._engine.answered(owner, question, seconds), [row.prompt])
            await asyncio.to_thread(self._gallery.checked, owner, artifact, found)

    def _check_all(self) -> None:
        while not self._loop.over and (some := self._rows.unchecked(self._refused, AT_ONCE)):
            for owner, items in groupby(some, lambda one: one[0]):
                self._check(owner, [item for _, item in items])

    def _check(self, owner: str, items: Sequence[Item]) -> None:
        try:
            found = self._asked(owner, [(item.picture, item.text or "") for item in items])
        except LATER:
            self._loop.wait(AGAIN_SECONDS)
        except TriptychError:
            if len(items) > 1:
                return self._one_by_one(owner, items)
            self._refused.add((items[0].batch, items[0].number, items[0].text))
        else:
            for item, told in zip(items, found, strict=True):
                self._note(owner, item, told)
        return None

    def _one_by_one(self, owner: str, items: Sequence[Item]) -> None:
        for item in items:
            self._check(owner, [item])

    def _note(self, owner: str, item: Item, told: dict) -> None:
        """Only where the words are still those that were checked."""
        if not self._rows.score(item, told["score"]) or not item.artifact:
            return
        with suppress(NotFound, NotAllowed):
            if self._gallery.artifact(owner, item.artifact).prompt != item.text:
                self._gallery.rewrite(owner, item.artifact, item.text or "")
            self._gallery.checked(owner, item.artifact, told)

    def _asked(self, owner: str, pairs: Sequence[tuple[str, str]], seconds: float = SECONDS) -> list[dict]:
        """pairs: SHA-256 of the picture, its caption."""
        answer = self._engine.answer(owner, _question(pairs, Priority.BACKGROUND), seconds)
        return _told(answer, [text for _, text in pairs])


def _question(pairs: Sequence[tuple[str, str]], priority: Priority) -> AlignRequest:
    pictures, texts = zip(*pairs, strict=True)
    texts = tuple(text[:MOST] for text in texts)
    return AlignRequest(pictures=pictures, texts=texts, check=True, priority=priority)


def _told(answer: Artifact, texts: Sequence[str]) -> list[dict]:
    return [one | {"text": text} for one, text in zip(answer.info["checked"], texts, strict=True)]
