"""A batch while several things happen to it at once: no word of a person is lost, and nothing is left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from pipelines.errors import NotFound
from studio.batches.records import Item
from tests.studio.support.batch_studio import ME, picture
from tests.studio.support.races import PATIENCE, Held, Still, meanwhile

Hold = Callable[[object, str], Held]


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    with Still(tmp_path) as desk:
        yield desk.joined()


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Hold:
    """hold(thing, name): that method, held."""

    def hold(thing: object, name: str) -> Held:
        held = Held(getattr(thing, name))
        monkeypatch.setattr(thing, name, held)
        return held

    return hold


def test_words_written_as_their_picture_becomes_a_job_stay(still: Still, hold: Hold):
    id = still.made("a.png")
    still.run(id)
    submitted = hold(still.engine, "submit")
    meanwhile(submitted, still.feed, partial(still.batches.write, ME, id, {1: "words of mine"}), still.lock)
    still.describes(still.items(id)["a.png"].job, "a red emoji")
    item = still.items(id)["a.png"]
    assert (item.text, item.origin, item.status) == ("words of mine", "person", "done")


def test_a_caption_that_comes_as_its_picture_becomes_a_job_stays(still: Still, hold: Hold):
    id = still.made("a.png")
    still.run(id)
    submitted = hold(still.engine, "submit")
    meanwhile(submitted, still.feed, partial(still.batches.add, ME, id, "a.txt", b"its own words"), still.lock)
    job = still.items(id)["a.png"].job
    assert still.engine.view(ME, job)["status"] == "cancelled"
    still.describes(job, "a red emoji")
    item = still.items(id)["a.png"]
    assert (item.text, item.origin, item.status) == ("its own words", "sidecar", "kept")


def test_a_caption_that_comes_at_the_same_moment_as_its_picture_is_taken(still: Still, hold: Hold):
    id = still.batches.create(ME).id
    looked = hold(still.batches.rows, "text")
    add = still.batches.add
    first, second = partial(add, ME, id, "a.png", picture()), partial(add, ME, id, "a.txt", b"its own words")
    meanwhile(looked, first, second, still.lock)
    item = still.items(id)["a.png"]
    assert (item.text, item.status) == ("its own words", "kept")


@pytest.mark.parametrize("status", ["wanted", "asked"])
def test_words_taken_back_leave_a_picture_that_can_be_asked_for(still: Still, status: str):
    id = still.made("a.png")
    still.run(id)
    if status == "asked":
        still.feed()
    assert still.items(id)["a.png"].status == status
    still.batches.write(ME, id, {1: "words of mine"})
    still.feed()
    still.batches.undo(ME, id)
    still.feed()
    assert still.items(id)["a.png"].status == "new"
    still.run(id)
    still.feed()
    still.describes(still.items(id)["a.png"].job, "a red emoji")
    assert still.items(id)["a.png"].text == "a red emoji"


def test_a_batch_deleted_while_a_picture_is_read_leaves_no_file(still: Still, monkeypatch: pytest.MonkeyPatch):
    id, keep = still.batches.create(ME).id, still.batches.files.keep
    monkeypatch.setattr(still.batches.files, "keep", lambda *of: (still.batches.delete(ME, id), keep(*of))[1])
    with pytest.raises(NotFound):
        still.batches.add(ME, id, "a.png", picture())
    assert still.files(id) == []


def test_a_batch_deleted_as_a_picture_enters_it_leaves_no_row(
    still: Still, hold: Hold, monkeypatch: pytest.MonkeyPatch
):
    id = still.batches.create(ME).id
    still.batches.add(ME, id, "a.txt", b"its own words")
    looked = hold(still.batches.rows, "text")
    monkeypatch.setattr(still.batches, "cancel", lambda *of: None)  # that was done a moment before
    add, delete = partial(still.batches.add, ME, id, "a.png", picture()), partial(still.batches.delete, ME, id)
    meanwhile(looked, add, delete, still.lock)
    assert still.batches.rows.items(id) == []
    assert still.files(id) == []


def test_rows_that_another_version_left_behind_hide_no_captions_that_are_to_be_checked(still: Still):
    gone = Item("0" * 32, 0, "a.png", picture="0" * 64, status="kept", text="words", origin="sidecar")
    still.batches.rows.add_item(gone)
    id = still.made("a.png")
    still.batches.write(ME, id, {1: "words of mine"})
    assert [item.text for _, item in still.batches.rows.unchecked(set(), 1)] == ["words of mine"]


def test_words_that_the_gallery_had_not_heard_of_reach_it_after_the_next_start(tmp_path: Path):
    with Still(tmp_path).joined() as desk:
        id = desk.described()
        desk.batches.write(ME, id, {1: "words of mine"})
    with Still(tmp_path) as desk:
        artifact, feed, over = desk.items(id)["a.png"].artifact, desk.batches._feed, Event()
        assert desk.gallery.artifact(ME, artifact).prompt == "a red emoji"
        feed.start()
        feed.later(over.set)
        assert over.wait(PATIENCE)
        feed.stop()
        assert desk.gallery.artifact(ME, artifact).prompt == "words of mine"
        assert desk.gallery.file(ME, artifact).read_text("utf-8") == "words of mine"
