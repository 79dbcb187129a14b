"""Another program holds the database for seconds: who looks is answered, who writes is told, nothing is lost."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from pathlib import Path

import httpx
from websockets.sync.client import connect

from tests.faults.report import Report
from tests.faults.victim import Victim, victim
from tests.studio.support.batch_studio import picture
from tests.studio.support.busy_database import held
from tests.studio.support.fake_pipelines import BATCHES
from tests.support.serving import finished

LOOKS = ("/health", "/api/status", "/api/jobs", "/api/gallery", "/api/batches", "/api/models", "/api/owner")
SOON = 5.0  # seconds; it is one where nobody else uses the processors
PATIENCE = 30.0  # seconds: longer than this is a hang
FIELDS = {"steps": 3, "width": 64, "height": 64}


def locked(folder: Path, rounds: int, chance: random.Random, report: Report) -> None:
    """The lock is let go of when all who asked have had their answer: what waited for it would hang."""
    with victim(folder / "locked") as studio, studio.client(timeout=PATIENCE) as client:
        client.get("/api/status")
        studio.ready()
        for number in range(rounds):
            _round(studio, client, chance, report, folder / f"gate{number}")


def _round(studio: Victim, client: httpx.Client, chance: random.Random, report: Report, gate: Path) -> None:
    (done, batch), before = _made(client), _steps(studio)
    late = _submit(client, f"holds={gate} delay=0.03", width=128, seed=7).json()["jobs"][0]["id"]
    _until(lambda: _steps(studio) > before)  # no report comes of a job that holds
    row = report.row("locked", "what was finished meanwhile arrives")
    with held(studio.data):
        time.sleep(chance.uniform(0, 0.5))
        gate.touch()  # it is finished now
        for path in chance.sample(LOOKS, len(LOOKS)):
            _look(client, path, report)
        _live(studio, client, report)
        for name, ask in _writes(client, late, done, batch):
            _write(name, ask, report)
        ended = client.get(f"/api/jobs/{late}").json()["job"]["status"] != "running"
        row.check(not ended, "it was told as ended before its row could be written")
    began = time.monotonic()
    view = finished(client, late, 60)
    row.measure("seconds after", time.monotonic() - began)
    row.check(view["status"] == "done" and client.get(view["artifact"]["url"]).status_code == 200, str(view))
    after = report.row("locked", "afterwards everything goes on")
    after.check(_submit(client, "after").status_code == 201, "submit is refused")


def _steps(studio: Victim) -> int:
    file = studio.data / "worker" / BATCHES
    return len(file.read_text().splitlines()) if file.exists() else 0


def _made(client: httpx.Client) -> tuple[str, str]:
    """A picture in the gallery, and a batch."""
    view = finished(client, _submit(client, "").json()["jobs"][0]["id"], 60)
    return view["artifact"]["id"], client.post("/api/batches", json={"name": "set"}).json()["batch"]["id"]


def _submit(client: httpx.Client, prompt: str, **more: object) -> httpx.Response:
    return client.post("/api/jobs", json={"prompt": prompt, **FIELDS, **more})


def _writes(
    client: httpx.Client, job: str, artifact: str, batch: str
) -> list[tuple[str, Callable[[], httpx.Response]]]:
    file = {"file": ("a.png", picture("red"))}
    return [
        ("submit", lambda: _submit(client, "meanwhile")),
        ("pause", lambda: client.post(f"/api/jobs/{job}/pause")),
        ("delete", lambda: client.delete(f"/api/gallery/{artifact}")),
        ("batch", lambda: client.post("/api/batches", json={"name": "other"})),
        ("file of a batch", lambda: client.post(f"/api/batches/{batch}/files", files=file)),
        ("end of a batch", lambda: client.delete(f"/api/batches/{batch}")),
        ("code", lambda: client.post("/api/owner/code")),
    ]


def _look(client: httpx.Client, path: str, report: Report) -> None:
    row, began = report.row("locked", f"{path} answers"), time.monotonic()
    try:
        status: object = client.get(path).status_code
    except httpx.TransportError as error:
        status = type(error).__name__
    row.measure("seconds", time.monotonic() - began)
    row.check(status == 200, f"{path}: {status}")


def _live(studio: Victim, client: httpx.Client, report: Report) -> None:
    row, began = report.row("locked", "/live answers"), time.monotonic()
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    address = studio.url.replace("http", "ws", 1) + "/live"
    try:
        with connect(address, additional_headers={"Cookie": cookies}, open_timeout=PATIENCE) as socket:
            heard = json.loads(socket.recv(PATIENCE))["type"]
    except (OSError, TimeoutError) as error:
        heard = repr(error)
    row.measure("seconds", time.monotonic() - began)
    row.check(heard in ("job", "status"), heard)


def _write(name: str, ask: Callable[[], httpx.Response], report: Report) -> None:
    row, began = report.row("locked", "writers are told that it is busy (503), soon"), time.monotonic()
    try:
        answer = ask()
    except httpx.TransportError as error:
        row.check(False, f"{name}: {type(error).__name__}")
        return
    seconds = time.monotonic() - began
    row.measure(f"seconds of {name}", seconds)
    sentence = answer.status_code in (409, 503) and answer.json()["error"]["message"].endswith(".")
    row.check(sentence and seconds < SOON, f"{name}: {answer.status_code} in {seconds:.1f} s, {answer.text[:200]}")


def _until(true: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
