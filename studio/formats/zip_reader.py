"""Zip archives that people send: read entry by entry, never unpacked under the names that they carry.

A name only ever becomes a label; whoever keeps an entry gives its file a name of its own. What an archive says of
itself (sizes, counts) is checked first and not believed afterwards: reading stops at the cap whatever was declared.
"""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from pipelines.errors import BadUpload, TriptychError
from studio import limits

_END, _END64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_DIRECTORY_BYTES = 512  # of the directory for one entry, on average; its names are at most 65,535 bytes each
_JUNK = re.compile(r"(^|/)(__MACOSX/|\._|\.DS_Store$|Thumbs\.db$|desktop\.ini$)", re.IGNORECASE)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
ENCRYPTED = 0x1
NO_ROOM = "The archive holds more than one batch can take; this entry is left out."
NOT_A_ZIP = "zip: got a file that is not a whole zip archive, allowed is a zip of pictures and .txt files."


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive: its data, or the sentence that says why it is left out."""

    name: str
    data: bytes = b""
    error: str = ""


def entries(file: BinaryIO, room: int = limits.BATCH_BYTES) -> Iterator[Entry]:
    """The files of a zip archive in its order, .txt files first, so that a picture finds its caption there.

    room: bytes that may be unpacked in all. Raises BadUpload where the archive as a whole cannot be read.
    """
    _check_size(file)
    try:
        archive = zipfile.ZipFile(file)
        listed = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, struct.error, UnicodeError) as error:
        raise BadUpload(NOT_A_ZIP) from error
    if len(listed) > limits.ZIP_ENTRIES:
        raise _too_many(len(listed))
    return _read_all(archive, listed, room)


def _read_all(archive: zipfile.ZipFile, listed: list[zipfile.ZipInfo], room: int) -> Iterator[Entry]:
    with archive:
        for info in sorted(listed, key=lambda one: not one.filename.lower().endswith(".txt")):
            name = info.filename
            if info.is_dir() or _JUNK.search(name):
                continue
            try:
                check(info)
                data = _read(archive, info, min(limits.UPLOAD_BYTES, room))
            except TriptychError as error:
                yield Entry(name, error=str(error))
                continue
            room -= len(data)
            yield Entry(name, data)


def check(info: zipfile.ZipInfo) -> None:
    """Raises BadUpload for an entry that is not to be touched, by what the archive's directory says of it."""
    name = info.filename
    parts = re.split(r"[/\\]", name)
    if ".." in parts:
        raise BadUpload("This entry points out of the archive (..); it is left out.")
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        raise BadUpload("This entry has an absolute path; it is left out.")
    mode = info.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        raise BadUpload("This entry is a link or a device, not a file; it is left out.")
    if info.flag_bits & ENCRYPTED:
        raise BadUpload("This entry is encrypted; send it without a password.")
    if info.compress_type not in _METHODS:
        raise BadUpload("This entry is packed in a way that is not supported; it is left out.")
    if name.lower().endswith((".zip", ".7z", ".rar", ".tar", ".gz", ".tgz")):
        raise BadUpload("An archive inside the archive is not opened; send it by itself.")
    if info.file_size > limits.UPLOAD_BYTES:
        raise _too_large()
    if info.file_size > limits.MIB and info.file_size > limits.ZIP_RATIO * max(info.compress_size, 1):
        raise BadUpload("This entry unpacks to more than a hundred times its size; it is left out.")


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """At most `most` bytes are unpacked, however small the entry said to be."""
    try:
        with archive.open(info) as file:
            data = file.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError) as error:
        raise BadUpload("This entry is damaged; it is left out.") from error
    if len(data) > most:
        raise _too_large() if most == limits.UPLOAD_BYTES else BadUpload(NO_ROOM)
    return data


def _check_size(file: BinaryIO) -> None:
    """Before the directory is read, as that alone can take gigabytes: how many entries, in how many bytes."""
    count, size = _declared(file)
    if count > limits.ZIP_ENTRIES or size > limits.ZIP_ENTRIES * _DIRECTORY_BYTES:
        raise _too_many(count)


def _declared(file: BinaryIO) -> tuple[int, int]:
    """Entries and bytes of the directory, from the record at the end of the file (APPNOTE.TXT 4.3.14 to 4.3.16)."""
    file.seek(0, 2)
    length = file.tell()
    file.seek(max(0, length - 65_557))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) < at + 22:
        raise BadUpload(NOT_A_ZIP)
    count, size = struct.unpack("<HL", tail[at + 10 : at + 16])
    if at >= 20 and tail[at - 20 : at - 16] == _LOCATOR:
        file.seek(min(struct.unpack("<Q", tail[at - 12 : at - 4])[0], length))
        record = file.read(56)
        if record[:4] != _END64 or len(record) < 56:
            raise BadUpload(NOT_A_ZIP)
        count, size = struct.unpack("<QQ", record[32:48])
    file.seek(0)
    return count, size


def _too_many(count: int) -> BadUpload:
    return BadUpload(f"zip: got {count:,} entries, allowed is at most {limits.ZIP_ENTRIES:,}.")


def _too_large() -> BadUpload:
    return BadUpload(f"This entry is larger than {limits.UPLOAD_BYTES // limits.MIB} MB; it is left out.")
