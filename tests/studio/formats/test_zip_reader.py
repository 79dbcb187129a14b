"""Zip archives from anywhere: what is bad is left out with a sentence, and nothing is believed."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import BadUpload
from studio import limits
from studio.formats import zip_reader


def archive(*entries: tuple[object, bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as made:
        for name, data in entries:
            made.writestr(name, data)
    file.seek(0)
    return file


def read(file: io.BytesIO, **options: int) -> dict[str, zip_reader.Entry]:
    return {entry.name: entry for entry in zip_reader.entries(file, **options)}


def link() -> zipfile.ZipInfo:
    info = zipfile.ZipInfo("link.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize(
    ("name", "said"),
    [("../evil.png", "points out"), ("a/../../b.png", "points out"), ("/etc/a.png", "absolute"),
     ("C:/a.png", "absolute"), ("a.zip", "archive inside"), ("b/a.TAR", "archive inside")],
)  # fmt: skip
def test_a_bad_entry_is_left_out_and_the_rest_goes_on(name, said):
    found = read(archive((name, b"x"), ("good.png", b"good")))
    assert said in found[name].error
    assert found[name].data == b""
    assert found["good.png"] == zip_reader.Entry("good.png", b"good")


def test_links_are_left_out():
    assert "link" in read(archive((link(), b"/etc/passwd")))["link.png"].error


def test_captions_come_before_pictures_and_junk_not_at_all():
    names = list(read(archive(("a.png", b"1"), ("a.txt", b"2"), ("__MACOSX/._a.png", b"3"), (".DS_Store", b"4"),
                              ("folder/", b""))))  # fmt: skip
    assert names == ["a.txt", "a.png"]


def test_a_bomb_is_not_unpacked():
    found = read(archive(("bomb.png", bytes(19 * limits.MIB)), ("big.png", bytes(21 * limits.MIB))))
    assert "hundred times" in found["bomb.png"].error
    assert "larger than 20 MB" in found["big.png"].error


def test_a_size_that_is_a_lie_is_not_believed(monkeypatch):
    monkeypatch.setattr(limits, "UPLOAD_BYTES", 1000)
    file = archive(("a.png", bytes(range(256)) * 40), method=zipfile.ZIP_STORED)
    data = bytearray(file.getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 10)  # uncompressed size in the directory
    found = read(io.BytesIO(bytes(data)))
    assert found["a.png"].error
    assert found["a.png"].data == b""


def test_all_together_have_a_cap():
    found = read(archive(("a.png", b"x" * 600), ("b.png", b"x" * 600), method=zipfile.ZIP_STORED), room=1000)
    assert found["a.png"].data
    assert "more than one batch" in found["b.png"].error


def test_a_million_entries_are_refused_before_they_are_read():
    file = archive(("a.png", b"1"))
    data = bytearray(file.getvalue())
    at = data.rindex(b"PK\x05\x06")
    many = data[:at] + data[at : at + 8] + struct.pack("<HHL", 65_535, 65_535, 100 * 2**20) + data[at + 16 :]
    with pytest.raises(BadUpload, match=r"65,535 entries, allowed is at most 10,000\.$"):
        zip_reader.entries(io.BytesIO(bytes(many)))


def test_many_entries_in_truth_are_refused(monkeypatch):
    monkeypatch.setattr(limits, "ZIP_ENTRIES", 5)
    with pytest.raises(BadUpload, match="6 entries"):
        zip_reader.entries(archive(*((f"{i}.png", b"") for i in range(6))))


def test_encrypted_entries_are_left_out():
    data = bytearray(archive(("a.png", b"1")).getvalue())
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    assert "encrypted" in read(io.BytesIO(bytes(data)))["a.png"].error


def test_damage_inside_is_one_entry():
    data = bytearray(archive(("a.png", b"abc" * 50), ("b.png", b"good"), method=zipfile.ZIP_STORED).getvalue())
    data[40:44] = b"\xff\xff\xff\xff"
    found = read(io.BytesIO(bytes(data)))
    assert "damaged" in found["a.png"].error
    assert found["b.png"].data == b"good"


@given(st.binary(max_size=300), st.integers(0, 200))
def test_whatever_comes_is_read_or_refused(noise, at):
    whole = archive(("a.png", b"abc"), ("b.txt", b"words")).getvalue()
    for data in (noise, whole[: at % len(whole)], whole[:at] + noise + whole[at:]):
        with suppress(BadUpload):  # and nothing else
            for entry in zip_reader.entries(io.BytesIO(data)):
                assert entry.error == "" or entry.error.endswith(".")
