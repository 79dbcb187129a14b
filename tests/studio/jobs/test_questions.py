"""Questions to the worker, and what it has been handed: nobody waits for ever, nothing is worked on for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from starlette.exceptions import HTTPException
from starlette.testclient import TestClient

from pipelines.base import Artifact
from pipelines.errors import NotAllowed, TriptychError, WorkerLost
from pipelines.requests import AlignRequest, ImageRequest, make
from studio import limits
from studio.batches import duplicates
from studio.jobs.worker_events import WorkerEvents
from studio.search import search
from studio.search.search import Search
from studio.web.answers import while_there
from studio.web.context import Studio
from studio.web.routes import alignment, uploads
from studio.worker.messages import Begun, Cancel, Failed, Forget, GivenUp, Picture, Submit
from tests.studio.support.batch_studio import ME, picture, soon
from tests.studio.support.races import PATIENCE, Held, Still

WORDS = AlignRequest(texts=("a red emoji",))


@pytest.fixture
def still(tmp_path: Path) -> Iterator[Still]:
    with Still(tmp_path) as desk:
        yield desk.joined()


def test_a_question_that_the_worker_gives_up_is_answered(still: Still):
    asked = still.engine.ask(ME, ImageRequest(prompt="x", early_stop=True, group="g"))
    still.foreman.heard(GivenUp(still.questions()[0].id, "Given up after 3 of 8 steps."))
    with pytest.raises(TriptychError, match="Given up after 3"):
        asked.result(0)
    assert still.questions() == []


def test_a_worker_that_is_silent_over_a_question_is_found_out(still: Still):
    """The supervisor ends a silent worker that has reason to say something."""
    assert not still.foreman.busy()
    still.engine.ask(ME, WORDS)
    assert still.foreman.busy()
    still.foreman.heard(Failed(still.questions()[0].id, "error", "No."))
    assert not still.foreman.busy()


def test_an_answer_that_nobody_waits_for_is_not_worked_on(still: Still):
    sha = still.gallery.keep_upload(ME, picture())
    with pytest.raises(TimeoutError):
        still.engine.answer(ME, AlignRequest(pictures=(sha,)), 0.0)
    assert still.questions() == []
    asked = next(told.job_id for told in still.sent if isinstance(told, Submit))
    assert still.sent[-2:] == [Forget(sha), Cancel([asked])]


def test_an_answer_that_comes_in_time_is_one(still: Still):
    told = Artifact("align", "", b"", {"dim": 4})

    def ask(job: object) -> object:
        asked = real(job)
        still.engine._manager.answer(job.id, told)
        return asked

    real, still.engine._manager.ask = still.engine._manager.ask, ask
    assert still.engine.answer(ME, WORDS, PATIENCE) == told
    assert not any(isinstance(told, Cancel) for told in still.sent)


class Stays:
    """A client that waits."""

    async def receive(self) -> dict:
        return await asyncio.Event().wait()


class Goes(Stays):
    """A client that goes when it is told to."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def receive(self) -> dict:
        await self.left.wait()
        return {"type": "http.disconnect"}


def checked(still: Still) -> None:
    still.batches.checks._asked(ME, [(still.gallery.keep_upload(ME, picture()), "words")], seconds=0.0)


def compared(still: Still) -> None:
    asyncio.run(still.batches.alike.look(ME, still.made("a.png", "b.png")))


def searched(still: Still) -> None:
    asyncio.run(Search(still.engine, still.store).by_picture(ME, still.gallery.keep_upload(ME, picture()), 5))


def labelled(still: Still) -> None:
    sha = still.gallery.keep_upload(ME, picture())
    asyncio.run(alignment.labels(Stays(), SimpleNamespace(engine=still.engine), ME, sha, ["a", "b"]))


@pytest.mark.parametrize("ask", [checked, compared, searched, labelled])
def test_while_the_line_is_long_questions_do_not_pile_up(
    still: Still, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Still], None]
):
    for module in (duplicates, search, alignment):
        monkeypatch.setattr(module, "SECONDS", 0.0)
    for _ in range(3):
        with pytest.raises((TimeoutError, NotAllowed)):
            ask(still)
        assert still.questions() == []


def test_a_start_picture_is_not_described_for_somebody_who_has_gone(
    browser: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uploads, "CAPTION_SECONDS", 0.0)
    client = browser()
    desk = client.app.state.studio.engine._manager
    WorkerEvents(desk).joined(SimpleNamespace(send=lambda message: None))
    sha = client.post("/api/uploads", files={"file": picture(size=(64, 64))}).json()["sha256"]
    answer = client.get(f"/api/uploads/{sha}/caption")
    assert answer.json()["error"]["message"] == "The device is busy: ask again later."
    assert list(desk.asks.jobs()) == []


def test_who_has_many_questions_open_waits_and_the_others_do_not(still: Still):
    asked = [still.engine.ask(ME, WORDS) for _ in range(limits.QUESTIONS_PER_OWNER)]
    with pytest.raises(NotAllowed, match="questions open"):
        still.engine.ask(ME, WORDS)
    still.engine.ask("somebody else", WORDS)
    asked[0].cancel()
    still.engine.ask(ME, WORDS)


def test_nobody_is_kept_waiting_by_a_thread_that_waits(still: Still):
    """A hundred people with a question each: no thread waits with them."""

    async def all_ask() -> None:
        async def one(owner: str) -> None:
            with suppress(NotAllowed):
                await while_there(Stays(), still.engine.answered(owner, WORDS, PATIENCE))

        waiting = [asyncio.create_task(one(f"owner {i}")) for i in range(100)]
        while len(still.questions()) < len(waiting):
            await asyncio.sleep(0.001)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 10) == "free"
        still.engine.hang_up()
        await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(all_ask())


def test_who_goes_takes_the_question_along(still: Still):
    async def ask_and_go() -> None:
        client = Goes()
        asked = asyncio.create_task(while_there(client, still.engine.answered(ME, WORDS, PATIENCE)))
        while not still.questions():
            await asyncio.sleep(0.001)
        client.left.set()
        with pytest.raises(HTTPException):
            await asked
        while still.questions():
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(ask_and_go(), PATIENCE))


def test_who_goes_at_the_moment_of_asking_leaves_no_question(still: Still, monkeypatch: pytest.MonkeyPatch):
    held = Held(still.engine.ask)
    monkeypatch.setattr(still.engine, "ask", held)

    async def ask_and_go() -> None:
        asked = asyncio.create_task(still.engine.answered(ME, WORDS, PATIENCE))
        await asyncio.to_thread(held.inside.wait, PATIENCE)
        asked.cancel()
        await asyncio.wait([asked])
        held.go.set()
        while still.questions():
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(ask_and_go(), PATIENCE))


def test_whoever_waits_is_told_that_the_studio_ends_and_nobody_asks_any_more(still: Still):
    asked = still.engine.ask(ME, WORDS)
    still.engine.hang_up()
    with pytest.raises(WorkerLost):
        asked.result(0)
    with pytest.raises(NotAllowed):
        still.engine.ask(ME, WORDS)


def test_a_studio_ends_though_captions_wait_for_their_check(idle: Callable[..., Studio]):
    studio = idle()
    WorkerEvents(studio.engine._manager).joined(SimpleNamespace(send=lambda message: None))
    id = studio.batches.create(ME).id
    studio.batches.add(ME, id, "a.txt", b"a red emoji")
    studio.batches.add(ME, id, "a.png", picture())
    studio.batches.start()
    soon(lambda: list(studio.engine._manager.asks.jobs()))
    asyncio.run(studio.close())
    checking = studio.batches.checks._loop._thread
    checking.join(30)  # the question alone would take a minute
    assert not checking.is_alive()


def test_a_job_that_cannot_be_handed_over_leaves_the_others_their_pictures(tmp_path: Path):
    with Still(tmp_path) as desk:
        kept, lost = (desk.gallery.keep_upload(ME, picture(colour)) for colour in ("red", "blue"))
        parts = [{"role": "what", "picture": sha, "weight": 1} for sha in (kept, lost)]
        (whole,) = desk.engine.submit(ME, make("image", prompt="a", parts=parts[:1]))
        (broken,) = desk.engine.submit(ME, make("image", prompt="b", parts=parts))
        desk.gallery.uploads._path(ME, lost).unlink()
        desk.joined()
        assert desk.engine.view(ME, broken.id)["status"] == "failed"
        assert [told.sha for told in desk.sent if isinstance(told, Picture)] == [kept]
        assert Forget(kept) not in desk.sent
        desk.engine.cancel(ME, whole.id)
        assert Forget(kept) in desk.sent


def test_a_job_that_was_paused_as_it_began_has_its_try_counted(still: Still):
    (job,) = still.engine.submit(ME, ImageRequest(prompt="x"))
    still.engine.pause(ME, job.id)
    still.foreman.heard(Begun(job.id))
    assert still.store.job(job.id).attempts == 1
    assert still.engine.view(ME, job.id)["status"] == "paused"
    still.engine.resume(ME, job.id)
    asyncio.run(still.engine.stop())
    assert still.store.job(job.id).attempts == 0
