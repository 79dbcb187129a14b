"""Many pictures to describe: what came in, how far it is, what people change in it.

A batch belongs to an owner, and that of another is NotFound. Methods may be called from any thread.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipelines.errors import BadUpload, NotAllowed, NotFound
from pipelines.requests import CaptionRequest, Priority
from studio import limits
from studio.batches.checks import CaptionChecks
from studio.batches.duplicates import Duplicates
from studio.batches.edits import CaptionEdits
from studio.batches.feeder import Feeder
from studio.batches.files import BatchFiles
from studio.batches.records import CaptionBatch, Item, ItemStatus, resting
from studio.batches.store import BatchStore
from studio.formats import sidecars, zip_reader
from studio.jobs.admission import check_model
from studio.search.thresholds import limits_of

if TYPE_CHECKING:
    from pipelines.catalog.catalog import Catalog
    from studio.jobs.engine import Engine
    from studio.storage.gallery import Gallery
    from studio.storage.store import Store

ANY_PICTURE = "0" * 64  # stands in a batch's settings for the picture


class Batches:
    """`start` after the engine has started."""

    def __init__(self, folder: Path, store: Store, gallery: Gallery, catalog: Catalog, engine: Engine):
        self.rows = BatchStore(store, self._tell)
        self.files = BatchFiles(folder / "batches", gallery.uploads)
        self._gallery, self._catalog, self._engine = gallery, catalog, engine
        self._feed = Feeder(store, gallery, engine, self.rows)
        self.limits = limits_of(catalog)
        self.checks, self.alike = (
            CaptionChecks(engine, gallery, self.rows),
            Duplicates(engine, self.rows, self.limits.near),
        )
        words = CaptionEdits(gallery, self._feed, self.rows, self.checks, self.get, self._take_out)
        self.write, self.edit, self.undo, self.heard = words.write, words.edit, words.undo, words.heard

    def start(self) -> None:
        self._feed.start()
        self.checks.start()

    def stop(self) -> None:
        self._feed.stop()
        self.checks.stop()

    def _tell(self, id: str, numbers: Collection[int] | None) -> None:
        if batch := self.rows.batch(id):
            self._engine.tell_batch(batch.owner, id, numbers)

    # --- what there is ---

    def create(self, owner: str, name: str = "") -> CaptionBatch:
        """Raises NotAllowed where there are too many already."""
        if len(self.rows.of(owner)) >= limits.BATCHES_PER_OWNER:
            raise NotAllowed(f"You have {limits.BATCHES_PER_OWNER} batches; delete one of them first.")
        batch = CaptionBatch(uuid.uuid4().hex, owner, sidecars.label(name) if name else "", time.time())
        self.rows.add(batch)
        return batch

    def get(self, owner: str, id: str) -> CaptionBatch:
        """Raises NotFound."""
        batch = self.rows.batch(id)
        if batch is None or batch.owner != owner:
            raise NotFound("There is no such batch.")
        return batch

    def item(self, owner: str, id: str, number: int) -> Item:
        """Raises NotFound."""
        item = self.rows.item(self.get(owner, id).id, number)
        if item is None:
            raise NotFound("There is no such picture in the batch.")
        return item

    def delete(self, owner: str, id: str) -> None:
        """The pictures go; captions that are in the gallery stay there."""
        self.cancel(owner, id)
        with self._feed.lock:
            self.rows.delete(id)
        self._engine.tell_batch(owner, id, ())
        self.files.drop(owner, id)

    # --- what comes in ---

    def add(self, owner: str, id: str, name: str, data: bytes) -> Item | None:
        """A picture, or (None) a text file that is the caption of one. A file that is neither is an item with its
        error. Raises NotFound, NotAllowed where the batch or the disk is full.
        """
        batch = self.get(owner, id)
        count, _, size = self.rows.totals(id)
        self._engine.quotas.check(owner)
        if count >= limits.BATCH_PICTURES or size + len(data) > limits.BATCH_BYTES:
            raise NotAllowed(
                f"A batch takes {limits.BATCH_PICTURES:,} pictures of together {limits.BATCH_BYTES // 2**30} GB; make "
                "another one for the rest."
            )
        try:
            if not sidecars.is_text(name):
                return self._add_picture(batch, name, data)
            self._add_text(batch, name, data)
        except BadUpload as error:
            return self._refused(batch, name, str(error))
        return None

    def add_zip(self, owner: str, id: str, file: BinaryIO) -> int:
        """Everything in it; returns how many files were looked at. Raises BadUpload, NotFound, NotAllowed."""
        batch, count = self.get(owner, id), 0
        for entry in zip_reader.entries(file):
            count += 1
            if entry.error:
                self._refused(batch, entry.name, entry.error)
            else:
                self.add(owner, id, entry.name, entry.data)
        return count

    def _add_picture(self, batch: CaptionBatch, name: str, data: bytes) -> Item:
        stored = self.files.keep(batch.owner, batch.id, data)
        label = sidecars.label(name)
        if known := self.rows.twin(batch.id, label, stored.picture):
            return known
        item = Item(batch.id, 0, label, stored.picture, stored.format, stored.width, stored.height, stored.bytes,
                    notes=stored.notes)  # fmt: skip
        with self._feed.lock:  # as its caption may come at the same moment, or the batch be deleted
            if self.rows.batch(batch.id) is None:
                self.files.drop(batch.owner, batch.id)
            running = self.get(batch.owner, batch.id).running
            text = self.rows.text(batch.id, sidecars.stems(name))
            if text is not None:
                item = replace(item, text=text, status=ItemStatus.KEPT, origin="sidecar")
            elif running:  # it comes late, and is meant, too
                item = replace(item, status=ItemStatus.WANTED)
            item = self.rows.add_item(item)
        self._feed.wake(batch.id)
        self._feed.later(self.checks.wake)
        return item

    def _add_text(self, batch: CaptionBatch, name: str, data: bytes) -> None:
        text, stem = sidecars.decode(data), sidecars.stem(name)
        with self._feed.lock:  # as a picture of that name may come, or become a job, at the same moment
            self.rows.add_text(batch.id, stem, text)
            described = [item for item in self.rows.undescribed(batch.id) if stem in sidecars.stems(item.name)]
            numbers = [item.number for item in described]
            self.rows.update(batch.id, numbers, text=text, origin="sidecar", status=ItemStatus.KEPT)
            self._take_out(batch.owner, [item for item in described if item.status == ItemStatus.ASKED])
        self.checks.wake()

    def _refused(self, batch: CaptionBatch, name: str, error: str) -> Item:
        label = sidecars.label(name)
        item = Item(batch.id, 0, label, status=ItemStatus.REFUSED, error=error)
        return self.rows.refused(batch.id, label) or self.rows.add_item(item)

    # --- describing ---

    def run(self, owner: str, id: str, request: CaptionRequest | None = None, again: bool = False,
            numbers: list[int] | None = None) -> CaptionBatch:  # fmt: skip
        """Describe the pictures without a caption, or (again) all of them, or those of these numbers.

        request: the settings, its picture counts for nothing; None: those of the last run. Raises InvalidRequest,
        UnknownModel, ModelUnavailable, NotAllowed where there is nothing to describe.
        """
        batch = self.get(owner, id)
        if request is not None:
            change = {"picture": ANY_PICTURE, "batch": id, "name": "", "priority": Priority.BACKGROUND, "question": ""}
            batch = replace(batch, request=request.model_copy(update=change).model_dump_json())
        if not batch.request:
            raise NotAllowed("This batch was never described; ask with settings.")
        check_model(self._catalog, CaptionRequest.model_validate_json(batch.request))
        with self._feed.lock:
            chosen = self._chosen(id, again, numbers)
            if not chosen:
                raise NotAllowed("Every picture of this batch has its caption.")
            self.rows.run(id, chosen, batch.request, time.time())
        self._feed.wake(id)
        return self.get(owner, id)

    def _chosen(self, id: str, again: bool, numbers: list[int] | None) -> list[int]:
        free = self.rows.at_rest(id)
        if numbers is not None:
            return [item.number for item in free if item.number in set(numbers)]
        return [item.number for item in free if again or item.text is None or item.status == ItemStatus.FAILED]

    def cancel(self, owner: str, id: str) -> CaptionBatch:
        """What is described stays; the rest can be asked for again."""
        self.get(owner, id)
        with self._feed.lock:
            self.rows.stop(id)
            self._take_out(owner, self.rows.in_line(id))
        return self.get(owner, id)

    def _take_out(self, owner: str, items: list[Item]) -> None:
        """One that is being written at this moment ends by itself."""
        ended = self._engine.cancel_all(owner, {item.job for item in items if item.job})
        for item in items:
            if item.job in ended:
                self.rows.settle(item, status=resting(item))

    def leave(self, owner: str, id: str, groups: list[list[int]]) -> int:
        """Of each group the first picture stays; the others are left out, until `alike.back`. Returns how many."""
        self.get(owner, id)
        with self._feed.lock:
            gone = self.alike.leave(id, groups)
        self._take_out(owner, [item for item in gone if item.status == ItemStatus.ASKED])
        return len(gone)
