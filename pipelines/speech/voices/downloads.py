"""Files that are fetched a megabyte at a time; a thread waits for the network, so that nobody else has to."""

from __future__ import annotations

import hashlib
import os
import queue
import tempfile
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

PART = 2**20  # bytes
_PATIENCE = 15  # seconds without a byte
_WAIT = 0.02  # seconds that are waited for the next megabyte before others may go on


def parts(size: int) -> int:
    """How often `download` yields True for a file of that many bytes."""
    return -(-size // PART)


def download(url: str, to: Path, sha256: str) -> Iterator[bool]:
    """Yields True after each megabyte, False where the next has not come yet; at the end the file is there, whole and
    with that hash, or OSError is raised. Closed before its end it leaves nothing."""
    to.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(".part", to.name, to.parent)
    digest, over = hashlib.sha256(), threading.Event()
    try:
        with os.fdopen(handle, "wb") as file:
            for block in _blocks(url, over):
                file.write(block)
                digest.update(block)
                yield bool(block)
        if digest.hexdigest() != sha256:
            raise OSError("what came is not the file that was asked for")
        os.replace(name, to)
    finally:
        over.set()
        Path(name).unlink(missing_ok=True)


def _blocks(url: str, over: threading.Event) -> Iterator[bytes]:
    """The megabytes as they come; an empty one where there is none yet."""
    came: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(url, came, over), name="voice download", daemon=True).start()
    while True:
        try:
            block = came.get(timeout=_WAIT)
        except queue.Empty:
            yield b""
            continue
        if isinstance(block, Exception):
            raise OSError("the download was broken off") from block
        if not block:
            return
        yield block


def _read(url: str, came: queue.SimpleQueue, over: threading.Event) -> None:
    """Ends with an empty block, or with what went wrong."""
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            block = b" "
            while block and not over.is_set():
                block = answer.read(PART)
                came.put(block)
    except Exception as error:
        came.put(error)
