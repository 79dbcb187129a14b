"""Whoever looks at a batch is told of it as it changes, and asks for nothing meanwhile."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path

import pytest

from studio.batches.views import batch_event
from tests.studio.support.batch_studio import ME, Desk


@pytest.fixture
def desk(tmp_path: Path):
    with Desk(tmp_path) as desk:
        yield desk


async def heard(desk: Desk, begin, enough) -> list[dict]:
    """The events of batches from `begin()` on, until `enough(event)`."""
    events = []
    async with asyncio.timeout(120), desk.engine.subscribe(ME, partial(batch_event, desk.batches, ME)) as changes:
        await asyncio.to_thread(begin)
        async for event in changes:
            if event["type"] == "batch":
                events.append(event)
                if enough(event):
                    break
    return events


def test_a_run_is_told_until_its_end(desk: Desk):
    id = desk.made("a.png", "b.png", "c.png")
    events = asyncio.run(heard(desk, lambda: desk.run(id), lambda event: not event["batch"]["running"]))
    assert {event["id"] for event in events} == {id}
    assert events[-1]["batch"]["counts"] == {"done": 3}
    texts = {item["number"]: item["text"] for event in events for item in event["items"] or ()}
    assert texts == {item.number: item.text for item in desk.items(id).values()}


def test_words_of_a_person_and_their_check_are_told(desk: Desk):
    id = desk.made("a.png")

    def enough(event: dict) -> bool:
        return any(item["score"] is not None for item in event["items"] or ())

    events = asyncio.run(heard(desk, lambda: desk.batches.write(ME, id, {1: "a red face"}), enough))
    assert events[-1]["items"][0]["text"] == "a red face"


def test_that_a_batch_is_gone_is_told(desk: Desk):
    id = desk.made("a.png")
    events = asyncio.run(heard(desk, lambda: desk.batches.delete(ME, id), lambda event: event["batch"] is None))
    assert (events[-1]["id"], events[-1]["batch"]) == (id, None)


def test_the_batch_of_another_is_never_told(desk: Desk):
    id = desk.made("a.png")
    assert batch_event(desk.batches, "somebody", id, None) is None
