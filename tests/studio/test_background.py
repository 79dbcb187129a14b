"""Work beside the studio's own goes on until it is stopped: in its time, when it is woken, and after it has failed."""

from __future__ import annotations

import threading

import pytest

from studio import background
from studio.background import BackgroundLoop

PATIENCE = 60  # seconds


class Work:
    """Does what it is told for each of its calls, the last one for all that follow: seconds, None or an error."""

    def __init__(self, *answers: object):
        self.answers, self.calls, self.done = list(answers), 0, threading.Semaphore(0)

    def __call__(self) -> float | None:
        answer = self.answers[min(self.calls, len(self.answers) - 1)]
        self.calls += 1
        self.done.release()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def happened(self) -> bool:
        return self.done.acquire(timeout=PATIENCE)


@pytest.fixture
def going():
    loops = []

    def going(work: Work) -> BackgroundLoop:
        loops.append(BackgroundLoop("test", work))
        loops[-1].start()
        return loops[-1]

    yield going
    for loop in loops:
        loop.stop()


def test_it_works_again_after_the_time_that_it_asks_for(going):
    work = Work(0.01)
    going(work)
    assert all(work.happened() for _ in range(3))


def test_without_a_time_it_waits_to_be_woken(going):
    work = Work(None)
    loop = going(work)
    assert work.happened()
    assert not work.done.acquire(timeout=0.2)
    loop.wake()
    assert work.happened()


def test_what_is_told_while_it_works_is_not_missed(going):
    work = Work(None)
    loop = BackgroundLoop("test", lambda: (work(), work.calls == 1 and loop.wake())[0])
    loop.start()
    assert work.happened()
    assert work.happened()
    loop.stop()


def test_an_error_does_not_end_it(going, monkeypatch):
    monkeypatch.setattr(background, "AGAIN_SECONDS", 0.01)
    work = Work(RuntimeError("no"), RuntimeError("no"), 0.01)
    going(work)
    assert all(work.happened() for _ in range(4))


def test_stopping_does_not_wait_for_its_time(going):
    loop = going(work := Work(3600))
    assert work.happened()
    loop.stop()
    assert loop.over
    assert not loop._thread.is_alive()
