"""What a person may ask for: frozen, validated, plain values. No torch here: the web process uses them.

Bounds stand beside the field, so that the page, the API and the docs read them from one place (`bounds`).
"""

from __future__ import annotations

import secrets
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.errors import InvalidRequest

RANDOM_SEED = -1
MAX_SEED = 2**32 - 1


class Priority(StrEnum):
    INTERACTIVE = "interactive"
    NORMAL = "normal"
    BACKGROUND = "background"


class Sampler(StrEnum):
    """The user's names for the noise schedulers of diffusers."""

    EULER = "Euler"
    EULER_A = "Euler a"
    DPMPP_2M = "DPM++ 2M"
    DPMPP_2M_KARRAS = "DPM++ 2M Karras"
    DPMPP_SDE = "DPM++ SDE"
    UNIPC = "UniPC"
    DDIM = "DDIM"
    LCM = "LCM"
    HEUN = "Heun"


Pixels = Annotated[int, Field(ge=64, le=2048, multiple_of=8)]
Text = Annotated[str, Field(max_length=10_000)]
PictureHash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ImageRequest(BaseModel):
    """One picture, or `count` of them.

    width, height: pixels. guidance_scale: classifier-free guidance (Ho & Salimans 2022); at most 1 means none.
    seed: 0…2³²−1, or −1 for a random one; picture i of `count` is made with seed + i.
    start_picture: SHA-256 of a stored picture that denoising starts from; strength 0…1 is how far it may go away.
    filmstrip: give eight frames from noise to picture, side by side, instead of the picture.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: Literal["image"] = "image"
    prompt: Text = ""
    negative_prompt: Text = ""
    width: Pixels = 256
    height: Pixels = 256
    steps: Annotated[int, Field(ge=1, le=150)] = 20
    guidance_scale: Annotated[float, Field(ge=0, le=30)] = 4.0
    sampler: Sampler = Sampler.DPMPP_2M
    seed: Annotated[int, Field(ge=RANDOM_SEED, le=MAX_SEED)] = RANDOM_SEED
    count: Annotated[int, Field(ge=1, le=8)] = 1
    model: Annotated[str, Field(min_length=1, max_length=200)] = "sprite"
    start_picture: PictureHash | None = None
    strength: Annotated[float, Field(gt=0, le=1)] = 0.6
    priority: Priority = Priority.NORMAL
    filmstrip: bool = False

    def singles(self) -> list[ImageRequest]:
        """`count` requests for one picture each, with the seeds drawn."""
        first = secrets.randbelow(MAX_SEED + 1) if self.seed == RANDOM_SEED else self.seed
        seeds = ((first + i) % (MAX_SEED + 1) for i in range(self.count))
        return [self.model_copy(update={"seed": seed, "count": 1}) for seed in seeds]


Request = ImageRequest  # a union over `kind` as soon as there are more kinds
KINDS: dict[str, type[BaseModel]] = {"image": ImageRequest}


def make(kind: str, **fields: object) -> Request:
    """A validated request; raises InvalidRequest with the first field that is wrong."""
    if kind not in KINDS:
        raise InvalidRequest("kind", kind, "one of " + ", ".join(KINDS))
    try:
        return KINDS[kind](**fields)
    except ValidationError as error:
        raise _first(error) from error


def from_json(text: str | bytes) -> Request:
    """The request that `model_dump_json` wrote; raises InvalidRequest."""
    try:
        return ImageRequest.model_validate_json(text)
    except ValidationError as error:
        raise _first(error) from error


def bounds(kind: type[BaseModel], field: str) -> dict[str, float]:
    """ge, gt, le, lt, multiple_of, max_length … of a field, for sliders and docs."""
    schema = kind.model_json_schema()["properties"][field]
    names = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt",
             "multipleOf": "multiple_of", "maxLength": "max_length", "minLength": "min_length"}  # fmt: skip
    return {names[key]: value for key, value in schema.items() if key in names}


def _first(error: ValidationError) -> InvalidRequest:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "request"
    return InvalidRequest(field, first.get("input"), _allowed(field, first))


def _allowed(field: str, first: dict) -> str:
    known = ImageRequest.model_fields
    limits = bounds(ImageRequest, field) if field in known else {}
    if first["type"] in ("extra_forbidden", "missing"):
        return "one of " + ", ".join(known)
    if first["type"] in ("enum", "literal_error"):
        return "one of " + str(first["ctx"]["expected"]).replace(" or ", ", ")
    words = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "multiple_of": "a multiple of {}",
             "max_length": "at most {} characters", "min_length": "at least {} characters"}  # fmt: skip
    said = [word.format(f"{limits[key]:,}") for key, word in words.items() if key in limits]
    kind = first["msg"].removeprefix("Input should be ") if not said else ""
    return ", ".join(said) or kind
