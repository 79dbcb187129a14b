"""What sudden deaths leave behind does not grow, and no picture of a person's goes with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pipelines.requests import CaptionRequest
from studio.batches.files import BatchFiles
from studio.batches.leftovers import Leftovers
from studio.batches.records import CaptionBatch, Item
from studio.batches.store import BatchStore
from studio.search.reindex import GROUP
from studio.storage.atomic import part_of
from studio.storage.recovery.lost_and_found import LostAndFound
from studio.storage.recovery.rows import RecoveryRows
from tests.studio.support.kept_data import Folder, png

ID = "ba" * 16


class Batched(Folder):
    def open(self, **options: object) -> object:
        report = super().open(**options)
        self.rows = BatchStore(self.store)
        self.batch_files = BatchFiles(self.data / "batches", self.gallery.uploads)
        self.leftovers = Leftovers(self.data, RecoveryRows(self.store), LostAndFound(self.data))
        self.leftovers.run()
        return report

    def again(self) -> int:
        self.store.close()
        self.open()
        return self.leftovers.moved

    def batch(self) -> None:
        self.rows.add(CaptionBatch(ID, "ann", "holiday", 1.0))

    def add(self, colour: str, row: bool = True) -> str:
        stored = self.batch_files.keep("ann", ID, png(colour))
        if row:
            self.rows.add_item(Item(ID, 0, f"{colour}.png", stored.picture, stored.format, 64, 64, stored.bytes))
        return stored.picture

    def of(self, picture: str) -> list[str]:
        """Where a picture lies: "batches", "uploads"."""
        found = (path.relative_to(self.data).parts[0] for path in self.data.rglob(f"{picture}.*"))
        return sorted(found)


@pytest.fixture
def folder(tmp_path: Path):
    with Batched(tmp_path) as folder:
        yield folder


def test_half_written_files_go_wherever_they_are(folder):
    folder.batch()
    folder.add("red")
    rooms = [folder.data, *(path for path in folder.data.rglob("*") if path.is_dir() and path.name != "ann")]
    parts = [part_of(room / "x.png") for room in rooms]
    theirs = folder.data / "uploads" / "film.part"
    for path in (*parts, theirs):
        path.write_bytes(b"half")
    folder.again()
    assert [path for path in parts if path.exists()] == []
    assert theirs.exists()


def test_a_picture_of_a_batch_without_a_row_is_moved_and_its_copies_go(folder):
    folder.batch()
    kept, orphan = folder.add("red"), folder.add("blue", row=False)
    assert folder.of(orphan) == ["batches", "batches", "uploads"]
    assert folder.again() == 1
    assert folder.of(orphan) == ["lost+found"]
    assert folder.of(kept) == ["batches", "batches", "uploads"]
    assert folder.leftovers.sentences()
    assert folder.again() == 0
    assert not folder.leftovers.sentences()


def test_a_batch_that_was_deleted_just_before_a_death_is_gone(folder):
    folder.batch()
    picture = folder.add("red")
    folder.rows.delete(ID)  # and its files not any more
    assert folder.again() == 0
    assert folder.of(picture) == []
    assert not (folder.data / "lost+found").exists()


def test_a_batch_that_no_row_knows_is_moved_with_its_pictures(folder):
    folder.batch()
    picture = folder.add("red")
    folder.store.close()
    folder.remove_database()
    folder.open()
    assert folder.leftovers.moved == 1
    assert folder.of(picture) == ["lost+found"] * 3


def test_pictures_that_a_caption_in_the_gallery_was_made_from_stay(folder):
    from pipelines.base import Artifact

    folder.batch()
    picture, other = folder.add("red"), folder.add("blue")
    request = CaptionRequest(picture=picture, batch=ID)
    id = folder.save(request, Artifact("caption", "text/plain", b"a red square", {"caption": "a red square"}))
    folder.store.close()
    folder.remove_database()
    folder.open()
    assert folder.listed() == [id]
    assert "uploads" in folder.of(picture)
    assert other not in folder.of(other)
    shutil.rmtree(folder.data / "thumbs")
    assert folder.gallery.thumb("ann", id)


def test_copies_for_the_alignment_go(folder):
    from PIL import Image

    folder.gallery.uploads.keep_in("ann", GROUP, Image.new("RGB", (8, 8)))
    start = folder.gallery.keep_upload("ann", png())
    folder.again()
    assert not list((folder.data / "uploads").glob(f"*/{GROUP}"))
    assert folder.gallery.upload("ann", start)


def test_folders_of_other_programs_stay(folder):
    folder.batch()
    folder.add("red")
    room = next((folder.data / "batches").glob("*"))
    kept = [room / "@eaDir" / "x.jpg", room / ID / "@eaDir" / "x.jpg", room / ID / ".DS_Store", room / "note.txt"]
    for path in kept:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"mine")
    folder.again()
    assert all(path.exists() for path in kept)
