"""Files that are fetched a megabyte at a time, so that a download never holds anybody up."""

from __future__ import annotations

import hashlib
import os
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

PART = 2**20  # bytes
_PATIENCE = 15  # seconds without a byte


def parts(size: int) -> int:
    """How often `download` yields for a file of that many bytes."""
    return -(-size // PART)


def download(url: str, to: Path, sha256: str) -> Iterator[None]:
    """Yields after each megabyte; at the end the file is there, whole and with that hash, or OSError is raised."""
    to.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(".part", to.name, to.parent)
    digest = hashlib.sha256()
    try:
        with os.fdopen(handle, "wb") as file, urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            while block := answer.read(PART):
                file.write(block)
                digest.update(block)
                yield
        if digest.hexdigest() != sha256:
            raise OSError("what came is not the file that was asked for")
        os.replace(name, to)
    finally:
        Path(name).unlink(missing_ok=True)
