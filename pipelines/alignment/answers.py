"""What a question to the alignment is answered with, beside vectors: scores, labels, checked captions. Plain data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np

from pipelines.alignment.embedding import middle

if TYPE_CHECKING:
    from pipelines.alignment.calibration import Floats
    from pipelines.alignment.embedding import Alignment
    from pipelines.requests import AlignRequest


def scores(alignment: Alignment, read: Floats, seen: Floats) -> list[list[float]]:
    """Of every picture a list with every text's score, 0…1."""
    return [alignment.scores(np.repeat(one[None], len(read), 0), read).round(4).tolist() for one in seen]


def labels(alignment: Alignment, spelled: Floats, seen: Floats, number: int) -> dict:
    """labels: of every picture a list with each label's share, see `Alignment.labelled`; standing: with the share of
    64 captions of other pictures that it fits better than. A share says which label, its standing whether any.
    """
    if not number:
        return {}
    vocabulary = middle(spelled, number)
    shares, standing = alignment.shares(seen, vocabulary), alignment.standing(seen, vocabulary)
    return {"labels": shares.round(4).tolist(), "standing": standing.round(4).tolist()}


def checked(alignment: Alignment, request: AlignRequest, read: Floats, seen: Floats) -> dict:
    """checked: of each pair the caption as a candidate: text, score, cosine, phrases (see `CaptionPipeline.finish`)."""
    if not request.check:
        return {}
    agree, whole = alignment.agreements(seen, request.texts), alignment.scores(seen, read)
    cosines = (seen * read).sum(-1)
    return {"checked": [
        {"text": text, "score": round(float(score), 4), "cosine": round(float(cosine), 4),
         "phrases": [asdict(phrase) | {"span": list(phrase.span)} for phrase in phrases]}
        for text, score, cosine, phrases in zip(request.texts, whole, cosines, agree, strict=True)
    ]}  # fmt: skip
