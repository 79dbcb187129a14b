"""The studio ends, whatever the worker is at: also where that is only being made."""

from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from studio.worker import supervisor
from studio.worker.supervisor import Supervisor

PATIENCE = 60.0  # seconds


class Joined(threading.Thread):
    """Sets `awaited` when somebody waits for its end."""

    def __init__(self, target):
        super().__init__(target=target, daemon=True)
        self.awaited = threading.Event()

    def join(self, timeout=None):
        self.awaited.set()
        super().join(timeout)


class Worker:
    """A link to a process that ends when it is killed."""

    def __init__(self):
        self.dead, self.process = threading.Event(), SimpleNamespace(pid=1)
        self.kill = self.close = self.dead.set

    @property
    def alive(self):
        return not self.dead.is_set()

    def receive(self, seconds):
        if self.dead.wait(seconds):
            raise EOFError

    def send(self, message):
        pass


def test_a_worker_that_is_being_made_as_the_studio_ends_does_not_outlive_it(monkeypatch: pytest.MonkeyPatch):
    first, second = Worker(), Worker()
    first.kill()
    making, made = threading.Event(), threading.Event()

    links = iter((first, second))

    def link(*of):
        worker = next(links)
        if worker is second:
            making.set()
            assert made.wait(PATIENCE)
        return worker

    monkeypatch.setattr(supervisor, "Connection", link)
    listener = SimpleNamespace(joined=lambda link: None, lost=lambda: None, busy=lambda: True)
    ours = Supervisor({}, listener)
    ours._thread = Joined(ours._run)
    ours.start()
    try:
        assert making.wait(PATIENCE)
        stopping = threading.Thread(target=ours.stop, daemon=True)
        stopping.start()
        assert ours._thread.awaited.wait(PATIENCE)  # it has looked for a worker, and found none
        made.set()
        stopping.join(PATIENCE)
        assert not stopping.is_alive()
    finally:
        second.kill()
