"""The shape that every pipeline has: encode once, then steps that the caller schedules, then an artifact."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pipelines.errors import TriptychError
from pipelines.requests import Request

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a finished job gives. `data` is the encoded file (PNG, WAV, text), `info` is plain JSON data.

    vector: where it lies in the space of the alignment model, a unit vector in float16; empty if it has no place there.
    """

    kind: str
    media_type: str
    data: bytes
    info: dict = field(default_factory=dict)
    vector: bytes = b""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an artifact that is ready before the whole: a spoken sentence. `info` is plain JSON data."""

    media_type: str
    data: bytes
    info: dict = field(default_factory=dict)


class State(Protocol):
    """One job's live tensors. `error` is set by `step` when this job, and only this job, has gone wrong."""

    request: Request
    steps_left: int
    steps_total: int
    rows: int
    notes: list[str]
    error: TriptychError | None


class Pipeline(Protocol):
    """A model that works in steps. Nothing is shared between its states but weights.

    Raises OutOfMemory from any method; `step` then has moved none of its states.
    """

    def check(self, request: Request) -> None: ...  # InvalidRequest / TooLarge for what this model cannot do
    def prepare(self, request: Request, pictures: Mapping[str, bytes]) -> State: ...  # encode the prompt, draw noise
    def batch_key(self, state: State) -> Hashable: ...  # states with equal keys may take one step together
    def step(self, states: Sequence[State]) -> None: ...  # advance every state by exactly one step
    def preview(self, state: State) -> Image | None: ...  # cheap, from the current prediction
    def pieces(self, state: State) -> list[Piece]: ...  # what can be heard or read already; each is given once
    def finish(self, state: State) -> Artifact: ...  # decode
    def bytes_per_row(self, key: Hashable) -> int: ...  # predicted peak activation memory of one more row
