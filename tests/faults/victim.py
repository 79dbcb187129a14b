"""A whole studio in a process of its own, over pipelines without models: to be killed, starved and damaged.

`python -m tests.faults.victim DATA [--full-while FILE] [--allow-missing]` prints its address, or the
sentence why it cannot start.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from studio.build import CannotStart
from studio.settings import Settings
from tests.studio.support.busy_database import Full
from tests.support.serving import ROOT, served

SHELF = {"shelf": "tests.studio.support.fake_captioner:open_model_pool"}
START_SECONDS = 240.0  # shared machines are slow now and then


class CannotOpen(Exception):
    """What a studio that did not start has said: its standard error."""


class Victim:
    """A running studio, seen from outside."""

    def __init__(self, data: Path, *flags: str):
        command = [sys.executable, "-m", "tests.faults.victim", str(data), *flags]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        self.data = data
        self._said = (data.parent / f"{data.name}.log").open("a+")
        self._from = self._said.tell()
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=self._said, text=True
        )
        self.pid, self.url = self.process.pid, ""

    def opened(self) -> Victim:
        """Itself, when it can be asked. Raises CannotOpen."""
        watchdog = threading.Timer(START_SECONDS, self.process.kill)
        watchdog.start()
        self.url = self.process.stdout.readline().strip()
        watchdog.cancel()
        if not self.url:
            self.process.wait()
            raise CannotOpen(self.said())
        return self

    def ready(self, seconds: float = START_SECONDS) -> None:
        """Waits for its worker."""
        end = time.monotonic() + seconds
        with self.client() as client:
            while client.get("/health").json()["worker"] != "ready":
                assert time.monotonic() < end, self.said()
                time.sleep(0.05)

    def said(self) -> str:
        """What it has written to its standard error since it started."""
        self._said.flush()
        self._said.seek(self._from)
        return self._said.read()

    def client(self, **options: object) -> httpx.Client:
        return httpx.Client(base_url=self.url, **{"timeout": 60, **options})

    def children(self) -> list[int]:
        """Its worker, and who reads files for it."""
        found = []
        for path in Path(f"/proc/{self.pid}/task").glob("*/children"):
            found += [int(pid) for pid in path.read_text().split()]
        return [pid for pid in found if "spawn_main" in _command(pid)]

    def memory(self) -> float:
        """MB of the web process that are in memory now."""
        return _status(self.pid, "VmRSS")

    def most_memory(self) -> float:
        return _status(self.pid, "VmHWM")

    def kill(self, *pids: int) -> None:
        for pid in pids or (self.pid,):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if not pids or self.pid in pids:
            self.process.wait()

    def stop(self, seconds: float = 60) -> int:
        """As Ctrl-C does; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process.stdout.close()
        self._said.close()
        return self.process.returncode


@contextmanager
def victim(data: Path, *flags: str) -> Iterator[Victim]:
    running = Victim(data, *flags)
    try:
        yield running.opened()
    finally:
        running.stop()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _status(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


class _While(Full):
    """The disk is full as long as there is a file of that name."""

    def __init__(self, store: object, file: Path):
        self._file = file
        super().__init__(pytest.MonkeyPatch(), store)

    room = property(lambda self: not self._file.exists(), lambda self, value: None)
    files = rows = room


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--full-while", type=Path)
    parser.add_argument("--allow-missing", action="store_true")
    asked = parser.parse_args()
    settings = Settings(data_dir=asked.data, min_free_disk=0, allow_missing=asked.allow_missing)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with served(settings, SHELF, page=False) as running:
            if asked.full_while:
                _While(running.studio.store, asked.full_while)
            print(running.url, flush=True)
            ended.wait()
    except CannotStart as error:
        print(f"Triptych cannot start: {error}.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
