"""Who keeps what: for the person at this machine, and for each owner of oneself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.storage.database import Database

_ARTIFACTS = """
SELECT owner, sum(kind = 'image') pictures, sum(kind = 'speech') recordings, sum(kind = 'caption') captions,
    sum(bytes) bytes, max(created) last
FROM artifacts WHERE hidden = 0 {one} GROUP BY owner
"""
_BATCHES = """
SELECT b.owner, count(DISTINCT b.id) batches, coalesce(sum(i.bytes), 0) bytes, max(b.created) last
FROM batches b LEFT JOIN batch_items i ON i.batch = b.id WHERE TRUE {one} GROUP BY b.owner
"""
_SEEN = "SELECT owner, seen last FROM owners WHERE seen IS NOT NULL {one}"


@dataclass(slots=True)
class OwnerUsage:
    """What one owner keeps. last: when the owner was here or made something last, seconds since the epoch."""

    owner: str
    pictures: int = 0
    recordings: int = 0
    captions: int = 0
    batches: int = 0
    bytes: int = 0
    last: float = 0.0

    @property
    def anything(self) -> bool:
        return bool(self.pictures or self.recordings or self.captions or self.batches)


def owners(database: Database, owner: str | None = None) -> list[OwnerUsage]:
    """All that keep something, or that one; who was here last comes first."""
    found: dict[str, OwnerUsage] = {}
    one = "AND owner = :owner" if owner is not None else ""
    for query in (_ARTIFACTS, _BATCHES, _SEEN):
        for row in database.rows(query.format(one=one), {"owner": owner}):
            kept = found.setdefault(row["owner"], OwnerUsage(row["owner"]))
            for name in set(row.keys()) - {"owner", "last"}:
                setattr(kept, name, getattr(kept, name) + row[name])
            kept.last = max(kept.last, row["last"])
    return sorted((kept for kept in found.values() if kept.anything), key=lambda kept: -kept.last)


def kept_by(database: Database, owner: str) -> OwnerUsage:
    """What that one keeps."""
    return next(iter(owners(database, owner)), OwnerUsage(owner))
