"""Everybody's artifacts in the space of the alignment, for search by meaning. The store is the truth; this is a copy.

A search is exact: at 100,000 artifacts of 256 numbers it reads 50 MB, which takes a few milliseconds, so no graph has
to be built, kept on disk or mended.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from studio.storage.store import Store

OWNERS = 16  # whose vectors are kept in memory
FIRST_ROWS = 256


@dataclass(slots=True)
class OwnerVectors:
    """One owner's vectors: the first `count` rows of a matrix that doubles when it is full."""

    dim: int
    count: int = 0
    last: int = 0
    matrix: np.ndarray = field(init=False)
    numbers: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.matrix = np.zeros((FIRST_ROWS, self.dim), np.float16)
        self.numbers = np.zeros(FIRST_ROWS, np.int64)

    def add(self, number: int, vector: np.ndarray) -> None:
        if self.count == len(self.numbers):
            self.matrix = np.concatenate([self.matrix, np.zeros_like(self.matrix)])
            self.numbers = np.concatenate([self.numbers, np.zeros_like(self.numbers)])
        self.matrix[self.count], self.numbers[self.count] = vector, number
        self.count += 1
        self.last = number


class VectorIndex:
    """Not thread-safe: whoever uses it holds a lock of their own."""

    def __init__(self, store: Store):
        self._store = store
        self._shelves: OrderedDict[tuple[str, int], OwnerVectors] = OrderedDict()

    def nearest(self, owner: str, vector: np.ndarray, number: int) -> list[tuple[int, float]]:
        """The `number` nearest artifacts as (their number in the store, cosine), the nearest first, deleted ones too.

        vector: unit, (D,). Vectors of another length come from another alignment model, and are left out.
        """
        from usearch.index import MetricKind, search

        shelf = self._shelf(owner, len(vector))
        if not shelf.count:
            return []
        found = search(shelf.matrix[: shelf.count], vector.astype(np.float16), min(number, shelf.count),
                       MetricKind.Cos, exact=True)  # fmt: skip
        return [(int(shelf.numbers[key]), 1 - float(far)) for key, far in zip(found.keys, found.distances, strict=True)]

    def _shelf(self, owner: str, dim: int) -> OwnerVectors:
        """With what is new. What was deleted stays until the owner is read anew: the store no longer has its row."""
        shelf = self._shelves.pop((owner, dim), None) or OwnerVectors(dim)
        for number, data in self._store.vectors(owner, dim, after=shelf.last):
            shelf.add(number, np.frombuffer(data, np.float16))
        self._shelves[owner, dim] = shelf
        while len(self._shelves) > OWNERS:
            self._shelves.popitem(last=False)
        return shelf
