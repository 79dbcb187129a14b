"""Files that are made to take all memory or all time: read in a process that may not, while others are served."""

from __future__ import annotations

import io
import os
import signal
import struct
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from pipelines.errors import BadUpload
from studio import limits
from studio.formats import documents
from studio.formats.isolation import TOO_MUCH, Apart
from studio.formats.metadata import metadata
from studio.formats.preparing import Prepared, prepare
from tests.support.bombs import chunk, png_of

LIMITED = pytest.mark.skipif(sys.platform != "linux", reason="the system has no limit of address space")
MIB = 2**20


@pytest.fixture(scope="module")
def apart() -> Iterator[Apart]:
    apart = Apart()
    yield apart
    apart.close()


def echo(*values: object) -> dict:
    return {"values": list(values)}


def rest(seconds: float) -> dict:
    time.sleep(seconds)
    return {}


def take(size: int) -> dict:
    return {"length": len(bytes(size))}


def die(number: int, once: str = "") -> dict:
    """By that signal; with a path, only the first time."""
    if once and Path(once).exists():
        return {}
    if once:
        Path(once).touch()
    os.kill(os.getpid(), number)
    return {}


def raise_(kind: str) -> dict:
    raise {"refused": BadUpload, "failed": KeyError, "memory": MemoryError}[kind]("a sentence")


def test_values_go_and_come(apart):
    values = [b"\0\xff", "half \ud800", 2**63 - 1, -1, 0.5, None, True, ["a"], {"b": 1}]
    assert apart(echo, *values) == {"values": values}


def test_what_it_refuses_is_refused_and_what_fails_is_a_fault_of_ours(apart):
    with pytest.raises(BadUpload, match="a sentence"):
        apart(raise_, "refused")
    with pytest.raises(BadUpload, match=TOO_MUCH[:20]):
        apart(raise_, "memory")
    with pytest.raises(RuntimeError, match="KeyError"):
        apart(raise_, "failed")


def test_what_takes_too_long_is_ended_and_the_next_one_is_answered():
    apart = Apart(seconds=0.5)
    apart._seconds = 60.0
    apart(echo)
    apart._seconds = 0.1
    with pytest.raises(BadUpload, match=TOO_MUCH[:20]):
        apart(rest, 600)
    apart._seconds = 60.0
    assert apart(echo, 1) == {"values": [1]}
    apart.close()


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
def test_that_somebody_has_killed_the_process_is_no_fault_of_the_file(apart, tmp_path):
    assert apart(die, signal.SIGKILL, str(tmp_path / "once")) == {}
    for number in (signal.SIGKILL, signal.SIGSEGV):
        with pytest.raises(BadUpload, match=TOO_MUCH[:20]):
            apart(die, number)
    apart.close()  # nobody waits: the first one that is asked is killed, too
    assert apart(die, signal.SIGKILL, str(tmp_path / "again")) == {}
    assert apart(echo, 1) == {"values": [1]}


@LIMITED
def test_what_takes_too_much_is_refused_and_the_next_one_is_answered(apart):
    with pytest.raises(BadUpload, match=TOO_MUCH[:20]):
        apart(take, 2 * limits.READING_BYTES)
    assert apart(echo, 1) == {"values": [1]}


@LIMITED
def test_what_was_needed_once_is_given_back(apart):
    apart(take, 2 * limits.READING_KEPT_BYTES)
    assert apart(echo, 1) == {"values": [1]}
    assert len(apart._idle) == 1


@LIMITED
def test_a_large_studio_keeps_its_processes_as_a_small_one_does():
    """What the system says of a process must not be what it says of the one that started it."""
    large, apart = b"x" * (2 * limits.READING_KEPT_BYTES), Apart()
    try:
        assert apart(echo, 1) == {"values": [1]}
        assert len(apart._idle) == 1
    finally:
        apart.close()
    assert large


def test_many_threads_at_once(apart):
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda i: apart(echo, i), range(50)))
    assert answers == [{"values": [i]} for i in range(50)]


def picture(size=(50, 40)) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", size, "red").save(data, "PNG")
    return data.getvalue()


def test_pictures_texts_and_settings_are_the_same_apart(apart):
    for values in (
        (prepare, picture(), 20, True),
        (metadata.told, picture()),
        (documents.document_values, "a.txt", b"A text."),
    ):
        assert apart(*values) == values[0](*values[1:]) | ({"kept": [20, 16]} if values[0] is prepare else {})
    made = Prepared(**apart(prepare, picture(), 20, True))
    assert (made.width, made.height, tuple(made.kept), made.format) == (50, 40, (20, 16), "png")
    with pytest.raises(BadUpload, match="a text file"):
        apart(prepare, b"no picture", 20)


def exif_bomb(tags: int, size: int) -> bytes:
    """Each of the tags says that its value is the same `size` bytes; a reader that believes it has them all."""
    at = 8 + 2 + 12 * tags + 4
    lines = b"".join(struct.pack("<HHII", 1000 + i, 7, size, at) for i in range(tags))
    return b"II*\0" + struct.pack("<IH", 8, tags) + lines + bytes(4) + bytes(size)


def jpeg_with(exif: bytes) -> bytes:
    """In as many segments as it needs."""
    data = io.BytesIO()
    Image.new("RGB", (8, 8)).save(data, "JPEG")
    whole = data.getvalue()
    parts = [exif[i : i + 65_000] for i in range(0, len(exif), 65_000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(p) + 8) + b"Exif\0\0" + p for p in parts)
    return whole[:2] + segments + whole[2:]


@LIMITED
@pytest.mark.parametrize("read", [lambda apart, data: apart(metadata.told, data),
                                  lambda apart, data: apart(prepare, data, 64)])  # fmt: skip
@pytest.mark.parametrize("make", [lambda exif: png_of(8, 8, chunk(b"eXIf", exif)), jpeg_with])
def test_exif_that_claims_terabytes(apart, read, make):
    """Answered, with or without it, in the memory that one process has."""
    with suppress(BadUpload):
        read(apart, make(exif_bomb(8000, 8 * MIB)))
    assert apart(echo, 1) == {"values": [1]}


@pytest.mark.parametrize(
    "size", [(1, 50_000_000), (50_000_000, 1), (limits.UPLOAD_LENGTH + 1, 1), (2**31 - 1, 2**31 - 1)]
)
def test_a_picture_that_is_a_line_is_refused_by_its_length(size):
    with pytest.raises(BadUpload, match="pixels"):
        prepare(png_of(*size), 64)


def book(*pages: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        names = [f"{i}.xhtml" for i in range(len(pages))]
        archive.writestr("META-INF/container.xml", '<rootfile full-path="b.opf"/>')
        items = "".join(f'<item id="{n}" href="{n}" media-type="application/xhtml+xml"/>' for n in names)
        archive.writestr("b.opf", items + "".join(f'<itemref idref="{n}"/>' for n in names))
        for name, page in zip(names, pages, strict=True):
            archive.writestr(name, page)
    return data.getvalue()


@pytest.mark.parametrize("pages", [["<p>" * 2_600_000], ["<p>x" * 20_000] * 30])
def test_a_book_of_nothing_but_tags_is_refused_at_once(pages):
    with pytest.raises(BadUpload, match="more tags"):
        documents.document_values("a.epub", book(*pages))


def test_a_long_book_is_a_book():
    page = "<html><body>" + "<p>It was a dark <i>and</i> stormy night.</p>" * 2000 + "</body></html>"
    assert len(documents.document_values("a.epub", book(*[page] * 30))["parts"]) == 30


def test_the_routes_ask_apart(served_apart):
    client = served_apart
    assert client.post("/api/uploads", files={"file": picture()}).status_code == 201
    assert client.post("/api/info", files={"file": picture()}).json()["source"] == "none"
    said = client.post("/api/text", files={"file": ("a.txt", b"A text.")}).json()
    assert said["parts"] == [{"title": "", "text": "A text.", "characters": 7}]
    assert client.post("/api/recordings", files={"file": b"nothing"}).status_code == 422


@pytest.fixture
def served_apart(browser, apart):
    from dataclasses import replace

    client, asked = browser(), []

    def counted(function, *values):
        asked.append(function.__name__)
        return apart(function, *values)

    studio = client.app.state.studio
    studio.gallery.uploads.apart = counted
    client.app.state.studio = replace(studio, apart=counted)
    yield client
    assert asked == ["prepare", "told", "document_values", "told"]
