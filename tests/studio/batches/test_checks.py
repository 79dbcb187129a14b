"""What people write is checked like what models write; near-duplicates are found, left out, and taken back in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from pipelines.errors import InvalidRequest
from pipelines.requests import CaptionRequest
from studio.batches.edits import Edit
from studio.batches.service import ANY_PICTURE
from tests.studio.support.batch_studio import ME, Desk, picture, soon


def scores(desk: Desk, id: str) -> Callable[[], dict | None]:
    """Of all captions, when all are checked."""
    return lambda: None if desk.batches.rows.unchecked_of(id) else {
        name: item.score for name, item in desk.items(id).items()}  # fmt: skip


def test_edited_captions_are_scored_again_and_so_are_those_that_came(desk: Desk):
    id = desk.made("a.png", "b.png", "c.png")
    desk.batches.add(ME, id, "c.txt", b"a blue thing")
    assert soon(scores(desk, id))["c.png"] == 0.88
    desk.run(id)
    before = desk.over(id)
    desk.batches.edit(ME, id, Edit(action="replace", find="red", put="green"))
    assert soon(scores(desk, id)) == {"a.png": 0.04, "b.png": 0.84, "c.png": 0.88}
    row = soon(lambda: (row := desk.gallery.artifact(ME, before["a.png"].artifact)).score and row)
    assert (row.prompt, row.score) == ("a green emoji on a table", 0.04)
    assert next(item.name for item in desk.batches.rows.page(id, 0, 9, "agreement")[0]) == "a.png"
    desk.batches.undo(ME, id)
    assert desk.items(id)["a.png"].score == 0.91


def test_what_cannot_be_checked_holds_up_nothing(desk: Desk):
    id = desk.made("a.png", "b.png")
    desk.batches.write(ME, id, {1: "unreadable", 2: "a green one"})
    soon(lambda: desk.items(id)["b.png"].score)
    assert desk.items(id)["a.png"].score is None
    desk.batches.write(ME, id, {1: "a red one"})
    soon(lambda: desk.items(id)["a.png"].score)


def test_a_caption_of_the_gallery_is_checked_when_it_changes(desk: Desk):
    (job,) = desk.engine.submit(ME, CaptionRequest(picture=desk.gallery.keep_upload(ME, picture("blue"))))
    id = soon(lambda: desk.engine.view(ME, job.id)["artifact"])["id"]
    desk.gallery.rewrite(ME, id, "a blue square")
    assert desk.gallery.artifact(ME, id).score is None
    asyncio.run(desk.batches.checks.caption(ME, id))
    assert desk.gallery.artifact(ME, id).score == 0.88
    info = json.loads(desk.gallery.artifact(ME, id).info)
    assert (info["edited"], info["candidates"][-1]["text"]) == (True, "a blue square")
    assert info["candidates"][-1]["phrases"][0]["supported"]
    desk.gallery.rewrite(ME, id, info["candidates"][0]["text"])  # back to what the model wrote
    assert desk.gallery.artifact(ME, id).score == 0.77


def test_near_duplicates_are_found_left_out_and_taken_back(desk: Desk):
    id = desk.made("a.png", "b.png", "c.png", "d.png", colours=("red", "green"))
    seen = [asyncio.run(desk.batches.alike.look(ME, id))]
    while seen[-1]["seen"] < seen[-1]["total"]:
        seen.append(asyncio.run(desk.batches.alike.look(ME, id)))
    assert seen[-1] == {"seen": 4, "total": 4, "groups": [[1, 3], [2, 4]]}
    assert desk.batches.leave(ME, id, [[3, 1], [2, 4]]) == 2
    assert desk.batches.leave(ME, id, [[3, 1], [2, 4]]) == 0
    gone = desk.items(id)["a.png"]
    assert (gone.status, gone.error) == ("refused", "Left out as nearly the same as c.png.")
    desk.batches.run(ME, id, CaptionRequest(picture=ANY_PICTURE))
    assert {name for name, item in desk.over(id).items() if item.text} == {"b.png", "c.png"}
    assert asyncio.run(desk.batches.alike.look(ME, id))["groups"] == []
    assert desk.batches.alike.back(id, [1, 2]) == 1
    assert desk.items(id)["a.png"].status == "new"
    with pytest.raises(InvalidRequest):
        desk.batches.leave(ME, id, [[1, 99]])
