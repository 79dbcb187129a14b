"""What the studio asks the alignment: vectors of texts and pictures, or where in a picture a word is."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.requests.common import Asked, ModelId, Priority, Sha256

Texts = Annotated[tuple[Annotated[str, Field(max_length=2000)], ...], Field(max_length=256)]


class AlignRequest(Asked):
    """Unit vectors of `texts` and of stored `pictures`; with `heatmap`, where the pictures match the first text."""

    kind: Literal["align"] = "align"
    model: ModelId = "sprite-clip"
    texts: Texts = ()
    pictures: Annotated[tuple[Sha256, ...], Field(max_length=64)] = ()
    heatmap: bool = False
    priority: Priority = Priority.INTERACTIVE

    def uploads(self) -> tuple[str, ...]:
        return self.pictures

    @property
    def expected_rows(self) -> int:
        return max(len(self.texts) + len(self.pictures), 1)
