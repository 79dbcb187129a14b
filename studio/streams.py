"""The parts of artifacts that are not whole yet, one growing file a job: what can be heard before the end.

The file of a job that failed stays until the studio ends, so that what was already made is not lost.
"""

from __future__ import annotations

import shutil
from pathlib import Path


class Streams:
    """`folder` is ours alone, and emptied at start."""

    def __init__(self, folder: Path):
        self._folder = folder
        shutil.rmtree(folder, ignore_errors=True)

    def add(self, job_id: str, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        with self.path(job_id).open("ab") as file:
            file.write(data)

    def path(self, job_id: str) -> Path:
        return self._folder / job_id

    def drop(self, job_id: str) -> None:
        self.path(job_id).unlink(missing_ok=True)
