"""A disk that fills: a small one where the user may mount one, else a studio that is refused every write."""

from __future__ import annotations

import io
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from PIL import Image

from tests.faults.report import Report, Row
from tests.faults.victim import CannotOpen, Victim, victim
from tests.support.serving import finished

MIB = 2**20
SIZE = 48 * MIB  # the database, its reserve, and a few pictures
FIELDS = {"steps": 3, "width": 64, "height": 64}


def disk(folder: Path, rounds: int, chance: random.Random, report: Report) -> None:
    for number in range(rounds):
        place = folder / f"disk{number}"
        place.mkdir()
        with _small(place) as small:
            _Round(place / "data", small, chance, report).run()


@contextmanager
def _small(place: Path) -> Iterator[bool]:
    """Whether a small disk is there; it goes with what is on it."""
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", place], capture_output=True)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "--lazy", place], check=True)


class _Round:
    """ballast: the file that fills the disk, or that says to the shim that it is full."""

    def __init__(self, data: Path, small: bool, chance: random.Random, report: Report):
        self.data, self.small, self.chance = data, small, chance
        self.report, self.kind = report, "a full disk" if small else "refused writes"
        self.ballast = data.parent / "ballast"
        self.flags = () if small else ("--full-while", str(self.ballast))
        self.told: dict[str, str] = {}  # job -> how it was said to have ended

    def run(self) -> None:
        with victim(self.data, *self.flags) as studio, studio.client() as client:
            client.get("/api/status")
            studio.ready()
            self._fill_up(client)
            self._while_full(client)
            self.ballast.unlink()
            self._after(client)
            cookies = dict(client.cookies)
        self._start_full()
        with victim(self.data, *self.flags) as studio, studio.client(cookies=cookies) as client:
            self._again(client)

    def _row(self, what: str) -> Row:
        return self.report.row("disk", f"{self.kind}: {what}")

    def _submit(self, client: httpx.Client, prompt: str = "", **more: object) -> httpx.Response:
        return client.post("/api/jobs", json={"prompt": prompt, **FIELDS, **more})

    def _fill_up(self, client: httpx.Client) -> None:
        """Pictures in the gallery, some at work, one waiting, one paused; then not a byte is left."""
        ids = [self._submit(client).json()["jobs"][0]["id"] for _ in range(3)]
        self.done = [finished(client, id, 120) for id in ids]
        self.busy = [self._submit(client, "delay=0.3", width=128).json()["jobs"][0]["id"] for _ in range(3)]
        self.batch = client.post("/api/batches", json={"name": "set"}).json()["batch"]["id"]
        time.sleep(self.chance.uniform(0, 1.0))
        self._take_room()

    def _take_room(self) -> None:
        """To the last byte, in ever smaller pieces."""
        with self.ballast.open("ab", buffering=0) as file:
            for size in (MIB, 4096, 1) if self.small else ():
                with suppress(OSError):
                    while True:
                        file.write(bytes(size))

    def _while_full(self, client: httpx.Client) -> None:
        row = self._row("who looks is answered")
        for path in ("/health", "/api/status", "/api/jobs", "/api/gallery", self.done[0]["artifact"]["url"]):
            row.check(
                (answer := client.get(path)).status_code == 200, f"{path}: {answer.status_code} {answer.text[:99]}"
            )
        row = self._row("who writes is told in a sentence (507)")
        for name, ask in self._writes(client):
            self._take_room()  # what was let go of meanwhile, so that jobs can end
            answer = ask()
            row.check(
                answer.status_code == 507 and _sentence(answer), f"{name}: {answer.status_code} {answer.text[:200]}"
            )
        self._deletes(client)

    def _writes(self, client: httpx.Client) -> list[tuple[str, Callable[[], httpx.Response]]]:
        file = {"file": ("a.png", _noise(self.chance.randbytes(600 * 400 * 3)))}
        return [
            ("upload", lambda: client.post("/api/uploads", files=file)),
            ("file of a batch", lambda: client.post(f"/api/batches/{self.batch}/files", files=file)),
            ("submit", lambda: self._submit(client, "x" * 9000)),
            ("batch", lambda: client.post("/api/batches", json={"name": "x" * 200})),
        ]

    def _deletes(self, client: httpx.Client) -> None:
        row = self._row("deleting works, cancelling works or says no")
        gone = self.done.pop()
        answer = client.delete(f"/api/gallery/{gone['artifact']['id']}")
        row.check(answer.status_code == 204, f"delete: {answer.status_code} {answer.text[:200]}")
        self.deleted = gone["artifact"]["url"]
        answer = client.post(f"/api/jobs/{self.busy[-1]}/cancel")
        fits = answer.status_code in (200, 409)  # it may have ended before
        fits = fits or (answer.status_code == 507 and _sentence(answer))  # the reserve is gone, to jobs that ended
        row.check(fits, f"cancel: {answer.status_code} {answer.text[:200]}")
        if answer.status_code == 200:
            self.told[self.busy.pop()] = "cancelled"

    def _after(self, client: httpx.Client) -> None:
        row, began = self._row("with room again everything goes on"), time.monotonic()
        for id in self.busy:
            try:
                view = finished(client, id, 120)
            except AssertionError as error:
                row.check(False, f"{id}: {error}")
                continue
            self.told[id] = view["status"]
            fits = view["status"] == "done" or (view["status"] == "failed" and view["error"])
            row.check(fits, str(view)[:300])
        row.measure("seconds", time.monotonic() - began)
        answer = self._submit(client)
        if row.check(answer.status_code == 201, f"submit: {answer.text[:200]}"):
            self.told[answer.json()["jobs"][0]["id"]] = finished(client, answer.json()["jobs"][0]["id"], 120)["status"]

    def _start_full(self) -> None:
        """A start without room is a start, or a sentence."""
        if not self.small:
            return
        self._take_room()
        studio = Victim(self.data, *self.flags)
        row = self._row("a start without room is a sentence, or a start")
        try:
            studio.opened()
            row.check("Traceback" not in studio.said(), studio.said()[-400:])
        except CannotOpen as error:
            row.check("cannot start" in str(error) and "Traceback" not in str(error), str(error)[-400:])
        finally:
            studio.stop()
            self.ballast.unlink()

    def _again(self, client: httpx.Client) -> None:
        row = self._row("what was told is true after a restart")
        for id, status in self.told.items():
            now = client.get(f"/api/jobs/{id}").json().get("job", {}).get("status")
            row.check(now == status, f"{id} was {status}, and is {now}")
        for view in self.done:
            row.check(client.get(view["artifact"]["url"]).status_code == 200, f"{view['id']} is lost")
        row.check(client.get(self.deleted).status_code == 404, "what was deleted is back")


def _sentence(answer: httpx.Response) -> bool:
    message = answer.json()["error"]["message"]
    return message.endswith(".") and "log" not in message


def _noise(data: bytes) -> bytes:
    """A picture that does not pack."""
    out = io.BytesIO()
    Image.frombytes("RGB", (600, 400), data).save(out, "PNG")
    return out.getvalue()
