"""A hub on this machine: one model, the bundled CLIP under another name, and every misfortune of a line."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "assets" / "models" / "sprite-clip"
WEIGHTS = "model.safetensors"
COMMIT = "1" * 40


@dataclass
class Hub:
    """files: what the repository says it has. cut: bytes of the weights after which the line is dead; -1: never.

    slow: bytes of the weights after which nothing more comes until `free` is set; -1: never.
    """

    files: dict[str, bytes]
    cut: int = -1
    dead: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)  # the file, and where in it the answer was to begin
    wrong: bool = False  # it tells of other weights than those that it gives
    slow: int = -1
    free: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def index(self) -> bytes:
        siblings = [{"rfilename": name, "size": len(data)} for name, data in self.files.items()]
        return json.dumps({"id": "some/clip", "sha": COMMIT, "siblings": siblings}).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None: ...

    def _answer(self, body: bool) -> None:
        path, _, name = self.path.partition("?")[0].partition(f"/resolve/{COMMIT}/")
        path, _, name = (path, "", name) if name else path.partition("/resolve/main/")
        if self.hub.dead:
            self.close_connection = True
        elif self.path.startswith("/api/models/some/clip"):
            self._send(200, self.hub.index(), {"Content-Type": "application/json"}, body)
        elif name in self.hub.files:
            self._file(name, self.hub.files[name], body)
        else:
            self._send(404, b"", {"X-Error-Code": "RepoNotFound"}, body)

    def _file(self, name: str, data: bytes, body: bool) -> None:
        begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-").partition("-")[0])
        digest = hashlib.sha256(data + b"x" * self.hub.wrong).hexdigest()
        tag = {"ETag": f'"{digest}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if not body:
            return self._send(200, data, tag, body)
        self.hub.asked.append((name, str(begin)))
        if begin:
            tag["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        self._send(206 if begin else 200, data[begin:], tag, body, self.hub.cut if name == WEIGHTS else -1)
        return None

    def _send(self, status: int, data: bytes, headers: dict[str, str], body: bool, cut: int = -1) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(key, value)
        self.end_headers()
        if body and cut >= 0:
            self.hub.dead = self.close_connection = True
            data = data[:cut]
        slow = self.hub.slow
        if body and 0 <= slow < len(data):
            self.wfile.write(data[:slow])
            self.hub.free.wait(600)
            data = data[slow:]
        if body:
            self.wfile.write(data)


@contextmanager
def online() -> Iterator[Hub]:
    hub = Hub({file.name: file.read_bytes() for file in MODEL.iterdir() if file.is_file()})
    handler = type("Answering", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.free.set()
        server.shutdown()
        server.server_close()
