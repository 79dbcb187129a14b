"""SIGKILL at random instants: of everything, of the server alone, of the worker alone, and in the middle of a start."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.faults.ledger import Books, Ledger, check_end, check_now
from tests.faults.report import Report
from tests.faults.victim import CannotOpen, Victim
from tests.studio.support.batch_studio import picture
from tests.studio.support.studio_fixture import gone

STRETCH = 25  # rounds over one data folder
PATIENCE = 240.0  # seconds until all that is left is done
KINDS = ("server", "server", "everything", "everything", "worker", "worker", "worker", "starting")
COLOURS = ("red", "green", "blue", "yellow")


def kill(folder: Path, rounds: int, chance: random.Random, report: Report) -> None:
    for start in range(0, rounds, STRETCH):
        Stretch(folder / f"kill{start}", chance, report).run(min(STRETCH, rounds - start))


class Stretch:
    """Some lives of one studio."""

    def __init__(self, data: Path, chance: random.Random, report: Report):
        self.data, self.chance, self.report = data, chance, report
        self.ledger, self.books, self.cookies = Ledger(), Books(data), httpx.Cookies()
        self.alive: Victim | None = None

    def run(self, rounds: int) -> None:
        try:
            for number in range(rounds):
                self._round(f"round {number}")
            self._settle()
        finally:
            if self.alive:
                self.alive.stop()

    def _round(self, name: str) -> None:
        kind = self.chance.choice(KINDS)
        if kind == "starting" and self.alive is None:
            self._die_at_start()
            return
        if not self.alive and not self._start(name):
            return
        with self._traffic():
            if self.chance.random() < 0.7:  # else the worker is still loading
                self.alive.ready()
            time.sleep(self.chance.uniform(0.02, 1.2))
            self._strike("server" if kind == "starting" else kind)
        if kind == "worker":
            check_now(self.ledger, self.books, self.report, f"{name}, {kind}")

    def _start(self, name: str) -> bool:
        row, began = self.report.row("kill", "it starts again"), time.monotonic()
        try:
            self.alive = Victim(self.data).opened()
        except CannotOpen as error:
            row.check(False, f"{name}: {error}")
            return False
        row.measure("seconds", time.monotonic() - began)
        row.check(True, "")
        check_now(self.ledger, self.books, self.report, name)
        return True

    def _die_at_start(self) -> None:
        process = Victim(self.data)
        time.sleep(self.chance.uniform(0.3, 4.0))
        children = process.children()
        process.kill()
        process.stop()
        self._orphans(children, "starting")

    def _strike(self, kind: str) -> None:
        children = self.alive.children()
        if kind == "worker":
            self.alive.kill(*children)
            return
        self.alive.kill(self.alive.pid, *(children if kind == "everything" else ()))
        self.alive.stop()
        self.alive = None
        self._orphans(children, kind)

    def _orphans(self, children: list[int], kind: str) -> None:
        row, began = self.report.row("kill", "the worker dies with its server"), time.monotonic()
        for pid in children:
            row.check(gone(pid, 60), f"{kind}: {pid} lives on")
        row.measure("seconds", time.monotonic() - began)

    def _traffic(self) -> Traffic:
        return Traffic(self.alive.url, self.cookies, self.ledger, random.Random(self.chance.random()))

    def _settle(self) -> None:
        """Nobody kills any more: everything that was told comes true."""
        if not self.alive and not self._start("the end"):
            return
        row, end = self.report.row("kill", "what was in line is worked off"), time.monotonic() + PATIENCE
        while (left := self.books.unfinished()) and time.monotonic() < end:
            time.sleep(0.1)
        row.check(not left, f"{left} are left after {PATIENCE:.0f} s")
        check_now(self.ledger, self.books, self.report, "the end")
        check_end(self.ledger, self.books, self.report)


class Traffic:
    """A person with a browser and a program, who write down what they are told."""

    def __init__(self, url: str, cookies: httpx.Cookies, ledger: Ledger, chance: random.Random):
        self.ledger, self.chance, self.over = ledger, chance, threading.Event()
        self.client = httpx.Client(base_url=url, timeout=60, cookies=cookies)
        self._cookies = cookies
        self.threads = [threading.Thread(target=self._go, args=(act,)) for act in (self._jobs, self._batch)]

    def __enter__(self) -> None:
        if not len(self._cookies):
            self.client.get("/api/status")
            self._cookies.update(self.client.cookies)
        for thread in self.threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join()
        self.client.close()

    def _go(self, act: Callable[[], None]) -> None:
        try:
            while not self.over.is_set():
                act()
        except httpx.TransportError:
            return  # it is dead

    def _jobs(self) -> None:
        fields = {"prompt": "delay=0.01", "steps": 4, "width": 64, "height": 64, "seed": self.chance.randrange(2**31)}
        made = self.client.post("/api/jobs", json=fields)
        if made.status_code == 201:
            ids = [job["id"] for job in made.json()["jobs"]]
            with self.ledger.lock:
                self.ledger.jobs.update(ids)
            if self.chance.random() < 0.3:
                self._surely(ids[0], "POST", f"/api/jobs/{ids[0]}/cancel", self.ledger.cancelled)
        if self.chance.random() < 0.3 and (items := self.client.get("/api/gallery?kind=image").json().get("items")):
            id = self.chance.choice(items)["id"]
            self._surely(id, "DELETE", f"/api/gallery/{id}", self.ledger.deleted)
        time.sleep(self.chance.uniform(0, 0.05))

    def _batch(self) -> None:
        made = self.client.post("/api/batches", json={"name": "set"})
        if made.status_code != 201:
            return
        id = made.json()["batch"]["id"]
        names = self.ledger.batches.setdefault(id, [])
        for number, colour in enumerate(self.chance.sample(COLOURS, 3)):
            data = picture(colour, (self.chance.randrange(20, 90), 30))
            sent = self.client.post(f"/api/batches/{id}/files", files={"file": (f"{number}.png", data)})
            if sent.status_code == 201:
                names.append(f"{number}.png")
        if self.client.post(f"/api/batches/{id}/run", json={"settings": {}}).status_code == 200:
            self.ledger.run.add(id)
        time.sleep(self.chance.uniform(0, 0.1))
        if self.chance.random() < 0.15:
            self._surely(id, "DELETE", f"/api/batches/{id}", self.ledger.dropped)

    def _surely(self, id: str, method: str, path: str, told: set[str]) -> None:
        """Until the answer is there, either may be."""
        self.ledger.maybe.add(id)
        if self.client.request(method, path).status_code in (200, 204):
            told.add(id)
        self.ledger.maybe.discard(id)
