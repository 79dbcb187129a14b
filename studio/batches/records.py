"""A batch of pictures to describe, and the files in it, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ItemStatus(StrEnum):
    """new: nobody has asked yet. wanted: in the batch's own line. asked: is a job. kept: came with its caption."""

    NEW = "new"
    WANTED = "wanted"
    ASKED = "asked"
    DONE = "done"
    KEPT = "kept"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CaptionBatch:
    """request: JSON of the settings of its last run. begun: when that began, seconds since the epoch."""

    id: str
    owner: str
    name: str
    created: float
    request: str = ""
    running: bool = False
    begun: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One file of a batch. picture: SHA-256 of what models see; format: of the file as it came ("jpeg").

    origin: who wrote the text: "model", "sidecar" or "person". score: how well it agrees with the picture, 0…1.
    """

    batch: str
    number: int
    name: str
    picture: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    status: str = ItemStatus.NEW
    notes: str = ""
    error: str = ""
    text: str | None = None
    score: float | None = None
    origin: str = ""
    job: str | None = None
    artifact: str | None = None
    ended: float | None = None


def resting(item: Item) -> ItemStatus:
    """The state of an item that nobody works on."""
    if item.text is None:
        return ItemStatus.NEW
    return ItemStatus.KEPT if item.origin == "sidecar" else ItemStatus.DONE
