"""What a prompt is composed of: parts of text and pictures, and another prompt or picture to blend with."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.requests.common import RANDOM_SEED, Seed, Sha256, Text

MAX_PARTS = 12
MAX_PICTURES = 4  # among the parts: each is shown to the model as several tokens in every block
MAX_FRAMES = 9


class Role(StrEnum):
    """What a part says: the content, the style, the layout (a start picture), or what must not be seen."""

    WHAT = "what"
    HOW = "how"
    WHERE = "where"
    NOT = "not"


class Part(BaseModel):
    """One part of a prompt: a text, or a picture by the SHA-256 of its stored file; never both.

    weight: how much it counts among its kind; 1 is as it is. Of a *where* picture: how much of it is kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    role: Role = Role.WHAT
    text: Text = ""
    picture: Sha256 | None = None
    weight: Annotated[float, Field(ge=0, le=2)] = 1.0

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.text.strip()) == bool(self.picture):
            raise ValueError("a text or a picture, one of them")
        return self


class Blend(BaseModel):
    """The other end of a blend; `at` 0 is the request itself, 1 is this.

    prompt: the other prompt; empty means the same. picture: the other picture, against the request's first *what*
    picture. seed: the other noise; −1 means the request's own. frames: pictures of a strip from 0 to 1; 1 makes the
    one at `at`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prompt: Text = ""
    picture: Sha256 | None = None
    seed: Seed = RANDOM_SEED
    at: Annotated[float, Field(ge=0, le=1)] = 0.5
    frames: Annotated[int, Field(ge=1, le=MAX_FRAMES)] = 1

    def strip(self) -> list[Blend]:
        """One for each frame, evenly from 0 to 1."""
        last = self.frames - 1
        return [self.model_copy(update={"at": i / last, "frames": 1}) for i in range(self.frames)]


class Margins(BaseModel):
    """Pixels that a picture grows by on each side, for outpainting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    left: Annotated[int, Field(ge=0, le=1024, multiple_of=8)] = 0
    top: Annotated[int, Field(ge=0, le=1024, multiple_of=8)] = 0
    right: Annotated[int, Field(ge=0, le=1024, multiple_of=8)] = 0
    bottom: Annotated[int, Field(ge=0, le=1024, multiple_of=8)] = 0

    @property
    def any(self) -> bool:
        return bool(self.left or self.top or self.right or self.bottom)


def too_many(parts: tuple[Part, ...]) -> str:
    """What is allowed, where there are too many pictures among the parts; "" where all is well."""
    shown = [part for part in parts if part.picture and part.role != Role.WHERE]
    if len(shown) > MAX_PICTURES:
        return f"at most {MAX_PICTURES} pictures ({len(shown)} came)"
    if sum(bool(part.picture) for part in parts if part.role == Role.WHERE) > 1:
        return "at most one picture that says where"
    return ""
