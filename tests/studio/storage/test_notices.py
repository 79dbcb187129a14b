"""What has happened to the data folder reaches whoever runs the studio, and a missing file is a sentence."""

from __future__ import annotations

import time

from starlette.testclient import TestClient

from pipelines.base import Artifact
from pipelines.requests import ImageRequest
from studio.storage.records import Job, JobStatus
from studio.storage.recovery.notices import MOST, Notices
from studio.web.accounts.sessions import Sessions
from studio.web.api import create_api
from tests.studio.support.kept_data import png


def test_notices_are_told_where_only_this_machine_can_ask(idle):
    studio = idle()
    studio.notices.say("The database was missing.")
    client = TestClient(create_api(studio), base_url="http://127.0.0.1")
    assert client.get("/api/status").json()["notices"] == ["The database was missing."]


def test_with_a_login_they_stay_in_the_log(idle, caplog):
    studio = idle(auth="ann:a-long-password")
    studio.notices.say("The database was missing.")
    client = TestClient(create_api(studio), base_url="http://127.0.0.1", follow_redirects=False)
    assert client.post("/login", data={"name": "ann", "password": "a-long-password"}).status_code < 400
    assert client.get("/api/status").json()["notices"] == []
    assert "The database was missing." in caplog.text


def test_the_latest_ones_are_kept_each_once():
    notices = Notices(["a", "a", "b"])
    assert notices.all() == ["a", "b"]
    for number in range(MOST):
        notices.say(str(number))
    assert notices.all() == [str(number) for number in range(MOST)]


def test_the_gallery_says_which_file_is_missing_and_asking_for_it_gives_a_sentence(idle):
    studio = idle()
    client = TestClient(create_api(studio), base_url="http://127.0.0.1", raise_server_exceptions=False)
    client.get("/api/status")
    owner = _owner(studio.sessions, client)
    here, gone = (_saved(studio, owner, seed) for seed in (1, 2))
    studio.gallery.file(owner, gone).unlink()
    assert {item["id"]: item["missing"] for item in client.get("/api/gallery").json()["items"]} == {
        here: False,
        gone: True,
    }
    assert client.get(f"/api/gallery/{gone}").json()["missing"] is True
    answer = client.get(f"/files/{gone}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "The file is missing from the data folder."
    assert client.get(f"/thumbs/{gone}").status_code == 200
    assert client.delete(f"/api/gallery/{gone}").status_code == 204


def _owner(sessions: Sessions, client: TestClient) -> str:
    proof = sessions.read("; ".join(f"{name}={value}" for name, value in client.cookies.items()))
    assert proof
    return proof.owner


def _saved(studio, owner: str, seed: int) -> str:
    job = Job(owner, ImageRequest(prompt="a fox", seed=seed), time.time())
    studio.store.add(job)
    return studio.gallery.save(job.to(JobStatus.RUNNING), Artifact("image", "image/png", png(), {})).artifact_id
