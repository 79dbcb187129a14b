"""A zip archive as a stream: what is sent needs no more memory than its largest file, and it always ends whole."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping

from pipelines.errors import TriptychError

NOTE = "MISSING.txt"
GONE = "The file is missing from the data folder."
UNREADABLE = "The file could not be read."
log = logging.getLogger(__name__)


def zipped(
    files: Iterable[tuple[str, Callable[[], bytes]]], left_out: dict[str, str] | None = None
) -> Iterator[bytes]:  # fmt: skip
    """files: the name of each in the archive and what reads it. Nothing is packed: pictures are packed already.

    What cannot be read is left out, as the archive is on its way by then: it is named in NOTE, with the reason.
    left_out: gets these as they are met, name -> reason.
    """
    pieces, left_out = Pieces(), {} if left_out is None else left_out
    with zipfile.ZipFile(pieces, "w", zipfile.ZIP_STORED) as archive:
        for name, read in files:
            try:
                data = read()
            except (OSError, TriptychError) as error:
                left_out[name] = _reason(error)
                log.warning("%s was left out of an archive: %s", name, error)
                continue
            archive.writestr(name, data)
            yield pieces.take()
        if left_out:
            archive.writestr(_free(NOTE, archive.namelist()), _told(left_out))
    yield pieces.take()


def _reason(error: Exception) -> str:
    if isinstance(error, TriptychError):
        return str(error)
    return GONE if isinstance(error, FileNotFoundError) else UNREADABLE


def _free(name: str, taken: Iterable[str]) -> str:
    """Also where capitals do not count."""
    taken = {other.casefold() for other in taken}
    while name.casefold() in taken:
        name = f"_{name}"
    return name


def _told(left_out: Mapping[str, str]) -> bytes:
    lines = [f"{name}: {reason}" for name, reason in left_out.items()]
    return "\r\n".join(["These files are not in this archive:", "", *lines, ""]).encode(errors="replace")


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
