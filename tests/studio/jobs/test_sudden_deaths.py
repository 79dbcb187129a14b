"""Sudden deaths: of the worker, of everything, and of jobs that kill whoever touches them."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.requests import Priority
from studio.storage.records import JobStatus
from tests.studio.support.studio_fixture import Rig, gone

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path) as rig:
        yield rig


def kill_worker(rig):
    pid = rig.engine.worker_pid
    os.kill(pid, signal.SIGKILL)
    assert gone(pid)


def test_a_killed_worker_is_replaced_and_its_job_tried_once_more(rig):
    flag = rig.folder / "hangs"
    job_id, queued = rig.one("ann", f"hang_once={flag}", seed=1, steps=40), rig.one("ann", seed=2, width=128)
    paused = rig.one("ann", seed=3)
    rig.engine.pause("ann", paused)
    rig.until("ann", job_id, lambda view: view["status"] == "running")
    while not flag.exists():
        time.sleep(0.005)
    kill_worker(rig)
    rig.until("ann", job_id, lambda view: view["status"] == "waiting")
    assert rig.engine.status("ann")["worker"] == "restarting"
    rig.ready()
    assert rig.ended("ann", job_id)["status"] == "done"
    assert rig.ended("ann", queued)["status"] == "done"
    assert [rig.store.job(id).attempts for id in (job_id, queued)] == [2, 1]
    assert rig.engine.view("ann", paused)["status"] == "paused"
    rig.engine.resume("ann", paused)
    assert rig.ended("ann", paused)["status"] == "done"


def test_a_job_that_kills_every_worker_fails_with_a_reason_and_the_queue_is_kept(rig):
    poison, mate = rig.one("ann", "exit_at=2 delay=0.05"), rig.one("ann", "delay=0.05")
    queued = rig.one("bob", width=128)
    view = rig.ended("ann", poison)
    assert (view["status"], view["error_code"]) == ("failed", "worker_lost")
    assert "twice" in view["error"]
    assert rig.ended("ann", mate)["status"] == "done"
    assert rig.ended("bob", queued)["status"] == "done"


def test_a_job_that_kills_one_worker_is_done_by_the_next(rig, tmp_path):
    assert rig.ended("ann", rig.one("ann", f"exit_once={tmp_path / 'flag'}"))["status"] == "done"


def test_a_worker_that_hangs_is_ended_like_a_dead_one(tmp_path):
    with Rig(tmp_path, stall_seconds=4.0) as rig:
        stuck, queued = rig.one("ann", "hang_at=1"), rig.one("bob", width=128)
        assert rig.ended("ann", stuck)["error_code"] == "worker_lost"
        assert rig.ended("bob", queued)["status"] == "done"


def test_a_clean_stop_is_not_held_against_the_job(tmp_path):
    with Rig(tmp_path) as rig:
        job_id = rig.one("ann", "delay=0.05", steps=60)
        rig.stepping("ann", job_id)
        pid = rig.engine.worker_pid
    assert gone(pid)
    with Rig(tmp_path) as rig:
        before = rig.store.job(job_id)
        assert rig.ended("ann", job_id)["status"] == "done"
        assert (before.status in (JobStatus.WAITING, JobStatus.RUNNING), rig.store.job(job_id).attempts) == (True, 1)


def test_the_order_of_ones_own_jobs_outlives_the_studio(tmp_path):
    former = Rig(tmp_path)  # its worker never starts: everything stays in line
    blocker = former.one("ann", "delay=0.05", steps=150, priority=Priority.INTERACTIVE)
    first, second = former.one("ann", width=128), former.one("ann", width=192)
    former.engine.reorder("ann", [second, first])
    former.store.close()
    with Rig(tmp_path) as rig:
        rig.stepping("ann", blocker)
        rig.until("ann", second, lambda view: view["place"] is not None)
        rig.engine.cancel("ann", blocker)
        assert rig.ended("ann", second)["ended"] < rig.ended("ann", first)["ended"]


def test_a_worker_that_cannot_start_says_why_and_the_queue_is_kept(tmp_path):
    with Rig(tmp_path, shelf="tests.studio.support.fake_pipelines:broken_shelf", device="cuda:7") as rig:
        job_id, end = rig.one("ann"), time.monotonic() + 60
        while not (status := rig.engine.status("ann"))["trouble"]:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert status["trouble"] == "The device 'cuda:7' cannot be opened; the log has the details."
        assert rig.engine.view("ann", job_id)["status"] == "waiting"
    assert "no such device" in (tmp_path / "worker.log").read_text()


def test_stopping_does_not_wait_for_a_worker_that_starts(tmp_path):
    began = time.monotonic()
    with Rig(tmp_path, shelf="tests.studio.support.fake_pipelines:slow_shelf"):
        pass
    assert time.monotonic() - began < 60  # it would take an hour


def test_kill_9_of_everything_at_random_moments_loses_nothing(tmp_path):
    acknowledged, chance = [], random.Random(20)
    for life in range(2):
        ids, worker = live_and_die(tmp_path, life * 1000, chance.uniform(0.1, 1.0))
        acknowledged += ids
        assert gone(worker)
    with Rig(tmp_path) as rig:
        for job_id in acknowledged:
            view = rig.ended("ann", job_id)
            assert view["status"] == "done" or (view["status"], view["error_code"]) == ("failed", "worker_lost")
        files = {file.stem for file in (tmp_path / "files").glob("*/*")}
        assert files == set(rig.store.artifact_types())
        done = [job for job in rig.store.jobs("ann", 10_000) if job.status == JobStatus.DONE]
        assert {job.artifact_id for job in done} == files
    assert len(acknowledged) > 5


def live_and_die(folder, first_seed, seconds):
    """Job ids that were acknowledged before the kill, and the worker's process id."""
    command = [sys.executable, "-m", "tests.studio.support.crash_process", str(folder), str(first_seed)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as victim:
        worker = int(victim.stdout.readline().split()[1])
        seen = [victim.stdout.readline()]
        time.sleep(seconds)
        victim.kill()
        seen += victim.stdout.readlines()
    return [line.split()[1] for line in seen if line.endswith("\n")], worker
