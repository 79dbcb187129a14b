"""JSON in model folders, which anybody may have written: read whole, and only where it is what a settings file can be.

No torch. Everything that is wrong is a ValueError or an OSError: nested without end, larger than any settings, a pipe
that never answers, a list where an object is meant.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MOST = 8 * 2**20  # bytes; the largest that we know (an index of a hundred thousand tensors) takes a few of them
HEADER = 8  # bytes at the start of a safetensors file that say how long its header is


def read_object(file: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises FileNotFoundError, OSError, ValueError."""
    if not file.is_file():
        raise OSError("no plain file") if file.exists() else FileNotFoundError(file.name)
    with file.open("rb") as opened:
        return _object(opened.read(MOST + 1))


def read_header(file: Path) -> dict[str, Any]:
    """The header of a safetensors file: a dtype, a shape and a place for each tensor, and `__metadata__`.

    Of other values than objects nothing is kept. Raises OSError, ValueError.
    """
    if not file.is_file():
        raise OSError("no plain file")
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(HEADER), "little")
        if length > MOST:
            raise ValueError("no header is that long")
        found = _object(opened.read(length))
    return {name: told for name, told in found.items() if isinstance(told, dict)}


def _object(data: bytes) -> dict[str, Any]:
    if len(data) > MOST:
        raise ValueError("no settings are that long")
    try:
        found = json.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("nested without end") from error
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found
