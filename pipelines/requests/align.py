"""What the studio asks the alignment: vectors of texts and pictures, or where in a picture a word is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.requests.common import Asked, ModelId, Priority, Sha256

MAX_LABELS = 64
Label = Annotated[str, Field(min_length=1, max_length=100)]
Texts = Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(max_length=256)]


class AlignRequest(Asked):
    """Unit vectors of `texts` and of stored `pictures`; with `heatmap`, where the pictures match the first text.

    labels: a vocabulary of one's own; for each picture, how its labels share it. check: `texts[i]` is the caption of
    `pictures[i]`, and is checked against it as a whole and phrase by phrase.
    """

    kind: Literal["align"] = "align"
    model: ModelId = "sprite-clip"
    texts: Texts = ()
    pictures: Annotated[tuple[Sha256, ...], Field(max_length=64)] = ()
    heatmap: bool = False
    labels: Annotated[tuple[Label, ...], Field(max_length=MAX_LABELS)] = ()
    check: bool = False
    priority: Priority = Priority.INTERACTIVE

    def uploads(self) -> tuple[str, ...]:
        return self.pictures

    @property
    def expected_rows(self) -> int:
        return max(len(self.texts) + 4 * len(self.labels) + len(self.pictures), 1)
