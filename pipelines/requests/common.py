"""What all requests have in common: frozen, validated, plain values whose errors are sentences."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Self, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from pipelines.errors import InvalidRequest

RANDOM_SEED = -1
MAX_SEED = 2**32 - 1

Text = Annotated[str, Field(max_length=10_000)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ModelId = Annotated[str, Field(min_length=1, max_length=200)]
Seed = Annotated[int, Field(ge=RANDOM_SEED, le=MAX_SEED)]
SHOWN = 2000  # characters of a long field in a view


class Priority(StrEnum):
    INTERACTIVE = "interactive"
    NORMAL = "normal"
    BACKGROUND = "background"


class Asked(BaseModel):
    """The part of a request that the studio itself reads; what a pipeline reads is in the kinds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kind: str
    model: ModelId
    priority: Priority = Priority.NORMAL

    def singles(self) -> list[Self]:
        """One request a job; random seeds are drawn here."""
        return [self]

    def uploads(self) -> tuple[str, ...]:
        """SHA-256 of every stored file that the pipeline will read."""
        return ()

    @property
    def words(self) -> str:
        """What a person would search for: the text that was asked with."""
        return ""

    @property
    def alike(self) -> tuple[int, ...]:
        """What jobs of one model must have in common to take steps together, as far as the request tells."""
        return ()

    @property
    def expected_steps(self) -> int:
        """Steps, as far as the request tells; the pipeline knows better once the job is prepared."""
        return 1

    @property
    def expected_rows(self) -> int:
        """Rows in each of them."""
        return 1

    def shown(self) -> dict:
        """The request as JSON for a view: very long texts are cut, as views travel often."""
        return shown(self.model_dump(mode="json"))


def shown(fields: dict) -> dict:
    """The fields of a request with long texts cut to SHOWN characters."""
    return {key: _cut(value) for key, value in fields.items()}


def _cut(value: object) -> object:
    if isinstance(value, str):
        return value[:SHOWN]
    if isinstance(value, list):
        return [_cut(one) for one in value]
    return shown(value) if isinstance(value, dict) else value


def drawn(seed: int) -> int:
    """The seed itself, or a random one for RANDOM_SEED."""
    return secrets.randbelow(MAX_SEED + 1) if seed == RANDOM_SEED else seed


def bounds(kind: type[BaseModel], field: str) -> dict[str, float]:
    """ge, gt, le, lt, multiple_of, max_length … of a field, for sliders and docs."""
    schema = kind.model_json_schema()["properties"][field]
    names = {"minimum": "ge", "maximum": "le", "exclusiveMinimum": "gt", "exclusiveMaximum": "lt",
             "multipleOf": "multiple_of", "maxLength": "max_length", "minLength": "min_length"}  # fmt: skip
    return {names[key]: value for key, value in schema.items() if key in names}


def refusal(kind: type[BaseModel], error: ValidationError) -> InvalidRequest:
    """The first thing that is wrong, as a sentence: field, what came, what is allowed."""
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or "request"
    return InvalidRequest(field, first.get("input"), _allowed(*_place(kind, first["loc"]), first))


def _place(kind: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[type[BaseModel], str]:
    """The model and its field that ("parts", 0, "weight") leads to."""
    name = ""
    for step in (step for step in loc if isinstance(step, str)):
        if name in kind.model_fields:
            kind = next(_models(kind.model_fields[name].annotation), kind)
        name = step
    return kind, name


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models of ours that a field may hold: of `tuple[Part, ...]` that is Part, of `Blend | None` it is Blend."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)


def _allowed(kind: type[BaseModel], field: str, first: ErrorDetails) -> str:
    known = kind.model_fields
    if first["type"] == "value_error":  # a check of the kind itself says best what it wants
        return first["msg"].removeprefix("Value error, ")
    if first["type"] == "too_long":
        return f"at most {first['ctx']['max_length']} {field} ({first['ctx']['actual_length']} came)"
    if first["type"] == "string_pattern_mismatch":  # of all fields only a Sha256 has a pattern
        return "the sha256 that an upload was answered with (64 digits and letters a to f)"
    if first["type"] == "string_unicode":
        return "text without half a character (one of the two parts that emoji have in JSON)"
    if first["type"] == "model_type":
        return "an object with " + ", ".join(next(_models(known[field].annotation), kind).model_fields)
    limits = bounds(kind, field) if field in known else {}
    if first["type"] in ("extra_forbidden", "missing"):
        return "one of " + ", ".join(known)
    if first["type"] in ("enum", "literal_error"):
        return "one of " + str(first["ctx"]["expected"]).replace(" or ", ", ")
    words = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "multiple_of": "a multiple of {}",
             "max_length": "at most {} characters", "min_length": "at least {} characters"}  # fmt: skip
    said = [word.format(f"{limits[key]:,}") for key, word in words.items() if key in limits]
    told = first["msg"].removeprefix("Input should be ").removeprefix("Value error, ") if not said else ""
    return ", ".join(said) or told


# A pipeline is for one kind of request and makes states of its own. Who holds pipelines of every kind writes the bare
# `Pipeline`: that a state goes back to the kind of pipeline that made it is a matter of the running program there.
AskedT = TypeVar("AskedT", bound=Asked, contravariant=True)
