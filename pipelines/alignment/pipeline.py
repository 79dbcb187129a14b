"""Alignment as scheduled work: vectors of many people's texts and pictures in one forward."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pipelines.alignment import agreement, heatmap
from pipelines.alignment.agreement import Agreed
from pipelines.alignment.model import AT_ONCE, Alignment, Judged, middle, spelled
from pipelines.base import Artifact, Piece
from pipelines.errors import InvalidRequest, TriptychError
from pipelines.pictures import open_rgb
from pipelines.requests import AlignRequest
from pipelines.runtime import devices
from pipelines.runtime.out_of_memory import out_of_memory_is_ours

if TYPE_CHECKING:
    from PIL.Image import Image

    from pipelines.alignment.catalog import AlignmentEntry
    from pipelines.alignment.scores import Floats
    from pipelines.alignment.towers import Pixels


@dataclass(slots=True)
class AlignState:
    """What is still to be embedded, texts first, and the vectors that are done. A step is at most `rows` of them.

    texts: those of the request, then its labels in all templates. views: what the model sees of each picture.
    """

    request: AlignRequest
    texts: list[list[list[int]]]
    pictures: list[Pixels]
    rows: int
    steps_total: int
    notes: list[str]
    views: list[tuple[float, float, float, float]] = field(default_factory=list)
    done: list[np.ndarray] = field(default_factory=list)
    error: TriptychError | None = None

    @property
    def steps_left(self) -> int:
        return self.steps_total - -(-len(self.done) // self.rows)

    def next(self) -> tuple[list[list[list[int]]], list[Pixels]]:
        """The texts and pictures of its next step."""
        first, after = len(self.done), len(self.done) + self.rows
        pictures = self.pictures[max(0, first - len(self.texts)) : max(0, after - len(self.texts))]
        return self.texts[first:after], pictures


class AlignmentPipeline:
    """A `base.Pipeline` for AlignRequest. `judge` is for what other pipelines have made."""

    def __init__(self, alignment: Alignment, entry: AlignmentEntry):
        self.alignment, self.entry = alignment, entry
        self.nbytes = devices.nbytes(alignment.towers.model)

    def check(self, request: AlignRequest) -> None:
        """InvalidRequest where this model cannot do what the request asks for."""
        self.entry.check(request)
        if not request.texts and not request.pictures:
            raise InvalidRequest("texts", (), "at least one text or picture")

    def prepare(self, request: AlignRequest, pictures: Mapping[str, bytes]) -> AlignState:
        """Reads texts and pictures into numbers. Raises InvalidRequest, BadUpload."""
        self.check(request)
        towers = self.alignment.towers
        notes: list[str] = []
        missing = next((sha for sha in request.pictures if sha not in pictures), None)
        if missing:
            raise InvalidRequest("pictures", missing, "pictures that were uploaded before")
        images = [open_rgb(pictures[sha], notes) for sha in request.pictures]
        pixels, views = [towers.pixels(image) for image in images], [towers.view(*image.size) for image in images]
        texts = [towers.ids(text) for text in request.texts]
        notes += self.alignment.note(texts)
        texts += [towers.ids(text) for text in spelled(request.labels)]
        lines = len(texts) + len(pixels)
        rows = lines if request.heatmap else min(lines, AT_ONCE)
        return AlignState(request, texts, pixels, rows, -(-lines // rows), notes, views)

    def batch_key(self, state: AlignState) -> Hashable:
        """(step): a job's rows change in its last step only, and what is left is told anew with every key."""
        return len(state.done)

    @out_of_memory_is_ours
    def step(self, states: Sequence[AlignState]) -> None:
        """One forward of each tower for all of them. Raises OutOfMemory, then none has moved."""
        asked = [state.next() for state in states]
        read = self.alignment.embed_ids([text for texts, _ in asked for text in texts])
        seen = self.alignment.embed_pixels([pixels for _, pictures in asked for pixels in pictures])
        for state, (texts, pictures) in zip(states, asked, strict=True):
            state.done += [*read[: len(texts)], *seen[: len(pictures)]]
            read, seen = read[len(texts) :], seen[len(pictures) :]

    def preview(self, state: AlignState) -> Image | None:
        return None

    def pieces(self, state: AlignState) -> list[Piece]:
        return []

    @out_of_memory_is_ours
    def finish(self, state: AlignState) -> Artifact:
        """float32 (texts then pictures, N × D), or with `heatmap` the maps of the pictures, float32 0…1, row by row.

        info: dim, texts, pictures, model, notes; scores: of every picture a list with every text's, 0…1; what else the
        request asks for is in `answers`.
        """
        made, told = np.stack(state.done).astype("<f4"), len(state.request.texts)
        read, labels, seen = made[:told], made[told : len(state.texts)], made[len(state.texts) :]
        info = {"dim": made.shape[1], "texts": told, "pictures": len(seen), "model": self.entry.id,
                "notes": list(state.notes), "scores": score_table(self.alignment, read, seen)}  # fmt: skip
        info |= label_shares(self.alignment, labels, seen, len(state.request.labels))
        info |= checked_captions(self.alignment, state.request, read, seen)
        if not state.request.heatmap:
            return Artifact("align", "application/octet-stream", np.concatenate([read, seen]).tobytes(), info)
        maps = heatmap.maps(self.alignment, state.pictures, made[0])
        info["heatmap"] = {"width": maps.shape[2], "height": maps.shape[1], "views": state.views}
        return Artifact("align", "application/octet-stream", maps.astype("<f4").tobytes(), info)

    def bytes_per_row(self, key: Hashable) -> int:
        """Predicted peak activation memory of one more text or picture."""
        return self.entry.cost

    @out_of_memory_is_ours
    def judge(self, pictures: Sequence[Image | None], texts: Sequence[str]) -> list[Judged]:
        """How well each text fits its picture; the formula of the score is in `calibration.score`."""
        return self.alignment.judge(pictures, texts)

    @out_of_memory_is_ours
    def agree(
        self, pictures: Sequence[Image], texts: Sequence[Sequence[str]], others: Sequence[Sequence[Image]]
    ) -> list[list[Agreed]]:
        """How well each picture agrees with each of its texts, then with each of its other pictures."""
        return agreement.agree(self.alignment, pictures, texts, others)


def score_table(alignment: Alignment, read: Floats, seen: Floats) -> list[list[float]]:
    """Of every picture a list with every text's score, 0…1."""
    return [alignment.scores(np.repeat(one[None], len(read), 0), read).round(4).tolist() for one in seen]


def label_shares(alignment: Alignment, spelled: Floats, seen: Floats, number: int) -> dict:
    """labels: of every picture a list with each label's share, see `Alignment.labelled`; standing: with the share of
    64 captions of other pictures that it fits better than. A share says which label, its standing whether any.
    """
    if not number:
        return {}
    vocabulary = middle(spelled, number)
    shares, standing = alignment.shares(seen, vocabulary), alignment.standing(seen, vocabulary)
    return {"labels": shares.round(4).tolist(), "standing": standing.round(4).tolist()}


def checked_captions(alignment: Alignment, request: AlignRequest, read: Floats, seen: Floats) -> dict:
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
