"""What a start does not know is put aside, never deleted: `lost+found/<date>/` in the data folder."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import time
from pathlib import Path

from studio.storage.atomic import make_folder

FOLDER = "lost+found"
log = logging.getLogger(__name__)


class LostAndFound:
    """Of one data folder; today's folder is made when it is first needed."""

    def __init__(self, data: Path):
        self._data = data
        self.name = f"{FOLDER}/{time.strftime('%Y-%m-%d')}"  # as people are told

    def take(self, path: Path) -> Path | None:
        """Move a file, a link or a folder here under its path in the data folder, over nothing that is here already.

        Where it lies now; None where it could not be moved, and stays where it was.
        """
        try:
            target = _free(self._data / self.name / path.relative_to(self._data))
            make_folder(target.parent)
            _move(path, target)
        except OSError as error:
            log.warning("%s could not be moved to %s: %s", path, self.name, error.strerror)
            return None
        log.info("%s was moved to %s", path, target)
        return target


def _free(target: Path) -> Path:
    """The first name of `a.png`, `a-2.png`, `a-3.png` … that nothing has."""
    number, free = 1, target
    while os.path.lexists(free):
        number += 1
        free = target.with_name(f"{target.stem}-{number}{target.suffix}")
    return free


def _move(path: Path, target: Path) -> None:
    """Within one disk a rename; from another one a copy, and the original goes once the copy is whole."""
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        try:
            shutil.move(path, target)
        except OSError:
            if os.path.lexists(path):
                shutil.rmtree(target, ignore_errors=True) if target.is_dir() else target.unlink(missing_ok=True)
            raise
