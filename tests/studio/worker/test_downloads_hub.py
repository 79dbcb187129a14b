"""The real worker and the hub's real client, over HTTP: a model comes slowly while others are answered."""

import threading
import time

import pytest
from filelock import FileLock

from pipelines.requests import AlignRequest
from studio.settings import Settings
from studio.worker import process
from studio.worker.connection import Connection
from studio.worker.messages import Cancel, Finished, Note, Ready, Shutdown, Submit, decode
from studio.worker.supervisor import worker_settings
from tests.pipelines.support.local_hub import WEIGHTS, online

FAR, NEAR = "some/clip", "sprite-clip"
HALF = 8_000_000  # bytes


def open_shelf(settings):
    """The client reads ten megabytes at a time, and the model has sixteen."""
    from huggingface_hub import constants

    constants.DOWNLOAD_CHUNK_SIZE = 100_000
    return process.open_model_pool(settings)


class Talk:
    """A worker, and everything that it says."""

    def __init__(self, settings):
        self.link = Connection(process.main, settings)
        self.said = []
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, job_id, owner, model):
        request = AlignRequest(model=model, texts=("a red apple",))
        self.link.send(Submit(job_id, owner, request.model_dump_json()))

    def heard(self, kind, job_id=None):
        return [m for m in list(self.said) if isinstance(m, kind) and job_id in (None, getattr(m, "job_id", None))]

    def until(self, true, seconds=120):
        end = time.monotonic() + seconds
        while not (found := true()):
            assert time.monotonic() < end, self.said[-5:]
            time.sleep(0.01)
        return found

    def _listen(self):
        try:
            while data := self.link.receive(600):
                self.said.append(decode(data))
        except EOFError:
            return


@pytest.fixture
def hub():
    with online() as hub:
        yield hub


@pytest.fixture
def talk(hub, tmp_path, monkeypatch):
    own = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0", "NO_PROXY": "*",
           "HF_HUB_DOWNLOAD_TIMEOUT": "600"}  # fmt: skip
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    settings = worker_settings(Settings(data_dir=tmp_path, device="cpu"))
    talk = Talk(settings | {"shelf": "tests.studio.worker.test_downloads_hub:open_shelf", "threads": 1})
    talk.until(lambda: talk.heard(Ready))
    yield talk
    talk.link.send(Shutdown())
    talk.link.close()


def parts(talk, job_id):
    notes = [note.text for note in talk.heard(Note, job_id) if note.text.startswith(f"downloading {FAR} ")]
    return [int(text.rpartition(" ")[2].rstrip("%")) for text in notes]


def test_others_are_answered_while_it_comes_and_a_cancel_keeps_what_has_come(hub, talk, tmp_path):
    hub.slow = HALF
    talk.ask("far", "ann", FAR)
    talk.until(lambda: parts(talk, "far")[-1:] > [40])
    talk.ask("near", "bob", NEAR)
    talk.until(lambda: talk.heard(Finished, "near"))
    assert not talk.heard(Finished, "far")
    assert parts(talk, "far") == sorted(parts(talk, "far"))
    talk.link.send(Cancel(["far"]))
    talk.ask("next", "bob", NEAR)  # so the cancel has been heard
    talk.until(lambda: talk.heard(Finished, "next"))
    hub.slow = -1
    hub.free.set()
    (lock,) = tmp_path.rglob("*.part.lock")
    with FileLock(lock, timeout=60):  # the download has stopped
        assert 0 < lock.with_suffix("").stat().st_size < len(hub.files[WEIGHTS])
    talk.ask("again", "ann", FAR)
    made = talk.until(lambda: talk.heard(Finished, "again"))[0]
    assert made.data == talk.heard(Finished, "near")[0].data  # the same model under another name
    begins = [int(begin) for name, begin in hub.asked if name == WEIGHTS]
    assert begins[0] == 0
    assert begins[1] > HALF - 200_000
    assert not talk.heard(Finished, "far")
