"""What the web process and the worker say to each other: plain data and bytes, in msgpack, never objects.

A message goes over the wire as `[name, field, field, …]`. Pictures travel once: `Picture` before the first job that
needs it, `Forget` after the last; the web side alone decides when, so the two never disagree on what is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields

import msgpack

# --- to the worker ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submit:
    """A job, `request` as the JSON of the request; its pictures were sent before. `attempts`: made before this."""

    job_id: str
    owner: str
    request: str
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored file (start picture, voice sample …) under its SHA-256, kept until `Forget`."""

    sha: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Forget:
    sha: str


@dataclass(frozen=True, slots=True)
class Cancel:
    job_ids: list[str]


@dataclass(frozen=True, slots=True)
class Pause:
    job_id: str


@dataclass(frozen=True, slots=True)
class Resume:
    job_id: str


@dataclass(frozen=True, slots=True)
class Reorder:
    """The owner's waiting jobs, in the order in which that owner wants them."""

    owner: str
    job_ids: list[str]


@dataclass(frozen=True, slots=True)
class Shutdown:
    pass


# --- from the worker -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ready:
    """The device is open. `device`: name, memory_used and memory_total in bytes."""

    device: dict


@dataclass(frozen=True, slots=True)
class Trouble:
    """The worker cannot start, and why."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Beat:
    """The worker lives, whatever it does. For the supervisor alone."""


@dataclass(frozen=True, slots=True)
class Begun:
    """The job's first work starts now."""

    job_id: str


@dataclass(frozen=True, slots=True)
class AtWork:
    """Those whose work is done now and until this is said of others. Should the worker die, one of them is why."""

    job_ids: list[str]


@dataclass(frozen=True, slots=True)
class Progress:
    """A row for each job that moved: [job_id, step, steps]."""

    jobs: list[list]


@dataclass(frozen=True, slots=True)
class Preview:
    job_id: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A line for a person beside the job ("loading Sprite 40 %"); empty takes the last one away."""

    job_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of the artifact that is ready before the whole, in the fields of `pipelines.base.Piece`."""

    job_id: str
    number: int
    media_type: str
    data: bytes
    info: dict


@dataclass(frozen=True, slots=True)
class Finished:
    """An artifact, in the fields of `pipelines.base.Artifact`."""

    job_id: str
    kind: str
    media_type: str
    data: bytes
    info: dict
    vector: bytes = b""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """The worker takes no further step of the job, though nothing went wrong with it."""

    job_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Failed:
    job_id: str
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Stats:
    """The device and the line. `forecast`: [how many jobs go before it, seconds left or None] of every job."""

    device: dict
    model: str | None
    rows_per_step: float
    steps_per_second: float
    forecast: Mapping[str, Sequence] = field(default_factory=dict)


TO_WORKER = Submit | Picture | Forget | Cancel | Pause | Resume | Reorder | Shutdown
FROM_WORKER = (
    Ready | Trouble | Beat | Begun | AtWork | Progress | Preview | Note | Chunk | Finished | GivenUp | Failed | Stats
)
Message = TO_WORKER | FROM_WORKER
_KINDS: dict[str, type] = {kind.__name__: kind for kind in (*TO_WORKER.__args__, *FROM_WORKER.__args__)}
_NAMES: dict[type, tuple[str, ...]] = {kind: tuple(f.name for f in fields(kind)) for kind in _KINDS.values()}


def encode(message: Message) -> bytes:
    """The message as msgpack; raises TypeError for anything but plain data."""
    kind = type(message)
    return msgpack.packb([kind.__name__, *(getattr(message, name) for name in _NAMES[kind])])


def decode(data: bytes) -> Message:
    """The message that `encode` wrote; raises ValueError for anything else."""
    try:
        name, *values = msgpack.unpackb(data)
        return _KINDS[name](*values)
    except (TypeError, ValueError, KeyError, msgpack.UnpackException) as error:
        raise ValueError("Not a message of the studio.") from error
