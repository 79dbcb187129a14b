"""The chapters of an EPUB: a zip archive of XHTML files, read with caps on everything that it claims.

Nothing is trusted: sizes are counted while unpacking, markup is read by a small reader that looks at each character
once, and knows no entities but those of HTML.
"""

from __future__ import annotations

import html
import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

from pipelines.errors import BadUpload
from studio import limits
from studio.formats.text import Part, Text, bad, tidy

_NAME = re.compile(r"/?[\w:.-]{0,60}")
_ATTRIBUTE = re.compile(r"""([\w:.-]{1,100})\s{0,100}=\s{0,100}(?:"([^"<]{0,2000})"|'([^'<]{0,2000})')""")
_BLOCKS = frozenset(
    ("p", "div", "br", "h1", "h2", "h3", "h4", "h5", "h6", "li", "tr", "blockquote", "section", "article", "hr", "dt",
     "dd", "figcaption", "pre", "body")
)  # fmt: skip
_SKIPPED = frozenset(("head", "script", "style", "svg", "math", "nav", "sup", "rt", "rp"))
_HEADINGS = frozenset(("h1", "h2", "h3"))
DAMAGED = "a damaged EPUB"


def read(data: bytes) -> Text:
    """Title and chapters in the order of reading. Raises BadUpload."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if len(archive.infolist()) > limits.BOOK_ENTRIES:
                raise bad(f"an archive of {len(archive.infolist()):,} files")
            return _book(_Shelf(archive))
    except BadUpload:
        raise
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, RuntimeError) as error:
        raise bad(DAMAGED) from error


class _Shelf:
    """Reads entries as text and counts what comes out of them."""

    def __init__(self, archive: zipfile.ZipFile):
        self._archive, self._left, self._tags = archive, limits.BOOK_BYTES, limits.BOOK_TAGS

    def text(self, name: str) -> str:
        info = self._archive.getinfo(name)
        if info.flag_bits & 1:
            raise bad("an EPUB that is locked (encrypted)")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise bad(DAMAGED)
        most = min(limits.BOOK_PART_BYTES, self._left)
        with self._archive.open(info) as file:
            raw = file.read(most + 1)
        if len(raw) > most:
            raise bad("an EPUB that unpacks to far more than a book")
        self._left -= len(raw)
        self._tags -= raw.count(b"<")
        if self._tags < 0:
            raise bad("an EPUB with far more tags than a book has")
        mark = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}.get(raw[:2], "utf-8-sig")
        return raw.decode(mark, "replace")

    def __contains__(self, name: str) -> bool:
        return name in self._archive.NameToInfo


def _book(shelf: _Shelf) -> Text:
    if "META-INF/container.xml" not in shelf:
        raise bad("a zip archive that is not an EPUB")
    package = next((about["full-path"] for tag, about, _ in _tags(shelf.text("META-INF/container.xml"))
                    if tag == "rootfile" and "full-path" in about), "")  # fmt: skip
    if package not in shelf:
        raise bad(DAMAGED)
    title, names = _spine(shelf.text(package), posixpath.dirname(package))
    parts = [_chapter(shelf.text(name)) for name in names[: limits.BOOK_PARTS] if name in shelf]
    if sum(len(part.text) for part in parts) > limits.BOOK_CHARACTERS:
        raise bad(f"a book of more than {limits.BOOK_CHARACTERS:,} characters")
    return Text(title, [part for part in parts if part.text])


def _spine(package: str, folder: str) -> tuple[str, list[str]]:
    """The book's title, and its files in the order of reading."""
    files: dict[str, str] = {}
    order: list[str] = []
    title = ""
    for tag, about, text in _tags(package):
        name = tag.rpartition(":")[2]
        if name == "item" and "html" in about.get("media-type", ""):
            files[about.get("id", "")] = posixpath.normpath(posixpath.join(folder, unquote(about.get("href", ""))))
        elif name == "itemref" and about.get("linear") != "no":
            order.append(about.get("idref", ""))
        elif name == "title" and not title:
            title = " ".join(html.unescape(text).split())[:200]
    return title, list(dict.fromkeys(files[id] for id in order if id in files))


def _chapter(page: str) -> Part:
    """Its text with an empty line between paragraphs; its title is its first heading."""
    pieces: list[str] = []
    skipping, heading, title = "", "", ""
    for tag, _, text in _tags(page):
        name = tag.lstrip("/").rpartition(":")[2]
        if skipping:
            skipping = "" if tag == f"/{skipping}" else skipping
        elif name in _SKIPPED and tag == name:
            skipping = name
        if name in _HEADINGS:
            heading = name if tag == name else ""
            title += " " if title else ""
        if name in _BLOCKS:
            pieces.append("\n\n" if name not in ("br", "tr", "li") else "\n")
        if not skipping:
            plain = re.sub(r"\s+", " ", html.unescape(text))
            pieces.append(plain)
            title += plain if heading and len(title) < 120 else ""
    return Part(" ".join(title.split())[:120], tidy(re.sub(r"[ \t]*\n[ \t]*", "\n", "".join(pieces))))


def _tags(page: str) -> Iterator[tuple[str, dict[str, str], str]]:
    """(name, attributes, the text after it) of each tag; "/p" closes, what closes itself comes twice."""
    at = page.find("<")
    while at >= 0:
        end = page.find("-->", at + 4) + 2 if page.startswith("<!--", at) else page.find(">", at)
        if end < at:
            return
        after = page.find("<", end)
        text = page[end + 1 : after if after >= 0 else len(page)]
        inner = page[at + 1 : end]
        yield from _tag(inner, text)
        at = after


def _tag(inner: str, text: str) -> Iterator[tuple[str, dict[str, str], str]]:
    if inner[:1] in ("!", "?"):
        yield "", {}, text
        return
    name = next(_NAME.finditer(inner))[0].lower()
    about = {
        found[1].lower(): html.unescape(found[2] or found[3] or "") for found in _ATTRIBUTE.finditer(inner[:20_000])
    }
    if inner.endswith("/") and not name.startswith("/"):
        yield name, about, ""
        yield f"/{name}", {}, text
    else:
        yield name, about, text
