"""Files and rows stay together, whatever is cut off in between."""

from __future__ import annotations

import io
import json
import os
import time
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.base import Artifact
from pipelines.errors import NotFound
from pipelines.requests import CaptionRequest, ImageRequest
from studio import limits
from studio.formats.metadata import metadata
from studio.formats.pictures import thumbnail
from studio.storage import atomic
from studio.storage import gallery as gallery_module
from studio.storage.gallery import Gallery, file_name
from studio.storage.records import Job, JobStatus
from studio.storage.store import Store
from tests.studio.support.races import Held, meanwhile


@pytest.fixture
def store(tmp_path: Path):
    store = Store(tmp_path / "t.db")
    yield store
    store.close()


@pytest.fixture
def gallery(tmp_path: Path, store: Store) -> Gallery:
    return Gallery(tmp_path, store)


def png(size: tuple[int, int] = (64, 64), noise: bool = False) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    out = io.BytesIO()
    (Image.fromarray(pixels) if noise else Image.new("RGB", size, "red")).save(out, "PNG")
    return out.getvalue()


def saved(store: Store, gallery: Gallery, owner: str = "me", **fields: object) -> Job:
    job = Job(owner, ImageRequest(prompt="a fox", seed=7, **fields), time.time())
    store.add(job)
    job = job.to(JobStatus.RUNNING)
    store.update(job)
    return gallery.save(job, Artifact("image", "image/png", png(), {"notes": []}))


def files(folder: Path) -> list[Path]:
    return [path for room in ("files", "thumbs", "uploads") for path in (folder / room).rglob("*") if path.is_file()]


def test_saving_gives_a_done_job_a_file_and_a_thumbnail(store, gallery):
    job = saved(store, gallery)
    assert store.job(job.id) == job
    assert job.status == JobStatus.DONE
    data = gallery.file("me", job.artifact_id).read_bytes()
    assert metadata.read(data).fields["prompt"] == "a fox"
    with Image.open(gallery.thumb("me", job.artifact_id)) as image:
        assert image.format == "WEBP"
    row = gallery.artifact("me", job.artifact_id)
    assert (row.width, row.height, row.bytes, row.seed) == (64, 64, len(data), 7)
    assert row.made_from() == job.request


def test_nobody_else_gets_at_it(store, gallery):
    id = saved(store, gallery).artifact_id
    for question in (gallery.artifact, gallery.file, gallery.thumb, gallery.delete):
        with pytest.raises(NotFound):
            question("somebody", id)
    with pytest.raises(NotFound):
        gallery.zip("somebody", [id])
    assert gallery.page("somebody", None, 10) == []


def test_filmstrips_are_not_listed(store, gallery):
    strip = saved(store, gallery, filmstrip=True)
    assert gallery.page("me", None, 10) == []
    assert gallery.file("me", strip.artifact_id).exists()


def test_zip_streams_every_picture_once(store, gallery):
    ids = [saved(store, gallery).artifact_id for _ in range(3)]
    pieces = list(gallery.zip("me", [*ids, ids[0]]))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    assert len(archive.namelist()) == 3
    assert len(pieces) > 3


def test_a_zip_leaves_out_what_is_missing_and_says_so(store, gallery):
    rows = [gallery.artifact("me", saved(store, gallery).artifact_id) for _ in range(3)]
    here, gone, going = (gallery.file("me", row.id) for row in rows)
    gone.unlink()
    pieces = gallery.zip("me", [row.id for row in rows])
    begun = next(pieces)
    going.unlink()  # while the archive is on its way
    archive = zipfile.ZipFile(io.BytesIO(begun + b"".join(pieces)))
    assert archive.testzip() is None
    assert archive.namelist() == [file_name(rows[0]), "MISSING.txt"]
    assert archive.read(file_name(rows[0])) == here.read_bytes()
    told = archive.read("MISSING.txt").decode().splitlines()
    assert told[2:] == [f"{file_name(row)}: The file is missing from the data folder." for row in rows[1:]]


def test_a_zip_of_nothing_is_refused_before_its_first_byte(store, gallery):
    id = saved(store, gallery).artifact_id
    gallery.file("me", id).unlink()
    with pytest.raises(NotFound, match="missing from the data folder"):
        gallery.zip("me", [id])


def test_delete_removes_row_and_files(store, gallery, tmp_path):
    id = saved(store, gallery).artifact_id
    gallery.delete("me", id)
    assert files(tmp_path) == []
    assert store.artifact(id) is None


def test_many_are_deleted_at_once_and_nobody_elses(store, gallery, tmp_path):
    ids = [saved(store, gallery).artifact_id for _ in range(3)]
    other, kept = saved(store, gallery, "you").artifact_id, saved(store, gallery)
    gone = gallery.delete_all("me", [*ids, ids[0], other, "unknown", "\ud800"])
    assert set(gone) == set(ids)
    assert [row.id for row in gallery.page("me", None, 10)] == [kept.artifact_id]
    assert gallery.file("you", other).exists()
    assert len(files(tmp_path)) == 6
    assert {job.artifact_id for job in store.jobs("me")} == {None, kept.artifact_id}


def test_a_file_that_cannot_be_removed_keeps_no_other(store, gallery, tmp_path, monkeypatch):
    ids = [saved(store, gallery).artifact_id for _ in range(3)]
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name.startswith(ids[0]):
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refuse)
        assert len(gallery.delete_all("me", ids)) == 3
    assert {path.stem for path in files(tmp_path)} == {ids[0]}
    assert gallery.page("me", None, 10) == []


def test_what_is_half_deleted_when_we_die_is_gone_at_the_next_start(store, gallery, tmp_path, monkeypatch):
    ids, kept = [saved(store, gallery).artifact_id for _ in range(3)], saved(store, gallery).artifact_id
    with monkeypatch.context() as patch:
        patch.setattr(gallery, "_remove", lambda ids: None)  # who is dead removes nothing
        gallery.delete_all("me", ids)
    assert len(files(tmp_path)) == 12
    Gallery(tmp_path, store).recover()
    assert {path.stem for path in files(tmp_path)} == {kept}


@pytest.mark.parametrize("cut", ["sidecar", "write", "thumb", "row"])
def test_dying_while_saving_leaves_a_whole_picture_or_none(store, gallery, tmp_path, monkeypatch, cut):
    """Whatever the moment: no file without its row; the job is still to be done, or done when its file was whole."""

    class Died(BaseException):
        pass

    def die(*_: object) -> None:
        raise Died

    monkeypatch.setattr(gallery, "discard", die)  # who is dead does not clean up
    if cut == "row":
        monkeypatch.setattr(store, "add_artifact", die)
    else:
        real, calls, last = os.fsync, [], {"sidecar": 0, "write": 4, "thumb": 6}[cut]
        monkeypatch.setattr(
            atomic.os, "fsync", lambda handle: die() if len(calls) >= last else (calls.append(1), real(handle))
        )
    with pytest.raises(Died):
        saved(store, gallery)
    monkeypatch.undo()
    gallery = Gallery(tmp_path, store)
    gallery.recover()
    if cut in ("sidecar", "write"):
        assert files(tmp_path) == []
        assert store.artifact_types() == {}
        assert [job.status for job in store.unfinished()] == [JobStatus.RUNNING]
    else:
        (job,) = store.jobs("me")
        assert job.status == JobStatus.DONE
        assert gallery.file("me", job.artifact_id).exists()
        assert gallery.thumb("me", job.artifact_id).exists()
        assert len(files(tmp_path)) == 3
    assert not (tmp_path / "lost+found").exists()


def test_start_pictures_are_normalised_and_private(gallery, tmp_path):
    name = gallery.keep_upload("me", png())
    assert gallery.keep_upload("me", png()) == name
    assert len(files(tmp_path)) == 1
    image = Image.open(io.BytesIO(gallery.upload("me", name)))
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (64, 64))
    for owner, asked in (("you", name), ("me", "0" * 64), ("me", "../../t"), ("me", name.upper())):
        with pytest.raises(NotFound):
            gallery.upload(owner, asked)


def test_large_start_pictures_are_made_smaller(gallery):
    kept = gallery.keep("me", png((limits.UPLOAD_SIDE * 2, 64)))
    assert (kept.width, kept.height) == (limits.UPLOAD_SIDE, 32)
    assert kept.notes == ["The picture was made smaller: from 4096 × 64 to 2048 × 32 pixels."]


def test_oldest_start_pictures_go_first(gallery, monkeypatch):
    monkeypatch.setattr(limits, "UPLOADS_PER_OWNER", 2)
    names = []
    for i, width in enumerate((64, 72, 80)):
        names.append(gallery.keep_upload("me", png((width, 64))))
        path = gallery.uploads._path("me", names[-1])
        if path.exists():
            os.utime(path, (i, i))
    with pytest.raises(NotFound):
        gallery.upload("me", names[0])
    assert gallery.upload("me", names[2])


def gone_once_listed(monkeypatch) -> None:
    """Somebody else drops the oldest file of a folder at the moment it has been listed."""

    def glob(folder, pattern):
        found = list(real(folder, pattern))
        min(found, key=lambda file: file.stat().st_mtime_ns).unlink()
        return found

    real = Path.glob
    monkeypatch.setattr(Path, "glob", glob)


def test_start_pictures_that_come_at_once_make_room_together(gallery, monkeypatch):
    monkeypatch.setattr(limits, "UPLOADS_PER_OWNER", 1)
    gallery.keep_upload("me", png((64, 64)))
    with monkeypatch.context() as patch:
        gone_once_listed(patch)
        name = gallery.keep_upload("me", png((72, 64)))
    assert gallery.upload("me", name)


def test_a_picture_of_a_batch_that_is_being_deleted_is_not_found(gallery, monkeypatch):
    image = Image.open(io.BytesIO(png()))
    name = gallery.uploads.keep_in("me", "batch", image)
    assert gallery.upload("me", name)
    gone_once_listed(monkeypatch)
    with pytest.raises(NotFound):
        gallery.upload("me", name)


def test_a_caption_changed_while_the_one_before_is_checked_stays(store, gallery, monkeypatch):
    job = Job("me", CaptionRequest(picture=gallery.keep_upload("me", png())), time.time())
    store.add(job)
    info = {"caption": "a fox", "candidates": []}
    id = gallery.save(job.to(JobStatus.RUNNING), Artifact("caption", "text/plain", b"a fox", info)).artifact_id
    gallery.rewrite("me", id, "first words")
    told = Held(gallery_module.checked)
    monkeypatch.setattr(gallery_module, "checked", told)
    check = partial(gallery.checked, "me", id, {"text": "first words", "score": 0.5, "phrases": []})
    meanwhile(told, check, partial(gallery.rewrite, "me", id, "second words"))
    row = gallery.artifact("me", id)
    assert (row.prompt, json.loads(row.info)["caption"], row.bytes) == ("second words", "second words", 12)
    assert gallery.file("me", id).read_text("utf-8") == "second words"
    gallery.checked("me", id, {"text": "second words", "score": 0.5, "phrases": []})
    assert gallery.artifact("me", id).score == 0.5


def test_thumbnails_keep_their_limit_even_for_noise():
    noise = Image.open(io.BytesIO(png((600, 400), noise=True)))
    data = thumbnail(noise)
    assert len(data) <= limits.THUMB_BYTES
    small = Image.open(io.BytesIO(data))
    assert abs(small.width / small.height - 1.5) < 0.05


def test_owner_names_cannot_leave_the_folder(gallery, tmp_path):
    gallery.keep_upload("../../evil", png())
    assert [path.parent.parent.name for path in files(tmp_path)] == ["uploads"]
