"""What one person has in a studio, of every kind, with a word in it that nobody else knows; and who else is there."""

from __future__ import annotations

import hashlib
import time
from contextlib import closing
from typing import Any

import httpx

from pipelines.base import Artifact
from pipelines.requests import SpeechRequest
from studio.storage.records import Job, JobStatus
from tests.faults.mutation import valid
from tests.studio.support.batch_studio import picture
from tests.studio.support.kept_data import wav
from tests.support.serving import Served, finished

BOB = "somebody else"
SECRET = "zebrafinch7731"
PASSWORDS = {"ann": "a-long-password", "bob": "another-password"}
MOVING = {"seen", "score", "vector"}  # columns that the studio itself writes when it has time


class Belongings:
    """Ann's. login: people have names; else every browser is somebody."""

    def __init__(self, studio: Served, login: bool):
        self.studio, self.login, self.secret = studio, login, SECRET
        with closing(self.owner()) as client:
            self._fill(client)
            self.owner_id = "ann" if login else self._rows("jobs")[0]["owner"]
            self._cookies = dict(client.cookies)
        self.numbers = ["1", "2"]
        self.words = {SECRET, *self.ids}
        self.contents = {_hash(path.read_bytes()) for path in self._files() if path.suffix != ".json"}

    def owner(self) -> httpx.Client:
        if self.login:
            return self.logged_in("ann")
        client = httpx.Client(base_url=self.studio.url, timeout=60, cookies=getattr(self, "_cookies", None))
        client.get("/api/status")
        return client

    def logged_in(self, name: str) -> httpx.Client:
        client = httpx.Client(base_url=self.studio.url, timeout=60)
        answer = client.post("/login", data={"name": name, "password": PASSWORDS[name]})
        assert answer.status_code == 303, answer.text
        return client

    def strangers(self) -> dict[str, httpx.Client]:
        if not self.login:
            other = httpx.Client(base_url=self.studio.url, timeout=60)
            other.get("/api/status")
            return {BOB: other}
        before = self.logged_in("ann")
        left = httpx.Client(base_url=self.studio.url, timeout=60, cookies=dict(before.cookies))
        before.post("/logout")
        before.close()
        nobody = httpx.Client(base_url=self.studio.url, timeout=60)
        return {"nobody": nobody, "logged out": left, BOB: self.logged_in("bob")}

    def _fill(self, client: httpx.Client) -> None:
        image = {"steps": 2, "width": 64, "height": 64, "prompt": f"{SECRET} a fox"}
        self.sha = client.post("/api/uploads", files={"file": picture("red", (50, 40))}).json()["sha256"]
        done = finished(client, client.post("/api/jobs", json=image).json()["jobs"][0]["id"])
        told = finished(
            client, client.post("/api/jobs", json={"kind": "caption", "picture": self.sha}).json()["jobs"][0]["id"]
        )
        paused = client.post("/api/jobs", json={**image, "prompt": f"{SECRET} delay=0.05", "steps": 100}).json()[
            "jobs"
        ][0]["id"]
        client.post(f"/api/jobs/{paused}/pause").raise_for_status()
        self.batch = client.post("/api/batches", json={"name": SECRET}).json()["batch"]["id"]
        for number, colour in enumerate(("green", "blue")):
            sent = {"file": (f"{SECRET}{number}.png", picture(colour, (45 + number, 40)))}
            client.post(f"/api/batches/{self.batch}/files", files=sent).raise_for_status()
        client.post(f"/api/batches/{self.batch}/run", json={"settings": {}}).raise_for_status()
        end = time.monotonic() + 120
        while client.get(f"/api/batches/{self.batch}").json()["batch"]["running"]:
            assert time.monotonic() < end
            time.sleep(0.05)
        spoken = self._spoken(self._rows("jobs")[0]["owner"])
        self.jobs = [done["id"], paused]
        self.ids = [*self.jobs, done["artifact"]["id"], told["artifact"]["id"], spoken, self.batch, self.sha]

    def _spoken(self, owner: str) -> str:
        """A sound in the gallery, as if a voice had made it."""
        request = SpeechRequest(text=f"{SECRET} speaks", format="wav", seed=7)
        job = Job(owner, request, time.time())
        self.studio.studio.store.add(job)
        sentences = [{"text": SECRET, "start": 0.0, "end": 0.1, "words": [], "sentence": 0, "span": [0, 1]}]
        made = Artifact("speech", "audio/wav", wav(request), {"peaks": [0.5], "sentences": sentences})
        done = self.studio.studio.gallery.save(job.to(JobStatus.RUNNING), made)
        self.studio.studio.store.update(done)
        return done.artifact_id

    # --- what of it there is ---

    def _rows(self, table: str) -> list[dict]:
        return [dict(row) for row in self.studio.studio.store.rows(f"SELECT * FROM {table}")]

    def _files(self) -> list:
        data = self.studio.studio.settings.data_dir
        own = [data / "files", *(data / "uploads").glob("*"), *(data / "batches").glob("*")]
        return [path for folder in own for path in folder.rglob("*") if path.is_file() and self._mine(str(path))]

    def _mine(self, text: str) -> bool:
        return any(word in text for word in (*self.ids, SECRET, getattr(self, "owner_id", SECRET)))

    def state(self) -> dict[str, str]:
        """Every row and every file of it."""
        tables = [
            row[0] for row in self.studio.studio.store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        found = {str(path): _hash(path.read_bytes()) for path in self._files()}
        for table in tables:
            for row in self._rows(table):
                shown = {name: value for name, value in row.items() if name not in MOVING}
                if self._mine(str(shown)) and table != "moving_codes":
                    found[f"{table} {next(iter(row.values()))} {list(row.values())[1]}"] = str(shown)
        return found

    def told(self, answer: httpx.Response) -> set[str]:
        """What of it is in an answer."""
        found = {word for word in self.words if word.encode() in answer.content}
        return found | ({"a file"} if answer.content and _hash(answer.content) in self.contents else set())

    # --- what is asked with it ---

    def bodies(self, template: str, operation: dict, schema: dict, method: str) -> list[dict[str, Any]]:
        content = operation.get("requestBody", {}).get("content", {})
        image = {"prompt": "a fox", "steps": 2, "width": 64, "height": 64}
        asked = {
            "/api/jobs": [{**image, "start_picture": self.sha}, {"kind": "caption", "picture": self.sha}],
            "/api/sketches": [image, {**image, "start_picture": self.sha}],
        }
        if template in asked and method == "POST":
            return [{"json": body} for body in asked[template]]
        if "multipart/form-data" in content:
            return [{"files": {"file": valid(kind)[-1]}} for kind in ("picture", "sound", "document")] + [
                {"files": {"file": valid("document")[0]}}
            ]
        if "application/json" in content:
            return [{"json": self._least(content["application/json"]["schema"], schema)}]
        return [{}]

    def _least(self, part: dict, whole: dict, name: str = "") -> Any:
        """The least that a schema allows, and what the owner has in fields that are for it."""
        known = {
            "picture": self.sha, "ids": self.jobs, "text": "a square", "labels": ["red"], "groups": [[1, 2]],
            "numbers": [1], "find": "square", "put": "circle", "settings": {}, "code": "AAAA-AAAA-AAAA",
        }  # fmt: skip
        if name in known:
            return known[name]
        if "$ref" in part:
            return self._least(whole["components"]["schemas"][part["$ref"].rpartition("/")[2]], whole)
        for key in ("anyOf", "oneOf", "allOf"):
            if key in part:
                return self._least(part[key][0], whole)
        if part.get("type") == "object":
            needed = {*part.get("required", ()), *(set(known) & set(part.get("properties", ())))}
            return {key: self._least(part["properties"][key], whole, key) for key in sorted(needed)}
        if "enum" in part:
            return part["enum"][0]
        return {"array": [], "integer": 1, "number": 1, "boolean": False}.get(part.get("type", ""), "x")


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
