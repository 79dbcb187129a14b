"""The plan of a text: what is spoken in one go, by which voice, with which pause after it. Spans are exact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import sentencex

from pipelines.speech.text import chunking, markup
from pipelines.speech.text.markup import VOICE
from pipelines.speech.text.normalize import cleaned

FIRST = 60  # weight of the first chunk: so short that it is spoken before anybody waits
GAP, LINE, PARAGRAPH, CLAUSE = 0.35, 0.45, 0.75, 0.12  # seconds of silence after a sentence, a line, …
# sentencex ends a sentence after these when they open it.
_ABBREVIATION = re.compile(
    r"\b(?:approx|appr|est|dept|figs?|ca|cf|eqs?|vol|vols|pp|nos?|sec|chap|art|min|max)\.\s*$", re.I
)
_NUMBER = re.compile(r"\s*\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]\s*")  # of a list: belongs to what follows
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\u200b\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINE = re.compile(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]*(?:\r\n|[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]|\Z)")
# What begins a block of its own: a heading, a list item, a quotation mark of e-mail.
_MARK = re.compile(r"[ \t]*(?:#{1,6}[ \t]+|[-*•–]\s+|>\s?|(?=\(?(?:\d{1,3}|[a-zA-Z]|[ivxIVX]{1,5})[.)]\s))")
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]")
_WRAPPED = 40  # a line at least this long goes on in the next one


@dataclass(slots=True)
class Block:
    """Characters [start, end) of the text, to be spoken by `voice` ("": the request's). paragraph: opens one."""

    start: int
    end: int
    voice: str
    paragraph: bool


def blocks(text: str) -> Iterator[Block]:
    """The blocks in order. Their spans do not overlap and leave out `[voice:…]`, marks of lists and empty lines."""
    block, fresh, goes_on = None, True, False
    for line in _LINE.finditer(text):
        start, end = line.start(), line.start() + len(line[0].rstrip())
        if start == end:
            fresh, goes_on = True, False
            continue
        tag, mark = VOICE.match(text, start, end), _MARK.match(text, start, end)
        if block and goes_on and not (tag or mark):
            block.end = end
        else:
            if block:
                yield block
            begin = tag.end() if tag else mark.end() if mark else start
            heading = bool(_HEADING.match(text, start, end))
            block = Block(begin, end, tag[1].strip() if tag else "", fresh or heading)
            fresh = heading  # what follows a heading opens a paragraph too
        goes_on = end - start >= _WRAPPED and not fresh
    if block:
        yield block


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is spoken in one go: `text`, cleaned, from characters [start, end) of the request's text.

    voice: "" is the request's. sentence: its number; a long one has several chunks. paragraph: opens one.
    before, after: seconds of silence, at speed 1; fixed: the silence after it was asked for, and no speed changes it.
    """

    text: str
    start: int
    end: int
    voice: str
    sentence: int
    paragraph: bool
    before: float = 0.0
    after: float = GAP
    fixed: bool = False


def plan(text: str, longest: int = 300, language: str = "en", first: int = FIRST) -> list[Chunk]:
    """The chunks in order. Every letter and digit outside of tags is in exactly one; none is without any.

    longest: weight of a chunk (`cutting.weigh`). language: BCP 47, for the abbreviations. Raises InvalidRequest.
    """
    chunks: list[Chunk] = []
    silence, sentence = 0.0, 0
    for block in blocks(text):
        opens = block.paragraph
        if chunks:
            _rest(chunks, PARAGRAPH if opens else LINE)
        for start, end, pause in _fragments(text, block):
            if pause is not None:
                silence = _silent(chunks, silence, pause)
                continue
            for a, b in _sentences(text, start, end, language):
                limit = first if not chunks else None
                spans = list(_parts(text, a, b, longest, limit))
                for i, (c, d) in enumerate(spans):
                    after = GAP if i == len(spans) - 1 else CLAUSE
                    words = cleaned(text[c:d])
                    chunks.append(Chunk(words, c, d, block.voice, sentence, opens, 0.0 if chunks else silence, after))
                    opens = False
                sentence += bool(spans)
    return chunks


def _rest(chunks: list[Chunk], seconds: float) -> None:
    if not chunks[-1].fixed:
        chunks[-1] = replace(chunks[-1], after=max(chunks[-1].after, seconds))


def _silent(chunks: list[Chunk], before: float, pause: float) -> float:
    """Takes in a `[pause]`: into the chunk before it, or, where there is none yet, into what is given back."""
    if not chunks:
        return before + pause
    last = chunks[-1]
    chunks[-1] = replace(last, after=pause + (last.after if last.fixed else 0.0), fixed=True)
    return before


def _fragments(text: str, block: Block) -> Iterator[tuple[int, int, float | None]]:
    """(start, end, None) of the text between the pauses, (…, seconds) of the pauses."""
    at = block.start
    for tag in markup.PAUSE.finditer(text, block.start, block.end):
        yield at, tag.start(), None
        yield tag.start(), tag.end(), markup.pause(tag)
        at = tag.end()
    yield at, block.end, None


def _sentences(text: str, start: int, end: int, language: str) -> Iterator[tuple[int, int]]:
    """Spans of the sentences, in the text's own characters: what is replaced is replaced one for one."""
    plain = _CONTROL.sub(" ", text[start:end])
    at = held = 0
    for part in sentencex.get_sentence_boundaries(language.partition("-")[0], plain):
        at = min(at + len(part["text"]), len(plain))
        if not (_ABBREVIATION.search(plain[held:at]) or (not held and _NUMBER.fullmatch(plain[:at]))):
            yield start + held, start + at
            held = at
    if held < len(plain):
        yield start + held, end


def _parts(text: str, start: int, end: int, longest: int, first: int | None) -> Iterator[tuple[int, int]]:
    """Spans of the parts of a sentence that have something to say, without the spaces around them."""
    for a, b in chunking.cut(text[start:end], longest, first):
        piece = text[start + a : start + b]
        if any(character.isalnum() for character in piece):
            yield start + a + len(piece) - len(piece.lstrip()), start + a + len(piece.rstrip())
