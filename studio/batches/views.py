"""Batches and their items as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from studio.batches.records import CaptionBatch, Item
from studio.batches.store import BatchStore

if TYPE_CHECKING:
    from studio.batches.service import Batches

_ASKED = ("model", "style", "candidates")


def batch_event(batches: Batches, owner: str, id: str, numbers: Collection[int] | None) -> dict | None:
    """What is pushed when a batch has changed. batch: None where it is there no more; items: those of these numbers,
    None where many may have changed.
    """
    batch = batches.rows.batch(id)
    if batch is not None and batch.owner != owner:
        return None
    view = batch_view(batches.rows, batch) if batch else None
    items = None if numbers is None else [item_view(item) for item in batches.rows.numbered(id, numbers)]
    return {"type": "batch", "id": id, "batch": view, "items": items}


def batch_view(rows: BatchStore, batch: CaptionBatch) -> dict:
    """counts: items by status; described: those with a caption; seconds_left: None where nobody can tell yet."""
    counts = rows.counts(batch.id)
    total, described, size = rows.totals(batch.id)
    last = rows.last_edit(batch.id)
    return {
        "id": batch.id,
        "name": batch.name,
        "created": batch.created,
        "running": batch.running,
        "counts": counts,
        "total": total,
        "described": described,
        "bytes": size,
        "seconds_left": _seconds_left(rows, batch, counts) if batch.running else None,
        "request": _settings(batch),
        "unchecked": rows.unchecked_of(batch.id),
        "undo": _told(last["what"]) if last else None,
    }


def item_view(item: Item) -> dict:
    """score: 0…1; size in pixels; picture and thumb: where they are; sha256: what questions about it name it by."""
    place = f"/batches/{item.batch}/{item.number}"
    shown = {name: getattr(item, name) for name in (
        "number", "name", "status", "error", "notes", "text", "score", "origin", "width", "height", "job",
        "artifact")}  # fmt: skip
    if not item.picture:
        return shown
    return shown | {"sha256": item.picture, "picture": f"{place}/picture", "thumb": f"{place}/thumb"}


def _seconds_left(rows: BatchStore, batch: CaptionBatch, counts: dict[str, int]) -> float | None:
    left = counts.get("wanted", 0) + counts.get("asked", 0)
    pace = rows.pace(batch)
    if pace is None:
        return None
    done, since = pace
    return round(left * (time.time() - since) / done, 1)


def _settings(batch: CaptionBatch) -> dict | None:
    if not batch.request:
        return None
    asked = json.loads(batch.request)
    return {name: asked.get(name) for name in _ASKED}


def _told(what: str) -> dict:
    """What the last change was: {"action": …} and its words."""
    return json.loads(what) if what.startswith("{") else {"action": what}
