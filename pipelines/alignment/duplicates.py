"""Pictures that are nearly the same, by their vectors. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR = 0.97  # cosine: the same picture smaller, recoded or slightly cropped is above it
AT_ONCE = 1024  # lines that are compared with all others in one product


def groups(vectors: NDArray[np.float32], near: float = NEAR) -> list[list[int]]:
    """Groups of two and more, each with its earliest picture first, in the order of these.

    vectors: (N, D), unit length. A picture belongs to the earliest one that has no group leader of its own and a
    cosine of at least `near` with it; so no chain of small changes ties together what is not alike.
    """
    leader = np.full(len(vectors), -1)
    for first in range(0, len(vectors), AT_ONCE):
        alike = vectors[first : first + AT_ONCE] @ vectors.T >= near
        for i, line in enumerate(alike, start=first):
            if leader[i] < 0:
                followers = np.flatnonzero(line & (leader < 0))
                leader[followers[followers > i]] = leader[i] = i
    members = {i: np.flatnonzero(leader == i).tolist() for i in np.unique(leader).tolist()}
    return [group for group in members.values() if len(group) > 1]
