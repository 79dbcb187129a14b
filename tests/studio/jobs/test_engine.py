"""The engine's verbs, over one real worker process."""

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pipelines.errors import InvalidRequest, NotAllowed, NotFound
from pipelines.requests import AlignRequest, ImageRequest, Priority
from studio import limits
from tests.studio.support.studio_fixture import Rig

SLOW = "delay=0.03"


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with Rig(tmp_path_factory.mktemp("studio")) as rig:
        yield rig


def test_a_request_becomes_a_picture_in_the_gallery(rig):
    job_id = rig.one("ann", "long", seed=41)
    view = rig.ended("ann", job_id)
    assert (view["status"], view["step"], view["steps"], view["error"]) == ("done", 3, 3, None)
    assert view["created"] <= view["started"] <= view["ended"]
    assert (view["note"], view["preview"], view["place"]) == ("prompt cut", None, None)
    made = view["artifact"]
    assert (made["width"], made["height"], made["seed"]) == (64, 64, 41)
    assert made["url"] == f"/files/{made['id']}"
    with Image.open(rig.gallery.file("ann", made["id"])) as image:
        assert image.size == (64, 64)


def test_count_makes_jobs_with_following_seeds_that_step_together(rig):
    ids = rig.submit("ann", rig.hold(), count=4, seed=1000, steps=20)
    rig.release()
    views = [rig.ended("ann", job_id) for job_id in ids]
    assert [view["artifact"]["seed"] for view in views] == [1000, 1001, 1002, 1003]
    assert max(len(batch) for batch in rig.steps(1000)) == 4


def test_owners_share_a_batch_and_see_only_their_own(rig):
    held = rig.hold()
    job_id, other = rig.one("ann", held, seed=2000, steps=20), rig.one("bob", held, seed=2001, steps=20)
    rig.held(2000)
    line = rig.engine.status("ann")["line"]
    assert {row["owner_label"] for row in line} == {"you", "somebody 1"}
    assert not {"id", "owner", "request", "prompt"} & set(line[0])
    assert other not in {view["id"] for view in rig.engine.views("ann")}
    rig.release()
    rig.ended("ann", job_id)
    rig.ended("bob", other)
    assert [2000, 2001] in [sorted(batch) for batch in rig.steps(2000)]


def test_a_stranger_finds_nothing(rig):
    job_id = rig.one("ann", SLOW, steps=150)
    for verb in (rig.engine.view, rig.engine.cancel, rig.engine.pause, rig.engine.resume, rig.engine.retry):
        with pytest.raises(NotFound):
            verb("eve", job_id)
    with pytest.raises(NotFound):
        rig.engine.reorder("eve", [job_id])
    rig.engine.cancel("ann", job_id)
    for verb in (rig.engine.view, rig.engine.retry):
        with pytest.raises(NotFound):
            verb("eve", job_id)
    assert rig.engine.views("eve") == []


def test_cancel_takes_effect_before_the_next_step(rig):
    job_id = rig.one("ann", f"{rig.hold()} delay=0.5", seed=3000, steps=50)
    rig.held(3000)
    assert rig.engine.cancel("ann", job_id)["status"] == "cancelled"
    rig.release()
    rig.ended("ann", rig.one("ann"))
    assert len(rig.steps(3000)) <= 2  # the one that it may have been in
    assert rig.engine.view("ann", job_id)["status"] == "cancelled"
    with pytest.raises(NotAllowed):
        rig.engine.cancel("ann", job_id)


def test_pause_keeps_what_there_is_and_resume_goes_on(rig):
    job_id = rig.one("ann", f"{rig.hold()} delay=0.5", seed=4000, steps=4)
    rig.held(4000)
    assert rig.engine.pause("ann", job_id)["status"] == "paused"
    with pytest.raises(NotAllowed):
        rig.engine.pause("ann", job_id)
    rig.release()
    rig.ended("ann", rig.one("ann"))
    taken = len(rig.steps(4000))
    rig.ended("ann", rig.one("ann"))
    assert len(rig.steps(4000)) == taken <= 2
    assert rig.engine.resume("ann", job_id)["status"] == "running"
    assert rig.ended("ann", job_id)["status"] == "done"
    assert len(rig.steps(4000)) == 4
    with pytest.raises(NotAllowed):
        rig.engine.resume("ann", job_id)


def test_own_waiting_jobs_change_places(rig):
    blocker = rig.one("ann", SLOW, steps=150, priority=Priority.INTERACTIVE)
    rig.stepping("ann", blocker)
    first, second = rig.one("ann", width=128, seed=5000), rig.one("ann", width=192, seed=5001)
    rig.engine.reorder("ann", [second, first])
    rig.until("ann", second, lambda view: view["place"] is not None)
    rig.engine.cancel("ann", blocker)
    assert rig.ended("ann", second)["ended"] < rig.ended("ann", first)["ended"]


def test_failures_are_sentences_and_can_be_tried_again(rig):
    job_id = rig.one("ann", "nan_at=1", seed=77)
    view = rig.ended("ann", job_id)
    assert (view["status"], view["error_code"]) == ("failed", "not_finite")
    again = rig.engine.retry("ann", job_id)
    assert (again.id != job_id, again.request) == (True, rig.store.job(job_id).request)
    running = rig.one("ann", SLOW, steps=150)
    with pytest.raises(NotAllowed):
        rig.engine.retry("ann", running)
    rig.engine.cancel("ann", running)
    rig.ended("ann", again.id)


def test_start_pictures_travel_once_for_all_jobs_and_must_be_ones_own(rig):
    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(picture, "PNG")
    sha = rig.gallery.keep_upload("ann", picture.getvalue())
    ids = rig.submit("ann", start_picture=sha, count=3)
    assert [rig.ended("ann", job_id)["status"] for job_id in ids] == ["done"] * 3
    assert not +rig.engine._manager._pictures
    with pytest.raises(InvalidRequest, match="start_picture"):
        rig.one("bob", start_picture=sha)


def test_there_is_a_cap_for_one_owner(rig, monkeypatch):
    monkeypatch.setattr(limits, "JOBS_PER_OWNER", 2)
    ids = [rig.one("cap", SLOW, steps=150) for _ in range(2)]
    with pytest.raises(NotAllowed, match="2 jobs in line and want 4 more"):
        rig.submit("cap", count=4)
    assert len(rig.store.jobs("cap", 10)) == 2
    rig.ended("dan", rig.one("dan"))
    for job_id in ids:
        rig.engine.cancel("cap", job_id)


def test_a_start_picture_that_has_gone_meanwhile_fails_its_job_only(rig, monkeypatch):
    def unreadable(owner, sha):
        raise PermissionError(sha)

    picture = io.BytesIO()
    Image.new("RGB", (64, 64), "blue").save(picture, "PNG")
    sha = rig.gallery.keep_upload("ann", picture.getvalue())
    monkeypatch.setattr("studio.jobs.engine.check_uploads", lambda *_: None)
    monkeypatch.setattr(rig.gallery, "upload", unreadable)
    view = rig.ended("ann", rig.one("ann", start_picture=sha))
    assert (view["status"], "drop it in once more" in view["error"]) == ("failed", True)


def test_events_tell_the_whole_life_and_only_ones_own(rig):
    async def watch():
        async with rig.engine.subscribe("ann") as events:
            job_id, stranger = rig.one("ann", SLOW, steps=8), rig.one("bob", SLOW, steps=8)
            seen, statuses = [], 0
            async for event in events:
                statuses += event["type"] == "status"
                if event["type"] == "job":
                    seen.append(event["job"])
                    if seen[-1]["id"] == job_id and seen[-1]["ended"]:
                        break
            return job_id, stranger, seen, statuses

    job_id, stranger, seen, statuses = asyncio.run(asyncio.wait_for(watch(), 120))
    mine = [view for view in seen if view["id"] == job_id]
    assert mine[-1]["status"] == "done"
    assert any(view["preview"] and view["preview"].startswith("data:image/jpeg;base64,") for view in mine)
    assert sorted(view["step"] for view in mine) == [view["step"] for view in mine]
    assert stranger not in {view["id"] for view in seen}
    assert statuses >= 1
    rig.ended("bob", stranger)


def test_a_job_that_memory_has_forgotten_is_read_from_the_store(rig):
    job_id = rig.one("ann")
    seen = rig.ended("ann", job_id)
    rig.engine._manager.table._ended.clear()
    assert rig.engine.view("ann", job_id) == {**seen, "note": ""}


def test_the_web_process_never_imports_torch():
    code = "import sys, studio.jobs.engine; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3], check=False).returncode == 0


def test_an_unknown_model_is_refused_before_a_row_is_written(tmp_path):
    from studio.jobs.engine import Engine
    from studio.settings import Settings

    rig = Rig(tmp_path)
    engine = Engine(Settings(data_dir=tmp_path), rig.store, rig.gallery)
    with pytest.raises(Exception, match="there is no 'nowhere'"):
        engine.submit("ann", ImageRequest(model="nowhere"))
    assert rig.store.jobs("ann", 10) == []
    rig.store.close()


def test_a_question_is_no_job(rig):
    with pytest.raises(InvalidRequest, match="allowed is one of image, speech, caption"):
        rig.engine.submit("asker", AlignRequest(texts=("x",)))
    assert rig.engine.views("asker") == []
