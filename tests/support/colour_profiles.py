"""Colour profiles for tests, byte by byte (ICC.1:2022): so small that what they do can be computed by hand."""

from __future__ import annotations

import struct

D50 = (0.9642, 1.0, 0.8249)
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))  # red, green, blue


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(*values)


def _gamma(gamma: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    name = b"a test"
    desc = b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + bytes(1 + 4 + 4 + 2 + 1 + 67)
    tags = {b"desc": desc, b"cprt": b"text\0\0\0\0none\0", b"wtpt": _xyz(D50), **tags}
    at, directory, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        directory += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0\0\0\0", 0x02400000, kind, space, connection)
    date = struct.pack(">6H", 2026, 1, 1, 0, 0, 0)
    rest = b"acsp" + bytes(4 + 4 + 4 + 4 + 8 + 4) + _fixed(*D50) + bytes(4 + 16 + 28)
    return head + date + rest + struct.pack(">I", len(tags)) + directory + body


def adobe_rgb() -> bytes:
    """Adobe RGB (1998): its own primaries, gamma 2.2."""
    tags = {name + b"XYZ": _xyz(value) for name, value in zip((b"r", b"g", b"b"), ADOBE, strict=True)}
    tags |= {name + b"TRC": _gamma(563 / 256) for name in (b"r", b"g", b"b")}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags)


def linear_grey() -> bytes:
    """Grey levels in proportion to light."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(1.0)})


def inverted_cmyk() -> bytes:
    """A press whose every ink is white, and paper without ink black: nobody converts like this by chance."""
    ramp = bytes(range(256))
    table = b"".join(bytes([255 if any(ink) else 0, 128, 128]) for ink in _corners())
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + ramp * 4 + table + ramp * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut})


def _corners() -> list[tuple[int, int, int, int]]:
    return [(c, m, y, k) for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)]
