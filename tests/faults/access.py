"""Every address × (nobody, somebody else, one who has logged out, the owner): what is an owner's is nobody else's.

The addresses come from the application and its schema, so that a new one is tried as soon as it is there. What stands
in the place of a parameter is everything that the owner has; a body is the least that the schema allows, with what the
owner has in its fields. The owner asks last, and the same: an address that refuses that, too, has proved nothing.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

from studio.settings import Settings
from studio.web.api import create_api
from tests.faults.belongings import BOB, PASSWORDS, Belongings
from tests.faults.report import Report
from tests.faults.victim import SHELF
from tests.support.serving import Served, served

FREE = {"/login", "/logout", "/health"}  # before anybody has logged in
PROVED = {200, 201, 204, 307, 409, 503}  # the owner got past the question whose it is
NOBODYS = {"/api/voices/sample"}  # the same for everybody, and needs a voice
EVERYBODYS = ("/assets", "/static", "/theme.css")


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    template: str
    body: dict[str, Any]  # as httpx takes it


def access(folder: Path, rounds: int, chance: random.Random, report: Report) -> None:
    """With logins, and in an open studio, where each browser is an owner. rounds: calls of a hundred that are tried."""
    people = folder / "people"
    people.write_text("".join(f"{name}:{password}\n" for name, password in PASSWORDS.items()))
    for name, options in {"login": {"users": people}, "open": {}}.items():
        settings = Settings(data_dir=folder / f"access-{name}", **options)
        with served(settings, SHELF, page=False) as studio:
            Matrix(name, studio, chance, report).run(min(rounds, 100) / 100)


class Matrix:
    def __init__(self, mode: str, studio: Served, chance: random.Random, report: Report):
        self.mode, self.studio, self.report, self.chance = mode, studio, report, chance
        self.things = Belongings(studio, login=mode == "login")
        self.app = create_api(studio.studio)  # to be looked at
        self.schema = self.app.openapi()

    def run(self, share: float) -> None:
        calls = list(self.calls())
        calls = self.chance.sample(calls, round(len(calls) * share))
        strangers = self.things.strangers()
        before = self.things.state()
        for who, client in strangers.items():
            with closing(client):
                for call in calls:
                    self._stranger(who, client, call)
                self._live(who, client)
            self.report.row("access", f"{self.mode}: {who} changes nothing").check(
                (now := self.things.state()) == before, f"{self.mode}, {who}: {_differences(before, now)}"
            )
        if share == 1:
            self._owner(sorted(calls, key=lambda call: (call.method == "DELETE", "cancel" in call.path)))

    def calls(self) -> Iterator[Call]:
        for method, template in sorted(set(_routes(self.app.routes))):
            names = re.findall(r"\{(\w+)(?::\w+)?\}", template)
            operation = self.schema["paths"].get(template, {}).get(method.lower(), {})
            for values in itertools.product(*(self._values(name, operation) for name in names)):
                path = template
                for value in values:
                    path = re.sub(r"\{[^}]*\}", value, path, count=1)
                for query in self._queries(operation):
                    for body in self.things.bodies(template, operation, self.schema, method):
                        yield Call(method, path + query, template, body)

    def _values(self, name: str, operation: dict) -> list[str]:
        """All of the owner's ids: which one a new address means need not be told to the matrix."""
        for parameter in operation.get("parameters", ()):
            if parameter["name"] == name and "enum" in parameter["schema"]:
                return parameter["schema"]["enum"]
        return self.things.numbers if name == "number" else self.things.ids

    def _queries(self, operation: dict) -> list[str]:
        """None, and one of the owner's things in each that takes a text."""
        found, names = [""], []
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "query" and parameter["schema"].get("type") == "boolean":
                found.append(f"?{parameter['name']}=true")
            text = parameter["schema"].get("type") == "string" and "enum" not in parameter["schema"]
            if parameter["in"] == "query" and text:
                names.append(parameter["name"])
        return found + [f"?{name}={value}" for name in names for value in (*self.things.ids, self.things.secret)]

    def _stranger(self, who: str, client: httpx.Client, call: Call) -> None:
        if who == BOB and call.template == "/logout":
            return  # he is to stay
        answer = client.request(call.method, call.path, **call.body)
        name = f"{who} {call.method} {call.path}: {answer.status_code} {answer.text[:100]!r}"
        if who != BOB:
            row = self.report.row("access", f"{self.mode}: {who} gets nothing but 401")
            if call.template not in FREE:
                row.check(answer.status_code in (401, 303), name)
                return
        asked = f"{call.path} {call.body}"
        told = self.things.told(answer) - {word for word in self.things.words if word in asked}
        self.report.row("access", f"{self.mode}: {who} reads nothing").check(not told, f"{name}: {told}")
        meant = call.path.partition("?")[0] + ("" if call.path == "/api/jobs/cancel" else str(call.body))
        if any(id in meant for id in self.things.ids):
            row = self.report.row("access", f"{self.mode}: {who} has nothing of an owner's by its name")
            row.check(400 <= answer.status_code < 500, name)

    def _live(self, who: str, client: httpx.Client) -> None:
        row = self.report.row("access", f"{self.mode}: {who} hears nothing on the live connection")
        heard = ""
        try:
            with connect(self._live_url(), additional_headers={"Cookie": _cookies(client)}) as socket:
                while True:
                    heard += str(socket.recv(0.5))
        except (WebSocketException, TimeoutError, InvalidStatus):
            pass
        told = {word for word in self.things.words if word in heard}
        row.check(not told and (who == BOB) == bool(heard), f"{who} heard {told or heard[:100]!r}")

    def _live_url(self) -> str:
        return self.studio.url.replace("http", "ws", 1) + "/live"

    def _owner(self, calls: list[Call]) -> None:
        """Which addresses have let the owner pass, with at least one of the values."""
        passed: dict[tuple[str, str], set[int]] = {}
        with closing(self.things.owner()) as client:
            for call in calls:
                if call.template not in ("/logout", "/api/owner/take", "/owner/take"):
                    passed.setdefault((call.method, call.template), set()).add(_status(client, call))
        row = self.report.row("access", f"{self.mode}: the owner gets what was refused to others")
        for (method, template), seen in passed.items():
            if template not in FREE | NOBODYS and not template.startswith("/api/{rest"):
                row.check(seen & PROVED, f"{method} {template}: {sorted(seen)}, which proves nothing of others")
                fine = self.report.row("access", f"{self.mode}: nothing is a fault of ours (500)")
                fine.check(not seen & {500, 599}, f"{method} {template}: {sorted(seen)}")


def _status(client: httpx.Client, call: Call) -> int:
    """599: no answer."""
    try:
        return client.request(call.method, call.path, **call.body).status_code
    except httpx.TransportError:
        return 599


def _routes(routes: list) -> Iterator[tuple[str, str]]:
    for route in routes:
        if included := getattr(route, "original_router", None):  # FastAPI keeps routers whole
            yield from _routes(included.routes)
        path = getattr(route, "path", "")
        for method in getattr(route, "methods", None) or ():
            if method != "HEAD" and not path.startswith(EVERYBODYS):
                yield method, path


def _cookies(client: httpx.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def _differences(before: dict, now: dict) -> str:
    return str({key: (before.get(key), now.get(key)) for key in before | now if before.get(key) != now.get(key)})[:600]
