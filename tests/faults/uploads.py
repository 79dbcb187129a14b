"""Damaged files at every door that takes one: a sentence or a success, soon, and in bounded memory."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.faults.mutation import mutated, valid
from tests.faults.report import Report, Row
from tests.faults.victim import Victim, victim

SECONDS = 60.0  # a small file that takes longer hangs
MEMORY = 600.0  # MB that the web process may grow by: three of the largest pictures that it takes, at once
SHARES = {"picture": 1.0, "sound": 0.25, "document": 0.25}  # of the rounds
EVERY = 25  # files, after which the others are looked after


def uploads(folder: Path, rounds: int, chance: random.Random, report: Report) -> None:
    with victim(folder / "uploads") as studio, studio.client(timeout=SECONDS) as client:
        client.get("/api/status")
        doors = Doors(studio, client, report)
        for kind, share in SHARES.items():
            doors.open_batch()
            for name, data in valid(kind):
                doors.send_all(kind, name, data, whole=True)
            for number in range(max(1, round(rounds * share))):
                if number % 500 == 499:
                    doors.open_batch()
                name, data = mutated(kind, chance)
                doors.send_all(kind, name, data)
        doors.still_there()
        log = studio.said()
        report.row("uploads", "no traceback in the log").check("Traceback" not in log, log[-600:])


class Doors:
    """Every address whose body is a file, as the schema has them."""

    def __init__(self, studio: Victim, client: httpx.Client, report: Report):
        self.studio, self.client, self.report = studio, client, report
        self.templates = sorted(_takes_files(client.get("/api/openapi.json").json()))
        report.row("uploads", "doors that take files are found").check(len(self.templates) >= 6, str(self.templates))
        self.sent, self.start, self.batch = 0, 0.0, ""

    def open_batch(self) -> None:
        """A fresh one, as each takes only so much."""
        self.batch = self.client.post("/api/batches", json={"name": "set"}).json()["batch"]["id"]

    def send_all(self, kind: str, name: str, data: bytes, whole: bool = False) -> None:
        for template in self.templates:
            path = re.sub(r"\{[^}]*\}", self.batch, template)
            row, began = self.report.row("uploads", f"{kind}s at {template}"), time.monotonic()
            self._send(row, path, name, data)
            row.measure("seconds", time.monotonic() - began)
        self.sent += 1
        if whole:  # what every kind needs is loaded now
            self.start = self.studio.memory()
        if self.sent % EVERY == 0:
            self.still_there()

    def _send(self, row: Row, path: str, name: str, data: bytes) -> None:
        what = f"{name}, {len(data)} bytes, begins {data[:40].hex()}"
        try:
            answer = self.client.post(path, files={"file": (name, data)})
        except httpx.TransportError as error:
            row.check(False, f"{what}: {type(error).__name__}")
            return
        fine = answer.status_code in (200, 201) or (400 <= answer.status_code < 500 and _sentence(answer))
        if row.check(fine, f"{what}: {answer.status_code} {answer.text[:200]}") and answer.status_code == 201:
            self._read_back(answer.json(), what)

    def _read_back(self, told: dict, what: str) -> None:
        """What was taken can be given again."""
        row, item = self.report.row("uploads", "what was taken can be looked at"), told.get("item") or {}
        paths = [item[name] for name in ("thumb", "picture") if name in item]
        if "width" in told:
            paths = [f"/api/uploads/{told['sha256']}", f"/api/uploads/{told['sha256']}/thumb"]
        for path in paths:
            answer = self.client.get(path)
            row.check(answer.status_code == 200, f"{what}: {path} {answer.status_code} {answer.text[:200]}")

    def still_there(self) -> None:
        row, began = self.report.row("uploads", "others are answered meanwhile"), time.monotonic()
        row.check(self.client.get("/health").status_code == 200, "/health")
        row.measure("seconds", time.monotonic() - began)
        row, grown = self.report.row("uploads", "the web process stays small"), self.studio.memory() - self.start
        row.check(grown < MEMORY, f"{grown:.0f} MB more than at first, after {self.sent} files")
        row.measure("MB more", grown)
        row.measure("MB at most, ever", self.studio.most_memory())


def _takes_files(schema: dict) -> Iterator[str]:
    for template, operations in schema["paths"].items():
        for operation in operations.values():
            if "multipart/form-data" in operation.get("requestBody", {}).get("content", {}):
                yield template


def _sentence(answer: httpx.Response) -> bool:
    message = answer.json()["error"]["message"]
    leaks = ("Traceback", ".py", "/tmp", "/root", "/home", "site-packages")
    return message.endswith(".") and "\n" not in message and not any(leak in message for leak in leaks)
