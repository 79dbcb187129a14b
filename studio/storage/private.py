"""What is in the data folder is for its owner's eyes: 0600 and 0700, also what former versions have left open."""

from __future__ import annotations

import logging.handlers
import os
import stat
import threading
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

# Ours; anything else in the folder (models, what a person keeps there) stays as its owner wants it
_FILES = ("secret", "lock", "triptych.*", "*.mark", "learned-*.json", "worker.log*", "at_work", "reserve")
_FOLDERS = ("files", "thumbs", "uploads", "batches", "streams", "samples", "backups", "lost+found")


def make_private(folder: Path) -> None:
    """Before anything is opened: nobody else gets in from here on. Files deep inside follow in a thread."""
    for file in (file for pattern in _FILES for file in folder.glob(pattern)):
        _close(file, 0o600)
    deep = [folder / name for name in _FOLDERS if (folder / name).is_dir()]
    for inner in deep:
        _close(inner, 0o700)
    threading.Thread(target=_close_all, args=(deep,), name="private", daemon=True).start()


def private_file(path: Path) -> None:
    """An empty file, if there is none: SQLite would make one that everybody can read, and others beside it."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def private_opener(path: str, flags: int) -> int:
    """For `open(…, opener=private_opener)`."""
    return os.open(path, flags, 0o600)


class PrivateLog(logging.handlers.RotatingFileHandler):
    """A log that no other account reads: a prompt may be in it."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, self.mode, encoding=self.encoding, errors=self.errors, opener=private_opener)


def _close_all(folders: list[Path]) -> None:
    for folder in folders:
        for place, names, files in os.walk(folder):
            for name in names:
                _close(Path(place, name), 0o700)
            for name in files:
                _close(Path(place, name), 0o600)


def _close(path: Path, mode: int) -> None:
    """Links are left alone, and so is what lies on a disk that knows no modes."""
    with suppress(OSError):
        there = path.lstat().st_mode
        if not stat.S_ISLNK(there) and stat.S_IMODE(there) & 0o077:
            path.chmod(mode)
