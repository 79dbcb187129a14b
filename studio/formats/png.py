"""Text in PNG files, read and written chunk by chunk: no pixel is decoded and none is encoded again.

PNG specification, third edition, 11.3.3: tEXt is Latin-1, zTXt is packed, iTXt is UTF-8. Many
programs write UTF-8 into the first two all the same, so what decodes as that is read as that.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from itertools import islice

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT_KINDS = (b"tEXt", b"zTXt", b"iTXt")
MAX_TEXT = 2**20  # bytes of one unpacked text; a packed one may be a bomb
MAX_TEXTS = 100  # chunks of text that are read; programs write one to five
MAX_ALL = 4 * 2**20  # bytes of all of them, unpacked
MAX_NAME = 79  # characters of a keyword, by the specification
MAX_CHUNKS = 100_000  # of any kind; one of pixels has 8 KB and more, mostly


def texts(data: bytes) -> dict[str, str]:
    """The text chunks by keyword; damaged ones are left out, the first of a name wins. At most MAX_ALL in all."""
    found: dict[str, str] = {}
    left = MAX_ALL
    for kind, body in islice(_text_chunks(data), MAX_TEXTS):
        try:
            key, raw, coding = _text(kind, body, min(left, MAX_TEXT))
        except (ValueError, zlib.error):
            continue
        left -= len(raw)
        found.setdefault(key, _decoded(raw, coding))
    return found


def exif(data: bytes) -> bytes:
    """The body of the eXIf chunk; empty where there is none."""
    return next((body for kind, body in islice(_chunks(data), MAX_CHUNKS) if kind == b"eXIf"), b"")[:MAX_TEXT]


def _decoded(raw: bytes, coding: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        cut = error.start > len(raw) - 4 and error.reason == "unexpected end of data"  # of a text that was too long
        return raw.decode("utf-8", "ignore") if cut else raw.decode(coding, "replace")


def _text_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    return ((kind, body) for kind, body in islice(_chunks(data), MAX_CHUNKS) if kind in TEXT_KINDS)


def with_texts(data: bytes, new: Mapping[str, str]) -> bytes:
    """The same PNG with these texts, after its header; chunks that had these names before are gone."""
    parts = [SIGNATURE]
    for kind, body in _chunks(data):
        if kind in TEXT_KINDS and body.partition(b"\0")[0].decode("latin-1") in new:
            continue
        parts.append(_chunk(kind, body))
        if kind == b"IHDR":
            parts += [_encoded(key, text) for key, text in new.items()]
    return b"".join(parts)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and body of every whole chunk; what is cut off ends the walk."""
    at = len(SIGNATURE) if data.startswith(SIGNATURE) else len(data)
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if at + 12 + size > len(data):
            return
        yield kind, data[at + 8 : at + 8 + size]
        at += 12 + size


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _encoded(key: str, text: str) -> bytes:
    name = key.encode("latin-1")
    text = text.replace("\0", "")  # ends a text in either chunk
    try:  # what is not ASCII would be read as Latin-1 by some, as UTF-8 by others
        return _chunk(b"tEXt", name + b"\0" + text.encode("ascii"))
    except UnicodeEncodeError:
        return _chunk(b"iTXt", name + b"\0\0\0\0\0" + text.encode("utf-8", "replace"))


def _text(kind: bytes, body: bytes, most: int) -> tuple[str, bytes, str]:
    """Keyword, the first `most` bytes of the text, and how they are coded."""
    name, separator, rest = body.partition(b"\0")
    if not separator:
        raise ValueError("no keyword")
    key = name[:MAX_NAME].decode("latin-1")
    if kind == b"tEXt":
        return key, rest[:most], "latin-1"
    if kind == b"zTXt":
        return key, _unpacked(rest[1:], most), "latin-1"
    packed = rest[:1] == b"\1"
    _language, _, rest = rest[2:].partition(b"\0")
    _translated, _, rest = rest.partition(b"\0")
    return key, _unpacked(rest, most) if packed else rest[:most], "utf-8"


def _unpacked(data: bytes, most: int) -> bytes:
    return zlib.decompressobj().decompress(data, most) if most else b""  # 0 would mean without an end
