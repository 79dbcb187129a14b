"""Files whose text is to be spoken: plain text, Markdown, EPUB. Whatever is wrong is said in one sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pipelines.errors import BadUpload
from pipelines.requests import SpeechRequest, bounds
from studio import limits

MAX_CHARACTERS = int(bounds(SpeechRequest, "text")["max_length"])  # what can be spoken at once
ALLOWED = f"a text (.txt), Markdown (.md) or EPUB file of at most {limits.TEXT_BYTES // limits.MIB} MB"
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"),
         (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))  # fmt: skip
_STARTS = {b"%PDF": "a PDF", b"{\\rtf": "an RTF document", b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture",
           b"\xd0\xcf\x11\xe0": "an old Word document", b"ID3": "a sound", b"RIFF": "a sound or a picture",
           b"BOOKMOBI": "a Kindle book"}  # fmt: skip
_CONTROL = re.compile(r"[\0-\x08\x0e-\x1f\x7f]")
_CHINESE = re.compile(r"[\u3400-\u9fff\u3000-\u303f\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Part:
    """A chapter, or a text that is one piece; title: may be empty."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    """parts: none is longer than what can be spoken at once. notes: what had to be guessed or left out."""

    title: str
    parts: list[Part]
    notes: list[str] = field(default_factory=list)


def bad(got: str) -> BadUpload:
    return BadUpload(f"text: got {got}, allowed is {ALLOWED}.")


def decoded(data: bytes) -> tuple[str, list[str]]:
    """The text of those bytes, and what had to be guessed. UTF-8 and UTF-16 are known, others are guesses."""
    if not data:
        raise bad("an empty file")
    for start, kind in _STARTS.items():
        if data.startswith(start) or (kind == "a Kindle book" and data[60:68] == start):
            raise bad(kind)
    text, notes = _guessed(data)
    if len(_CONTROL.findall(text[:100_000])) > 0.01 * min(len(text), 100_000):
        raise bad("a file that is not text")
    return _CONTROL.sub("", text), notes


def _guessed(data: bytes) -> tuple[str, list[str]]:
    for mark, name in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace"), []
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        pass
    try:
        chinese = data.decode("gb18030")
    except UnicodeDecodeError:
        chinese = ""
    if len(_CHINESE.findall(chinese)) > 0.3 * len(chinese.strip()) > 0:
        return chinese, ["The file is not UTF-8; it was read as GB 18030."]
    return data.decode("cp1252", "replace"), ["The file is not UTF-8; it was read as Windows-1252."]


def tidy(text: str) -> str:
    """One kind of line break, no spaces at the ends of lines, at most one empty line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n\n")
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip()


def markdown(text: str) -> str:
    """Without what is not for the ear: front matter, code, pictures, addresses of links, HTML, rules, table lines."""
    text = re.sub(r"\A---\n[^\0]{0,20000}?\n---\n", "", text.replace("\r\n", "\n"))
    text = "".join(text.split("```")[::2])
    text = re.sub(r"!\[[^\]\n]{0,1000}\]\([^)\n]{0,2000}\)", "", text)
    text = re.sub(r"\[([^\]\[\n]{1,1000})\]\([^)\n]{0,2000}\)", r"\1", text)
    text = re.sub(r"</?[a-zA-Z][^<>\n]{0,1000}>", "", text)
    return re.sub(r"(?m)^[ \t]*(?:[-*_=]{3,}|[|:\- ]{3,})[ \t]*$", "", text)
