"""A zip with everything bad in it, through the API: a sentence beside each, and the good pictures go on."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from studio import limits
from tests.studio.support.batch_studio import picture
from tests.studio.web.test_captions import batch, client, sent
from tests.studio.web.test_refusals import refused

__all__ = ["batch", "client"]


def huge() -> bytes:
    """A PNG of 60,000 × 60,000 pixels in a few bytes: its header says so."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    )


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = 0o120777 << 16
    return info


BAD = {
    "no picture.png": (b"hello", "a text file"),
    "empty.jpg": (b"", "an empty file"),
    "cut.png": (picture("red", (300, 300))[:150], "damaged"),
    "bomb.png": (huge(), "pixels"),
    "photo.heic": (b"\x00\x00\x00\x18ftypheic" + bytes(64), "HEIC"),
    "drawing.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "inner.zip": (b"PK\x05\x06" + bytes(18), "archive inside the archive"),
    "../../outside.png": (picture(), "points out of the archive"),
    "/etc/absolute.png": (picture(), "absolute path"),
    "zeros.png": (bytes(3 * limits.MIB), "a hundred times its size"),
    "bad.txt": (b"\xff\x00\xfe", "not UTF-8"),
}
GOOD = {"good 😀.png": picture("red"), "x" * 300 + ".png": picture("blue"), "thin.png": picture("red", (1, 2000)),
        "dot.png": picture("red", (1, 1))}  # fmt: skip


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, (data, _) in BAD.items():
            made.writestr(name, data)
        made.writestr(link("link.png"), "/etc/passwd")
        for name, data in GOOD.items():
            made.writestr(name, data)
    return file.getvalue()


def test_each_bad_file_is_told_of_beside_the_good_ones(client: TestClient, batch: str, tmp_path: Path):
    before = set(tmp_path.parent.iterdir())
    answer = client.post(f"{batch}/zip", files={"file": ("all.zip", archive())})
    assert answer.status_code == 201, answer.text
    assert answer.json()["batch"]["counts"] == {"refused": len(BAD) + 1, "new": len(GOOD)}
    items = client.get(f"{batch}/items?limit=100").json()["items"]
    told = [(item["name"], item["error"]) for item in items if item["status"] == "refused"]
    assert all(error.endswith(".") and "\n" not in error and "/tmp" not in error for _, error in told)
    for name, (_, said) in BAD.items():
        assert any(said in error for shown, error in told if Path(name).name == Path(shown).name), (name, told)
    assert any("link" in error for name, error in told if name == "link.png")
    assert all(len(item["name"]) <= 300 and ".." not in item["name"] for item in items)
    assert set(tmp_path.parent.iterdir()) == before
    assert client.post(f"{batch}/run", json={"settings": {"model": "sprite-captioner"}}).status_code == 200


@pytest.mark.parametrize("count", [2**16 - 1, 10**6])
def test_an_archive_of_too_many_entries_is_refused_before_it_is_read(
    client: TestClient, batch: str, count: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(zipfile, "ZipFile", _never)
    end = b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, min(count, 65535), min(count, 65535), 50, 0, 0)
    if count > 65535:  # the record of large archives, and where it lies
        record = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, count, count, 50 * count, 0)
        end = record + b"PK\x06\x07" + struct.pack("<LQL", 0, 0, 1) + end
    error = refused(client.post(f"{batch}/zip", files={"file": ("many.zip", end)}))
    assert f"{count:,}" in error["message"]
    assert sent(client, batch, picture())["status"] == "new"


def _never(*_: object) -> Callable:
    raise AssertionError("the directory must not be read")
