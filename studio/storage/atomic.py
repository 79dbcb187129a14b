"""Files that are either whole or not there: temporary name, sync, rename, sync of the folder."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path

TEMPORARY = ".part"
_LEFTOVER = re.compile(rf".+\.[0-9a-f]{{32}}{re.escape(TEMPORARY)}(-journal)?", re.DOTALL)


def write_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """When this returns the file survives a power cut; when it does not, there is at most a `.part` file."""
    make_folder(path.parent)
    part = part_of(path)
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def part_of(path: Path) -> Path:
    """A name for it until it is whole, which nobody else takes."""
    return path.with_name(f"{path.name}.{uuid.uuid4().hex}{TEMPORARY}")


def is_leftover(name: str) -> bool:
    """Whether a file of that name is one of ours that never became whole; a `.part` of another program is not."""
    return TEMPORARY in name and _LEFTOVER.fullmatch(name) is not None


def make_folder(folder: Path) -> None:
    """The folder with its parents, each recorded in the one above it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True, mode=0o700)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """The names in a folder are data of the folder, and need their own sync (not possible on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
