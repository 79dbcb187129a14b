"""The worker process itself, spoken to through its pipe."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.requests import ImageRequest
from studio.worker import process
from studio.worker.connection import Connection
from studio.worker.messages import Cancel, Failed, Finished, Note, Picture, Progress, Ready, Shutdown, Submit, decode
from tests.studio.support.studio_fixture import FAULTS, gone

ROOT = Path(__file__).resolve().parents[3]


class Talk:
    """A worker and everything it has said."""

    def __init__(self, folder):
        self.link = Connection(process.main, {"shelf": FAULTS, "folder": str(folder)})
        self.said = []
        self.pid = self.link.process.pid

    def submit(self, job_id, prompt="", **fields):
        self.link.send(Submit(job_id, "ann", ImageRequest(prompt=prompt, **fields).model_dump_json()))

    def until(self, kind, job_id=None, seconds=60):
        end = time.monotonic() + seconds
        while data := self.link.receive(max(0, end - time.monotonic())):
            message = decode(data)
            self.said.append(message)
            if isinstance(message, kind) and job_id in (None, getattr(message, "job_id", None)):
                return message
        raise AssertionError(f"{kind.__name__} did not come; heard {self.said}")


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    talk = Talk(tmp_path_factory.mktemp("worker"))
    talk.until(Ready)
    yield talk
    talk.link.send(Shutdown())
    talk.link.close()


def test_a_request_becomes_an_artifact(talk):
    talk.submit("first", seed=7)
    made = talk.until(Finished, "first")
    assert (made.kind, made.media_type, made.info["seed"]) == ("image", "image/png", 7)
    assert made.data.startswith(b"\x89PNG")


def test_a_row_of_another_version_fails_with_a_sentence(talk):
    talk.link.send(Submit("old", "ann", '{"kind": "image", "cfg": 7}'))
    assert talk.until(Failed, "old").code == "invalid"


def test_ctrl_c_of_the_terminal_is_left_to_the_parent(talk):
    os.kill(talk.pid, signal.SIGINT)
    talk.submit("after", seed=1)
    talk.until(Finished, "after")


def test_a_cancel_during_the_load_wins_before_the_first_step(tmp_path):
    talk = Talk(tmp_path)
    talk.submit("a", "load=0.4 delay=0.05")
    talk.until(Note, "a")
    talk.link.send(Cancel(["a"]))
    talk.submit("b")
    talk.until(Finished, "b")
    assert not [m for m in talk.said if isinstance(m, Progress) and m.jobs[0][0] == "a" and m.jobs[0][1]]
    talk.link.close(0)


def test_sending_never_waits_for_a_busy_worker(tmp_path):
    talk = Talk(tmp_path)
    talk.submit("a", "hang_at=1")
    talk.until(Note, "a")
    began = time.monotonic()
    for number in range(50):
        talk.link.send(Picture(str(number), bytes(1_000_000)))
    assert time.monotonic() - began < 60  # it is busy for an hour
    talk.link.close(0)


PARENT = """
import sys, time
from types import SimpleNamespace
from pipelines.requests import ImageRequest
from studio.worker import parent_watch, process
from studio.worker.connection import Connection
from studio.worker.messages import Progress, Submit, decode

def unaided(*arguments):
    parent_watch.sys = SimpleNamespace(platform="one where the kernel does not help")
    process.main(*arguments)

if __name__ == "__main__":
    folder, prompt, helped = sys.argv[1:]
    settings = {"shelf": "tests.studio.support.fake_pipelines:open_model_pool", "folder": folder}
    link = Connection(process.main if helped == "helped" else unaided, settings)
    link.send(Submit("a", "ann", ImageRequest(prompt=prompt, steps=150).model_dump_json()))
    while not isinstance(message := decode(link.receive(60)), Progress) or message.jobs[0][1] < 1:
        pass
    print(link.process.pid, flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(
    ("prompt", "helped"), [("delay=0.2", "helped"), ("delay=0.15 hang_at=3", "helped"), ("delay=0.15 hang_at=3", "not")]
)
def test_the_worker_dies_with_its_parent_also_within_a_step(tmp_path, prompt, helped):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, script, tmp_path, prompt, helped], stdout=subprocess.PIPE, env=env)
    with parent:
        pid = int(parent.stdout.readline())
        parent.kill()
    assert gone(pid)
