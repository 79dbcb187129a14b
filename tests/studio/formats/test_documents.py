"""Texts out of files: encodings, Markdown, EPUB; and whatever else people upload."""

from __future__ import annotations

import contextlib
import io
import time
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from pipelines.errors import BadUpload
from studio import limits
from studio.formats import documents
from studio.formats import text as texts
from studio.formats.text import MAX_CHARACTERS

CONTAINER = '<?xml version="1.0"?><container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
PACKAGE = """<?xml version="1.0"?>
<!DOCTYPE package [<!ENTITY lol "lol"><!ENTITY bomb "&lol;&lol;&lol;&lol;">]>
<package><metadata><dc:title>A Book &amp; More</dc:title></metadata><manifest>{items}</manifest>
<spine>{refs}</spine></package>"""
CHAPTER = """<html><head><title>x</title><style>p {{ color: red }}</style></head><body><h1>Chapter {n}</h1>
<p>It was a <i>dark</i> night&#8212;truly.</p><!-- <p>not this</p> --><script>alert(1)</script>
<p>Nobody&nbsp;spoke.<sup>12</sup></p></body></html>"""


def epub(chapters: list[str], **more: bytes) -> bytes:
    items = "".join(f'<item id="c{i}" href="c%20{i}.xhtml" media-type="application/xhtml+xml"/>' for i in range(99))
    refs = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("OPS/book.opf", PACKAGE.format(items=items, refs=refs))
        for i, chapter in enumerate(chapters):
            archive.writestr(f"OPS/c {i}.xhtml", chapter)
        for name, data in more.items():
            archive.writestr(name, data)
    return file.getvalue()


def test_a_book_becomes_chapters() -> None:
    book = documents.read_document(
        "upload.epub", epub([CHAPTER.format(n=1), "<html><body></body></html>", CHAPTER.format(n=2)])
    )
    assert book.title == "A Book & More"
    assert [part.title for part in book.parts] == ["Chapter 1", "Chapter 2"]
    assert book.parts[0].text == "Chapter 1\n\nIt was a dark night—truly.\n\nNobody spoke."


@pytest.mark.parametrize(("name", "data", "said"), [
    ("a.txt", b"", "an empty file"),
    ("a.txt", b"%PDF-1.7 ...", "a PDF"),
    ("a.txt", b"\x89PNG\r\n\x1a\n", "a picture"),
    ("a.txt", bytes(range(256)) * 40, "a file that is not text"),
    ("a.txt", "😀 …!?".encode(), "a file without a word in it"),
    ("a.epub", b"PK\x03\x04 broken", "a damaged EPUB"),
    ("a.epub", epub([]), "a file without a word in it"),
    ("a.txt", b"a" * (limits.TEXT_BYTES + 1), "a file of 20.0 MB"),
])  # fmt: skip
def test_what_is_no_text_is_one_sentence(name: str, data: bytes, said: str) -> None:
    with pytest.raises(BadUpload) as refused:
        documents.read_document(name, data)
    assert str(refused.value) == f"text: got {said}, allowed is {texts.ALLOWED}."


def test_a_zip_that_is_no_book_says_so() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(BadUpload, match="a zip archive that is not an EPUB"):
        documents.read_document("a.epub", file.getvalue())


def test_bombs_are_defused_while_unpacking() -> None:
    began = time.process_time()
    with pytest.raises(BadUpload, match="unpacks to far more than a book"):
        documents.read_document("bomb.epub", epub([" " * (limits.BOOK_PART_BYTES + 1)]))
    many = ["<p>" + "word " * (limits.BOOK_PART_BYTES // 6) for _ in range(7)]
    with pytest.raises(BadUpload, match=r"unpacks to far more|characters"):
        documents.read_document("bomb.epub", epub(many))
    assert time.process_time() - began < 20


@pytest.mark.parametrize("broken", ["<" * 250_000, "<!--" * 100_000, "<p " * 100_000, "<a b='" * 60_000, "&" * 300_000,
                                    "<p a" + " " * 300_000])  # fmt: skip
def test_broken_markup_costs_no_more_than_its_length(broken: str) -> None:
    began = time.process_time()
    book = documents.read_document("a.epub", epub([CHAPTER.format(n=1), broken]))
    assert book.parts[0].title == "Chapter 1"
    assert time.process_time() - began < 5


@pytest.mark.parametrize(("data", "text"), [
    ("naïve café".encode(), "naïve café"), ("naïve café".encode("utf-8-sig"), "naïve café"),
    ("naïve café".encode("utf-16"), "naïve café"), ("naïve café".encode("cp1252"), "naïve café"),
    ("今天天气很好。我们去公园吧。".encode("gb18030"), "今天天气很好。我们去公园吧。"),
    (b"one\r\ntwo\rthree\n\n\n\nfour  \n", "one\ntwo\nthree\n\nfour"), (b"a\0b c\x07d" + b" word" * 200, None),
])  # fmt: skip
def test_encodings_and_line_breaks(data: bytes, text: str | None) -> None:
    found = documents.read_document("a.txt", data).parts[0].text
    assert found == text if text else "\0" not in found


def test_markdown_without_what_is_not_for_the_ear() -> None:
    source = ("---\ntitle: x\n---\n# Hello\n\nSee [the docs](https://example.org/a) and ![a cat](cat.png).\n\n"
              "```python\nprint(1)\n```\n\n---\n\nA <b>bold</b> end.")  # fmt: skip
    assert (
        documents.read_document("notes.md", source.encode()).parts[0].text
        == "# Hello\n\nSee the docs and .\n\nA bold end."
    )


def test_what_is_longer_than_can_be_spoken_at_once_is_cut_between_paragraphs() -> None:
    paragraph = "Word after word after word, and not a thought of stopping. " * 40
    read = documents.read_document("novel.txt", "\n\n".join([paragraph] * 100).encode())
    assert len(read.parts) == 3
    assert all(len(part.text) <= MAX_CHARACTERS and part.text.endswith("stopping.") for part in read.parts)
    assert [part.title for part in read.parts] == ["1/3", "2/3", "3/3"]
    solid = documents.read_document("solid.txt", b"x" * 250_000)
    assert "".join(part.text for part in solid.parts) == "x" * 250_000


def read_or_refused(name: str, data: bytes) -> texts.Text | None:
    """Anything but a refusal is a defect, and so is a refusal that does not say what came."""
    with contextlib.suppress(BadUpload):
        return documents.read_document(name, data)
    with pytest.raises(BadUpload, match=r"^text: got .+, allowed is"):
        documents.read_document(name, data)
    return None


@given(st.binary(max_size=2000), st.sampled_from(["a.txt", "a.md", "a.epub", "", "..", "x" * 300]))
def test_any_bytes_are_a_text_or_a_sentence(data: bytes, name: str) -> None:
    read = read_or_refused(name, data)
    assert read is None or all(0 < len(part.text) <= MAX_CHARACTERS for part in read.parts)


@settings(max_examples=40)
@given(st.binary(max_size=300), st.integers(0, 400))
def test_a_damaged_book_is_a_text_or_a_sentence(noise: bytes, at: int) -> None:
    whole = epub([CHAPTER.format(n=1)])
    read_or_refused("a.epub", whole[:at] + noise + whole[at + len(noise) :])


@settings(max_examples=40)
@given(st.text(max_size=400))
def test_any_markup_is_read(page: str) -> None:
    assert documents.read_document("a.epub", epub([CHAPTER.format(n=1), page])).parts[0].title == "Chapter 1"


def test_the_route_gives_the_parts(browser: Callable[..., TestClient]) -> None:
    client = browser()
    answer = client.post("/api/text", files={"file": ("book.epub", epub([CHAPTER.format(n=1)]))})
    assert answer.json()["parts"][0]["characters"] == len(answer.json()["parts"][0]["text"])
    refused = client.post("/api/text", files={"file": ("a.txt", b"")})
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "bad_upload")


def test_recordings_are_kept_as_they_came_and_others_are_refused(browser: Callable[..., TestClient]) -> None:
    import math
    import struct

    from studio.web.audio_stream import header

    def tone(seconds: float) -> bytes:
        pcm = struct.pack(
            f"<{int(seconds * 8000)}h", *(int(9000 * math.sin(i / 9)) for i in range(int(seconds * 8000)))
        )
        return header(8000, len(pcm)) + pcm

    client = browser()
    kept = client.post("/api/recordings", files={"file": ("me.wav", tone(3))}).json()
    assert kept["seconds"] == pytest.approx(3, abs=0.01)
    refusals = {"silence": header(8000, 48_000) + bytes(48_000), "not sound": b"hello there, this is a text" * 9,
                "empty": b"", "minutes": tone(0.01)[:44] + bytes(8000 * 2 * 225), "short": tone(0.2)}  # fmt: skip
    for name, data in refusals.items():
        answer = client.post("/api/recordings", files={"file": ("x.wav", data)})
        assert answer.status_code == 422, name
        assert answer.json()["error"]["message"].startswith("voice_sample: "), name
    job = client.post("/api/jobs", json={"kind": "speech", "text": "Hello.", "voice_sample": kept["sha256"]})
    assert job.json()["error"]["field"] == "voice_sample"  # there is no voice here that takes one over
