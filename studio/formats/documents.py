"""An uploaded document as parts that can be spoken: plain text, Markdown, EPUB. Whatever is wrong is said in one
sentence."""

from __future__ import annotations

import re

from studio import limits
from studio.formats.text import MAX_CHARACTERS, Part, Text, bad, decoded, markdown, tidy

_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_PART = MAX_CHARACTERS * 9 // 10


def read_document(name: str, data: bytes) -> Text:
    """The text in an uploaded file called `name`. Raises BadUpload."""
    if len(data) > limits.TEXT_BYTES:
        raise bad(f"a file of {len(data) / limits.MIB:,.1f} MB")
    title = re.sub(r"\.\w{1,5}$", "", name.rpartition("/")[2].rpartition("\\")[2])[:200]
    if data.startswith(b"PK"):
        from studio.formats import epub

        found = epub.read(data)
        text = Text(found.title or title, found.parts, found.notes)
    else:
        plain, notes = decoded(data)
        plain = markdown(plain) if re.search(r"\.(md|markdown)$", name, re.I) else plain
        text = Text(title, [Part("", tidy(plain))], notes)
    parts = [piece for part in text.parts for piece in _short(part) if _says(piece.text)]
    if not parts:
        raise bad("a file without a word in it")
    return Text(text.title, parts, text.notes)


def document_values(name: str, data: bytes) -> dict:
    """As `read`, in plain values."""
    found = read_document(name, data)
    parts = [{"title": part.title, "text": part.text, "characters": len(part.text)} for part in found.parts]
    return {"title": found.title, "parts": parts, "notes": found.notes}


def _says(text: str) -> bool:
    return any(character.isalnum() for character in text)


def _short(part: Part) -> list[Part]:
    """Cut between paragraphs, or anywhere where there are none, where it is longer than can be spoken at once."""
    if len(part.text) <= MAX_CHARACTERS:
        return [part]
    pieces, start = [], 0
    while start < len(part.text):
        end = min(start + _PART, len(part.text))
        breaks = [found.start() for found in _PARAGRAPH.finditer(part.text, start + _PART // 2, end)]
        if end < len(part.text) and breaks:
            end = breaks[-1]
        pieces.append(part.text[start:end].strip())
        start = end
    return [Part(f"{part.title} {i}/{len(pieces)}".strip(), text) for i, text in enumerate(pieces, 1)]
