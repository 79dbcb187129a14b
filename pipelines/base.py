"""The shape that every pipeline has: encode once, then steps that the caller schedules, then an artifact."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from pipelines.errors import TriptychError
from pipelines.requests import Request
from pipelines.requests.common import AskedT

if TYPE_CHECKING:
    from PIL.Image import Image

    from pipelines.catalog.entry import Entry


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

    @property
    def request(self) -> Request: ...
    @property
    def steps_left(self) -> int: ...
    @property
    def steps_total(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def notes(self) -> list[str]: ...

    error: TriptychError | None


StateT = TypeVar("StateT", bound=State)
SeenT = TypeVar("SeenT", contravariant=True)


class Pipeline(Protocol[AskedT, StateT]):
    """A model that works in steps. Nothing is shared between its states but weights.

    Raises OutOfMemory from any method; `step` then has moved none of its states.
    """

    @property
    def entry(self) -> Entry: ...
    @property
    def nbytes(self) -> int: ...  # of the weights, in memory
    def check(self, request: AskedT) -> None: ...  # InvalidRequest / TooLarge for what this model cannot do
    def prepare(self, request: AskedT, pictures: Mapping[str, bytes]) -> StateT: ...  # encode the prompt, draw noise
    def batch_key(self, state: StateT) -> Hashable: ...  # states with equal keys may take one step together
    def step(self, states: Sequence[StateT]) -> None: ...  # advance every state by exactly one step
    def preview(self, state: StateT) -> Image | None: ...  # cheap, from the current prediction
    def pieces(self, state: StateT) -> list[Piece]: ...  # what can be heard or read already; each is given once
    def finish(self, state: StateT) -> Artifact: ...  # decode
    def bytes_per_row(self, key: Hashable) -> int: ...  # predicted peak activation memory of one more row


@runtime_checkable
class Foreseeing(Protocol[SeenT]):
    """A pipeline whose pictures can be foreseen, and turned, while they are made."""

    def foreseen(self, state: SeenT) -> Image: ...  # the finished picture, as far as it can be seen now
    def weighs(self, state: SeenT) -> bool: ...  # whether there are texts and pictures for a gate to weigh
    def turn(self, state: SeenT, gate: float) -> None: ...  # 0…1, as `ImageRequest.gate`
