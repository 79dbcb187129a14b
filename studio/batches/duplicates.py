"""Near-duplicates in a batch: found by the alignment, and left out (or taken back in) by a person.

Vectors are asked for a lot at a time, so that whoever waits sees how far it is, and may stop. They are kept in memory
only: a batch is looked at once or twice, and asking again costs seconds.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipelines.errors import InvalidRequest
from pipelines.requests import AlignRequest, Priority
from studio.batches.records import Item, ItemStatus, resting
from studio.batches.store import BatchStore

if TYPE_CHECKING:
    from studio.jobs.engine import Engine

AT_ONCE = 32  # pictures of one question
SECONDS = 60.0
REMEMBERED = 8  # batches
LEFT = "Left out as nearly the same as {name}."
NEAR = 0.97  # cosine: the same picture smaller, recoded or slightly cropped is above it
BLOCK = 1024  # lines that are compared with all others in one product


class Duplicates:
    """Safe to call from several threads. near: the cosine from which on two pictures count as nearly the same."""

    def __init__(self, engine: Engine, rows: BatchStore, near: float = NEAR):
        self._engine, self._rows, self._near = engine, rows, near
        self._vectors: OrderedDict[str, dict[str, np.ndarray]] = OrderedDict()
        self._lock = threading.Lock()

    async def look(self, owner: str, batch: str) -> dict:
        """Looks at a few more pictures. groups: numbers of pictures that are nearly the same, once all are `seen`.

        Raises what the asking raises, TimeoutError where the device is too busy.
        """
        items = [
            item for item in await asyncio.to_thread(self._rows.pictures, batch) if item.status != ItemStatus.REFUSED
        ]
        known = self._known(batch)
        missing = list(dict.fromkeys(item.picture for item in items if item.picture not in known))
        known.update(await self._asked(owner, missing[:AT_ONCE]))
        seen = sum(item.picture in known for item in items)
        groups = await asyncio.to_thread(self._groups, items, known) if seen == len(items) else []
        return {"seen": seen, "total": len(items), "groups": groups}

    def leave(self, batch: str, groups: Sequence[Sequence[int]]) -> list[Item]:
        """Of each group the first picture stays, the others are left out; returns those. Raises InvalidRequest."""
        there = {item.number: item for item in self._rows.pictures(batch)}
        if unknown := [number for group in groups for number in group if number not in there]:
            raise InvalidRequest("groups", unknown[0], "numbers of pictures of this batch")
        gone = []
        for first, *others in (group for group in groups if group):
            error = LEFT.format(name=there[first].name)
            gone += [there[n] for n in others if n != first and there[n].status != ItemStatus.REFUSED]
            self._rows.update(batch, [n for n in others if n != first], status=ItemStatus.REFUSED, error=error,
                              ended=time.time())  # fmt: skip
        return gone

    def back(self, batch: str, numbers: Iterable[int]) -> int:
        """Pictures that were left out are in the batch again; returns how many."""
        wanted = set(numbers)
        for item in (chosen := [item for item in self._rows.left_out(batch) if item.number in wanted]):
            self._rows.update(batch, [item.number], status=resting(item), error="")
        return len(chosen)

    def _known(self, batch: str) -> dict[str, np.ndarray]:
        with self._lock:
            known = self._vectors.pop(batch, {})
            self._vectors[batch] = known
            while len(self._vectors) > REMEMBERED:
                self._vectors.popitem(last=False)
        return known

    async def _asked(self, owner: str, pictures: Sequence[str]) -> dict[str, np.ndarray]:
        if not pictures:
            return {}
        request = AlignRequest(pictures=tuple(pictures), priority=Priority.NORMAL)
        answer = await self._engine.answered(owner, request, SECONDS)
        lines = np.frombuffer(answer.data, "<f4").reshape(len(pictures), answer.info["dim"])
        return dict(zip(pictures, lines, strict=True))

    def _groups(self, items: Sequence[Item], known: dict[str, np.ndarray]) -> list[list[int]]:
        if not items:
            return []
        found = near_groups(np.stack([known[item.picture] for item in items]), self._near)
        return [[items[i].number for i in group] for group in found]


def near_groups(vectors: NDArray[np.float32], near: float = NEAR) -> list[list[int]]:
    """Groups of two and more, each with its earliest picture first, in the order of these.

    vectors: (N, D), unit length. A picture belongs to the earliest one that has no group leader of its own and a
    cosine of at least `near` with it; so no chain of small changes ties together what is not alike.
    """
    leader = np.full(len(vectors), -1)
    for first in range(0, len(vectors), BLOCK):
        alike = vectors[first : first + BLOCK] @ vectors.T >= near
        for i, line in enumerate(alike, start=first):
            if leader[i] < 0:
                followers = np.flatnonzero(line & (leader < 0))
                leader[followers[followers > i]] = leader[i] = i
    members = {i: np.flatnonzero(leader == i).tolist() for i in np.unique(leader).tolist()}
    return [group for group in members.values() if len(group) > 1]
