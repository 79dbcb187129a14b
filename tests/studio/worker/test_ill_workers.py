"""A worker that is ill, frozen or stuck is replaced, soon, and the jobs go on with the next one."""

from __future__ import annotations

import os
import struct
import threading
import time
from types import SimpleNamespace

import pytest

from studio.worker import heartbeat
from studio.worker.messages import Finished, Ready
from studio.worker.runner.tasks import NO_MEMORY, SURPRISE
from studio.worker.supervisor import Supervisor
from studio.worker.watchdog import FROZEN_SECONDS, IDLE, STALL_SECONDS, STUCK_SECONDS, Watchdog
from tests.studio.support.studio_fixture import Rig, gone

PATIENCE = 120.0


@pytest.fixture
def rig(tmp_path):
    with Rig(tmp_path, data_dir=str(tmp_path), beat_seconds=0.2, frozen_seconds=3.0) as rig:
        rig.ready()
        yield rig


def test_a_stopped_worker_is_found_by_its_heart_and_its_job_done_by_the_next(rig, tmp_path):
    pid = rig.engine.worker_pid
    job = rig.one("ann", f"stop_once={tmp_path / 'stopped'}")
    assert rig.ended("ann", job)["status"] == "done"
    assert rig.engine.worker_pid != pid
    assert gone(pid)


def test_a_worker_at_a_long_step_lives(rig):
    pid = rig.engine.worker_pid
    assert rig.ended("ann", rig.one("ann", "delay=5", steps=1))["status"] == "done"
    assert rig.engine.worker_pid == pid


def test_a_worker_in_which_everything_fails_is_replaced_and_the_others_go_on(rig, tmp_path):
    pid, wish = rig.engine.worker_pid, f"ill_after={tmp_path / 'ill'}"
    failed = [rig.ended("ann", rig.one("ann", wish)) for _ in range(3)]
    assert [view["error"] for view in failed] == [SURPRISE] * 3
    assert rig.ended("ann", rig.one("ann", wish))["status"] == "done"
    assert rig.engine.worker_pid != pid


def test_a_job_that_always_fails_costs_nobody_a_worker_while_others_are_done(rig):
    pid = rig.engine.worker_pid
    for _ in range(4):
        assert rig.ended("ann", rig.one("ann", "raise_at=1"))["error"] == SURPRISE
        assert rig.ended("bob", rig.one("bob", steps=1))["status"] == "done"
    assert rig.engine.worker_pid == pid


def test_memory_that_was_short_is_called_so_and_the_worker_replaced_when_nobody_needs_it(rig):
    pid = rig.engine.worker_pid
    assert rig.ended("ann", rig.one("ann", "short_at=1"))["error"] == NO_MEMORY
    assert gone(pid)
    assert rig.ended("ann", rig.one("ann"))["status"] == "done"


def test_paused_jobs_do_not_lose_what_they_have_to_a_tired_worker(rig):
    pid, resting = rig.engine.worker_pid, rig.one("bob", "delay=0.05", steps=100)
    rig.stepping("bob", resting)
    rig.engine.pause("bob", resting)
    assert rig.ended("ann", rig.one("ann", "short_at=1", width=128))["error"] == NO_MEMORY
    assert rig.ended("ann", rig.one("ann", width=128))["status"] == "done"
    assert rig.engine.worker_pid == pid


def test_memory_that_is_short_again_and_again_replaces_a_busy_worker_too(rig):
    pid, busy = rig.engine.worker_pid, rig.one("bob", rig.hold(), steps=4)
    rig.release()
    for _ in range(3):
        rig.ended("ann", rig.one("ann", "short_at=1", width=128))
    rig.ended("bob", busy)
    assert gone(pid)


# --- the supervisor alone ---


def half(conn, parent, settings):
    """Begins a message, and stands still."""
    heartbeat.Outbox(conn).send(Ready({}))
    os.write(conn.fileno(), struct.pack("!i", 1000) + b"half of it")
    time.sleep(3600)


def done_at_once(conn, parent, settings):
    heartbeat.Outbox(conn).send(Ready({}))
    heartbeat.Outbox(conn).send(Finished("a", "image", "image/png", b"", {}))


def fails_at_once(conn, parent, settings):
    heartbeat.Outbox(conn).send(Ready({}))


class Listener(SimpleNamespace):
    def __init__(self):
        super().__init__(joined=lambda link: None, heard=lambda message: None, busy=lambda: True, said=[])
        self.deaths, self.died = 0, threading.Event()

    def lost(self):
        self.deaths += 1
        self.died.set()


def test_half_a_message_does_not_freeze_the_supervisor():
    listener = Listener()
    ours = Supervisor({"frozen_seconds": 3.0}, listener, half)
    ours.start()
    try:
        assert listener.died.wait(PATIENCE)
    finally:
        ours.stop()


@pytest.mark.parametrize(("target", "pauses"), [(done_at_once, [0.0, 0.0, 0.0]), (fails_at_once, [0.25, 0.5, 1.0])])
def test_only_workers_that_have_done_nothing_are_waited_for(target, pauses):
    waited, listener = [], Listener()
    ours = Supervisor({}, listener, target)
    ours._stopping = Stopping(waited)
    ours.start()
    ours._thread.join(PATIENCE)
    assert waited == pauses


class Stopping:
    """Ends the supervisor after three pauses, and takes none."""

    def __init__(self, waited):
        self._waited = waited

    def wait(self, seconds):
        self._waited.append(seconds)

    def is_set(self):
        return len(self._waited) >= 3


# --- when a silent worker is to be ended ---


class Told:
    """A watchdog over a worker that uses so much of its processor in a second."""

    def __init__(self, use: float | None):
        self.use, self.now = use, 0.0
        self.dog = Watchdog(lambda: None if self.use is None else self.now * self.use)

    def ended_after(self, beats: bool, most: float = 2000, **state: bool) -> tuple[float, str]:
        """Seconds, and the first word of why."""
        while self.now < most:
            self.now += 1
            if beats and self.now % 5 == 0:
                self.dog.heard(word=False)
            elif why := self.dog.waited(1.0, **{"ready": True, "busy": True, **state}):
                return self.now, why.split()[0]
        return most, "never"


def test_a_worker_without_heartbeat_and_without_work_is_frozen():
    seconds, why = Told(0.0).ended_after(beats=False)
    assert why == "frozen"
    assert seconds <= FROZEN_SECONDS + 1
    assert Told(0.0).ended_after(beats=False, busy=False)[1] == "frozen"
    assert Told(0.0).ended_after(beats=False, ready=False)[1] == "frozen"


def test_a_worker_that_computes_without_a_heartbeat_has_its_time():
    assert Told(1.0).ended_after(beats=False) == (STALL_SECONDS + 1, "silent")


def test_a_worker_whose_heart_beats_and_that_does_nothing_is_stuck():
    seconds, why = Told(IDLE / STUCK_SECONDS / 2).ended_after(beats=True)
    assert why == "stuck"
    assert seconds <= 1.5 * STUCK_SECONDS
    assert Told(0.001).ended_after(beats=True, busy=False)[1] == "never"


def test_a_worker_that_works_for_long_lives_till_the_stall():
    seconds, why = Told(0.5).ended_after(beats=True)
    assert (why, seconds >= STALL_SECONDS) == ("silent", True)


def test_where_nobody_can_tell_the_use_of_the_processor_silence_counts():
    assert Told(None).ended_after(beats=False)[1] == "silent"
