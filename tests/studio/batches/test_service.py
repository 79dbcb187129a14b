"""A batch from upload to export, over a real engine and worker process: nothing ends it, nothing of it is lost."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from pathlib import Path

import pytest

from pipelines.errors import InvalidRequest, NotAllowed, NotFound
from pipelines.requests import CaptionRequest
from studio import limits
from studio.batches import export
from studio.batches.edits import Edit
from tests.studio.support.batch_studio import ME, Desk, picture, soon
from tests.studio.support.studio_fixture import Rig


def test_every_picture_gets_its_caption_and_an_error_stays_with_its_own(desk: Desk):
    id = desk.made("a.png", "fail_at=1.png", "raise_at=1 .png", "d.png")
    desk.batches.add(ME, id, "notes.pdf", b"%PDF-")
    desk.run(id)
    found = desk.over(id)
    assert found["a.png"].text == "a red emoji on a table"
    assert (found["a.png"].score, found["a.png"].origin, found["a.png"].status) == (0.91, "model", "done")
    assert found["fail_at=1.png"].error == "This picture could not be described."
    assert "Something went wrong" in found["raise_at=1 .png"].error
    assert found["notes.pdf"].status == "refused"
    assert "a PDF" in found["notes.pdf"].error
    assert found["d.png"].status == "done"
    rows = desk.gallery.page(ME, None, 10)
    assert {row.prompt for row in rows} == {"a red emoji on a table"}
    with pytest.raises(NotFound):
        desk.batches.get("somebody", id)


def test_more_pictures_than_uploads_are_kept_and_jobs_remembered(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "UPLOADS_PER_OWNER", 3)
    monkeypatch.setattr(limits, "BATCH_IN_LINE", 4)
    mine = desk.gallery.keep_upload(ME, picture("white"))
    id = desk.made(*(f"{i}.png" for i in range(12)))
    desk.run(id)
    assert all(item.status == "done" for item in desk.over(id).values())
    assert desk.gallery.upload(ME, mine)
    assert desk.engine.views(ME) == []  # the batch keeps them in mind; nothing else is pushed out


def test_a_picture_that_a_job_waits_for_is_never_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "UPLOADS_PER_OWNER", 2)
    desk = Rig(tmp_path)  # no worker: the job waits
    first = desk.gallery.keep_upload(ME, picture("red"))
    desk.engine.submit(ME, CaptionRequest(picture=first))
    others = [desk.gallery.keep_upload(ME, picture((i, i, i))) for i in range(4)]
    assert desk.gallery.upload(ME, first)
    with pytest.raises(NotFound):
        desk.gallery.upload(ME, others[0])
    desk.store.close()


def test_captions_that_came_with_their_pictures_are_kept_unless_told_otherwise(desk: Desk):
    id = desk.made("d/a.png", "d/b.png")
    desk.batches.add(ME, id, "d/a.txt", b"schon da")
    desk.batches.add(ME, id, "d/c.txt", b"before its picture")
    desk.batches.add(ME, id, "d/c.png", picture("white"))
    desk.run(id)
    found = desk.over(id)
    assert (found["d/a.png"].text, found["d/a.png"].status) == ("schon da", "kept")
    assert found["d/c.png"].text == "before its picture"
    assert found["d/b.png"].origin == "model"
    with pytest.raises(NotAllowed, match="has its caption"):
        desk.run(id)
    desk.run(id, again=True)
    assert desk.over(id)["d/a.png"].text == "a red emoji on a table"
    desk.run(id, numbers=[1])
    desk.over(id)
    assert len(desk.gallery.page(ME, None, 20)) == 3  # what was replaced has left the gallery


def test_cancelled_and_resumed(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limits, "BATCH_IN_LINE", 2)
    id = desk.made(*(f"{i} delay=0.1.png" for i in range(8)))
    desk.run(id)
    desk.batches.cancel(ME, id)
    desk.batches.cancel(ME, id)
    states = {item.status for item in desk.over(id).values()}
    assert states <= {"new", "done", "asked"}
    desk.batches.run(ME, id)
    assert {item.status for item in desk.over(id).values()} == {"done"}


def test_resumed_before_the_cancelled_jobs_were_heard_of(desk: Desk):
    id = desk.made(*(f"{i} delay=0.3.png" for i in range(4)))
    desk.run(id)
    soon(lambda: desk.batches.rows.counts(id).get("asked"))
    resumed = threading.Event()
    desk.batches._feed.later(resumed.wait)
    desk.batches.cancel(ME, id)
    desk.batches.run(ME, id)
    resumed.set()
    assert {item.status for item in desk.over(id).values()} == {"done"}


def test_a_picture_that_comes_as_the_last_one_ends_is_described_too(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    id = desk.made("first delay=0.1.png")
    desk.run(id)
    kept = desk.batches.rows.add_item
    monkeypatch.setattr(desk.batches.rows, "add_item", lambda item: time.sleep(1) or kept(item))
    desk.batches.add(ME, id, "late.png", picture("white"))
    assert {name: item.status for name, item in desk.over(id).items()} == {
        "first delay=0.1.png": "done", "late.png": "done"
    }  # fmt: skip


def test_a_restart_goes_on_where_it_was(tmp_path: Path):
    with Desk(tmp_path) as desk:
        id = desk.made(*(f"{i} delay=0.05.png" for i in range(6)))
        desk.run(id)
    with Desk(tmp_path) as desk:
        assert {item.status for item in desk.over(id).values()} == {"done"}
        assert len(desk.gallery.page(ME, None, 20)) == 6


def test_words_are_changed_everywhere_and_undone_with_their_scores(desk: Desk):
    id = desk.made("a.png", "b.png")
    desk.run(id)
    before = desk.over(id)
    assert desk.batches.edit(ME, id, Edit(action="replace", find="EMOJI", put="face 😀")) == 2
    assert desk.items(id)["b.png"].text == "a green face 😀 on a table"
    assert desk.items(id)["b.png"].origin == "person"
    assert desk.batches.edit(ME, id, Edit(action="add", put="green")) == 2
    _follows(desk, before["a.png"].artifact, "a red face 😀 on a table, green")
    assert desk.batches.undo(ME, id) == 2
    assert desk.batches.undo(ME, id) == 2
    assert desk.items(id) == before
    _follows(desk, before["a.png"].artifact, before["a.png"].text)
    with pytest.raises(NotAllowed, match="nothing to undo"):
        desk.batches.undo(ME, id)
    with pytest.raises(InvalidRequest):
        desk.batches.write(ME, id, {99: "x"})


def test_an_answer_about_words_that_were_changed_meanwhile_changes_nothing(desk: Desk):
    id = desk.made("a.png")
    desk.run(id)
    number = desk.over(id)["a.png"].number
    desk.batches.write(ME, id, {number: "first words"})
    asked = desk.items(id)["a.png"]
    desk.batches.write(ME, id, {number: "second words"})
    assert not desk.batches.rows.score(asked, 0.25)
    assert desk.items(id)["a.png"].score != 0.25
    assert desk.batches.rows.score(desk.items(id)["a.png"], 0.25)


def _follows(desk: Desk, artifact: str, text: str) -> None:
    """The caption in the gallery, and its file, are these words soon."""
    end = time.monotonic() + 30
    while desk.gallery.artifact(ME, artifact).prompt != text:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert desk.gallery.file(ME, artifact).read_text("utf-8") == text


def test_sorted_by_agreement_the_bad_ones_come_first(desk: Desk):
    id = desk.made("r.png", "k.png", "w.png", "u.png", colours=("red", "black", "white", "blue"))
    desk.run(id)
    desk.over(id)
    page, found = desk.batches.rows.page(id, 0, 2, "agreement")
    assert ([item.name for item in page], found) == (["k.png", "w.png"], 4)
    assert [item.name for item in desk.batches.rows.page(id, 0, 9, "place", "doubtful")[0]] == ["k.png"]
    assert [item.name for item in desk.batches.rows.page(id, 0, 9, text="BLUE")[0]] == ["u.png"]


@pytest.mark.parametrize("form", export.Form)
def test_what_is_taken_away(desk: Desk, form: export.Form):
    id = desk.made("../a 😀.png", "x/" + "b" * 300 + ".png", "A 😀.png")
    desk.batches.add(ME, id, "photo.jpg", picture("blue", form="JPEG"))
    for number in (1, 2, 3, 4):
        desk.batches.write(ME, id, {number: f"caption {number}, 你好"})
    items = list(desk.items(id).values())
    original = lambda item: desk.batches.files.original(ME, id, item.picture, item.format)  # noqa: E731
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.exported(items, form, original))))
    names = archive.namelist()
    assert archive.testzip() is None
    pictures = [name for name in names if name.endswith((".png", ".jpg"))]
    assert len({name.rpartition(".")[0].casefold() for name in pictures}) == 4
    assert not any(name.startswith("/") or ".." in name.split("/") for name in names)
    assert archive.read("photo.jpg") == picture("blue", form="JPEG")  # as it came, not written anew
    if form == export.Form.TXT:
        assert archive.read("photo.txt").decode() == "caption 4, 你好"
        assert all(f"{name.rpartition('.')[0]}.txt" in names for name in pictures)
    elif form != export.Form.CSV:
        lines = [json.loads(line) for line in archive.read(names[-1]).decode().splitlines()]
        assert [line["file_name"] for line in lines] == pictures
        assert lines[3]["text"] == "caption 4, 你好"
    else:
        assert archive.read(names[-1]).decode("utf-8-sig").splitlines()[4].startswith('photo.jpg,"caption 4, 你好"')


@pytest.mark.parametrize("form", export.Form)
def test_pictures_that_are_missing_are_left_out_and_named(desk: Desk, form: export.Form):
    id = desk.made("a.png", "missing.png", "c.png")
    for number in (1, 2, 3):
        desk.batches.write(ME, id, {number: f"caption {number}"})
    items = desk.items(id)

    def original(item):
        return desk.batches.files.original(ME, id, item.picture, item.format)

    original(items["a.png"]).unlink()
    archive = zipfile.ZipFile(io.BytesIO(b"".join(export.exported(list(items.values()), form, original))))
    assert archive.testzip() is None
    names = archive.namelist()
    assert [name for name in names if name.endswith(".png")] == ["missing.png", "c.png"]
    # txt: a caption has the name already, and where a person unpacks it capitals may not count
    note = "_MISSING.txt" if form == export.Form.TXT else "MISSING.txt"
    assert names[-1] == note
    assert archive.read(note).decode().splitlines()[2:] == ["a.png: The file is missing from the data folder."]
    if form == export.Form.IMAGEFOLDER:
        lines = archive.read("metadata.jsonl").decode().splitlines()
        assert [json.loads(line)["file_name"] for line in lines] == ["missing.png", "c.png"]


def test_a_deleted_batch_leaves_no_file(desk: Desk, tmp_path: Path):
    id = desk.made("a.png")
    assert [file for file in (tmp_path / "data" / "batches").rglob("*") if file.is_file()]
    desk.batches.delete(ME, id)
    assert not [
        file for part in ("batches", "uploads") for file in (tmp_path / "data" / part).rglob("*") if file.is_file()
    ]
    assert desk.batches.rows.items(id) == []
