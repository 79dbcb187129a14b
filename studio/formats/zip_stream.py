"""A zip archive as a stream: what is sent needs no more memory than its largest file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator


def zipped(files: Iterable[tuple[str, Callable[[], bytes]]]) -> Iterator[bytes]:
    """files: the name of each in the archive and what reads it. Nothing is packed: pictures are packed already."""
    pieces = Pieces()
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:
        for name, read in files:
            archive.writestr(name, read())
            yield pieces.take()
    yield pieces.take()


class Pieces(io.RawIOBase):
    """What zipfile writes, to be taken away piece by piece; it cannot seek, and zipfile copes."""

    def __init__(self) -> None:
        self._data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._data += data
        return len(data)

    def take(self) -> bytes:
        data = bytes(self._data)
        self._data.clear()
        return data
