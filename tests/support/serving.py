"""A running studio for tests: in this process (`served`), or as a person would start it (`launched`)."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn

from studio.build import build
from studio.server import create_app, listen, url
from studio.settings import Settings
from studio.web.api import create_api
from studio.web.context import Studio

ROOT = Path(__file__).resolve().parents[2]
ENDED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    studio: Studio

    @contextmanager
    def client(self, **options: object) -> Iterator[httpx.Client]:
        """A browser of its own: the first answer makes it an owner."""
        with httpx.Client(base_url=self.url, timeout=60, **options) as client:
            client.get("/api/status")
            yield client


@contextmanager
def served(
    settings: Settings, worker: Mapping[str, object] | None = None, page: bool = True, port: int = 0
) -> Iterator[Served]:
    """A studio on that port, 0 for a free one; page=False leaves out Gradio, which takes seconds to import."""
    listener = listen(settings.host, port)
    studio = build(settings, worker)
    app = (create_app if page else create_api)(studio)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield Served(url(listener), studio)
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


@contextmanager
def launched(
    data_dir: Path, *flags: str, seconds: float = 180, installed: Path | None = None
) -> Iterator[tuple[subprocess.Popen, str]]:
    """`python app.py` in a process of its own; gives the process and its URL once the page answers.

    installed: a folder as pip fills it from the wheel, to start from there instead of the checkout.
    """
    program = ["-m", "app"] if installed else ["app.py"]
    command = [sys.executable, *program, "--port", "0", "--data-dir", str(data_dir), *flags]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"} | ({"PYTHONPATH": str(installed)} if installed else {})
    process = subprocess.Popen(
        command, cwd=data_dir if installed else ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process, _address(process, seconds)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def finished(client: httpx.Client, id: str, seconds: float = 180) -> dict:
    """The view of a job when it has ended."""
    end = time.monotonic() + seconds
    while True:
        view = client.get(f"/api/jobs/{id}").json()["job"]
        if view["status"] in ENDED:
            return view
        assert time.monotonic() < end, view
        time.sleep(0.05)


def _address(process: subprocess.Popen, seconds: float) -> str:
    watchdog = threading.Timer(seconds, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
    finally:
        watchdog.cancel()
    found = re.search(r"http://\S+", line)
    assert found, f"the studio did not start: {line!r}"
    return found[0]
