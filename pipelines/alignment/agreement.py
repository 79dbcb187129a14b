"""How well a picture agrees with each part of a prompt: with texts, and with other pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from pipelines.alignment import scores

if TYPE_CHECKING:
    from pipelines.alignment.model import Alignment


@dataclass(frozen=True, slots=True)
class Agreed:
    """With one part. score: 0…1 for people, of a text `calibration.score`, of a picture `likeness`.

    heard: 0…1, to weigh texts against pictures: of a text the share of other captions that it beats
    (`calibration.standing`), of a picture its likeness.
    """

    score: float
    cosine: float
    heard: float


def agree(
    alignment: Alignment,
    pictures: Sequence[Image.Image],
    texts: Sequence[Sequence[str]],
    others: Sequence[Sequence[Image.Image]],
) -> list[list[Agreed]]:
    """For each picture: what it has of each of its texts, then of each of its other pictures."""
    seen = alignment.embed_images(pictures)
    read = alignment.embed_texts([text for some in texts for text in some])
    shown = alignment.embed_images([other for some in others for other in some])
    found = []
    for one, some, more in zip(seen, texts, others, strict=True):
        found.append(_texts(alignment, one, read[: len(some)]) + _pictures(alignment, one, shown[: len(more)]))
        read, shown = read[len(some) :], shown[len(more) :]
    return found


def likeness(cosines: np.ndarray, floor: float) -> np.ndarray:
    """0…1: how much of the way the cosine of two pictures is from that of pictures of different things to 1."""
    return np.clip((cosines - floor) / max(1 - floor, 1e-6), 0, 1)


def _texts(alignment: Alignment, one: np.ndarray, read: np.ndarray) -> list[Agreed]:
    if not len(read):
        return []
    seen = np.repeat(one[None], len(read), 0)
    references, cosines = alignment.references, (seen * read).sum(-1)
    standing = scores.standing(cosines, seen @ references.T, scores.kept(read, references))
    return [Agreed(*map(float, each)) for each in zip(alignment.scores(seen, read), cosines, standing, strict=True)]


def _pictures(alignment: Alignment, one: np.ndarray, shown: np.ndarray) -> list[Agreed]:
    if not len(shown):
        return []
    cosines = shown @ one
    like = likeness(cosines, alignment.floor)
    return [Agreed(float(share), float(cosine), float(share)) for share, cosine in zip(like, cosines, strict=True)]
