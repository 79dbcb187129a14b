"""Models that come from far: who needs them waits, nobody else does."""

import os
import threading
import time
from collections.abc import Callable

import pytest

from studio.worker.messages import AtWork, Begun, Finished, Note
from studio.worker.runner.tasks import SURPRISE
from studio.worker.supervisor import Supervisor
from tests.studio.support.fake_downloads import BROKEN, FarPool, log_of
from tests.studio.support.runner_bench import Bench
from tests.studio.support.studio_fixture import Rig, gone

FAR = {"model": "far/a"}


@pytest.fixture
def bench(tmp_path):
    yield Bench(tmp_path, FarPool)
    for name in "ab":
        (tmp_path / f"{name}.come").touch()  # so that no thread outlives its test
    wait(lambda: not downloads())


def downloads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "download"]


def wait(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def told(bench, job):
    return [note.text for note in bench.heard(Note, job)]


def test_others_are_served_while_a_model_comes(bench, tmp_path):
    far, near = bench.submit(**FAR), bench.submit(owner="bob")
    bench.run()
    assert isinstance(bench.fate(near), Finished)
    assert told(bench, far) == ["downloading far/a 0%"]
    assert not bench.heard(Begun, far)
    assert not any(far in message.job_ids for message in bench.heard(AtWork))
    (tmp_path / "a.part").write_text("0.37")
    wait(lambda: bench.run() and "downloading far/a 37%" in told(bench, far))
    (tmp_path / "a.come").touch()
    wait(lambda: bench.run() and bench.heard(Finished, far))
    assert told(bench, far)[2] == ""  # and then of the loading
    assert not bench.runner.fetching


def test_its_jobs_share_one_download_and_go_on_in_their_order(bench, tmp_path):
    jobs = [bench.submit(**FAR, width=width, height=64) for width in (64, 128, 192)]
    bench.run()
    later = bench.submit(**FAR, width=256)
    bench.run()
    assert told(bench, later)
    (tmp_path / "a.come").touch()
    wait(lambda: bench.run() and bench.heard(Finished, later))
    assert [message.job_id for message in bench.heard(Finished)] == [*jobs, later]
    assert log_of(tmp_path, "a") == ["begun", "ended"]


def test_a_download_that_fails_fails_its_jobs_and_may_be_tried_again(bench, tmp_path):
    jobs, other = [bench.submit(**FAR) for _ in range(2)], bench.submit(owner="bob")
    bench.run()
    (tmp_path / "a.broken").touch()
    wait(lambda: not bench.run().runner.fetching)
    assert [(bench.fate(job).code, bench.fate(job).sentence) for job in jobs] == [("model_unavailable", BROKEN)] * 2
    assert isinstance(bench.fate(other), Finished)
    (tmp_path / "a.broken").unlink()
    (tmp_path / "a.come").touch()
    again = bench.submit(**FAR)
    wait(lambda: bench.run() and bench.heard(Finished, again))
    assert not bench.runner._tasks


def test_what_nobody_foresaw_in_a_download_is_one_sentence(bench, monkeypatch, caplog):
    monkeypatch.setattr(bench.shelf, "fetch", lambda model, progress: 1 / 0)
    job = bench.submit(**FAR)
    wait(lambda: not bench.run().runner.fetching)
    assert bench.fate(job).sentence == SURPRISE
    assert "division by zero" in caplog.text


def test_a_download_stops_when_the_last_who_waited_has_left(bench, tmp_path):
    first, second = bench.submit(**FAR), bench.submit(**FAR)
    bench.run()
    bench.runner.cancel(first)
    time.sleep(0.05)
    assert log_of(tmp_path, "a") == ["begun"]
    bench.runner.cancel(second)
    wait(lambda: log_of(tmp_path, "a") == ["begun", "ended"])
    wait(lambda: not bench.run().runner.fetching)
    assert not bench.heard(Finished)
    assert not bench.runner._tasks


def test_who_asks_for_a_model_whose_download_is_stopping_gets_it(bench, tmp_path):
    bench.runner.cancel(bench.submit(**FAR))
    job = bench.submit(**FAR)
    bench.run()
    bench.runner.cancel(job)
    wait(lambda: log_of(tmp_path, "a") == ["begun", "ended"])  # not heard of yet
    again = bench.submit(**FAR)
    (tmp_path / "a.come").touch()
    wait(lambda: bench.run() and bench.heard(Finished, again))
    assert log_of(tmp_path, "a") == ["begun", "ended"] * 2


def test_an_owner_has_one_download_at_a_time_and_others_have_their_own(bench, tmp_path):
    mine = [bench.submit(model=f"far/{name}") for name in "ab"]
    bench.run()
    time.sleep(0.05)
    assert log_of(tmp_path, "b") == []
    assert told(bench, mine[1]) == ["downloading far/b 0%"]
    theirs = bench.submit(owner="bob", model="far/b")
    wait(lambda: bench.run() and log_of(tmp_path, "b") == ["begun"])
    (tmp_path / "b.come").touch()
    wait(lambda: bench.run() and bench.heard(Finished, theirs) and bench.heard(Finished, mine[1]))
    bench.runner.cancel(mine[0])


def test_the_next_download_of_an_owner_begins_when_the_first_is_over(bench, tmp_path):
    jobs = [bench.submit(model=f"far/{name}") for name in "ab"]
    bench.run()
    (tmp_path / "a.come").touch()
    (tmp_path / "b.come").touch()
    wait(lambda: bench.run() and all(bench.heard(Finished, job) for job in jobs))


def test_one_may_pause_a_job_whose_model_comes(bench, tmp_path):
    job = bench.submit(**FAR)
    bench.run()
    bench.runner.pause(job)
    (tmp_path / "a.come").touch()
    wait(lambda: not bench.run().runner.fetching)
    assert not bench.runner.advance()
    bench.runner.resume(job)
    bench.run()
    assert isinstance(bench.fate(job), Finished)


def test_a_held_job_has_a_place_but_no_guess_of_its_end(bench):
    far = bench.submit(**FAR)
    bench.run()
    bench.submit(owner="bob", steps=50)
    bench.run(moves=20)
    assert bench.scheduler.forecast()[far] == (1, None)
    assert bench.scheduler.stats()["paused"] == 0
    bench.runner.cancel(far)


@pytest.fixture
def rig(tmp_path):
    with Rig(
        tmp_path, shelf="tests.studio.support.fake_downloads:open_model_pool", idle_seconds=3600
    ) as rig:  # where nothing is to come
        yield rig


def test_in_the_studio_a_picture_is_finished_while_anothers_model_comes(rig, tmp_path):
    far = rig.one("ann", **FAR)
    rig.until("ann", far, lambda view: view["note"] == "downloading far/a 0%")
    (tmp_path / "a.part").write_text("0.5")
    assert rig.ended("bob", rig.one("bob"))["status"] == "done"
    view = rig.until("ann", far, lambda view: view["note"] == "downloading far/a 50%")
    assert (view["status"], view["started"]) == ("waiting", None)
    (tmp_path / "a.come").touch()
    assert rig.ended("ann", far)["status"] == "done"


def test_cancelling_a_job_whose_model_comes_works_at_once(rig, tmp_path):
    far = rig.one("ann", **FAR)
    rig.until("ann", far, lambda view: view["note"])
    rig.engine.cancel("ann", far)
    wait(lambda: log_of(tmp_path, "a") == ["begun", "ended"])
    assert rig.engine.view("ann", far)["status"] == "cancelled"


def test_the_worker_ends_by_itself_while_a_model_comes(tmp_path, monkeypatch):
    stop = Supervisor.stop
    monkeypatch.setattr(Supervisor, "stop", lambda supervisor: stop(supervisor, seconds=60))  # then it is killed
    with Rig(tmp_path, shelf="tests.studio.support.fake_downloads:open_model_pool", idle_seconds=3600) as rig:
        far = rig.one("ann", **FAR)
        rig.until("ann", far, lambda view: view["note"])
        pid, began = rig.engine.worker_pid, time.monotonic()
    assert time.monotonic() - began < 50
    assert gone(pid)
    assert not (tmp_path / "worker.log").exists() or "Traceback" not in (tmp_path / "worker.log").read_text()


def test_a_killed_worker_begins_the_download_again_and_it_is_not_held_against_the_job(rig, tmp_path):
    far = rig.one("ann", **FAR)
    wait(lambda: log_of(tmp_path, "a") == ["begun"])
    os.kill(rig.engine.worker_pid, 9)
    wait(lambda: log_of(tmp_path, "a") == ["begun", "begun"])
    (tmp_path / "a.come").touch()
    rig.ended("ann", far)
    assert rig.store.job(far).attempts == 1
