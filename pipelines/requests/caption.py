"""What a person may ask about a picture."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from pipelines.requests.common import RANDOM_SEED, Asked, ModelId, Seed, Sha256, drawn

Line = Annotated[str, Field(max_length=500)]


class CaptionStyle(StrEnum):
    SHORT = "short"
    DETAILED = "detailed"
    TAGS = "tags"
    PROMPT = "prompt"  # as one would write it for Stable Diffusion
    ALT = "alt"  # alternative text of a website, at most 125 characters


class CaptionRequest(Asked):
    """A caption of a stored picture, or the answer to a question about it.

    picture: its SHA-256. candidates: how many captions are made and checked against the picture. beams: 1 is greedy
    decoding; temperature > 0 samples instead, from `seed`. max_tokens: longest caption in tokens. forbidden: words that
    must not occur, separated by commas. verify: score the candidates by alignment and mark unsupported phrases.
    name: the picture's file name; batch: an id that the pictures of one batch share.
    """

    kind: Literal["caption"] = "caption"
    picture: Sha256
    model: ModelId = "sprite-captioner"
    style: CaptionStyle = CaptionStyle.SHORT
    question: Line = ""
    candidates: Annotated[int, Field(ge=1, le=8)] = 3
    beams: Annotated[int, Field(ge=1, le=8)] = 1
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    max_tokens: Annotated[int, Field(ge=1, le=512)] = 40
    prefix: Line = ""
    suffix: Line = ""
    forbidden: Line = ""
    verify: bool = True
    seed: Seed = RANDOM_SEED
    name: Annotated[str, Field(max_length=300)] = ""
    batch: Annotated[str, Field(max_length=64)] = ""

    def singles(self) -> list[CaptionRequest]:
        return [self.model_copy(update={"seed": drawn(self.seed)})]

    def uploads(self) -> tuple[str, ...]:
        return (self.picture,)

    @property
    def words(self) -> str:
        return self.question

    @property
    def expected_steps(self) -> int:
        return 1 + self.max_tokens // 16

    @property
    def expected_rows(self) -> int:
        return self.candidates * self.beams
