"""The whole sound of a job while it grows: 16 bit samples, in memory while they are few, then in a temporary file."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator

import numpy as np

IN_MEMORY = 8 * 2**20  # bytes: three minutes at 24 kHz


class Track:
    """Mono. rate: Hz. Two bytes a sample, and never twice."""

    def __init__(self, rate: int):
        self.rate, self.samples = rate, 0
        self._waiting: list[bytes] = []
        self._file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - lives as long as its job
        self.close = weakref.finalize(self, self._file.close)  # also where the job is cancelled, and nobody says so

    @property
    def seconds(self) -> float:
        return self.samples / self.rate

    def add(self, pcm: bytes) -> None:
        """Lays it behind what is there. pcm: 16 bit little-endian."""
        self._waiting.append(pcm)
        self.samples += len(pcm) // 2
        if self.samples * 2 > IN_MEMORY:
            self._write()

    def blocks(self, start: int = 0, end: int | None = None, size: int = 2**15) -> Iterator[np.ndarray]:
        """The samples [start, end) as int16 arrays of at most `size`."""
        self._write()
        at, end = start, self.samples if end is None else min(end, self.samples)
        while at < end:
            self._file.seek(2 * at)
            block = np.frombuffer(self._file.read(2 * min(size, end - at)), "<i2")
            at += len(block)
            yield block

    def _write(self) -> None:
        """Not before it is needed: until then the memory is that of the pieces which were sent."""
        self._file.seek(0, 2)
        self._file.writelines(self._waiting)
        self._waiting.clear()
