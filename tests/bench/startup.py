"""6. From `python app.py` to the page, to the first picture, to the next one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from websockets.sync.client import ClientConnection as Connection
from websockets.sync.client import connect

from tests.bench import model
from tests.bench.report import Samples

ROOT = Path(__file__).resolve().parent.parent.parent
WARM = 3  # pictures after the first, each start
ENDED = ("done", "failed", "cancelled")


def measure(scratch: Path, samples: Samples, repeats: int) -> None:
    """`import gradio` is timed in a process of its own just before each start. The first pair of starts warms the
    file cache: what is measured is a second start, not the first after an install."""
    id = model.find(scratch)
    for repeat in range(repeats + 1):
        gradio = _import_gradio()
        with _started(scratch) as (client, began):
            page = _page(client) - began
            with _live(client) as events:
                _picture(client, events, id)
                cold = time.perf_counter() - began
                warm = [_picture(client, events, id) for _ in range(WARM)]
        if repeat:
            samples.add(page_seconds=page, gradio_import_seconds=gradio, page_beyond_gradio_seconds=page - gradio,
                        cold_picture_seconds=cold)  # fmt: skip
            for seconds in warm:
                samples.add(warm_picture_seconds=seconds)


def _import_gradio() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import gradio"], check=True, env=_environment(), cwd=ROOT)
    return time.perf_counter() - began


@contextmanager
def _started(scratch: Path) -> Iterator[tuple[httpx.Client, float]]:
    port = _free_port()
    with tempfile.TemporaryDirectory() as data:
        flags = ["--port", str(port), "--data-dir", data, "--models-dir", str(scratch)]
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "app.py", *flags], cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                yield client, began
        finally:
            process.terminate()
            process.wait(20)


def _page(client: httpx.Client) -> float:
    """The moment when the page has been answered."""
    end = time.perf_counter() + 60
    while time.perf_counter() < end:
        try:
            if client.get("/").status_code == 200:
                return time.perf_counter()
        except httpx.TransportError:
            time.sleep(0.02)
    raise RuntimeError("the page did not come up within a minute")


@contextmanager
def _live(client: httpx.Client) -> Iterator[Connection]:
    """The page's own connection. Asking again and again instead would take time from the device that is measured."""
    cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    url = str(client.base_url.copy_with(scheme="ws", path="/live"))
    with connect(url, additional_headers={"Cookie": cookies}, open_timeout=60, max_size=None) as events:
        yield events


def _picture(client: httpx.Client, events: Connection, id: str) -> float:
    """Seconds from asking for a picture with the model's default settings until it is there."""
    began = time.perf_counter()
    defaults = next(m for m in client.get("/api/models").json()["models"] if m["id"] == id)
    fields = {name: defaults[name] for name in ("width", "height", "steps", "guidance_scale", "sampler")}
    answer = client.post("/api/jobs", json={"prompt": "a red bird", "model": id, **fields}).raise_for_status()
    job = answer.json()["jobs"][0]["id"]
    view = next(view for view in _views(events) if view["id"] == job and view["status"] in ENDED)
    if view["status"] != "done":
        raise RuntimeError(f"no picture: {view['error']}")
    client.get(view["artifact"]["url"]).raise_for_status()
    return time.perf_counter() - began


def _views(events: Connection) -> Iterator[dict]:
    for message in events:
        event = json.loads(message)
        if event["type"] == "job":
            yield event["job"]


def _environment() -> dict[str, str]:
    return {**os.environ, "HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
