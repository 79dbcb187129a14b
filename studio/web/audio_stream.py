"""Sound while it is made: a WAV of unknown length that follows a job's growing file, and ends with the job."""

from __future__ import annotations

import asyncio
import os
import struct
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipelines.errors import NotFound
from studio.jobs.subscriptions import Subscription
from studio.storage.records import JobStatus

if TYPE_CHECKING:
    from studio.jobs.engine import Engine

UNKNOWN = 2**32 - 1  # the length of a WAV whose end nobody knows
BLOCK = 2**16  # bytes
NOTHING = "Nothing of this was spoken."


def header(rate: int, size: int = UNKNOWN) -> bytes:
    """The first 44 bytes of a WAV: mono, 16 bit. size: bytes of sound."""
    riff = min(size + 36, UNKNOWN)
    return (
        b"RIFF"
        + struct.pack("<I4s4sIHHIIHH", riff, b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
        + (b"data" + struct.pack("<I", min(size, UNKNOWN)))
    )


def ended(view: dict) -> bool:
    return JobStatus(view["status"]).ended


def whole_size(engine: Engine, owner: str, job_id: str, start: float) -> int | None:
    """Bytes of the WAV from `start` seconds on, once the job has ended; None while more may come. Raises NotFound."""
    if not ended(engine.view(owner, job_id)):
        return None
    pieces = engine.pieces(owner, job_id)
    path = engine.stream(owner, job_id)
    if not pieces or not path.exists():
        raise NotFound(NOTHING)
    return len(header(1)) + max(path.stat().st_size - offset(start, pieces[0]["sample_rate"]), 0)


def offset(seconds: float, rate: int) -> int:
    """The byte at which that moment begins."""
    return 2 * int(seconds * rate)


async def follow(
    engine: Engine, owner: str, job_id: str, start: float, size: int | None = None
) -> AsyncIterator[bytes]:
    """The WAV from `start` seconds on, as it comes. size: of the whole answer, where that is known."""
    async with engine.subscribe(owner) as changes:  # before the first look, so that nothing falls between
        at: int | None = None
        path = await asyncio.to_thread(engine.stream, owner, job_id)
        with closing(Growing(path)) as sound:
            while True:
                # asked first: what it has made by now is in the file
                over = ended(await asyncio.to_thread(engine.view, owner, job_id))
                pieces = await asyncio.to_thread(engine.pieces, owner, job_id)
                if at is None and pieces:
                    rate = pieces[0]["sample_rate"]
                    at = offset(start, rate)
                    yield header(rate) if size is None else header(rate, size - len(header(rate)))
                while at is not None and (block := await asyncio.to_thread(sound.read, at)):
                    at += len(block)
                    yield block
                if over or not await _changed(changes, job_id):
                    return


class Growing:
    """A job that starts over has a new file, whose sound is the same; one that was dropped can be read to its end."""

    def __init__(self, path: Path):
        self._path = path
        self._file: BinaryIO | None = None

    def read(self, at: int) -> bytes:
        with suppress(FileNotFoundError):
            there = self._path.stat()
            if self._file is None or not os.path.samestat(there, os.fstat(self._file.fileno())):
                self.close()
                self._file = self._path.open("rb")
        if self._file is None:
            return b""
        self._file.seek(at)
        return self._file.read(BLOCK)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()


async def _changed(changes: Subscription, job_id: str) -> bool:
    """Waits until something is new about the job; False where nothing ever will be, as the studio closes."""
    async for event in changes:
        about = event.get("job")
        if about == job_id or (isinstance(about, dict) and about["id"] == job_id):
            return True
    return False
