"""The parts of artifacts that are not whole yet, one growing file a job: what can be heard before the end.

The file of a job that has ended stays for a while: somebody may still be listening, and what a job has made before it
failed or was cancelled is not lost.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from studio.storage.private import private_opener

KEPT, KEPT_BYTES = 40, 512 * 2**20  # of jobs that have ended; the oldest go first


class Streams:
    """`folder` is ours alone, and emptied at start."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._ended: dict[str, int] = {}  # job id -> bytes, the oldest end first
        shutil.rmtree(folder, ignore_errors=True)

    def add(self, job_id: str, data: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(self.path(job_id), "ab", opener=private_opener) as file:
            file.write(data)

    def path(self, job_id: str) -> Path:
        return self._folder / job_id

    def drop(self, job_id: str) -> None:
        self.path(job_id).unlink(missing_ok=True)
        self._ended.pop(job_id, None)

    def end(self, job_id: str) -> None:
        """Nothing more comes; it may go when room is needed."""
        if not self.path(job_id).exists():
            return
        self._ended[job_id] = self.path(job_id).stat().st_size
        while len(self._ended) > KEPT or sum(self._ended.values()) > KEPT_BYTES:
            self.drop(next(iter(self._ended)))
